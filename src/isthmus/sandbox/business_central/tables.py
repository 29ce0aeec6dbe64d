"""Rows in memory with the indexes a request needs, and the transaction that can take every change back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from isthmus.sandbox.business_central.errors import Refusal

Values = dict[str, Any]
Columns = tuple[str, ...]
#: Told that a row was `created`, `updated` or `deleted`, with its values and hidden values as they were before. What it
#: answers is called when that is taken back.
Watch = Callable[[str, "Row", Values, Values], Callable[[], None]]


class Row:
    """One record: what the API shows (`values`), what only the server knows (`hidden`), and its version for the
    etag.
    """

    __slots__ = ("hidden", "values", "version")

    def __init__(self, values: Values, hidden: Values | None = None, version: int = 0) -> None:
        self.values = values
        self.hidden: Values = hidden if hidden is not None else {}
        self.version = version

    @property
    def id(self) -> str:
        return str(self.values["id"])


class Transaction:
    """Changes since the last commit, newest last, each with the way back. `stamp` is the time of change they carry."""

    def __init__(self, stamp: str = "") -> None:
        self.stamp = stamp
        self._undo: list[Callable[[], None]] = []

    def note(self, undo: Callable[[], None]) -> None:
        self._undo.append(undo)

    def mark(self) -> int:
        return len(self._undo)

    def rollback(self, mark: int = 0) -> None:
        while len(self._undo) > mark:
            self._undo.pop()()

    def commit(self) -> None:
        """Nothing before this point can be taken back: what AL's Commit() does inside a batch (bc.md section 7)."""
        self._undo.clear()


class Versions:
    """Counts every modification of the environment, taken back or not: an etag is never used twice."""

    def __init__(self, last: int = 0) -> None:
        self.last = last

    def next(self) -> int:
        self.last += 1
        return self.last


@dataclass(frozen=True, slots=True)
class Storage:
    """How a set is kept: `title` and keys as error texts name them, column sets that are unique, columns to look
    up by; which columns and which hidden values are Decimals, so that a saved state gives them back as such.
    """

    title: str
    unique: tuple[Columns, ...] = ()
    groups: tuple[str, ...] = ()
    decimals: tuple[str, ...] = ()
    captions: tuple[tuple[str, str], ...] = ()
    hidden_decimals: tuple[str, ...] = ()


