"""Folders of CSV or Excel files as an operational system: reading by scan, results files for people.

The door is `connect` in `connector`; the settings are `FilesConfig` in `config`. May import contract, model and errors.
"""
