"""Making vendors, items, units, terms and locations, by bc.md §13: numbers, refusals, lost answers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from isthmus.app.registry import shipped_lenses
from isthmus.mapping.compiler import compile_lens

if TYPE_CHECKING:
    from integration.business_central.stockroom import Stockroom

VENDOR = {"number": "20000", "displayName": "Bürkle Pumps", "currencyCode": "EUR", "postalCode": "79098"}


async def test_a_vendor_is_made_and_told_as_it_is_read(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    done = (await stockroom.write(connector, stockroom.op("vendor", "v", VENDOR)))["v"]
    assert (done.result, done.number, done.code) == ("done", "20000", "")
    seen = (await connector.fetch("vendors", "CRONUS", [done.native_id or ""]))[0]
    assert (done.native, done.version) == (seen.data, seen.version)
    assert (seen.data["displayName"], seen.data["currencyId"][:8]) == ("Bürkle Pumps", "00000000")


async def test_many_are_made_by_one_call_and_one_bad_one_does_not_stop_the_others(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    vendors = [stockroom.op("vendor", f"v{i}", {**VENDOR, "number": f"3{i:04}"}) for i in range(60)]
    vendors[17] = stockroom.op("vendor", "v17", {**VENDOR, "number": "30017", "currencyCode": "ZZZ"})
    stockroom.box.reset_calls()
    outcomes = await stockroom.write(connector, *vendors)
    assert {key for key, outcome in outcomes.items() if outcome.result != "done"} == {"v17"}
    assert outcomes["v17"].code == "reference_unknown"
    assert len(await stockroom.rows("vendors")) == 60
    calls = stockroom.box.calls()["by_path"]
    assert calls["POST $batch"] == 1
    assert sum(calls.values()) < 20


REFUSED: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("vendor", {**VENDOR, "currencyCode": "ZZZ"}, "reference_unknown", "currencyCode", "Currencies"),
    (
        "vendor",
        {**VENDOR, "paymentTermsId": "11111111-1111-1111-1111-111111111111"},
        "reference_unknown",
        "paymentTermsId",
        "Payment Terms",
    ),
    ("vendor", {**VENDOR, "displayName": "x" * 101}, "too_long", "displayName", "cut"),
    ("vendor", {"displayName": "No number"}, "field_missing", "number", ""),
    (
        "item",
        {"number": "9", "displayName": "Seal", "baseUnitOfMeasureCode": "TON"},
        "reference_unknown",
        "baseUnitOfMeasureCode",
        "Units of Measure",
    ),
    (
        "item",
        {"number": "9", "displayName": "Seal", "inventory": Decimal(5)},
        "field_not_written",
        "inventory",
        "stock transactions",
    ),
]


async def test_a_refusal_names_field_and_page(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    before = len(await stockroom.rows("vendors")), len(await stockroom.rows("items"))
    for entity, native, code, field, where in REFUSED:
        outcome = (await stockroom.write(connector, stockroom.op(entity, "x", native)))["x"]
        assert (outcome.result, outcome.code, outcome.field) == ("reject", code, field)
        assert where in outcome.mend
    assert (len(await stockroom.rows("vendors")), len(await stockroom.rows("items"))) == before


async def test_a_company_that_assigns_numbers_refuses_ours_and_says_where(stockroom: Stockroom) -> None:
    stockroom.seed(number_series=[{"code": "AUTO", "start": "A0001", "manual": False}])
    stockroom.company(vendor_series="AUTO")
    outcome = (await stockroom.write(stockroom.connector(), stockroom.op("vendor", "v", VENDOR)))["v"]
    assert (outcome.result, outcome.code, outcome.field, outcome.value) == (
        "reject",
        "number_refused",
        "number",
        "20000",
    )
    assert "Purchases & Payables Setup" in outcome.mend
    assert "assigned_numbers: [vendor]" in outcome.mend


async def test_assigned_numbers_are_left_to_business_central(stockroom: Stockroom) -> None:
    connector = stockroom.connector(assigned_numbers=["vendor"])
    made = (await stockroom.write(connector, stockroom.op("vendor", "v", VENDOR)))["v"]
    assert (made.result, made.number) == ("done", "V0001")
    found = await connector.look_up([stockroom.op("vendor", "v", VENDOR)])
    assert (found["v"].result, found["v"].native_id) == ("done", made.native_id)
    again = (await stockroom.write(connector, stockroom.op("vendor", "other", VENDOR)))["other"]
    assert (again.result, again.code) == ("reject", "there_already")
    assert "V0001" in again.text
    assert len(await stockroom.rows("vendors")) == 2


async def test_a_lost_answer_is_found_by_number_and_not_sent_again(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    stockroom.box.fault("lose_after", match={"method": "POST"}, times=1)
    made = stockroom.op("vendor", "v", VENDOR)
    with pytest.raises(Exception, match="may have taken effect"):
        await stockroom.write(connector, made)
    found = (await connector.look_up([made]))["v"]
    assert (found.result, found.number) == ("done", "20000")
    sent_again = (await stockroom.write(connector, made))["v"]
    assert (sent_again.result, sent_again.native_id) == ("done", found.native_id)
    assert [row["number"] for row in await stockroom.rows("vendors")].count("20000") == 1


async def test_a_number_that_is_somebody_elses_is_told(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    made = stockroom.op("vendor", "v", {"number": "10000", "displayName": "Bürkle Pumps"})
    for outcome in (await stockroom.write(connector, made))["v"], (await connector.look_up([made]))["v"]:
        assert (outcome.result, outcome.code, outcome.value) == ("reject", "number_taken", "10000")
        assert "displayName" in outcome.text
    assert (await stockroom.rows("vendors"))[0]["displayName"] == "London Postmaster"


async def test_an_answer_that_tells_of_what_was_not_kept_is_not_believed(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    stockroom.box.fault("lie_201", match={"method": "POST"}, times=1)
    made = stockroom.op("vendor", "v", VENDOR)
    outcome = (await stockroom.write(connector, made))["v"]
    assert (outcome.result, outcome.code) == ("uncertain", "not_kept")
    assert await connector.look_up([made]) == {}


async def test_two_of_one_number_in_one_delivery_are_not_both_sent(stockroom: Stockroom) -> None:
    twice = [stockroom.op("vendor", key, {**VENDOR, "displayName": key}) for key in ("one", "two")]
    outcomes = await stockroom.write(stockroom.connector(), *twice)
    assert {key: (o.result, o.code) for key, o in outcomes.items()} == {
        "one": ("done", ""),
        "two": ("reject", "number_taken"),
    }


@pytest.mark.parametrize(
    ("entity", "state"),
    [
        (
            "vendor",
            {
                "number": "20000",
                "name": "Bürkle " + "P" * 120,
                "address": {"line1": "Hauptstr. 1", "city": "Freiburg im Breisgau an der Dreisam", "country": "DE"},
                "contact": {"phone": "+49 761 1", "email": "info@example.org"},
                "currency": "EUR",
                "blocked": "payment",
            },
        ),
        ("item", {"number": "I-7", "name": "Seal", "type": "stock", "base_unit": "PCS", "unit_cost": "4.25"}),
        ("unit_of_measure", {"code": "PALLET", "name": "Pallet", "standard_code": "D97"}),
        ("payment_terms", {"code": "14D", "name": "14 days", "due": "14D", "discount_percent": "2.5"}),
        ("location", {"number": "NORTH", "name": "North store", "address": {"city": "Kiel"}}),
    ],
)
async def test_what_a_mapping_writes_comes_back_as_it_was_written(
    stockroom: Stockroom, entity: str, state: dict[str, Any]
) -> None:
    """Except for what the field is too short for: that is cut, and what was kept is what the hub is told."""
    lens = compile_lens(shipped_lenses("business_central")[entity])
    writing = lens.write(state)
    assert writing.findings == ()
    outcome = (await stockroom.write(stockroom.connector(), stockroom.op(entity, "x", writing.native)))["x"]
    assert outcome.result == "done", outcome.text
    shown = lens.read(outcome.native or {})
    assert shown.findings == ()
    cut = {"name": state["name"][:100]} | (
        {"address": {**state["address"], "city": state["address"]["city"][:30].rstrip()}} if "address" in state else {}
    )
    for name, value in (state | cut).items():
        given = shown.state[name]
        if isinstance(value, dict):
            given = {inner: given[inner] for inner in value}
        assert given == value
