"""Posting rules, periods, corrections and validation: pure functions that return findings, never raise for a bad record.

May import model and errors only.
"""
