"""The shipped mappings of orders and receipts, both ways, through Business Central."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from isthmus.app.registry import shipped_lenses
from isthmus.mapping.compiler import compile_lens
from isthmus.mapping.context import LensContext
from isthmus.mapping.drift import drift
from isthmus.mapping.lens import Lens

if TYPE_CHECKING:
    from integration.business_central.purchasing import Purchasing

SETS = {"vendor": "vendors", "item": "items", "account": "accounts", "location": "locations"}


class Links:
    """Links of the connection, as the ledger would know them."""

    def __init__(self, ids: dict[tuple[str, str], str]) -> None:
        self._ids = ids

    def number(self, entity: str, native_id: str) -> str | None:
        return next((number for (kind, number), one in self._ids.items() if (kind, one) == (entity, native_id)), None)

    def native_id(self, entity: str, number: str) -> str | None:
        return self._ids.get((entity, number))


@pytest.fixture
async def links(purchasing: Purchasing) -> Links:
    named = [("vendor", "10000"), ("item", "PUMP"), ("account", "8640"), ("location", "EAST")]
    return Links({(entity, number): await purchasing.id(SETS[entity], number) for entity, number in named})


def lens(entity: str) -> Lens:
    return compile_lens(shipped_lenses("business_central")[entity], two_way=True)


STATE: dict[str, Any] = {
    "number": "PO-1",
    "vendor": "10000",
    "ordered_on": "2026-03-01",
    "expected_on": "2026-04-01",
    "currency": "EUR",
    "lines": [
        {"key": "2147483655", "item": "PUMP", "description": "Ünïcödé ✓", "quantity": "10", "unit": "BOX",
         "unit_cost": "4.1234", "location": "EAST", "expected_on": "2026-04-02"},
        {"key": "2147483656", "account": "8640", "description": "Cleaning", "quantity": "2.5", "unit_cost": "80"},
    ],
}  # fmt: skip


async def test_an_order_comes_back_as_it_was_written_and_is_amended_in_what_differs(
    purchasing: Purchasing, links: Links
) -> None:
    order, context = lens("purchase_order"), LensContext(refs=links)
    writing = order.write(STATE, context)
    assert writing.findings == ()
    operation = structs.replace(await purchasing.order(1), native=writing.native)
    [made] = await purchasing.received(operation)
    assert made.result == "done", made
    shown = order.read(made.native or {}, context)
    assert shown.findings == ()
    assert {name: shown.state[name] for name in STATE if name != "lines"} == {
        n: v for n, v in STATE.items() if n != "lines"
    }
    assert shown.state["booked_number"] == made.number
    for line, wanted in zip(shown.state["lines"], STATE["lines"], strict=True):
        assert {name: line[name] for name in wanted} == wanted
        assert (line["received"], line["invoiced"]) == ("0", "0")
    assert shown.state["lines"][0]["amount"] == "41.234"

    first, second = shown.state["lines"]
    changed = {**shown.state, "lines": [{**first, "quantity": "11"}, {**second, "unit_cost": "80.0001"}]}
    native = order.write(changed, context).native
    [done] = await purchasing.received(purchasing.change(made, purchaseOrderLines=native["purchaseOrderLines"]))
    assert done.result == "done", done
    again = order.read(done.native or {}, context).state["lines"]
    assert [(line["quantity"], line["unit_cost"]) for line in again] == [("11", "4.1234"), ("2.5", "80.0001")]


async def test_a_receipt_is_written_by_the_keys_of_operations_and_read_as_it_was_posted(
    purchasing: Purchasing, links: Links
) -> None:
    context = LensContext(refs=links)
    operation = structs.replace(await purchasing.order(1), native=lens("purchase_order").write(STATE, context).native)
    [made] = await purchasing.received(operation)
    links._ids["purchase_order", "PO-1"] = made.native_id or ""
    state = {
        "number": "GR-7",
        "order": "PO-1",
        "received_on": "2026-03-05",
        "lines": [{"key": "991", "order_line": "2147483656", "accepted": "1.5"}],
    }
    writing = lens("receipt").write(state, context)
    assert writing.findings == ()
    [done] = await purchasing.received(structs.replace(purchasing.receipt(made, 1), native=writing.native))
    assert done.result == "done", done
    shown = lens("receipt").read(done.native or {}, context)
    assert shown.findings == ()
    assert (shown.state["order"], shown.state["received_on"]) == ("PO-1", "2026-03-05")
    assert shown.state["number"] == shown.state["booked_number"] == done.number
    [line] = shown.state["lines"]
    assert (line["order_line"], line["accepted"], line["item"]) == ("2147483656", "1.5", "8640")
    [order] = (await purchasing.read(purchasing.ours, "purchaseOrders")).records
    lines = lens("purchase_order").read(order.data, context).state["lines"]
    assert [line["received"] for line in lines] == ["0", "1.5"]


@pytest.mark.parametrize(("entity", "native"), [("purchase_order", "purchaseOrders"), ("receipt", "purchaseReceipts")])
async def test_every_field_of_the_mappings_is_one_the_service_or_the_connector_has(
    purchasing: Purchasing, entity: str, native: str
) -> None:
    fields = await purchasing.ours.describe(native)
    names = {field.name for field in fields} | {f"{one.name}.{inner.name}" for one in fields for inner in one.fields}
    assert list(drift(lens(entity), names)) == []
    assert purchasing.ours.capabilities.entities[entity].native == lens(entity).native
