"""What a GET shows: filtering, order, paging, `$select` and `$expand` (bc.md sections 4 and 5)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.entity import EntitySet, Navigation, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import NO_GUID, Field
from isthmus.sandbox.business_central.filters import Filter, parse
from isthmus.sandbox.business_central.tables import Row, chained

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Shape:
    """Which properties and navigations of a row are shown. None: all properties."""

    select: tuple[str, ...] | None
    expand: tuple[tuple[Navigation, dict[str, str]], ...]


PLAIN = Shape(None, ())


def shape(call: Call, entity_set: EntitySet, options: Mapping[str, str]) -> Shape:
    if "$select" not in options and "$expand" not in options:
        return PLAIN
    select = None
    if "$select" in options:
        names = tuple(name.strip() for name in options["$select"].split(",") if name.strip())
        fields = _fields(call, entity_set)
        for name in names:
            if name not in fields:
                raise errors.bad_request(
                    f"Could not find a property named '{name}' on type 'Microsoft.NAV.{entity_set.entity}'."
                )
        select = tuple(fields[name].name for name in names)
    return Shape(select, tuple(_expansions(entity_set, options.get("$expand", ""))))


def _fields(call: Call, entity_set: EntitySet) -> dict[str, Field]:
    """Properties by the name the API shows now."""
    renamed = call.environment.drift.get(entity_set.name)
    if not renamed:
        return entity_set.by_name
    return {renamed.get(field.name, field.name): field for field in entity_set.fields}


def _expansions(entity_set: EntitySet, text: str) -> Iterable[tuple[Navigation, dict[str, str]]]:
    for part in _split(text, ","):
        name, _, inner = part.partition("(")
        navigation = entity_set.by_navigation.get(name.strip())
        if navigation is None:
            raise errors.bad_request(
                f"Could not find a property named '{name.strip()}' on type 'Microsoft.NAV.{entity_set.entity}'."
            )
        options = dict(option.split("=", 1) for option in _split(inner.removesuffix(")"), ";") if "=" in option)
        yield navigation, options


def _split(text: str, mark: str) -> list[str]:
    """Split outside of parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif char == mark and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def show(
    call: Call, sets: Mapping[str, EntitySet], entity_set: EntitySet, row: Row, form: Shape = PLAIN
) -> dict[str, Any]:
    """One row as JSON data, with its etag first."""
    values = row.values
    chosen = values if form.select is None else {name: values[name] for name in form.select}
    renamed = call.environment.drift.get(entity_set.name)
    if renamed:
        chosen = {renamed.get(name, name): value for name, value in chosen.items()}
    shown = {"@odata.etag": entity_set.etag(row), **chosen}
    for navigation, options in form.expand:
        shown[navigation.name] = _expanded(call, sets, Parent(entity_set, row), navigation, options)
    return shown


def _expanded(
    call: Call, sets: Mapping[str, EntitySet], parent: Parent, navigation: Navigation, options: Mapping[str, str]
) -> Any:
    target = sets[navigation.target]
    form = shape(call, target, options)
    if not navigation.many:
        key = parent.row.values[navigation.by]
        return None if key == NO_GUID else show(call, sets, target, target.find(call, None, key), form)
    rows = chosen_rows(call, target, parent, options)
    return [show(call, sets, target, row, form) for row in rows]


def chosen_rows(call: Call, entity_set: EntitySet, parent: Parent | None, options: Mapping[str, str]) -> list[Row]:
    """Rows after `$filter` and `$orderby`."""
    text = options.get("$filter")
    if text:
        newest = call.options.get("$schemaversion") == "2.1"
        condition = parse(text, _fields(call, entity_set), entity_set.entity, newest=newest)
        found = [row for row in _candidates(call, entity_set, parent, condition) if condition.test(row.values)]
    else:
        found = list(entity_set.rows(call, parent))
    for term in reversed(_split(options.get("$orderby", ""), ",")):
        name, _, direction = term.partition(" ")
        field = _fields(call, entity_set).get(name)
        if field is None or direction.strip() not in {"", "asc", "desc"}:
            raise errors.bad_syntax()
        found.sort(key=_by(field.name), reverse=direction.strip() == "desc")
    return found


def _by(name: str) -> Callable[[Row], Any]:
    return lambda row: row.values[name]


def _candidates(call: Call, entity_set: EntitySet, parent: Parent | None, condition: Filter) -> Iterable[Row]:
    for column, values in condition.equal:
        groups = [entity_set.candidates(call, parent, column, value) for value in dict.fromkeys(values)]
        if None not in groups:
            return entity_set.in_order(chained([group for group in groups if group is not None]))
    if condition.above is not None:
        rows = entity_set.rows_above(call, parent, *condition.above)
        if rows is not None:
            return rows
    return entity_set.rows(call, parent)


# paging


def collection(
    call: Call, sets: Mapping[str, EntitySet], entity_set: EntitySet, parent: Parent | None, url: str
) -> dict[str, Any]:
    """A page of rows with its nextLink. `url` is the absolute address of the collection without query."""
    options = call.options
    rows = chosen_rows(call, entity_set, parent, options)
    total = len(rows)
    start = _number(options, "$skip", 0)
    if "$skiptoken" in options:
        start = _after(rows, options["$skiptoken"])
    wanted = _number(options, "$top", total)
    size = page_size(call)
    page = rows[start : start + min(size, wanted)]
    form = shape(call, entity_set, options)
    body: dict[str, Any] = {"@odata.context": f"{call.root}/$metadata#{_context(call, url)}"}
    if options.get("$count") == "true":
        body["@odata.count"] = total
    body["value"] = [show(call, sets, entity_set, row, form) for row in page]
    if wanted > size and start + len(page) < total:
        # Without $top the link is open-ended; with a $top above the page size it carries what remains (bc.md
        # section 5).
        remaining = wanted - size if "$top" in options else None
        body["@odata.nextLink"] = _next_link(options, url, start + len(page), page[-1].id, remaining)
    return body


def _context(call: Call, url: str) -> str:
    return re.sub(r"^/", "", url.removeprefix(call.root))


def page_size(call: Call) -> int:
    """`Prefer: odata.maxpagesize` may only lower the server's page."""
    match = re.search(r"(?:odata\.)?maxpagesize=(\d+)", call.headers.get("prefer", ""))
    limit = call.environment.switches.page_size
    return max(1, min(limit, int(match.group(1)))) if match else limit


def _number(options: Mapping[str, str], name: str, default: int) -> int:
    text = options.get(name)
    if text is None:
        return default
    if not text.isdigit():
        raise errors.bad_syntax()
    return int(text)


def _next_link(options: Mapping[str, str], url: str, position: int, last_id: str, remaining: int | None) -> str:
    kept = {name: value for name, value in options.items() if name not in {"$skip", "$skiptoken", "$top", "aid"}}
    if remaining is not None:
        kept["$top"] = str(remaining)
    token = base64.urlsafe_b64encode(msgspec.json.encode([position, last_id])).decode()
    kept |= {"aid": "FIN", "$skiptoken": token}
    return f"{url}?" + "&".join(f"{name}={quote(value)}" for name, value in kept.items())


def _after(rows: list[Row], token: str) -> int:
    """Where the next page starts: behind the last row shown, or at its old place when that row is gone."""
    try:
        position, last_id = msgspec.json.decode(base64.urlsafe_b64decode(token), type=tuple[int, str])
    except (ValueError, msgspec.MsgspecError):
        raise errors.bad_syntax() from None
    if position <= len(rows) and position and rows[position - 1].id == last_id:
        return position
    return next((at + 1 for at, row in enumerate(rows) if row.id == last_id), position - 1)
