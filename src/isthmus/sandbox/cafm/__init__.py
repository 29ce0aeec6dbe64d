"""A plain CAFM as docs/cafm-api.md describes it: master data, operations, webhooks, limits, and a user's hands.

Written from that page and never from a connector of ours.
"""
