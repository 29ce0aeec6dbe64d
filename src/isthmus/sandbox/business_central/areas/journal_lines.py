"""`journalLines`: lines of a general journal batch before posting (bc.md section 14, bc.json journalLines)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.company import Company, incremented
from isthmus.sandbox.business_central.entity import READ_WRITE, EntitySet, Navigation, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.fields import NO_GUID, Field, Kind, Options, key, modified
from isthmus.sandbox.business_central.posting import GL_ACCOUNT
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.tables import Row, Storage, Table, Values

ACCOUNT_TYPE = Options(
    "Gen. Journal Account Type",
    (
        "G/L Account",
        "Customer",
        "Vendor",
        "Bank Account",
        "Fixed Asset",
        "IC Partner",
        "Employee",
        "Allocation Account",
    ),
)
#: Account types inside the page's filter -> the set that holds them, its AL table. A set this sandbox lacks has no
#: rows.
RELATED = {
    GL_ACCOUNT: ("accounts", "G/L Account"),
    "Customer": ("customers", "Customer"),
    "Vendor": ("vendors", "Vendor"),
    "Bank_x0020_Account": ("bankAccounts", "Bank Account"),
}
_JOURNAL_MISSING = "You must specify a journal batch ID or a journal ID to get a journal line."
_KEY = ("journalId", "lineNumber")


class JournalLines(EntitySet):
    """Reached through their journal, by `$filter=journalId eq`, or by their id; never flat (bc.md section 4)."""

    name = "journalLines"
    entity = "journalLine"
    title = "Gen. Journal Line"
    table_id = 81
    methods = READ_WRITE
    storage = Storage(
        "Gen. Journal Line",
        unique=(_KEY,),
        groups=("journalId", "documentNumber"),
        captions=(("journalDisplayName", "Journal Batch Name"), ("lineNumber", "Line No.")),
    )
    dimension_parent = "Journal Line"
    dimensions_writable = True
    navigations = (
        Navigation("dimensionSetLines", "dimensionSetLines"),
        Navigation("journal", "journals", by="journalId"),
        Navigation("account", "accounts", by="accountId"),
    )
    fields = (
        key(),
        Field("journalId", Kind.GUID),
        Field("journalDisplayName", Kind.CODE, 10, refusal="The Journal Batch Display Name isn't editable."),
        Field("lineNumber", Kind.INT),
        Field("accountType", Kind.ENUM, options=ACCOUNT_TYPE),
        Field("accountId", Kind.GUID),
        Field("accountNumber", Kind.CODE, 20),
        Field("postingDate", Kind.DATE),
        Field("documentNumber", Kind.CODE, 20),
        Field("externalDocumentNumber", Kind.CODE, 35),
        Field("amount", Kind.DECIMAL),
        Field("description", Kind.TEXT, 100),
        Field("comment", Kind.TEXT, 250),
        Field("taxCode", Kind.CODE, 20),
        Field("balanceAccountType", Kind.ENUM, options=ACCOUNT_TYPE),
        Field("balancingAccountId", Kind.GUID),
        Field("balancingAccountNumber", Kind.CODE, 20),
        modified(),
    )

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        if parent is None:
            raise errors.dialog(_JOURNAL_MISSING)
        return in_line_order(self.table(call).group("journalId", parent.row.id).values())

    def candidates(self, call: Call, parent: Parent | None, column: str, value: object) -> Iterable[Row] | None:
        if parent is None and column == "journalId":
            return in_line_order(self.table(call).group("journalId", value).values())
        if parent is None and column == "id":
            found = self.table(call).rows.get(str(value))
            return (found,) if found is not None else ()
        return None

    def belongs(self, row: Row, parent: Parent) -> bool:
        return bool(row.values["journalId"] == parent.row.id)

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        journal = _journal(call, parent, values)
        table = self.table(call)
        last = last_line(table, journal.id)
        row = dict(self.blank)
        row["postingDate"] = last.values["postingDate"] if last is not None else call.stamp[:10]
        if journal.values["balancingAccountNumber"] and "balanceAccountType" not in values:
            row["balancingAccountNumber"] = journal.values["balancingAccountNumber"]
            row["balancingAccountId"] = journal.values["balancingAccountId"]
        row.update(values)
        row["id"] = call.company.new_id()
        row["journalId"] = journal.id
        row["journalDisplayName"] = journal.values["code"]
        row["lastModifiedDateTime"] = call.stamp
        row["lineNumber"] = values.get("lineNumber") or (last.values["lineNumber"] if last is not None else 0) + 10_000
        row["amount"] = call.company.round(row["amount"])
        dims = _set_accounts(call.company, row, values)
        if not row["documentNumber"]:
            row["documentNumber"] = _next_document(call.company, journal, last, row["externalDocumentNumber"])
        line = self._insert(call, table, Row(row, {"dims": dims}))
        _remember_last(table, journal.id, last, line)
        return line

    def _insert(self, call: Call, table: Table, row: Row) -> Row:
        try:
            return table.insert(call.tx, row)
        except Refusal as refusal:
            refusal.kills_batch = call.environment.switches.duplicate_line_kills_batch
            raise

    def change(self, call: Call, row: Row, values: Values) -> Row:
        if values.get("journalId", row.values["journalId"]) != row.values["journalId"]:
            raise errors.dialog("The Journal Batch Id isn't editable.")
        changed = {name: value for name, value in values.items() if row.values[name] != value}
        if "amount" in changed:
            changed["amount"] = call.company.round(changed["amount"])
        if "lineNumber" in changed:
            # Which line is the last may change, and change back when this is taken back.
            self.table(call).scratch.clear()
            call.tx.note(self.table(call).scratch.clear)
        merged = {**row.values, **changed}
        if changed.keys() & {"accountType", "accountId", "accountNumber"} and "description" not in changed:
            merged["description"] = ""
        dims = _set_accounts(call.company, merged, changed)
        if not changed:
            return row
        merged["lastModifiedDateTime"] = call.stamp
        return self.table(call).update(call.tx, row, merged, {"dims": {**dims, **row.hidden["dims"]}})


def in_line_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: int(row.values["lineNumber"]))


def last_line(table: Table, journal_id: str) -> Row | None:
    """The line with the highest number. Remembered with the number of lines, so that a long journal stays quick to
    fill.
    """
    lines = table.group("journalId", journal_id)
    count, last = table.scratch.get(journal_id, (0, None))
    if not lines:
        return None
    if count != len(lines) or last is None:
        last = max(lines.values(), key=lambda row: int(row.values["lineNumber"]))
        table.scratch[journal_id] = (len(lines), last)
    return last if isinstance(last, Row) else None


def _remember_last(table: Table, journal_id: str, last: Row | None, line: Row) -> None:
    highest = line if last is None or line.values["lineNumber"] > last.values["lineNumber"] else last
    table.scratch[journal_id] = (len(table.group("journalId", journal_id)), highest)


def _journal(call: Call, parent: Parent | None, values: Values) -> Row:
    named = values.get("journalId")
    if parent is not None:
        if named not in {None, NO_GUID, parent.row.id}:
            raise errors.dialog("The Journal Batch Id isn't editable.")
        return parent.row
    if named in {None, NO_GUID}:
        raise errors.dialog(_JOURNAL_MISSING)
    journal = call.company.tables["journals"].rows.get(str(named))
    if journal is None:
        raise errors.dialog(f"The General Journal Batch with ID {named} cannot be found.")
    return journal


def _next_document(company: Company, journal: Row, last: Row | None, external: str) -> str:
    """A blank document number: from the previous line, one higher when the external number changed; else the
    series preview.
    """
    if last is not None:
        number = str(last.values["documentNumber"])
        if external and external != last.values["externalDocumentNumber"]:
            return incremented(number) or number
        return number
    series = journal.hidden.get("no_series")
    return company.peek_number(series) if series else ""


def _set_accounts(company: Company, row: Values, given: Values) -> dict[str, str]:
    """Resolve both accounts of a line from what was given. Returns the default dimension values they bring."""
    dims: dict[str, str] = {}
    for prefix, kind in (("account", "accountType"), ("balancingAccount", "balanceAccountType")):
        id_name, number_name = f"{prefix}Id", f"{prefix}Number"
        if given.keys() & {id_name, number_name, kind}:
            account = _account(company, row[kind], given, id_name, number_name)
            row[id_name] = account.id if account is not None else NO_GUID
            row[number_name] = account.values["number"] if account is not None else ""
            if prefix == "account" and account is not None and not row["description"]:
                row["description"] = account.values["displayName"]
        else:
            account = company.tables["accounts"].rows.get(row[id_name])
        if account is not None:
            rules = account.hidden.get("dimensions", {})
            dims = {code: rule["value"] for code, rule in rules.items() if rule["value"]} | dims
    return dims


def _account(company: Company, kind: str, given: Values, id_name: str, number_name: str) -> Row | None:
    account_id, number = given.get(id_name, NO_GUID), given.get(number_name, "")
    if kind not in RELATED:
        # Outside the page's filter; what a POST of it answers is unknown (bc.md section 20): refused.
        raise errors.dialog(f'The "{number_name}" does not match to an Account.')
    set_name, title = RELATED[kind]
    table = company.tables.get(set_name)
    found = table.rows.get(account_id) if table is not None and account_id != NO_GUID else None
    if account_id != NO_GUID and (found is None or set_name in {"customers", "vendors"}):
        raise errors.dialog(f'The "{id_name}" does not match to an Account.')
    if number:
        named = table.one(("number",), number) if table is not None else None
        if named is None:
            raise _unrelated(number_name, number, title)
        if found is not None and found is not named:
            raise errors.dialog("The account values do not match to a specific Account.")
        found = named
    if found is not None and kind == GL_ACCOUNT and not _postable(found.values):
        # The table relation takes only posting accounts that are not blocked (bc.json, accountNumber).
        raise _unrelated(number_name, found.values["number"], title)
    return found


def _postable(account: dict[str, Any]) -> bool:
    return account["accountType"] == "Posting" and not account["blocked"]


def _unrelated(name: str, number: str, title: str) -> Refusal:
    field = "Account No." if name == "accountNumber" else "Bal. Account No."
    return errors.no_relation(field, "Gen. Journal Line", number, title)


AREA = Area(sets=(JournalLines(),))
