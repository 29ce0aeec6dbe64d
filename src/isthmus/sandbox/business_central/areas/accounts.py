"""The chart of accounts: `accounts`, read only (bc.md section 13)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import EntitySet, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import NO_TIME, Kind, Options, key, member, modified, shown
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction

CATEGORY = Options(
    "G/L Account Category", (" ", "Assets", "Liabilities", "Equity", "Income", "Cost of Goods Sold", "Expense")
)
TYPE = Options("G/L Account Type", ("Posting", "Heading", "Total", "Begin-Total", "End-Total"))
TRANSLATION = Options(
    "Consolidation Translation Method",
    ("Average Rate (Manual)", "Closing Rate", "Historical Rate", "Composite Rate", "Equity Rate"),
)
#: Rules of a G/L account for a dimension. v2.0 does not show them (bc.md section 17); posting obeys them.
DIMENSION_RULES = ("", "code_mandatory", "same_code", "no_code")


class Accounts(EntitySet):
    """G/L accounts in order of their number."""

    name = "accounts"
    entity = "account"
    title = "G/L Account"
    table_id = 15
    order = ("number",)
    storage = Storage("G/L Account", unique=(("number",),), captions=(("number", "No."),))
    fields = (
        key(),
        shown("number", Kind.CODE, 20),
        shown("displayName", Kind.TEXT, 100),
        shown("category", Kind.ENUM, options=CATEGORY),
        shown("subCategory", Kind.TEXT, 80),
        shown("blocked", Kind.BOOL),
        shown("accountType", Kind.ENUM, options=TYPE),
        shown("directPosting", Kind.BOOL),
        shown("netChange", Kind.DECIMAL),
        shown("consolidationTranslationMethod", Kind.ENUM, options=TRANSLATION),
        shown("consolidationDebitAccount", Kind.CODE, 20),
        shown("consolidationCreditAccount", Kind.CODE, 20),
        shown("excludeFromConsolidation", Kind.BOOL),
        modified(),
    )

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        found = list(super().rows(call, parent))
        for row in found:
            _refresh(call.company, row)
        return found

    def find(self, call: Call, parent: Parent | None, key: str) -> Row:
        row = super().find(call, parent, key)
        if call.method == "GET":
            _refresh(call.company, row)
        return row


def _refresh(company: Company, row: Row) -> None:
    """netChange is a flow field: the sum of the entries, computed when read; it is no modification of the account."""
    entries = company.tables["generalLedgerEntries"].group("accountNumber", row.values["number"]).values()
    row.values["netChange"] = sum(
        (entry.values["debitAmount"] - entry.values["creditAmount"] for entry in entries), Decimal(0)
    )


class AccountSeed(msgspec.Struct, forbid_unknown_fields=True):
    """An account of a seed file. `dimensions` maps a code to a rule, or to {rule, value} with a default value."""

    number: str
    name: str = ""
    category: str = " "
    sub_category: str = ""
    type: str = "posting"
    direct_posting: bool = True
    blocked: bool = False
    dimensions: dict[str, str | dict[str, str]] = {}


class AccountSwitch(msgspec.Struct, forbid_unknown_fields=True):
    """What `/_sandbox/set` may change on an account."""

    blocked: bool | None = None
    direct_posting: bool | None = None
    type: str | None = None
    dimensions: dict[str, str | dict[str, str]] | None = None


def _seed(company: Company, tx: Transaction, accounts: list[AccountSeed]) -> None:
    table = company.tables["accounts"]
    for account in accounts:
        values = {field.name: field.blank() for field in Accounts.fields}
        values |= {
            "id": company.seeded_id("accounts", account.number),
            "number": account.number.upper(),
            "displayName": account.name or account.number,
            "category": _option(CATEGORY, account.category),
            "subCategory": account.sub_category,
            "blocked": account.blocked,
            "accountType": _option(TYPE, account.type),
            "directPosting": account.direct_posting,
            "lastModifiedDateTime": NO_TIME,
        }
        hidden = {"dimensions": _rules(account.dimensions)}
        found = table.one(("number",), values["number"])
        if found is None:
            table.insert(tx, Row(values, hidden))
        else:
            table.update(tx, found, values, hidden)


def _rules(given: dict[str, str | dict[str, str]]) -> dict[str, dict[str, str]]:
    rules = {}
    for code, rule in given.items():
        full = {"rule": rule} if isinstance(rule, str) else rule
        if full.get("rule", "") not in DIMENSION_RULES or set(full) - {"rule", "value"}:
            raise ValueError(f"dimension {code}: {rule!r} is no rule; use one of {', '.join(DIMENSION_RULES[1:])}")
        rules[code.upper()] = {"rule": full.get("rule", ""), "value": full.get("value", "").upper()}
    return rules


def _option(options: Options, name: str) -> str:
    for known in options.names:
        if known.lower() == name.lower().replace("_", " ") or known.lower() == name.lower():
            return member(known)
    raise ValueError(f"{name!r} is no {options.name}; use one of {', '.join(options.names)}")


def _switch(company: Company, tx: Transaction, accounts: dict[str, AccountSwitch]) -> None:
    table = company.tables["accounts"]
    for number, switch in accounts.items():
        row = table.one(("number",), number.upper())
        if row is None:
            raise ValueError(f"company {company.name!r} has no account {number!r}")
        changes: dict[str, object] = {"lastModifiedDateTime": tx.stamp}
        if switch.blocked is not None:
            changes["blocked"] = switch.blocked
        if switch.direct_posting is not None:
            changes["directPosting"] = switch.direct_posting
        if switch.type is not None:
            changes["accountType"] = _option(TYPE, switch.type)
        hidden = None if switch.dimensions is None else {"dimensions": _rules(switch.dimensions)}
        table.update(tx, row, changes, hidden)


AREA = Area(
    sets=(Accounts(),),
    seeds={"accounts": (list[AccountSeed], _seed)},
    switches={"accounts": (dict[str, AccountSwitch], _switch)},
)
