"""Addresses below `ODataV4/`: `Company('NAME')/Service(Key='value',Other=1)`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.fields import Kind
from isthmus.sandbox.business_central.filters import literal_of
from isthmus.sandbox.business_central.published.page import Page
from isthmus.sandbox.business_central.tables import Row, Values

_SEGMENT = re.compile(r"(?P<name>[^/('?]+)(?:\((?P<key>(?:'(?:[^']|'')*'|[^'()])*)\))?(?:/|$)")
_PART = re.compile(r"\s*(?:(?P<name>\w+)\s*=\s*)?(?P<value>'(?:[^']|'')*'|[^,']+)\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a path: its name and what stood between parentheses, None without."""

    name: str
    key: str | None


def segments(path: str) -> list[Segment]:
    """Split a decoded path, minding quotes: a key may hold a slash or a parenthesis. Raises Refusal."""
    found, at = [], 0
    path = path.strip("/")
    while at < len(path):
        match = _SEGMENT.match(path, at)
        if match is None:
            raise errors.bad_syntax()
        found.append(Segment(match["name"], match["key"]))
        at = match.end()
    return found


def company_name(key: str) -> str:
    """The name in `Company('NAME')`; a quote in it is written twice."""
    if len(key) < 2 or key[0] != "'" or key[-1] != "'":
        raise errors.bad_syntax()
    return key[1:-1].replace("''", "'")


def key_of(page: Page, key: str) -> Values:
    """The primary key in an address: by names, or values alone in the order of the key (bc.md section 18). Raises
    Refusal.
    """
    given: dict[str, str] = {}
    at = 0
    while at < len(key):
        match = _PART.match(key, at)
        if match is None:
            raise errors.bad_syntax()
        given[match["name"] or page.keys[min(len(given), len(page.keys) - 1)]] = match["value"].strip()
        at = match.end()
    if set(given) != set(page.keys):
        raise errors.bad_syntax()
    found: Values = {}
    for name in page.keys:
        field = page.by_name[name]
        kind = "text" if given[name].startswith("'") else "number"
        try:
            found[name] = literal_of(field, kind, given[name])
        except (ValueError, ArithmeticError):
            raise errors.bad_syntax() from None
        if field.kind is Kind.INT:
            found[name] = int(found[name])
    return found


def address(page: Page, root: str, company: str, row: Row | None = None) -> str:
    """The absolute address of a service, or of one row of it."""
    named = company.replace("'", "''")
    base = f"{root}/Company('{quote(named)}')/{page.name}"
    if row is None:
        return base
    parts = []
    for name in page.keys:
        value = row.values[name]
        written = str(value) if isinstance(value, int) else "'" + quote(str(value).replace("'", "''"), safe="") + "'"
        parts.append(written if len(page.keys) == 1 else f"{name}={written}")
    return f"{base}({','.join(parts)})"
