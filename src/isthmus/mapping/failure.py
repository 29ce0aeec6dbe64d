"""Why one value cannot travel. Raised inside the mapping package only; lenses turn it into a finding."""

from __future__ import annotations

from typing import Any

from isthmus.model.finding import Finding, Severity
from isthmus.model.spelling import spell


class Failure(Exception):
    """`expected` completes the sentence "... needs ..."; `mend` says where to mend it."""

    code = "bad_value"
    severity: Severity = "error"

    def __init__(self, expected: str, *, mend: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.mend = mend

    def sentence(self, column: str, shown: str, path: str) -> str:
        """What is wrong, naming the column, the value and what was expected."""
        return f"{column} holds {shown}, but {path} needs {self.expected}."

    def finding(self, column: str, value: Any, path: str, *, masked: bool, mend: str) -> Finding:
        """The finding. A masked value (personal, secret) stands in neither text nor value."""
        text = "" if masked else show(value)
        shown = "a value that is not shown" if masked else quoted(value)
        return Finding(
            self.code,
            self.severity,
            self.sentence(column, shown, path),
            field=column,
            value=text,
            mend=self.mend or mend,
        )


class BadValue(Failure):
    """The value is not of the form its place needs."""


class LookupMissing(Failure):
    """A lookup table has no row for the value."""

    code = "lookup_missing"

    def sentence(self, column: str, shown: str, path: str) -> str:
        return f"{column} holds {shown}, and {self.expected}, so {path} stays without a value."


class ReferenceMissing(Failure):
    """The record referred to is not known on the other side yet; it may come by itself."""

    code = "reference_missing"
    severity: Severity = "wait"

    def sentence(self, column: str, shown: str, path: str) -> str:
        return f"{column} refers to {self.expected}."


class TooLong(Failure):
    """The text does not fit into the native field."""

    code = "too_long"

    def sentence(self, column: str, shown: str, path: str) -> str:
        return f"{column} is {shown}, but {self.expected}."


class FormulaFailed(Failure):
    """A formula met a value it cannot calculate with."""

    code = "formula_failed"

    def sentence(self, column: str, shown: str, path: str) -> str:
        return f"The formula of {path} cannot be calculated: {self.expected}."


def show(value: Any) -> str:
    """A value as short text for people."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"an object of {len(value)} fields"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    try:
        text = str(spell(value))
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= 120 else text[:117] + "..."


def quoted(value: Any) -> str:
    """`show` in quotes, or words for what has no text."""
    if value is None:
        return "nothing"
    if value == "":
        return "an empty text"
    if isinstance(value, dict | list | tuple):
        return show(value)
    return f'"{show(value)}"'
