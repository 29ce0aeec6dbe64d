"""Purchase orders and goods receipts of Business Central: how they are read, made, amended, cancelled and received.

May import what the connector has in common, nothing of other kinds of documents.
"""
