"""Canonical values and entities: money, quantity, refs, records, findings. Frozen, Decimal, aware UTC.

May import errors only.
"""
