"""A published page: properties by caption over a table of the company, composite keys, options as captions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.entity import READ_WRITE, EntitySet, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import Field, Kind, Options, Writing
from isthmus.sandbox.business_central.tables import Row, Table, Values


@dataclass(frozen=True, slots=True)
class Captions(Options):
    """An option field as OData V4 shows it: by its caption, a blank one as one space."""

    @property
    def members(self) -> tuple[str, ...]:
        return self.names


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a page. `column` is where the table keeps it; `hidden`: among what v2.0 does not show. `coded`:
    the table keeps the option as v2.0 writes it.
    """

    name: str
    column: str
    kind: Kind
    size: int = 0
    writing: Writing = Writing.ALLOWED
    options: Captions | None = None
    hidden: bool = False
    least: Decimal | None = None
    coded: Options | None = None

    @property
    def field(self) -> Field:
        return Field(self.name, self.kind, self.size, self.writing, self.options, least=self.least)

    @property
    def blank(self) -> Any:
        return self.field.blank()

    def shown(self, row: Row) -> Any:
        value = row.hidden.get(self.column, self.blank) if self.hidden else row.values[self.column]
        if self.coded is not None:
            return self.coded.names[self.coded.members.index(value)]
        return value

    def kept(self, value: Any) -> Any:
        """A value of the page as the table keeps it."""
        return self.coded.members[self.coded.names.index(value)] if self.coded is not None else value


def text(name: str, column: str, size: int, *, hidden: bool = False) -> Property:
    return Property(name, column, Kind.TEXT, size, hidden=hidden)


def code(name: str, column: str, size: int = 20, *, hidden: bool = False) -> Property:
    return Property(name, column, Kind.CODE, size, hidden=hidden)


def decimal(name: str, column: str, *, hidden: bool = False, least: Decimal | None = None) -> Property:
    return Property(name, column, Kind.DECIMAL, hidden=hidden, least=least)


def read_only(name: str, column: str, kind: Kind, size: int = 0, *, hidden: bool = False) -> Property:
    return Property(name, column, kind, size, Writing.REFUSED, hidden=hidden)


class Shown(Row):
    """A row as a page shows it, with the row `under` it."""

    __slots__ = ("under",)

    def __init__(self, values: Values, under: Row) -> None:
        super().__init__(values, under.hidden, under.version)
        self.under = under

    @property
    def id(self) -> str:
        return self.under.id


class Page(EntitySet):
    """Made once per service, with the service's name. Subclasses say which page of Business Central it is."""

    number: ClassVar[int]
    #: The page's own name in Business Central.
    title_of_page: ClassVar[str]
    #: Table of the company the page shows.
    source: ClassVar[str]
    #: Names of the properties that are the primary key, in its order.
    keys: ClassVar[tuple[str, ...]]
    properties: ClassVar[tuple[Property, ...]]
    methods = READ_WRITE

    def __init__(self, service: str) -> None:
        self.name = self.entity = service
        self.fields = tuple(one.field for one in self.properties)
        super().__init__()
        self.by_property = {one.name: one for one in self.properties}
        self.order = self.keys

    def table(self, call: Call) -> Table:
        return call.company.tables[self.source]

    # reading

    def present(self, call: Call, row: Row) -> Shown:
        """A row of the table as the page shows it."""
        return Shown({one.name: one.shown(row) for one in self.properties}, row)

    def includes(self, call: Call, row: Row) -> bool:
        """Whether the page shows this row of the table at all."""
        return True

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        return self.in_order([self.present(call, row) for row in self.table(call) if self.includes(call, row)])

    def candidates(self, call: Call, parent: Parent | None, column: str, value: object) -> Iterable[Row] | None:
        known, table = self.by_property[column], self.table(call)
        if known.hidden or not table.indexed(known.column):
            return None
        found = table.holding(known.column, known.kept(value))
        return self.in_order([self.present(call, row) for row in found if self.includes(call, row)])

    def find_by(self, call: Call, key: Values) -> Row:
        """The row with this primary key. Raises Refusal 404."""
        columns = tuple(self.by_property[name].column for name in self.keys)
        values = tuple(self.by_property[name].kept(key[name]) for name in self.keys)
        table = self.table(call)
        if columns in table.storage.unique:
            row = table.one(columns, *values)
        else:
            row = next((row for row in table if tuple(row.values[name] for name in columns) == values), None)
        if row is None or not self.includes(call, row):
            raise self.missing(key)
        return self.present(call, row)

    def missing(self, key: Values) -> errors.Refusal:
        pairs = ",".join(f"{name.replace('_', ' ')}='{key[name]}'" for name in self.keys)
        text = f"The {self.title} does not exist. Identification fields and values: {pairs}"
        return errors.Refusal(404, "Internal_RecordNotFound", text)

    # writing: `create`, `change` and `remove` of the base class get and give what the page shows

    def columns(self, values: Values) -> tuple[Values, Values]:
        """Values of the page as columns and hidden values of the table."""
        plain: Values = {}
        hidden: Values = {}
        for name, value in values.items():
            one = self.by_property[name]
            (hidden if one.hidden else plain)[one.column] = one.kept(value)
        return plain, hidden

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        plain, hidden = self.columns(values)
        return self.present(call, self.insert(call, plain, hidden))

    def change(self, call: Call, row: Row, values: Values) -> Row:
        changed = {name: value for name, value in values.items() if row.values[name] != value}
        if not changed:
            return row
        plain, hidden = self.columns(changed)
        return self.present(call, self.modify(call, _under(row), plain, hidden))

    def remove(self, call: Call, row: Row) -> None:
        self.delete(call, _under(row))

    def insert(self, call: Call, plain: Values, hidden: Values) -> Row:
        """Make a row of the table. Only what the call gave is in `plain` and `hidden`."""
        raise NotImplementedError

    def modify(self, call: Call, row: Row, plain: Values, hidden: Values) -> Row:
        """Change a row of the table by what differs."""
        return self.table(call).update(call.tx, row, plain, hidden or None)

    def delete(self, call: Call, row: Row) -> None:
        self.table(call).delete(call.tx, row)


def _under(row: Row) -> Row:
    return row.under if isinstance(row, Shown) else row
