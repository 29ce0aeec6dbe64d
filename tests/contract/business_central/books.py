"""Accounts, dimensions, currencies, rates, set-up, entries and journals, as the connector suite wants them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from contract.business_central.parts import COMPANY, UNICODE, Part, matching
from isthmus.contract.operations import Operation
from isthmus.contract.records import NativeRecord
from isthmus.testing.harness import Refusal

DIMENSIONS = {"DEPARTMENT": "PROD", "PROJECT": "P100"}


class Accounts(Part):
    key_field = "number"

    async def seed(self, count: int) -> None:
        rows = [
            {"number": str(10_000 + serial), "name": f"{UNICODE} {serial}", "category": "expense"}
            for serial in self.target.next_serials(count)
        ]
        await self.target.seed(accounts=rows)

    async def total(self) -> int:
        return self.target.rows_kept("accounts")


class Dimensions(Part):
    async def seed(self, count: int) -> None:
        rows = [{"code": f"DIM{n}", "name": f"{UNICODE} {n}", "values": []} for n in self.target.next_serials(count)]
        await self.target.seed(dimensions=rows)

    async def total(self) -> int:
        return self.target.rows_kept("dimensions")


class DimensionValues(Part):
    async def seed(self, count: int) -> None:
        rows = [
            {"code": ("DEPARTMENT", "PROJECT")[n % 2], "values": [{"code": f"V{n}", "name": f"{UNICODE} {n}"}]}
            for n in self.target.next_serials(count)
        ]
        await self.target.seed(dimensions=rows)

    async def total(self) -> int:
        return self.target.rows_kept("dimensionValues")

    async def edit(self, record: NativeRecord) -> bool:
        await self.target.pages("PATCH", self._row(record), {"Name": "Edited"})
        return True

    async def remove(self, record: NativeRecord) -> bool:
        await self.target.pages("DELETE", self._row(record))
        return True

    def operation(self, serial: int, *, delivery: str, earlier: tuple[str, ...]) -> Operation:
        native = {"dimensionCode": "PROJECT", "code": f"N{serial}", "displayName": f"{UNICODE} {serial}"}
        return _operation("dimension_value", serial, native, delivery, earlier)

    def refused(self, serial: int, *, delivery: str) -> Refusal | None:
        native = {"dimensionCode": "NONE", "code": f"N{serial}", "displayName": "x"}
        return Refusal(_operation("dimension_value", serial, native, delivery, ()), "reference_unknown")

    async def effects(self, operation: Operation) -> int:
        rows = await self.target.pages("GET", f"DimensionValues?$filter=Code eq '{operation.native['code']}'")
        wanted = {
            "Dimension_Code": operation.native["dimensionCode"],
            "Name": operation.native["displayName"],
        }
        return matching([row for row in rows if row["Dimension_Code"] == wanted["Dimension_Code"]], wanted)

    @staticmethod
    def _row(record: NativeRecord) -> str:
        return f"DimensionValues(Dimension_Code='{record.data['dimensionCode']}',Code='{record.data['code']}')"


class Currencies(Part):
    async def seed(self, count: int) -> None:
        rows = [{"code": f"C{n}", "name": f"{UNICODE} {n}"} for n in self.target.next_serials(count)]
        await self.target.seed(currencies=rows)

    async def total(self) -> int:
        return self.target.rows_kept("currencies")

    async def edit(self, record: NativeRecord) -> bool:
        await self.target.api("PATCH", f"currencies({record.id})", {"displayName": f"Edited {record.data['code']}"})
        return True


class ExchangeRates(Part):
    key_field = "currencyCode"

    async def seed(self, count: int) -> None:
        start = datetime(2026, 1, 2, tzinfo=UTC)
        rows = [
            {
                "currency": "USD",
                "start": (start + timedelta(days=n)).date().isoformat(),
                "relational_amount": "0.917431",
            }
            for n in self.target.next_serials(count)
        ]
        await self.target.seed(exchange_rates=rows)

    async def total(self) -> int:
        return self.target.rows_kept("currencyExchangeRates")


class SetUp(Part):
    key_field = "companyName"

    async def seed(self, count: int) -> None:
        del count  # there is one, always

    async def total(self) -> int:
        return 1

    async def edit(self, record: NativeRecord) -> bool:
        self.target.box.set(company=COMPANY, allow_posting_from="2020-01-01")
        return True


class Journals(Part):
    spared = frozenset()

    async def seed(self, count: int) -> None:
        raise NotImplementedError

    async def total(self) -> int:
        raise NotImplementedError

    def operation(self, serial: int, *, delivery: str, earlier: tuple[str, ...], amount: str = "183.05") -> Operation:
        lines = [
            {"lineKey": "1", "accountNumber": "8450", "amount": Decimal(amount), "dimensions": DIMENSIONS},
            {"lineKey": "2", "accountNumber": "5800", "amount": -Decimal(amount), "dimensions": {}},
        ]
        return _journal(serial, delivery, earlier, lines)

    def refused(self, serial: int, *, delivery: str) -> Refusal | None:
        lines = [
            {"accountNumber": "8430", "amount": Decimal("5.00"), "dimensions": {}},
            {"accountNumber": "5800", "amount": Decimal("-5.00"), "dimensions": {}},
        ]
        return Refusal(_journal(serial, delivery, (), lines), "dimension_required")

    async def effects(self, operation: Operation) -> int:
        found = self.target.box.document(str(operation.native["documentNumber"]), COMPANY)
        wanted = [
            (line["accountNumber"], Decimal(line["amount"]), dict(line["dimensions"]))
            for line in operation.native["journalLines"]
        ]
        there = [(entry["account"], Decimal(entry["amount"]), entry["dimensions"]) for entry in found["entries"]]
        times = int(found["postings"])
        assert there == wanted * times, f"booked otherwise than meant: {there}"
        return times


class Entries(Part):
    key_field = "documentNumber"

    async def seed(self, count: int) -> None:
        """Posted by journals of two lines each, through the API as another system would."""
        serials = self.target.next_serials(count)
        journal = await self.target.api("POST", "journals", {"code": f"S{serials.start}", "displayName": "Seed"})
        path = f"journals({journal['id']})"
        for serial in serials[: -(-count // 2)]:
            for account, amount in (("8450", 183.05), ("5800", -183.05)):
                line = {
                    "accountNumber": account,
                    "postingDate": "2026-03-05",
                    "documentNumber": f"SEED{serial}",
                    "description": f"Work order {serial} {UNICODE}",
                    "amount": Decimal(str(amount)),
                }
                made = await self.target.api("POST", f"{path}/journalLines", line)
                if account == "8450":
                    where = f"{path}/journalLines({made['id']})/dimensionSetLines"
                    for code, value in DIMENSIONS.items():
                        await self.target.api("POST", where, {"code": code, "valueCode": value})
        await self.target.api("POST", f"{path}/Microsoft.NAV.post")

    async def total(self) -> int:
        return int(self.target.box.books(COMPANY)["entries"])


def _journal(serial: int, delivery: str, earlier: tuple[str, ...], lines: list[dict[str, Any]]) -> Operation:
    native = {
        "documentNumber": f"WO{serial:06}",
        "externalDocumentNumber": f"ORDER-{serial}",
        "postingDate": "2026-03-05",
        "description": f"Work order {serial} {UNICODE}",
        "journalLines": lines,
    }
    operation = _operation("journal_entry", serial, native, delivery, earlier)
    return type(operation)(
        key=operation.key,
        entity="journal_entry",
        action="post",
        company=COMPANY,
        native=native,
        delivery=delivery,
        earlier=earlier,
    )


def _operation(
    entity: str, serial: int, native: Mapping[str, Any], delivery: str, earlier: tuple[str, ...]
) -> Operation:
    return Operation(
        key=f"event-{serial}",
        entity=entity,
        action="create",
        company=COMPANY,
        native=native,
        delivery=delivery,
        earlier=earlier,
    )