class Table:
    """The rows of one set in one company, by id in order of insertion."""

    def __init__(self, storage: Storage, versions: Versions) -> None:
        self.storage = storage
        self.rows: dict[str, Row] = {}
        self.dirty = True
        #: What an area wants to remember about the rows to be quick; never saved.
        self.scratch: dict[Any, Any] = {}
        #: Told of every change of a row, while somebody wants to know (webhooks).
        self.watch: Watch | None = None
        self._versions = versions
        self._unique: dict[Columns, dict[Any, Row]] = {columns: {} for columns in storage.unique}
        self._groups: dict[str, dict[Any, dict[str, Row]]] = {column: {} for column in storage.groups}

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)

    def one(self, columns: Columns, *key: Any) -> Row | None:
        """The row with this unique key, or None."""
        return self._unique[columns].get(key)

    def the(self, columns: Columns, *key: Any) -> Row:
        """The row with this unique key, which the caller knows to be there."""
        return self._unique[columns][key]

    def group(self, column: str, value: Any) -> dict[str, Row]:
        """The rows that hold `value` in an indexed column, by id in order of insertion. Not to be changed."""
        return self._groups[column].get(value, {})

    def indexed(self, column: str) -> bool:
        return column == "id" or column in self._groups or (column,) in self._unique

    def holding(self, column: str, value: Any) -> Iterable[Row]:
        if column in self._groups:
            return self._groups[column].get(value, {}).values()
        found = self.rows.get(value) if column == "id" else self._unique[(column,)].get((value,))
        return (found,) if found is not None else ()

    def insert(self, tx: Transaction, row: Row) -> Row:
        """Raises Internal_EntityWithSameKeyExists when a unique key is taken."""
        self._refuse_duplicates(row.values, None)
        row.version = self._versions.next()
        self._enter(row)
        tx.note(lambda: self._leave(row))
        self._tell(tx, "created", row, row.values, row.hidden)
        return row

    def update(self, tx: Transaction, row: Row, changes: Values, hidden: Values | None = None) -> Row:
        """Change fields of a row; a new version always, because an etag changes on each modification."""
        values = {**row.values, **changes}
        self._refuse_duplicates(values, row)
        before = (row.values, row.hidden, row.version)
        self._move(row, values)
        row.version = self._versions.next()
        if hidden is not None:
            row.hidden = {**row.hidden, **hidden}

        def undo() -> None:
            self._move(row, before[0])
            _, row.hidden, row.version = before

        tx.note(undo)
        self._tell(tx, "updated", row, before[0], before[1])
        return row

    def _move(self, row: Row, values: Values) -> None:
        """Give a row other values without changing its place in the table."""
        self.dirty = True
        old = row.values
        for columns, index in self._unique.items():
            before, after = tuple([old[c] for c in columns]), tuple([values[c] for c in columns])
            if before != after:
                del index[before]
                index[after] = row
        for column, group in self._groups.items():
            if old[column] != values[column]:
                del group[old[column]][row.id]
                group.setdefault(values[column], {})[row.id] = row
        row.values = values

    def delete(self, tx: Transaction, row: Row) -> None:
        self._leave(row)
        tx.note(lambda: self._enter(row))
        self._tell(tx, "deleted", row, row.values, row.hidden)

    def _tell(self, tx: Transaction, kind: str, row: Row, values: Values, hidden: Values) -> None:
        if self.watch is not None:
            tx.note(self.watch(kind, row, values, hidden))

    def _refuse_duplicates(self, values: Values, own: Row | None) -> None:
        for columns, index in self._unique.items():
            found = index.get(tuple(values[column] for column in columns))
            if found is not None and found is not own:
                raise self.duplicate(values)

    def duplicate(self, values: Values) -> Refusal:
        captions = self.storage.captions or tuple((column, column) for column in self.storage.unique[0])
        key = ",".join(f"{caption}='{values[column]}'" for column, caption in captions)
        text = f"The {self.storage.title} already exists. Identification fields and values: {key}"
        return Refusal(400, "Internal_EntityWithSameKeyExists", text)

    def _enter(self, row: Row) -> None:
        self.dirty = True
        values = row.values
        self.rows[values["id"]] = row
        for columns, index in self._unique.items():
            index[tuple([values[column] for column in columns])] = row
        for column, group in self._groups.items():
            group.setdefault(values[column], {})[values["id"]] = row

    def _leave(self, row: Row) -> None:
        self.dirty = True
        values = row.values
        del self.rows[values["id"]]
        for columns, index in self._unique.items():
            del index[tuple([values[column] for column in columns])]
        for column, group in self._groups.items():
            members = group[values[column]]
            del members[values["id"]]
            if not members:
                del group[values[column]]

    def dump(self) -> list[tuple[Values, Values, int]]:
        return [(row.values, row.hidden, row.version) for row in self.rows.values()]

    def load(self, rows: Iterable[tuple[Values, Values, int]]) -> None:
        for values, hidden, version in rows:
            for column in self.storage.decimals:
                values[column] = Decimal(values[column])
            for name in self.storage.hidden_decimals:
                hidden[name] = Decimal(hidden.get(name, 0))
            self._enter(Row(values, hidden, version))
        self.dirty = True


def chained(groups: Iterable[Iterable[Row]]) -> Iterator[Row]:
    """Rows of several look-ups, each once."""
    seen: set[str] = set()
    for row in itertools.chain.from_iterable(groups):
        if row.id not in seen:
            seen.add(row.id)
            yield row
