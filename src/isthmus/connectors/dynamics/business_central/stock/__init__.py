"""Stock transactions, in the way a connection declares (semantics.md §5)."""
