"""Isthmus: every business event of operations in finance exactly once. Import from the subpackages, never from here."""
