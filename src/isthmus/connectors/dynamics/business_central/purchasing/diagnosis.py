"""Why an order or a receipt was refused: read from the facts of the company, not from the text of the error.

A refused document comes back as `Application_DialogException` with a translated text, whatever the cause (bc.md §15).
Vendors, items, accounts, units and dates are facts. Where they tell nothing, the service's own words are passed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from isthmus.connectors.dynamics._client import ODataClient, guid
from isthmus.connectors.dynamics._odata import any_of, chunks, literal
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.purchasing.orders import Order
from isthmus.connectors.dynamics.business_central.ways import Place
from isthmus.contract.operations import Outcome
from isthmus.errors import Halt, IsthmusError, Reject

_VALUES_PER_FILTER = 20
Data = Mapping[str, Any]
_NOTHING: Data = MappingProxyType({})


class Mentioned(Struct, frozen=True, kw_only=True):
    """What a document names, by the fields of the service; "" and absent where it does not.

    key      of the operation
    vendor   `vendorId` or `vendorNumber` and its value
    lines    (where it stands in the document, its native fields)
    day      posting date, where the document is to be booked
    mend     what to try where the facts show nothing
    """

    key: str
    vendor: tuple[str, str] = ("", "")
    lines: tuple[tuple[str, Data], ...] = ()
    day: date | None = None
    mend: str = ""


class Facts(Struct, frozen=True, kw_only=True):
    """What the company says of everything named: set -> (field, value in upper case) -> data. And open dates."""

    sets: Mapping[str, Mapping[tuple[str, str], Data]]
    posting_from: date | None = None
    posting_to: date | None = None

    def find(self, name: str, field: str, value: str) -> Data | None:
        """The record of a set with this value, None where there is none."""
        return self.sets.get(name, {}).get((field, value.upper()))


class OrderDiagnosis:
    """Explains refusals in one company."""

    def __init__(self, client: ODataClient, place: Place) -> None:
        self._client = client
        self._place = place

    async def explain(self, documents: Sequence[Mentioned], told: Mapping[str, IsthmusError]) -> dict[str, Outcome]:
        """A refusal for each document: by facts, else in the service's words. `told` by key."""
        if not documents:
            return {}
        facts = await self._read(documents)
        found = {}
        for document in documents:
            fault = self._fault(document, facts) if facts else None
            words = told[document.key]
            told_so = outcome_of(document.key, Reject(words.message, code=words.code, hint=words.hint or document.mend))
            found[document.key] = outcome_of(document.key, fault) if fault else told_so
        return found

    def _fault(self, document: Mentioned, facts: Facts) -> Reject | None:
        fault = self._vendor(document, facts) or self._period(document, facts)
        for place, fields in () if fault else document.lines:
            fault = self._line(place, fields, facts)
            if fault is not None:
                break
        return fault

    def _vendor(self, document: Mentioned, facts: Facts) -> Reject | None:
        field, value = document.vendor
        if not value:
            return None
        vendor = facts.find("vendors", "id" if field == "vendorId" else "number", value)
        if vendor is None:
            return self._refused("vendor", value, "vendor_unknown", "vendor {} does not exist", "Vendors", "Create it")
        if vendor.get("blocked") == "All":
            number = str(vendor.get("number") or value)
            return self._refused("vendor", number, "vendor_blocked", "vendor {} is blocked", "Vendors", "Unblock it")
        return None

    def _line(self, place: str, fields: Data, facts: Facts) -> Reject | None:
        checks = (self._item, self._account, self._unit, self._location)
        return next((fault for check in checks if (fault := check(place, fields, facts)) is not None), None)

    def _item(self, place: str, fields: Data, facts: Facts) -> Reject | None:
        value = str(fields.get("itemId") or "")
        item = facts.find("items", "id", value) if value else _NOTHING
        where, page = f"{place}.item", "Items"
        if item is None:
            return self._refused(where, value, "item_unknown", "item {} does not exist", page, "Create it")
        if item.get("blocked") is True:
            number = str(item.get("number") or value)
            return self._refused(where, number, "item_blocked", "item {} is blocked", page, "Unblock it")
        return None

    def _account(self, place: str, fields: Data, facts: Facts) -> Reject | None:
        value = str(fields.get("accountId") or "")
        if not value:
            return None
        account = facts.find("accounts", "id", value)
        number = str((account or {}).get("number") or value)
        where, page = f"{place}.account", "Chart of Accounts"
        if account is None:
            return self._refused(where, number, "account_missing", "account {} does not exist", page, "Create it")
        if account.get("blocked") is True:
            return self._refused(where, number, "account_blocked", "account {} is blocked", page, "Unblock it")
        if account.get("directPosting") is False:
            text = "account {} does not allow direct posting"
            return self._refused(where, number, "account_no_direct_posting", text, page, "Allow it")
        return None

    def _unit(self, place: str, fields: Data, facts: Facts) -> Reject | None:
        for field, by in (("unitOfMeasureId", "id"), ("unitOfMeasureCode", "code")):
            value = str(fields.get(field) or "")
            if value and facts.find("unitsOfMeasure", by, value) is None:
                text, page = "unit {} does not exist", "Units of Measure"
                return self._refused(f"{place}.unit", value, "unit_unknown", text, page, "Create it")
        return None

    def _location(self, place: str, fields: Data, facts: Facts) -> Reject | None:
        value = str(fields.get("locationId") or "")
        if value and facts.find("locations", "id", value) is None:
            text = "location {} does not exist"
            return self._refused(f"{place}.location", value, "location_unknown", text, "Locations", "Create it")
        return None

    def _period(self, document: Mentioned, facts: Facts) -> Reject | None:
        day = document.day
        if day is None:
            return None
        early = facts.posting_from is not None and day < facts.posting_from
        late = facts.posting_to is not None and day > facts.posting_to
        if not (early or late):
            return None
        span = f"{facts.posting_from or 'the beginning'} to {facts.posting_to or 'without end'}"
        return Reject(
            f"posting date {day} is outside the dates open for posting ({span}).",
            code="period_closed",
            field="posting_date",
            value=day.isoformat(),
            hint=f"Open the period on page General Ledger Setup in company {self._place.name}, or let the flow use an "
            "open day.",
        )

    def _refused(self, field: str, value: str, code: str, text: str, page: str, mend: str) -> Reject:
        hint = f"{mend} on page {page} in company {self._place.name}, or name another at the source."
        return Reject(f"{text.format(value)}.", code=code, field=field, value=value, hint=hint)

    async def _read(self, documents: Sequence[Mentioned]) -> Facts | None:
        lines = [fields for document in documents for _, fields in document.lines]
        vendors = [document.vendor for document in documents]
        try:
            sets = {
                "vendors": await self._by("vendors", "id", _of(vendors, "vendorId"), "number,blocked")
                | await self._by("vendors", "number", _of(vendors, "vendorNumber"), "number,blocked"),
                "items": await self._by("items", "id", _values(lines, "itemId"), "number,blocked"),
                "accounts": await self._by(
                    "accounts", "id", _values(lines, "accountId"), "number,blocked,directPosting"
                ),
                "unitsOfMeasure": await self._by("unitsOfMeasure", "id", _values(lines, "unitOfMeasureId"), "code")
                | await self._by("unitsOfMeasure", "code", _values(lines, "unitOfMeasureCode"), "code"),
                "locations": await self._by("locations", "id", _values(lines, "locationId"), "code"),
            }
            setup: Data = _NOTHING
            if any(document.day for document in documents):
                found = await self._client.all(f"{self._place.path}/generalLedgerSetup")
                setup = found[0].data if found else _NOTHING
        except Halt:
            raise
        except IsthmusError:
            return None  # the refusal itself is known; only its explanation is poorer
        return Facts(
            sets=sets, posting_from=_day(setup.get("allowPostingFrom")), posting_to=_day(setup.get("allowPostingTo"))
        )

    async def _by(self, name: str, field: str, values: Iterable[str], select: str) -> dict[tuple[str, str], Data]:
        found: dict[tuple[str, str], Data] = {}
        for part in chunks(sorted(set(values)), _VALUES_PER_FILTER):
            literals = [guid(value) if field == "id" else literal(value) for value in part]
            options = {"$filter": any_of(field, literals), "$select": f"id,{select}"}
            for row in await self._client.all(f"{self._place.path}/{name}", options):
                found[field, str(row.data.get(field, "")).upper()] = row.data
        return found


def released(order: Order, words: IsthmusError, *, else_: str = "") -> Reject:
    """The refusal of a change to a released order. The first posting releases it, no call opens it again (bc.md §15);
    that lines of it cannot be changed then is assumed."""
    return Reject(
        f"order {order.number} is released, and Business Central does not let it be changed: {words.message}",
        code="order_released",
        field="order",
        value=order.number,
        hint=f"Reopen order {order.number} on page Purchase Orders, then ask for another try.{else_}",
    )


def _values(lines: Iterable[Data], field: str) -> Iterable[str]:
    return (str(fields[field]) for fields in lines if fields.get(field))


def _of(vendors: Iterable[tuple[str, str]], field: str) -> Iterable[str]:
    return (value for name, value in vendors if name == field and value)


def _day(value: object) -> date | None:
    """A date of the set-up; blank (0001-01-01) means open."""
    try:
        day = date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
    return None if day.year == 1 else day
