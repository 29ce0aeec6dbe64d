"""Typer + Rich over app, one file per command group.

May import app; the only package that may start the sandbox.
"""
