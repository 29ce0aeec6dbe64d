"""Configuration as code: what a project folder says, read, checked and frozen into one value.

May import everything below app; imported by the rest of app, by cli and console. Start at `loading.load_project`.
"""
