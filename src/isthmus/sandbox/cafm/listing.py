"""Lists: what their parameters mean, which records they find, and one page of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from isthmus.sandbox.cafm.entity import Entity
from isthmus.sandbox.cafm.kinds import Flag, Record, Wrong, moment
from isthmus.sandbox.cafm.problems import bad_request
from isthmus.sandbox.cafm.tables import Table
from isthmus.sandbox.cafm.world import World

DEFAULT_LIMIT, MOST, MOST_NAMES = 25, 200, 100
_SORTS = ("id", "-id", "updatedAt", "-updatedAt")
_PAGING = frozenset({"limit", "offset", "sort", "include_deleted"})
_REPEATED = frozenset({"code", "externalId", "number", "externalNumber"})


def parameters(entity: Entity) -> frozenset[str]:
    """What a list of this entity may be asked with."""
    own = {"updated_since", "ids", "externalId", *entity.filters, *entity.since}
    own |= {name for name in ("code", "number", "externalNumber") if name in entity.by_name}
    if entity.statuses is not None:
        own.add(entity.statuses.field)
    return frozenset(own | _PAGING)


class Query:
    """The parameters of one list, read. Raises Problem."""

    def __init__(self, entity: Entity, text: str) -> None:
        self.given: dict[str, list[str]] = {}
        known = parameters(entity)
        for name, value in parse_qsl(text, keep_blank_values=True):
            if name not in known:
                raise bad_request("unknown_parameter", f"{name}: lists of {entity.name} have no such parameter.", name)
            self.given.setdefault(name, []).append(value)
        for name, values in self.given.items():
            if len(values) > (MOST_NAMES if name in _REPEATED else 1):
                raise _invalid(name, "this is given too often.")
        self.limit = self._number("limit", DEFAULT_LIMIT, 1, MOST)
        self.offset = self._number("offset", 0, 0, 2**53)
        self.since = self._time("updated_since")
        self.sort = self.one("sort") or ("updatedAt" if self.since else "id")
        if self.sort not in _SORTS:
            raise _invalid("sort", f"{self.sort!r} is none of {', '.join(_SORTS)}.")
        self.deleted_too = self.one("include_deleted") == "true"
        if self.one("include_deleted") not in {None, "true", "false"}:
            raise _invalid("include_deleted", "this takes true or false.")
        self.ids = self._ids()
        self.tests = dict(self._tests(entity))
        self.starts = {field: start for name, field in entity.since.items() if (start := self._time(name)) is not None}

    def one(self, name: str) -> str | None:
        values = self.given.get(name)
        return values[0] if values else None

    def _number(self, name: str, default: int, low: int, high: int) -> int:
        text = self.one(name)
        if text is None:
            return default
        if not text.isdecimal() or not low <= int(text) <= high:
            raise _invalid(name, f"{text!r} is not a whole number from {low} to {high}.")
        return int(text)

    def _time(self, name: str) -> str | None:
        text = self.one(name)
        if text is None:
            return None
        try:
            return moment(text.replace(" ", "+"))  # a plus that nobody encoded
        except Wrong as wrong:
            raise _invalid(name, str(wrong)) from None

    def _ids(self) -> list[int] | None:
        text = self.one("ids")
        if text is None:
            return None
        words = [word for word in text.split(",") if word]
        if len(words) > MOST_NAMES or not all(word.isdecimal() for word in words):
            raise _invalid("ids", f"this takes at most {MOST_NAMES} ids with commas between them.")
        return [int(word) for word in words]

    def _tests(self, entity: Entity) -> Iterable[tuple[str, Sequence[Any]]]:
        """Field and the values it may have."""
        for name in (*_REPEATED, *entity.filters):
            if name in self.given and name in entity.by_name:
                typed = [_typed(entity, name, value) for value in self.given[name]]
                yield name, list({_folded(entity, name, value): value for value in typed}.values())
        status = entity.statuses.field if entity.statuses else ""
        if entity.statuses is not None and (text := self.one(status)) is not None:
            words = text.split(",")
            for word in words:
                if word not in entity.statuses.ways:
                    raise _invalid(status, f"{word!r} is none of {', '.join(entity.statuses.ways)}.")
            yield status, words


def _typed(entity: Entity, name: str, text: str) -> Any:
    """A parameter as its field keeps it."""
    if isinstance(entity.by_name[name].kind, Flag):
        if text not in {"true", "false"}:
            raise _invalid(name, "this takes true or false.")
        return text == "true"
    if name.endswith("Id") and name != "externalId":
        if not text.isdecimal():
            raise _invalid(name, f"{text!r} is not an id.")
        return int(text)
    return text


def _folded(entity: Entity, name: str, value: Any) -> Any:
    return value.casefold() if name in entity.folded else value


def _invalid(name: str, text: str) -> Exception:
    return bad_request("invalid_parameter", f"{name}: {text}", name)


def found(world: World, entity: Entity, query: Query) -> list[Record]:
    """Every record a query finds, in its order."""
    table = world.tables[entity.name]
    rows, ordered = _candidates(table, query)
    tests = list(_predicates(entity, query))
    rows = [row for row in rows if all(test(row) for test in tests)] if tests else list(rows)
    key, backwards = query.sort.lstrip("-"), query.sort.startswith("-")
    if ordered != key:
        rows.sort(key=(lambda row: row["id"]) if key == "id" else (lambda row: (row["updatedAt"], row["id"])))
    return rows[::-1] if backwards else rows


def _candidates(table: Table, query: Query) -> tuple[Iterable[Record], str]:
    """The fewest records that hold all that are looked for, and what they are ordered by."""
    if query.ids is not None:
        return [table.rows[one] for one in dict.fromkeys(query.ids) if one in table.rows], ""
    indexed = [name for name in query.tests if name in table.entity.indexed]
    if indexed:
        lists = ([row for value in query.tests[name] for row in table.having(name, value)] for name in indexed)
        return min(lists, key=len), ""
    if "code" in query.tests and table.entity.unique == ("code",) and not query.deleted_too:
        rows = [row for code in query.tests["code"] if (row := table.by_code(code)) is not None]
        return {row["id"]: row for row in rows}.values(), ""
    if query.since is not None:
        return table.changed_since(query.since), "updatedAt"
    return (table.in_order_of_change(), "updatedAt") if query.sort.endswith("updatedAt") else (table.rows.values(), "")


def _predicates(entity: Entity, query: Query) -> Iterable[Callable[[Record], bool]]:
    if not query.deleted_too:
        yield lambda row: row["deletedAt"] is None
    if query.since is not None:
        since = query.since
        yield lambda row: row["updatedAt"] >= since
    for name, values in query.tests.items():
        yield _one_of(name, values, folded=name in entity.folded)
    for field, start in query.starts.items():
        yield _from(field, start)


def _one_of(name: str, values: Sequence[Any], *, folded: bool) -> Callable[[Record], bool]:
    if folded:
        allowed = {str(value).casefold() for value in values}
        return lambda row: row[name] is not None and row[name].casefold() in allowed
    whole = set(values)
    return lambda row: row[name] in whole


def _from(field: str, start: str) -> Callable[[Record], bool]:
    return lambda row: row[field] is not None and row[field] >= start


def page(world: World, entity: Entity, text: str, address: str) -> dict[str, Any]:
    """One page and where the next is. `address` is that of the list. Raises Problem."""
    query = Query(entity, text)
    rows = found(world, entity, query)
    shown = [entity.show(world, row) for row in rows[query.offset : query.offset + query.limit]]
    following = query.offset + query.limit
    more = following < len(rows)
    link = f"{address}?{_again(query.given, query.limit, following)}" if more else None
    paging = {"total": len(rows), "limit": query.limit, "offset": query.offset, "next": link}
    return {"data": shown, "paging": paging}


def _again(given: Mapping[str, list[str]], limit: int, offset: int) -> str:
    kept = [(name, value) for name, values in given.items() if name not in {"limit", "offset"} for value in values]
    return urlencode([*kept, ("limit", str(limit)), ("offset", str(offset))])
