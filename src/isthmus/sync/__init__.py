"""Admit, process, deliver, confirm, reconcile, backfill, plan: one file each, and the turn that runs them for one connection.

May import contract, mapping, controls, ledger, model and errors; never a connector.
"""
