"""Code that speaks the APIs of outside systems: protocol only, no meaning. One folder per system.

May import contract, model and errors; never mapping, ledger, sync or another system.
"""
