"""Business Central API v2.0 as bc.md and bc.json describe it: entity sets, OData, $batch, journals and their posting.

Each area of the API is one module of `areas`, found by `registry`; the modules beside it know OData and companies but
no entity. Imported by `isthmus.sandbox` only.
"""
