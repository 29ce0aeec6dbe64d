"""What the suite claims, in words a connector author can act on. Plain asserts would say only `assert 1 == 2`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def claim(holds: object, text: str) -> None:
    """Fail the test with `text` unless `holds`."""
    if not holds:
        raise AssertionError(text)


def claim_equal(found: object, wanted: object, what: str) -> None:
    """Fail unless both are equal, showing both."""
    if found != wanted:
        raise AssertionError(f"{what}: wanted {wanted!r}, found {found!r}")


def claim_distinct(items: Iterable[str], what: str) -> None:
    """Fail when anything stands twice."""
    twice = [item for item, count in Counter(items).items() if count > 1]
    claim(not twice, f"{what} come twice: {', '.join(twice[:5])}")
