"""What an entity set is: its properties, navigations and actions, and the generic way to read and write a table of
it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.environment import Body, Call
from isthmus.sandbox.business_central.fields import Field, Writing, is_guid
from isthmus.sandbox.business_central.tables import Row, Storage, Table, Values

READ = frozenset({"GET"})
READ_WRITE = frozenset({"GET", "POST", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Navigation:
    """A way to another set. Many: its rows under this one as parent. One: the row whose id this property holds."""

    name: str
    target: str
    by: str = ""

    @property
    def many(self) -> bool:
        return not self.by


@dataclass(frozen=True, slots=True)
class Parent:
    """The row above in the path, with the set it belongs to."""

    entity_set: EntitySet
    row: Row


#: A bound action; may give set and id of what it made, when Location is not the row it was called on.
Action = Callable[[Call, Row], tuple[str, str] | None]


class EntitySet:
    """A set kept in a table of the company. Areas override what their page does differently."""

    name: str
    entity: str
    #: AL table, for error texts.
    title: ClassVar[str]
    table_id: ClassVar[int] = 0
    fields: tuple[Field, ...]
    methods: ClassVar[frozenset[str]] = READ
    navigations: ClassVar[tuple[Navigation, ...]] = ()
    storage: ClassVar[Storage | None] = None
    #: Primary key of the page; empty when the order of insertion is it.
    order: tuple[str, ...] = ()
    per_company: ClassVar[bool] = True
    #: Bound actions as `$metadata` writes them, where that is not in small letters.
    action_names: ClassVar[tuple[str, ...]] = ()
    #: AL name of the parent type when rows carry a dimension set (`hidden["dims"]`: code -> value code); may it be
    #: written?
    dimension_parent: ClassVar[str] = ""
    dimensions_writable: ClassVar[bool] = False

    def __init__(self) -> None:
        self.by_name = {field.name: field for field in self.fields}
        #: A new row before anything is set.
        self.blank = {field.name: field.blank() for field in self.fields}
        self.by_navigation = {navigation.name: navigation for navigation in self.navigations}
        #: Bound actions by lower-case name: their URL is not case-sensitive (bc.md section 4).
        self.actions: dict[str, Action] = {}

    def table(self, call: Call) -> Table:
        return call.company.tables[self.name]

    # reading

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        """All rows under `parent`, in the order of the primary key."""
        if parent is not None:
            raise errors.unknown_segment(self.name)
        return self.in_order(self.table(call))

    def in_order(self, rows: Iterable[Row]) -> Iterable[Row]:
        order = self.order
        return sorted(rows, key=lambda row: [row.values[name] for name in order]) if order else rows

    def candidates(self, call: Call, parent: Parent | None, column: str, value: object) -> Iterable[Row] | None:
        """Rows that may hold `value` in `column`, by an index; None when there is none."""
        if parent is not None or self.storage is None or not self.table(call).indexed(column):
            return None
        return self.in_order(self.table(call).holding(column, value))

    def rows_above(self, call: Call, parent: Parent | None, column: str, value: object) -> Iterable[Row] | None:
        """Rows whose `column` is greater than `value`, where the set knows a quick way; else None."""
        return None

    def read_key(self, text: str) -> str:
        """The key of a path as `find` takes it: a GUID but for one set (bc.md section 2). Raises Refusal."""
        if not is_guid(text):
            raise errors.bad_syntax()
        return text.lower()

    def find(self, call: Call, parent: Parent | None, key: str) -> Row:
        row = self.table(call).rows.get(key)
        if row is None or (parent is not None and not self.belongs(row, parent)):
            raise errors.not_found(self.title, key)
        return row

    def belongs(self, row: Row, parent: Parent) -> bool:
        raise errors.unknown_segment(self.name)

    def etag(self, row: Row) -> str:
        return 'W/"' + base64.b64encode(b"'19;%d;1;00;'" % row.version).decode() + '"'

    # writing

    def read_body(self, call: Call, body: Body) -> tuple[Values, dict[str, list[Body]]]:
        """Typed values and nested collections of a body, refused in the order of the page's properties (order
        assumed).
        """
        renamed = call.environment.drift.get(self.name)
        if renamed:
            body = self._undrifted(body, renamed)
        nested: dict[str, list[Body]] = {}
        for key, value in body.items():
            if key in self.by_name or "@" in key:
                continue
            navigation = self.by_navigation.get(key)
            if navigation is None or not navigation.many or not isinstance(value, list):
                raise errors.unknown_property(key, self.entity)
            nested[key] = value
        values: Values = {}
        for field in self.fields:
            if field.name not in body or field.writing is Writing.IGNORED:
                continue
            if field.refusal:
                raise errors.dialog(field.refusal)
            if field.writing is Writing.REFUSED:
                raise errors.read_only(field.name)
            values[field.name] = field.read(body[field.name])
        return values, nested

    def _undrifted(self, body: Body, renamed: dict[str, str]) -> Body:
        old = {new: name for name, new in renamed.items()}
        for name in body:
            if name in renamed:
                raise errors.unknown_property(name, self.entity)
        return {old.get(name, name): value for name, value in body.items()}

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        """Insert one row from the values a body gave."""
        if parent is not None:
            raise errors.unknown_segment(self.name)
        row = {**self.blank, **values}
        row["id"] = call.company.new_id()
        if "lastModifiedDateTime" in row:
            row["lastModifiedDateTime"] = call.stamp
        for field in self.fields:
            if field.required and row[field.name] == field.blank():
                raise errors.required(field.name)
        return self.table(call).insert(call.tx, Row(row))

    def change(self, call: Call, row: Row, values: Values) -> Row:
        """Write what differs; a value sent unchanged is skipped (bc.md section 19, point 6)."""
        changes = {name: value for name, value in values.items() if row.values[name] != value}
        if not changes:
            return row
        for name, value in changes.items():
            if self.by_name[name].required and value == self.by_name[name].blank():
                raise errors.required(name)
        if "lastModifiedDateTime" in self.by_name:
            changes["lastModifiedDateTime"] = call.stamp
        return self.table(call).update(call.tx, row, changes)

    def remove(self, call: Call, row: Row) -> None:
        self.table(call).delete(call.tx, row)

    def write_dimensions(self, call: Call, row: Row, dims: dict[str, str]) -> None:
        """Give a row another dimension set (code -> value code)."""
        self.table(call).update(call.tx, row, {"lastModifiedDateTime": call.stamp}, {"dims": dims})
