"""Master records: made and changed, each under its etag (bc.md §6, §13)."""
