"""Lenses (two-way mapping native <-> canonical), the formula language, lookups, units and currency. Pure: no I/O.

May import model and errors only.
"""
