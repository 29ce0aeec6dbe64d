"""The closest valid name to a misspelt one, and lists of names for people."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest(name: str, valid: Iterable[str]) -> str:
    """The valid name most like `name`, "" when none is near. Case does not count."""
    by_fold = {candidate.casefold(): candidate for candidate in sorted(valid)}
    found = get_close_matches(name.casefold(), list(by_fold), n=1, cutoff=0.6)
    return by_fold[found[0]] if found else ""


def suggestion(name: str, valid: Iterable[str], *, nothing: str = "") -> str:
    """`did you mean 'x'?`, else the whole list if it is short enough to read, else `nothing`."""
    names = sorted(valid)
    if near := closest(name, names):
        return f"did you mean {near!r}?"
    if names and len(names) <= 12:
        return f"there is {', '.join(names)}."
    return nothing
