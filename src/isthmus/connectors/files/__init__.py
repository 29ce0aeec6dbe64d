"""Folders of CSV or Excel files as an operational system."""
