"""Reports and analysis over the ledger. Empty but for its place in the import order until reports join.

May import ledger, model and errors.
"""
