"""Vendors, items and their units, terms, locations and stock transactions, as the connector suite wants them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, get_args

from contract.business_central.parts import COMPANY, OF_POSTINGS, UNICODE, Part, Target, matching
from isthmus.contract.operations import Operation
from isthmus.contract.records import NativeRecord
from isthmus.testing.harness import Fault, Refusal

#: Name of the service -> number of the page; the settings of the connection name the same.
PAGES = {"ItemCard": 30, "ItemUnits": 5404, "DimensionValues": 537, "ItemJournal": 40, "ItemReclass": 393}
SERVICES = {
    "item_card": "ItemCard",
    "item_units": "ItemUnits",
    "dimension_values": "DimensionValues",
    "item_journal": "ItemJournal",
    "item_reclassification": "ItemReclass",
}
#: What the simulator needs before anything here works.
BASIS: Mapping[str, Any] = {
    "units_of_measure": [{"code": "PCS", "name": "Piece"}],
    "items": [{"number": "STOCKED", "name": "Seal", "unit": "PCS"}],
    "locations": [{"code": "MAIN"}],
    "item_journals": [{"template": "ITEM", "batch": "ISTHMUS"}],
}


class Masters(Part):
    """A kind of master record of the standard API: its set, and how it is seeded and made."""

    native: ClassVar[str]
    section: ClassVar[str]
    entity: ClassVar[str]
    name_field = "displayName"
    #: a batch of one request cannot be cut in the middle of several
    spared = OF_POSTINGS

    def row(self, code: str, name: str) -> dict[str, Any]:
        return {"code": code, "name": name}

    def made(self, code: str, name: str) -> dict[str, Any]:
        return {"code": code, "displayName": name}

    def bad(self, code: str) -> tuple[dict[str, Any], str]:
        return self.made(code, "x" * 101), "too_long"

    async def seed(self, count: int) -> None:
        rows = [self.row(f"S{n}", f"{UNICODE} {n}") for n in self.target.next_serials(count)]
        await self.target.seed(**{self.section: rows})

    async def total(self) -> int:
        return self.target.rows_kept(self.native)

    async def edit(self, record: NativeRecord) -> bool:
        self.target.box.edit(self.native, str(record.data[self.key_field]), COMPANY, displayName="Edited")
        return True

    async def remove(self, record: NativeRecord) -> bool:
        self.target.box.remove(self.native, str(record.data[self.key_field]), COMPANY)
        return True

    def operation(self, serial: int, *, delivery: str, earlier: tuple[str, ...]) -> Operation:
        return self._operation(serial, self.made(f"N{serial}", f"{UNICODE} {serial}"), delivery, earlier)

    def refused(self, serial: int, *, delivery: str) -> Refusal | None:
        native, code = self.bad(f"N{serial}")
        return Refusal(self._operation(serial, native, delivery, ()), code)

    async def effects(self, operation: Operation) -> int:
        value = operation.native[self.key_field]
        return matching(
            await self.target.api("GET", f"{self.native}?$filter={self.key_field} eq '{value}'"), operation.native
        )

    def _operation(self, serial: int, native: Mapping[str, Any], delivery: str, earlier: tuple[str, ...]) -> Operation:
        return Operation(
            key=f"event-{serial}",
            entity=self.entity,
            action="create",
            company=COMPANY,
            native=native,
            delivery=delivery,
            earlier=earlier,
        )


class Vendors(Masters):
    native, section, entity, key_field = "vendors", "vendors", "vendor", "number"

    def row(self, code: str, name: str) -> dict[str, Any]:
        return {"number": code, "name": name}

    def made(self, code: str, name: str) -> dict[str, Any]:
        return {"number": code, "displayName": name, "postalCode": "79098"}

    def bad(self, code: str) -> tuple[dict[str, Any], str]:
        return self.made(code, "x") | {"currencyCode": "ZZZ"}, "reference_unknown"


class Items(Masters):
    native, section, entity, key_field = "items", "items", "item", "number"

    def row(self, code: str, name: str) -> dict[str, Any]:
        return {"number": code, "name": name, "unit": "PCS"}

    def made(self, code: str, name: str) -> dict[str, Any]:
        return {"number": code, "displayName": name, "baseUnitOfMeasureCode": "PCS", "unitCost": Decimal("12.34")}

    def bad(self, code: str) -> tuple[dict[str, Any], str]:
        return self.made(code, "x") | {"baseUnitOfMeasureCode": "TON"}, "reference_unknown"


#: Kinds that travel as vendors do need not suffer all that vendors suffer.
_LIKE_VENDORS = frozenset(get_args(Fault)) - {"lost_after"}


class Units(Masters):
    spared = _LIKE_VENDORS
    native, section, entity = "unitsOfMeasure", "units_of_measure", "unit_of_measure"


class Terms(Masters):
    spared = _LIKE_VENDORS
    native, section, entity = "paymentTerms", "payment_terms", "payment_terms"

    def made(self, code: str, name: str) -> dict[str, Any]:
        return {"code": code, "displayName": name, "discountPercent": Decimal("2.5")}


class Locations(Masters):
    spared = _LIKE_VENDORS
    native, section, entity = "locations", "locations", "location"


class ItemUnits(Part):
    """Page 5404: every item has its base unit there."""

    key_field = "Code"

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._units: set[str] = set()

    async def seed(self, count: int) -> None:
        serials = self.target.next_serials(count)
        units = [{"code": f"X{n}", "name": f"{UNICODE} {n}"} for n in serials]
        item = {"number": f"UNITS{serials.start}", "name": "x", "unit": "PCS"}
        kept = {str(unit["code"]): 12 for unit in units}
        await self.target.seed(units_of_measure=units, items=[item | {"units": kept}])

    async def total(self) -> int:
        return len(await self.target.pages("GET", "ItemUnits"))

    async def edit(self, record: NativeRecord) -> bool:
        if record.data["Code"] == "PCS":
            return False  # the base unit stays what it is
        await self.target.pages("PATCH", self._row(record.data), {"Qty_per_Unit_of_Measure": 13})
        return True

    async def remove(self, record: NativeRecord) -> bool:
        if record.data["Code"] == "PCS":
            return False
        await self.target.pages("DELETE", self._row(record.data))
        return True

    def operation(self, serial: int, *, delivery: str, earlier: tuple[str, ...]) -> Operation:
        if f"Y{serial}" not in self._units:
            self._units.add(f"Y{serial}")
            self.target.box.seed({"companies": [{"name": COMPANY, "units_of_measure": [{"code": f"Y{serial}"}]}]})
        return self._operation(f"Y{serial}", serial, delivery, earlier)

    def refused(self, serial: int, *, delivery: str) -> Refusal | None:
        return Refusal(self._operation("TON", serial, delivery, ()), "reference_unknown")

    async def effects(self, operation: Operation) -> int:
        rows = await self.target.pages("GET", f"ItemUnits?$filter=Code eq '{operation.native['Code']}'")
        return matching(rows, operation.native)

    def _operation(self, unit: str, serial: int, delivery: str, earlier: tuple[str, ...]) -> Operation:
        return Operation(
            key=f"event-{serial}",
            entity="item_unit",
            action="create",
            company=COMPANY,
            native={"Item_No": "STOCKED", "Code": unit, "Qty_per_Unit_of_Measure": Decimal("2.5")},
            delivery=delivery,
            earlier=earlier,
        )

    @staticmethod
    def _row(data: Mapping[str, Any]) -> str:
        return f"ItemUnits(Item_No='{data['Item_No']}',Code='{data['Code']}')"


class StockTransactions(Part):
    """Lines of the item journal, which a person posts."""

    async def seed(self, count: int) -> None:
        raise NotImplementedError

    async def total(self) -> int:
        raise NotImplementedError

    def operation(self, serial: int, *, delivery: str, earlier: tuple[str, ...]) -> Operation:
        return self._operation("STOCKED", serial, delivery, earlier)

    def refused(self, serial: int, *, delivery: str) -> Refusal | None:
        return Refusal(self._operation("NONE", serial, delivery, ()), "item_unknown")

    async def effects(self, operation: Operation) -> int:
        rows = await self.target.pages("GET", f"ItemJournal?$filter=Document_No eq '{operation.mark}'")
        wanted = {
            "Item_No": operation.native["itemNumber"],
            "Quantity": operation.native["quantity"],
            "Entry_Type": "Negative Adjmt.",
            "Location_Code": "MAIN",
            "Description": operation.native["description"],
        }
        return matching(rows, wanted)

    def _operation(self, item: str, serial: int, delivery: str, earlier: tuple[str, ...]) -> Operation:
        return Operation(
            key=f"event-{serial}",
            entity="inventory_transaction",
            action="post",
            company=COMPANY,
            native={
                "type": "issue",
                "itemNumber": item,
                "quantity": Decimal("2.25"),
                "locationCode": "MAIN",
                "postingDate": "2026-03-05",
                "description": f"Work order {serial} {UNICODE}",
            },
            mark=f"IS-{serial:016}",
            delivery=delivery,
            earlier=earlier,
        )
