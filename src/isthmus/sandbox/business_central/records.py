"""Master records: those that refer to one follow its renaming, and some stand in the way of its deletion."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import READ_WRITE, EntitySet
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.registry import Reference, references
from isthmus.sandbox.business_central.tables import Row, Table, Transaction, Values


class MasterSet(EntitySet):
    """A set whose records are known to others by number or code. Writing the key renames (bc.md section 13)."""

    methods = READ_WRITE
    #: The property that is the primary key in AL.
    key_name: ClassVar[str] = "code"

    def change(self, call: Call, row: Row, values: Values) -> Row:
        old = row.values[self.key_name]
        changed = super().change(call, row, values)
        new = changed.values[self.key_name]
        if new != old:
            _rename(call.company, call.tx, self.name, old, new)
        return changed

    def remove(self, call: Call, row: Row) -> None:
        _let_go(call.company, call.tx, self, row)
        super().remove(call, row)


def _rename(company: Company, tx: Transaction, target: str, old: str, new: str) -> None:
    """Let all that refer to `old` refer to `new`; their time of change stays (assumed)."""
    for one in references(target):
        if one.by:
            continue
        table = company.tables[one.table]
        for row in list(_referring(table, one, old)):
            table.update(tx, row, {one.column: new})
        # Whatever an area remembers of the rows is by the old name.
        table.scratch.clear()
        tx.note(table.scratch.clear)


def _let_go(company: Company, tx: Transaction, target: MasterSet, record: Row) -> None:
    found = [
        (one, list(_referring(company.tables[one.table], one, record.values[one.by or target.key_name])))
        for one in references(target.name)
    ]
    for one, rows in found:
        if rows and one.refusal:
            raise errors.dialog(one.refusal.format(key=record.values[target.key_name]))
    for one, rows in found:
        for row in rows if one.removed else ():
            company.tables[one.table].delete(tx, row)


def _referring(table: Table, one: Reference, key: str) -> Iterable[Row]:
    column, only = one.column, one.only
    rows = table.holding(column, key) if table.indexed(column) else (row for row in table if row.values[column] == key)
    return rows if only is None else (row for row in rows if row.values[only[0]] == only[1])
