"""Posting rules, periods, corrections, validation, totals: pure functions that return findings and never raise for a
bad record.

May import model and errors only.
"""
