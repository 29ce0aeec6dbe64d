"""The durable memory: records, links, messages, attempts, audit, cursors. SQL lives here and nowhere else.

May import model and errors.
"""
