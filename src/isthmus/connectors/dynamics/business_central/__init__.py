"""Business Central API v2.0: protocol only. Facts: docs/business-central.md."""
