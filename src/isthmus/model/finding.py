"""Finding: what a control says of a record. Controls return findings, they do not raise."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

#: error: the document cannot go (dead until mended); hold: a person decides; skip: nothing is to be done;
#: wait: goes by itself when something appears; notice: told, nothing stops.
Severity = Literal["error", "hold", "skip", "wait", "notice"]


class Finding(Struct, frozen=True, omit_defaults=True):
    """One statement about a record.

    code      stable, documented in docs/findings.md, e.g. `account_unmapped`
    severity  what shall happen
    text      for people: what is wrong with which value
    field     canonical path or native column, `lines[2].account`
    value     the offending value as text; empty where the field is personal or secret
    mend      where and how to mend it: file and line, table, page of the target
    """

    code: str
    severity: Severity
    text: str
    field: str = ""
    value: str = ""
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.mend}".rstrip()


_ORDER: tuple[Severity, ...] = ("error", "hold", "wait", "skip", "notice")


def worst(findings: tuple[Finding, ...]) -> Severity | None:
    """The severity that decides, errors first; None when there is none."""
    for severity in _ORDER:
        if any(finding.severity == severity for finding in findings):
            return severity
    return None
