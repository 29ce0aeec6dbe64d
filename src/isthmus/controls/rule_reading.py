"""Posting rules from YAML: `rules/*.yaml` -> RuleTable. docs/posting-rules.md shows the form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from isthmus.controls.reading import Reading, suggest
from isthmus.controls.rule_checks import overlaps
from isthmus.controls.rules import (
    CONDITIONS,
    COST_KINDS,
    COST_SOURCES,
    DimensionSource,
    Rounding,
    RuleRow,
    RuleTable,
)
from isthmus.model.document import Document, Path
from isthmus.model.entity import EntityType, Field, entities
from isthmus.model.money import known_currency

_TABLE_KEYS = ("rules", "rounding", "rows")
_ROW_KEYS = ("name", "when", "account", "offset", "dimensions", "offset_dimensions", "from", "until", "no_posting")
_CHOICES = {"source": COST_SOURCES, "kind": COST_KINDS}


def parse_rules(document: Document) -> RuleTable:
    """The table in a document. Raises ConfigurationError naming every problem with file, line and suggestion.

    A row without offset is read: `coverage` reports it, because it is a question to finance rather than a misspelling.
    """
    reading = Reading(document)
    top = reading.keys((), document.data, _TABLE_KEYS)
    name = reading.code(("rules",), top.get("rules"), "the name of the rules (key rules)")
    rounding = _rounding(reading, top.get("rounding"))
    rows: list[RuleRow] = []
    for index, item in enumerate(reading.sequence(("rows",), top.get("rows", []), "rows")):
        row = _row(reading, ("rows", index), item)
        if row is not None:
            rows.append(row)
    _unique_names(reading, rows)
    for overlap in overlaps(rows):
        reading.problems.append(overlap.error(document))
    reading.finish()
    line = document.line(("rounding",)) if rounding else None
    return RuleTable(name=name or "", file=document.file, rows=tuple(rows), rounding=rounding, rounding_line=line)


def _rounding(reading: Reading, value: Any) -> Rounding | None:
    if value is None:
        return None
    path: Path = ("rounding",)
    keys = reading.keys(path, value, ("account", "limit"))
    account = reading.code((*path, "account"), keys.get("account"), "the rounding account")
    limit = reading.number((*path, "limit"), keys.get("limit"), "the limit of rounding")
    if limit is not None and limit < 0:
        reading.problem((*path, "limit"), f"the limit of rounding cannot be below zero, it is {limit}")
    return Rounding(account or "", limit if limit is not None else Decimal(0))


def _row(reading: Reading, path: Path, value: Any) -> RuleRow | None:
    keys = reading.keys(path, value, _ROW_KEYS)
    if not keys:
        return None
    name = reading.code((*path, "name"), keys.get("name"), "the name of the row") or ""
    when = _conditions(reading, (*path, "when"), keys.get("when"))
    no_posting = reading.flag((*path, "no_posting"), keys.get("no_posting"), "no_posting")
    account, offset = _accounts(reading, path, keys, no_posting)
    if no_posting and when.get("source") != frozenset({"stock"}):
        reading.problem(
            (*path, "no_posting"),
            f"row {name!r}: only stock may go without posting, because only stock is valued by its item entry",
            "Set `when: {source: stock}` in this row, or give account and offset.",
        )
    begins = reading.day((*path, "from"), keys.get("from"))
    ends = reading.day((*path, "until"), keys.get("until"))
    if begins and ends and ends < begins:
        reading.problem((*path, "until"), f"row {name!r} ends on {ends}, before it begins on {begins}")
    return RuleRow(
        name=name,
        when=when,
        account=account,
        offset=offset,
        dimensions=_dimensions(reading, (*path, "dimensions"), keys.get("dimensions")),
        offset_dimensions=_dimensions(reading, (*path, "offset_dimensions"), keys.get("offset_dimensions")),
        valid_from=begins,
        valid_until=ends,
        no_posting=no_posting,
        line=reading.document.line((*path, "name") if "name" in keys else path),
    )


def _accounts(reading: Reading, path: Path, keys: Mapping[str, Any], no_posting: bool) -> tuple[str, str]:
    if no_posting:
        for key in ("account", "offset"):
            if keys.get(key) is not None:
                reading.problem((*path, key), f"a row with no_posting has no {key}", f"Remove {key} or no_posting.")
        return "", ""
    account = reading.code((*path, "account"), keys.get("account"), "account") or ""
    offset = ""
    if keys.get("offset") is not None:
        offset = reading.code((*path, "offset"), keys["offset"], "offset") or ""
    if account and account == offset:
        reading.problem((*path, "offset"), f"offset and account are both {account}: the cost would cancel itself")
    return account, offset


def _conditions(reading: Reading, path: Path, value: Any) -> dict[str, frozenset[str]]:
    """Only conditions that name values; "*" and an absent one mean any."""
    found: dict[str, frozenset[str]] = {}
    for name, wanted in reading.keys(path, value, CONDITIONS).items():
        at = (*path, name)
        if wanted == "*":
            continue
        items = wanted if isinstance(wanted, list) else [wanted]
        if not items:
            reading.problem(at, f"{name} names no value", 'Write "*" for any.')
        values = {reading.code((*at, index), item, name) for index, item in enumerate(items)}
        texts = frozenset(text for text in values if text is not None)
        if "*" in texts:
            reading.problem(at, f'{name} mixes "*" with values', 'Write either "*" or the values.')
        for text in sorted(texts - {"*"}):
            _known_value(reading, at, name, text)
        found[name] = texts
    return found


def _known_value(reading: Reading, path: Path, name: str, text: str) -> None:
    if name in _CHOICES and text not in _CHOICES[name]:
        reading.problem(path, f"{name} {text!r} does not exist", suggest(text, _CHOICES[name]))
    if name == "currency" and not known_currency(text):
        reading.problem(path, f"currency {text!r} is not an ISO 4217 code", "Write it like USD.")


def _dimensions(reading: Reading, path: Path, value: Any) -> dict[str, DimensionSource]:
    if value is not None and not isinstance(value, Mapping):
        reading.problem(path, 'expected DIMENSION: path, or DIMENSION: "=literal"')
        return {}
    found: dict[str, DimensionSource] = {}
    for code, source in (value or {}).items():
        at = (*path, code)
        if not isinstance(source, str) or not source.strip("= "):
            reading.problem(at, f'dimension {code} needs a path such as cost_centre, or a literal such as "=MAINT"')
        elif source.startswith("="):
            found[code] = DimensionSource(literal=source[1:].strip())
        elif (dimension := _path(reading, at, source.strip())) is not None:
            found[code] = dimension
    return found


def _path(reading: Reading, at: Path, path: str) -> DimensionSource | None:
    order = entities()["work_order"]
    field = order.field(path)
    if field is None and path.startswith("extra.") and path != "extra.":
        return DimensionSource(path=path)  # custom fields travel without code, so nobody knows their names here
    if field is None:
        hint = f"Did you mean lines.{path}?" if order.field(f"lines.{path}") else suggest(path, _plain_paths(order))
        reading.problem(at, f"work_order has no field {path!r}", hint)
        return None
    if field.type in {"list", "struct", "map"}:
        reading.problem(at, f"{path} is a {field.type}, a dimension needs one value", _inside(order, field, path))
        return None
    return DimensionSource(path=path, personal=field.sensitivity != "plain")


def _plain_paths(order: EntityType) -> list[str]:
    return [path for path in order.paths() if path not in {"lines", "extra"}]


def _inside(order: EntityType, field: Field, path: str) -> str:
    return suggest(f"{path}.", [f"{path}.{inner.path}" for inner in field.fields] or _plain_paths(order))


def _unique_names(reading: Reading, rows: list[RuleRow]) -> None:
    counts = Counter(row.name for row in rows)
    for name, count in counts.items():
        if name and count > 1:
            lines = [row.line for row in rows if row.name == name]
            error = reading.document.error((), f"{count} rows are called {name!r}, on lines {_listed(lines)}.")
            error.line = lines[-1]
            error.hint = "Give each row a name of its own: journal lines carry it."
            reading.problems.append(error)


def _listed(lines: list[int | None]) -> str:
    return ", ".join(str(line) for line in lines)
