"""HTTP API and web console over app. Empty but for its place in the import order until the console joins.

May import app.
"""
