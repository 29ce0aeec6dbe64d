"""Admit, process, deliver, confirm, reconcile, backfill, plan: one file each, and the turn.

May import contract, mapping, controls, ledger, model and errors; never a connector.
"""
