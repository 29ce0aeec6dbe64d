"""Records in memory: by id, by what they are looked up by, and in the order of their changes."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import Any

from isthmus.sandbox.cafm.entity import Entity
from isthmus.sandbox.cafm.kinds import Record

_Ids = dict[int, None]  # a set that keeps the order


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


class Table:
    """The records of one entity, deleted ones too, by id in order of creation. A stored record is never changed in
    place: `put` replaces it.
    """

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.rows: dict[int, Record] = {}
        self.last_id = entity.first_id - 1
        self.last_line = entity.first_id - 1
        self.last_number = 0
        self.dirty = True
        self._keys: dict[tuple[Any, ...], int] = {}
        self._found: dict[str, dict[Any, _Ids]] = {field: {} for field in entity.indexed}
        self._changes: list[tuple[str, int]] = []
        self._live = 0

    def __len__(self) -> int:
        """How many are not deleted."""
        return self._live

    def __iter__(self) -> Iterator[Record]:
        return iter(self.rows.values())

    # finding

    def live(self, record_id: int) -> Record | None:
        """The record with this id unless it is deleted."""
        row = self.rows.get(record_id)
        return row if row is not None and row["deletedAt"] is None else None

    def by_key(self, fields: tuple[str, ...], *values: Any) -> Record | None:
        """The live record these values name. `fields` are those of the entity, in their order."""
        if fields != self.entity.unique:
            raise KeyError(f"{self.entity.name} is not unique by {fields}")
        found = self._keys.get(tuple(map(_folded, values)))
        return self.rows[found] if found is not None else None

    def by_code(self, code: str) -> Record | None:
        return self.by_key(("code",), code)

    def named(self, name: str) -> Record | None:
        """The live record a person means by a code, a number, an external id or, at last, an id."""
        if self.entity.unique == ("code",) and (row := self.by_code(name)) is not None:
            return row
        for field in ("number", "externalId"):
            rows = [row for row in self.having(field, name) if row["deletedAt"] is None]
            if len(rows) == 1:
                return rows[0]
        return self.live(int(name)) if name.isdecimal() else None

    def having(self, field: str, value: Any) -> Iterable[Record]:
        """Records with a value in an indexed field, in no promised order; codes and numbers regardless of case."""
        ids = self._found.get(field, {}).get(self._key_of(field, value), ())
        return [self.rows[one] for one in ids]

    def _key_of(self, field: str, value: Any) -> Any:
        return _folded(value) if field in self.entity.folded else value

    def changed_since(self, stamp: str) -> list[Record]:
        """Records changed at or after a time, in order of change."""
        return [self.rows[one] for _, one in self._changes[bisect_left(self._changes, (stamp, 0)) :]]

    def in_order_of_change(self) -> list[Record]:
        return [self.rows[one] for _, one in self._changes]

    def taken(self, record: Record) -> Record | None:
        """Another live record that has the key of this one."""
        key = self._key(record)
        found = self._keys.get(key) if key is not None else None
        return self.rows[found] if found is not None and found != record["id"] else None

    def _key(self, record: Record) -> tuple[Any, ...] | None:
        if not self.entity.unique or record["deletedAt"] is not None:
            return None
        return tuple(_folded(record[field]) for field in self.entity.unique)

    # changing

    def next_id(self) -> int:
        self.last_id += 1
        while self.last_id in self.rows:
            self.last_id += 1
        return self.last_id

    def next_line(self) -> int:
        self.last_line += 1
        return self.last_line

    def next_number(self) -> str:
        self.last_number += 1
        while self.having("number", number := f"{self.entity.prefix}{self.last_number:06d}"):
            self.last_number += 1
        return number

    def put(self, record: Record) -> None:
        """Store a new record, or the next state of one."""
        self.dirty = True
        before = self.rows.get(record["id"])
        if before is not None:
            self._leave(before)
        self.rows[record["id"]] = record
        if (key := self._key(record)) is not None:
            self._keys[key] = record["id"]
        for field, index in self._found.items():
            ids = index.setdefault(self._key_of(field, record[field]), {})
            ids[record["id"]] = None
        insort(self._changes, (record["updatedAt"], record["id"]))
        self._live += record["deletedAt"] is None

    def _leave(self, record: Record) -> None:
        if (key := self._key(record)) is not None:
            del self._keys[key]
        for field, index in self._found.items():
            del index[self._key_of(field, record[field])][record["id"]]
        del self._changes[bisect_left(self._changes, (record["updatedAt"], record["id"]))]
        self._live -= record["deletedAt"] is None

    # state

    def dump(self) -> dict[str, Any]:
        return {
            "last_id": self.last_id,
            "last_line": self.last_line,
            "last_number": self.last_number,
            "rows": list(self.rows.values()),
        }

    def load(self, saved: dict[str, Any]) -> None:
        for record in saved["rows"]:
            self.put(record)
        self.last_id, self.last_line = saved["last_id"], saved["last_line"]
        self.last_number = saved["last_number"]
        self.dirty = True
