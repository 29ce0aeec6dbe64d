"""Properties that come as id and code of the same record: one is enough, both must agree (bc.md section 4)."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.fields import NO_GUID
from isthmus.sandbox.business_central.tables import Row, Values


@dataclass(frozen=True, slots=True)
class Pair:
    """`id_name` and `code_name` of a set mean one record of `target`, found by its `column`.

    `no_id`, `no_code` and `differ` are the texts of bc.json (validateErrors). Without `no_code` the table relation
    refuses: `caption` is the field and `title` the table as AL calls them.
    """

    id_name: str
    code_name: str
    target: str
    no_id: str
    no_code: str = ""
    differ: str = ""
    caption: str = ""
    title: str = ""
    column: str = "code"

    def resolve(self, company: Company, given: Values) -> Values:
        """Both properties, where one of them is given; else nothing. A blank one gives way to the other."""
        if self.id_name not in given and self.code_name not in given:
            return {}
        by_id, by_code = self._by_id(company, given), self._by_code(company, given)
        if by_id is not None and by_code is not None and by_id is not by_code:
            raise errors.dialog(self.differ or self.no_id)
        found = by_id or by_code
        if found is None:
            return {self.id_name: NO_GUID, self.code_name: ""}
        return {self.id_name: found.id, self.code_name: found.values[self.column]}

    def _by_id(self, company: Company, given: Values) -> Row | None:
        key = given.get(self.id_name, NO_GUID)
        if key == NO_GUID:
            return None
        found = company.tables[self.target].rows.get(key)
        if found is None:
            raise errors.dialog(self.no_id)
        return found

    def _by_code(self, company: Company, given: Values) -> Row | None:
        code = given.get(self.code_name, "")
        if not code:
            return None
        table = company.tables[self.target]
        found = table.one((self.column,), code)
        if found is None and self.no_code:
            raise errors.dialog(self.no_code)
        if found is None:
            raise errors.no_relation(self.caption, self.title, code, table.storage.title)
        return found
