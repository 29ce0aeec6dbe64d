"""What is read from Business Central, and how."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from isthmus.errors import ConfigurationError, Halt, Retry

if TYPE_CHECKING:
    from integration.business_central.conftest import Bench


async def test_entries_carry_signed_amount_dimensions_and_currency(bench: Bench) -> None:
    connector = bench.connector()
    await bench.write(connector, bench.order(1))
    fields = ("entryNumber", "documentNumber", "amount", "dimensions", "currencyCode")
    debit, credit = (await bench.read(connector, "generalLedgerEntries", fields=fields)).records
    assert (debit.data["amount"], credit.data["amount"]) == (Decimal("183.05"), Decimal("-183.05"))
    assert debit.data["dimensions"] == {"DEPARTMENT": "PROD"}
    assert debit.data["currencyCode"] == "EUR"
    assert "accountNumber" not in debit.data


async def test_dimensions_are_only_fetched_when_asked_for(bench: Bench) -> None:
    connector = bench.connector()
    await bench.write(connector, bench.order(1))
    page = await bench.read(connector, "generalLedgerEntries", fields=("entryNumber", "amount"))
    assert all("dimensions" not in record.data for record in page.records)


async def test_a_backfill_reads_a_range_of_days_inclusive(bench: Bench) -> None:
    connector = bench.connector()
    days = ("2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07")
    await bench.write(connector, *(bench.order(index, day=day) for index, day in enumerate(days)))
    page = await bench.read(
        connector,
        "generalLedgerEntries",
        date_field="postingDate",
        since=date(2026, 3, 5),
        until=date(2026, 3, 6),
    )
    assert {record.data["postingDate"] for record in page.records} == {"2026-03-05", "2026-03-06"}


async def test_exchange_rates_keep_their_currency(bench: Bench) -> None:
    fields = ("currencyCode", "startingDate", "relationalExchangeRateAmount")
    page = await bench.read(bench.connector(), "currencyExchangeRates", fields=fields)
    assert page.records[0].data["currencyCode"] == "USD"
    assert page.records[0].data["relationalExchangeRateAmount"] == Decimal("0.92")


async def test_dimension_values_know_their_dimension_and_are_found_by_it(bench: Bench) -> None:
    connector = bench.connector()
    page = await bench.read(connector, "dimensionValues", equals={"dimensionCode": ("PROJECT",)})
    assert {(record.data["dimensionCode"], record.data["code"]) for record in page.records} == {
        ("PROJECT", "P100"),
        ("PROJECT", "P200"),
    }


async def test_the_company_record_knows_its_name(bench: Bench) -> None:
    connector = bench.connector()
    page = await bench.read(connector, "generalLedgerSetup")
    assert (page.records[0].data["companyName"], page.records[0].data["localCurrencyCode"]) == ("CRONUS", "EUR")
    assert (await bench.read(connector, "generalLedgerSetup", equals={"companyName": ("other",)})).records == ()


async def test_more_values_than_one_filter_takes_are_read_in_parts(bench: Bench) -> None:
    numbers = [str(10_000 + serial) for serial in range(50)]
    bench.seed(accounts=[{"number": number, "name": "x", "category": "expense"} for number in numbers])
    connector = bench.connector()
    bench.box.reset_calls()
    page = await bench.read(connector, "accounts", equals={"number": tuple(numbers)})
    assert sorted(str(record.data["number"]) for record in page.records) == numbers
    assert bench.box.calls()["by_path"]["GET companies({id})/accounts"] == 3


async def test_a_next_link_that_is_refused_starts_the_round_again(bench: Bench) -> None:
    connector = bench.connector()
    page = await bench.read(connector, "accounts", limit=3)
    assert page.more
    assert page.cursor is not None
    broken = page.cursor.replace("skiptoken=", "skiptoken=broken")
    rest = await bench.read(connector, "accounts", cursor=broken, limit=500)
    ids = {record.id for record in page.records} & {record.id for record in rest.records}
    assert not rest.more
    assert len({record.id for record in (*page.records, *rest.records)}) == 7
    assert ids == set()


async def test_a_next_link_to_another_host_is_not_followed(bench: Bench) -> None:
    connector = bench.connector()
    page = await bench.read(connector, "accounts", limit=3)
    assert page.cursor is not None
    with pytest.raises(Halt, match="another host"):
        await bench.read(connector, "accounts", cursor=page.cursor.replace("127.0.0.1", "127.0.0.2"))


async def test_a_renamed_field_is_an_error_and_not_an_empty_value(bench: Bench) -> None:
    connector = bench.connector()
    bench.box.fault("drift", set="accounts", field="directPosting", to="directPostingAllowed")
    names = {field.name for field in await connector.describe("accounts")}
    assert "directPostingAllowed" in names
    assert "directPosting" not in names


async def test_fields_of_a_set_are_described(bench: Bench) -> None:
    connector = bench.connector()
    entry = {field.name: field for field in await connector.describe("generalLedgerEntries")}
    assert (entry["debitAmount"].type, entry["postingDate"].type) == ("decimal", "date")
    assert entry["amount"].type == "decimal"
    assert not entry["debitAmount"].writable
    document = {field.name: field for field in await connector.describe("journals")}
    assert document["documentNumber"].max_length == 20
    assert {"accountNumber", "amount", "dimensions"} <= {field.name for field in document["journalLines"].fields}
    assert await connector.describe("nothing") == ()


async def test_a_blocked_account_is_seen_by_the_next_read(bench: Bench) -> None:
    connector = bench.connector()
    first = await bench.read(connector, "accounts")
    bench.company(accounts={"8450": {"blocked": True}})
    page = await bench.read(connector, "accounts", cursor=first.cursor)
    assert [(record.data["number"], record.data["blocked"]) for record in page.records] == [("8450", True)]


async def test_a_company_outside_the_connection_is_not_read(bench: Bench) -> None:
    connector = bench.connector(companies=("OTHER",))
    with pytest.raises(ConfigurationError, match="CRONUS"):
        await bench.read(connector, "accounts")


async def test_an_unavailable_service_says_when_to_come_again(bench: Bench) -> None:
    connector = bench.connector()
    bench.box.fault("status", code=503, retry_after=45, match={"entity": "accounts"}, times=1)
    with pytest.raises(Retry) as caught:
        await bench.read(connector, "accounts")
    assert caught.value.after == 45
