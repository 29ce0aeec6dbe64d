"""Named, invertible conversions for `via:`. One file per family; `registry` collects them. Pure.

May import model, errors and mapping.failure/plain only.
"""
