"""The formula language of lenses and conditions: grammar, types, functions, compilation to closures. Pure.

May import model, errors and mapping.failure/tables/plain/problems only.
"""
