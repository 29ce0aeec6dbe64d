"""Purchase orders and their lines: what is written, what is refused, what it adds up to (bc.md sections 4, 6, 15)."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from integration.sandbox.purchasing import Buyer, line

NO_GUID = "00000000-0000-0000-0000-000000000000"
FLAT = "You must specify an Id or a Document Id to get the lines."


async def exact(buyer: Buyer, path: str) -> Any:
    """A body with its numbers as Decimals, digit by digit."""
    client = buyer.client
    headers = {"Authorization": f"Bearer {client.token}"}
    async with client.session.get(client.path(path), headers=headers) as response:
        return json.loads(await response.text(), parse_float=Decimal, parse_int=Decimal)


# headers


async def test_a_deep_insert_answers_the_header_alone_unless_expanded(buyer: Buyer) -> None:
    body = {"vendorNumber": "10000", "purchaseOrderLines": [{"description": "ISTHMUS k1"}, line()]}
    plain = await buyer.client.post("purchaseOrders", body)
    assert (plain.status, plain.body["status"], plain.body["vendorName"]) == (201, "Draft", "Vendor 10000")
    assert "purchaseOrderLines" not in plain.body
    assert plain.headers["location"].endswith(f"purchaseOrders({plain.body['id']})")
    lines = await buyer.lines(plain.body)
    assert [(one["sequence"], one["lineType"], one["description"]) for one in lines] == [
        (10000, "Comment", "ISTHMUS k1"),
        (20000, "Item", "Item 1000"),
    ]


async def test_a_refused_line_takes_the_header_with_it(buyer: Buyer) -> None:
    before = (await buyer.client.get("purchaseOrders/$count")).body
    answer = await buyer.client.post(
        "purchaseOrders", {"vendorNumber": "10000", "purchaseOrderLines": [line(), line("NONE")]}
    )
    assert (answer.status, answer.text) == (400, "Item does not exist.")
    assert (await buyer.client.get("purchaseOrders/$count")).body == before


async def test_numbers_come_from_the_series_and_cannot_be_given(buyer: Buyer) -> None:
    first, second = await buyer.order(), await buyer.order()
    assert int(second["number"]) == int(first["number"]) + 1
    refused = await buyer.client.post("purchaseOrders", {"vendorNumber": "10000", "number": "X1"})
    assert (refused.status, refused.code) == (400, "BadRequest_InvalidOperation")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, 'A "vendorNumber" or a "vendorId" must be provided.'),
        ({"vendorNumber": ""}, 'A "vendorNumber" or a "vendorId" must be provided.'),
        ({"vendorNumber": "NONE"}, "The buy-from vendor cannot be found."),
        ({"vendorId": "12345678-1234-1234-1234-123456789012"}, "The buy-from vendor cannot be found."),
        ({"vendorNumber": "10000", "payToVendorNumber": "NONE"}, "The pay-to vendor cannot be found."),
        ({"vendorNumber": "10000", "currencyCode": "XYZ"}, 'The "currencyCode" does not match to a Currency.'),
        (
            {"vendorNumber": "10000", "paymentTermsId": "12345678-1234-1234-1234-123456789012"},
            'The "paymentTermsId" does not match to a Payment Terms.',
        ),
    ],
)
async def test_what_a_header_must_name(buyer: Buyer, body: dict[str, Any], text: str) -> None:
    answer = await buyer.client.post("purchaseOrders", body)
    assert (answer.status, answer.code, answer.text) == (400, "Application_DialogException", text)


async def test_id_and_number_of_the_vendor_must_agree(buyer: Buyer) -> None:
    rows = (await buyer.client.get("vendors?$filter=number eq '20000'")).value
    answer = await buyer.client.post("purchaseOrders", {"vendorId": rows[0]["id"], "vendorNumber": "10000"})
    assert answer.text == "The buy-from vendor values do not match to a specific Vendor."
    by_id = await buyer.client.post("purchaseOrders", {"vendorId": rows[0]["id"]})
    assert (by_id.body["vendorNumber"], by_id.body["currencyCode"]) == ("20000", "USD")


async def test_a_vendor_without_posting_groups_or_blocked_gets_no_order(buyer: Buyer) -> None:
    bare = await buyer.client.post("purchaseOrders", {"vendorNumber": "30000"})
    assert (bare.code, bare.text) == (
        "Application_FieldValidationException",
        "Gen. Bus. Posting Group must have a value in Vendor: No.=30000. It cannot be zero or empty.",
    )
    blocked = await buyer.client.post("purchaseOrders", {"vendorNumber": "40000"})
    assert blocked.text == "You cannot create this type of document when Vendor 40000 is blocked with type All"
    assert (await buyer.client.post("purchaseOrders", {"vendorNumber": "50000"})).status == 201


async def test_dates_start_today_and_stay_as_sent(buyer: Buyer) -> None:
    today = buyer.client.box.clock()["now"][:10]
    plain = await buyer.order()
    assert (plain["orderDate"], plain["postingDate"]) == (today, today)
    given = await buyer.order(orderDate="2026-03-01", postingDate="2026-03-15")
    assert (given["orderDate"], given["postingDate"]) == ("2026-03-01", "2026-03-15")


async def test_the_own_currency_is_shown_and_taken_by_its_code(buyer: Buyer) -> None:
    order = await buyer.order(currencyCode="EUR")
    assert (order["currencyCode"], order["currencyId"]) == ("EUR", NO_GUID)
    refused = await buyer.client.post("purchaseOrders", {"vendorNumber": "10000", "currencyCode": "SEK"})
    assert (refused.status, refused.code) == (400, "Internal_DataNotFoundFilter")


async def test_dimensions_of_a_header_reach_new_lines_only(buyer: Buyer) -> None:
    order = await buyer.order(line(), shortcutDimension1Code="adm")
    first = order["purchaseOrderLines"][0]
    path = f"purchaseOrderLines({first['id']})/dimensionSetLines"
    assert [row["valueCode"] for row in (await buyer.client.get(path)).value] == ["ADM"]
    changed = await buyer.client.patch(f"purchaseOrders({order['id']})", {"shortcutDimension1Code": "PROD"})
    assert changed.body["shortcutDimension1Code"] == "PROD"
    assert [row["valueCode"] for row in (await buyer.client.get(path)).value] == ["ADM"]
    unknown = await buyer.client.post("purchaseOrders", {"vendorNumber": "10000", "shortcutDimension1Code": "OLD"})
    assert (unknown.code, "Shortcut Dimension 1 Code" in unknown.text) == ("Internal_InvalidTableRelation", True)


async def test_dimension_lines_of_a_header_are_its_shortcuts(buyer: Buyer) -> None:
    order = await buyer.order(line())
    made = await buyer.client.post(
        f"purchaseOrders({order['id']})/dimensionSetLines", {"code": "AREA", "valueCode": "30"}
    )
    assert (made.status, made.body["parentType"]) == (201, "Purchase_x0020_Order")
    assert (await buyer.read(order))["shortcutDimension2Code"] == "30"
    one = order["purchaseOrderLines"][0]
    added = await buyer.client.post(
        f"purchaseOrderLines({one['id']})/dimensionSetLines", {"code": "AREA", "valueCode": "40"}
    )
    assert added.body["parentType"] == "Purchase_x0020_Order_x0020_Line"
    assert "lastModifiedDateTime" not in (await buyer.lines(order))[0]


async def test_a_change_needs_the_etag_of_now(buyer: Buyer) -> None:
    order = await buyer.order(line())
    path = f"purchaseOrders({order['id']})"
    missing = await buyer.client.call("PATCH", path, {"orderDate": "2026-01-02"})
    assert (missing.status, missing.code) == (400, "BadRequest_InvalidToken")
    await buyer.set_line(order["purchaseOrderLines"][0], quantity=11)
    stale = await buyer.client.patch(path, {"orderDate": "2026-01-02"}, order["@odata.etag"])
    assert (stale.status, stale.code) == (409, "Request_EntityChanged")
    now = (await buyer.read(order))["@odata.etag"]
    changed = await buyer.client.patch(path, {"orderDate": "2026-01-02"}, now)
    assert (changed.status, changed.body["orderDate"]) == (200, "2026-01-02")


@pytest.mark.parametrize("name", ["status", "totalAmountExcludingTax", "vendorName", "payToCity"])
async def test_what_is_shown_only_is_refused(buyer: Buyer, name: str) -> None:
    order = await buyer.order()
    answer = await buyer.client.patch(f"purchaseOrders({order['id']})", {name: "1"})
    assert (answer.status, answer.code) == (400, "BadRequest_InvalidOperation")


async def test_another_vendor_brings_its_address_and_currency(buyer: Buyer) -> None:
    order = await buyer.order(line(directUnitCost=3))
    changed = await buyer.client.patch(f"purchaseOrders({order['id']})", {"vendorNumber": "20000"})
    assert (changed.body["vendorName"], changed.body["currencyCode"], changed.body["buyFromCity"]) == (
        "Vendor 20000",
        "USD",
        "",
    )
    await buyer.receive(order, 1)
    refused = await buyer.client.patch(f"purchaseOrders({order['id']})", {"vendorNumber": "10000"})
    assert refused.code == "Application_FieldValidationException"


async def test_deletion_takes_the_lines(buyer: Buyer) -> None:
    order = await buyer.order(line(), line())
    gone = await buyer.client.call("DELETE", f"purchaseOrders({order['id']})")
    assert gone.status == 204
    assert (await buyer.client.get(f"purchaseOrders({order['id']})")).status == 404
    assert (await buyer.client.get(f"purchaseOrderLines({order['purchaseOrderLines'][0]['id']})")).status == 404


async def test_orders_are_found_by_what_a_lookup_has(buyer: Buyer) -> None:
    order = await buyer.order({"description": "ISTHMUS look"}, line(), vendor="20000", orderDate="2026-02-03")
    query = (
        "purchaseOrders?$filter=vendorNumber eq '20000' and orderDate eq 2026-02-03"
        "&$expand=purchaseOrderLines($filter=startswith(description,'ISTHMUS'))&$select=id,number"
    )
    found = next(row for row in (await buyer.client.get(query)).value if row["id"] == order["id"])
    assert [one["description"] for one in found["purchaseOrderLines"]] == ["ISTHMUS look"]
    one = await buyer.client.get(f"purchaseOrders({order['id']})/vendor")
    assert one.body["number"] == "20000"


# lines


async def test_lines_are_never_read_flat(buyer: Buyer) -> None:
    order = await buyer.order(line())
    flat = await buyer.client.get("purchaseOrderLines")
    assert (flat.status, flat.code, flat.text) == (400, "Application_DialogException", FLAT)
    assert (await buyer.client.get("purchaseOrderLines?$filter=sequence eq 10000")).text == FLAT
    one = order["purchaseOrderLines"][0]
    for path in (
        f"purchaseOrders({order['id']})/purchaseOrderLines",
        f"purchaseOrderLines?$filter=documentId eq {order['id']}",
        f"purchaseOrderLines?$filter=id eq {one['id']}",
    ):
        assert [row["id"] for row in (await buyer.client.get(path)).value] == [one["id"]]
    assert (await buyer.client.get(f"purchaseOrderLines({one['id']})")).status == 200


async def test_sequences_are_given_or_continue_and_never_change(buyer: Buyer) -> None:
    order = await buyer.order(line(), line(sequence=15000), line())
    assert [one["sequence"] for one in order["purchaseOrderLines"]] == [10000, 15000, 25000]
    twice = await buyer.client.post(f"purchaseOrders({order['id']})/purchaseOrderLines", line(sequence=15000))
    assert (twice.status, twice.code) == (400, "Internal_EntityWithSameKeyExists")
    assert f"Document No.='{order['number']}',Line No.='15000'" in twice.text
    one = order["purchaseOrderLines"][0]
    moved = await buyer.set_line(one, sequence=12000)
    assert moved.text == "The value for sequence cannot be modified. Delete and insert the line again."
    assert (await buyer.set_line(one, sequence=10000)).status == 200


async def test_lines_by_document_id_and_under_the_document(buyer: Buyer) -> None:
    order, other = await buyer.order(), await buyer.order()
    flat = await buyer.client.post("purchaseOrderLines", line(documentId=order["id"]))
    assert flat.status == 201
    none = await buyer.client.post("purchaseOrderLines", line())
    assert none.text == FLAT
    moved = await buyer.set_line(flat.body, documentId=other["id"])
    assert moved.text == 'The value for "documentId" cannot be modified.'


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (line("NONE"), "Application_DialogException", "Item does not exist."),
        (line("9999", lineType="Account"), "Application_DialogException", "Account does not exist."),
        (line("1003"), "Application_DialogException", "Purchasing Blocked check box"),
        (line("1002"), "Application_FieldValidationException", "Blocked must be equal to 'No'"),
        (line("8600", lineType="Account"), "Application_FieldValidationException", "Blocked must be equal to 'No'"),
        (line("R1", lineType="Resource"), "Internal_InvalidTableRelation", "related table (Resource)"),
        ({"lineObjectNumber": "1000"}, "Internal_InvalidTableRelation", "related table (Standard Text)"),
        ({"lineType": "Item", "quantity": 1}, "Application_FieldValidationException", "No. must have a value"),
        ({"quantity": 1}, "Application_FieldValidationException", "Type must have a value"),
        ({"lineType": "Thing"}, "Unknown", "is not an option"),
        (line(unitOfMeasureCode="KG"), "Internal_InvalidTableRelation", "related table (Item Unit of Measure)"),
        (line(locationId="12345678-1234-1234-1234-123456789012"), "Internal_InvalidTableRelation", "(Location)"),
        (line(description="x" * 101), "Application_StringExceededLength", "101"),
        (line(discountPercent=101), "Application_DialogException", "between 0 and 100"),
    ],
)
async def test_what_a_line_cannot_be(buyer: Buyer, body: dict[str, Any], code: str, text: str) -> None:
    answer = await buyer.client.post("purchaseOrders", {"vendorNumber": "10000", "purchaseOrderLines": [body]})
    assert (answer.status, answer.code) == (400, code)
    assert text in answer.text


async def test_a_line_names_an_item_or_an_account_by_id(buyer: Buyer) -> None:
    item = (await buyer.client.get("items?$filter=number eq '1000'")).value[0]["id"]
    account = (await buyer.client.get("accounts?$filter=number eq '8450'")).value[0]["id"]
    order = await buyer.order(
        {"itemId": item, "quantity": 1}, {"accountId": account, "quantity": 1, "directUnitCost": 7}
    )
    first, second = order["purchaseOrderLines"]
    assert (first["lineType"], first["lineObjectNumber"], first["directUnitCost"]) == ("Item", "1000", 2.5)
    assert (second["lineType"], second["description"], second["unitOfMeasureCode"]) == ("Account", "Consumables", "")
    both = await buyer.client.post(
        f"purchaseOrders({order['id']})/purchaseOrderLines", {"itemId": item, "accountId": account}
    )
    assert both.text == 'Both "itemId" and "accountId" are specified. Specify only one of them.'
    assert (await buyer.set_line(first, accountId=account)).text == both.text
    assert (await buyer.set_line(first, lineObjectNumber="1001")).text == (
        'The value for "lineObjectNumber" cannot be modified.'
    )
    assert (await buyer.client.get(f"purchaseOrderLines({first['id']})/item")).body["number"] == "1000"


async def test_units_have_their_factor(buyer: Buyer) -> None:
    order = await buyer.order(line(quantity=2, unitOfMeasureCode="BOX"))
    one = order["purchaseOrderLines"][0]
    assert (one["unitOfMeasureCode"], one["directUnitCost"], one["netAmount"]) == ("BOX", 30, 60)
    await buyer.receive(order, 2)
    receipt = (await buyer.client.get(f"purchaseReceipts?$filter=orderNumber eq '{order['number']}'")).value[0]
    entry = (await buyer.client.get(f"itemLedgerEntries?$filter=documentNumber eq '{receipt['number']}'")).value[0]
    assert entry["quantity"] == 24


async def test_prices_stay_exact_and_amounts_round_half_away(buyer: Buyer) -> None:
    order = await buyer.order(
        line(quantity=3, directUnitCost="2.3456"),
        line(quantity="0.5", directUnitCost="0.01"),
        line(quantity=-3, directUnitCost="0.3350"),
        line(quantity="1.234567", directUnitCost=1),
    )
    lines = (await exact(buyer, f"purchaseOrders({order['id']})/purchaseOrderLines"))["value"]
    assert [one["directUnitCost"] for one in lines][:3] == [Decimal("2.3456"), Decimal("0.01"), Decimal("0.3350")]
    assert [one["netAmount"] for one in lines] == [
        Decimal("7.04"),
        Decimal("0.01"),
        Decimal("-1.01"),
        Decimal("1.23"),
    ]
    assert lines[3]["quantity"] == Decimal("1.23457")
    header = await exact(buyer, f"purchaseOrders({order['id']})")
    assert header["totalAmountExcludingTax"] == Decimal("7.27")


async def test_amounts_round_to_the_precision_of_the_currency(buyer: Buyer) -> None:
    order = await buyer.order(line(quantity=3, directUnitCost="33.35"), currencyCode="JPY")
    assert order["purchaseOrderLines"][0]["netAmount"] == 100
    assert order["totalAmountIncludingTax"] == 100


async def test_discounts_and_tax_add_up(buyer: Buyer) -> None:
    order = await buyer.order(
        line("1007", 10, directUnitCost=100, discountPercent=10), line("1000", 5, directUnitCost=20)
    )
    first = order["purchaseOrderLines"][0]
    assert (first["discountAmount"], first["amountExcludingTax"], first["taxPercent"]) == (100, 900, 19)
    assert (order["totalAmountExcludingTax"], order["totalTaxAmount"]) == (1000, 171)
    changed = await buyer.set_line(first, discountAmount=50)
    assert (changed.body["discountPercent"], changed.body["netAmount"]) == (5, 950)
    discounted = await buyer.client.patch(f"purchaseOrders({order['id']})", {"discountAmount": 105})
    assert discounted.body["totalAmountExcludingTax"] == 945
    lines = await buyer.lines(order)
    assert [one["invoiceDiscountAllocation"] for one in lines] == [95, 10]
    assert [one["netTaxAmount"] for one in lines] == [162.45, 0]
    more = await buyer.client.post(
        f"purchaseOrders({order['id']})/purchaseOrderLines", line(quantity=1, directUnitCost=9)
    )
    assert more.status == 201
    assert (await buyer.read(order))["totalAmountExcludingTax"] == 954


async def test_prices_with_tax(buyer: Buyer) -> None:
    order = await buyer.order(line("1007", 1, directUnitCost=119), pricesIncludeTax=True)
    one = order["purchaseOrderLines"][0]
    assert (one["amountIncludingTax"], one["netAmount"], order["totalTaxAmount"]) == (119, 100, 19)
    plain = await buyer.client.patch(f"purchaseOrders({order['id']})", {"pricesIncludeTax": False})
    assert (plain.body["totalAmountExcludingTax"], plain.body["totalTaxAmount"]) == (119, 22.61)


async def test_expected_dates_follow_the_header(buyer: Buyer) -> None:
    order = await buyer.order(
        line(), line(expectedReceiptDate="2026-05-05"), requestedReceiptDate="2026-04-04", orderDate="2026-03-03"
    )
    assert [one["expectedReceiptDate"] for one in order["purchaseOrderLines"]] == ["2026-04-04", "2026-05-05"]
    plain = await buyer.order(line(), {"description": "text"}, orderDate="2026-03-03")
    assert [one["expectedReceiptDate"] for one in plain["purchaseOrderLines"]] == ["2026-03-03", "0001-01-01"]


async def test_a_line_can_be_about_another_item_until_something_came(buyer: Buyer) -> None:
    order = await buyer.order(line(quantity=4, directUnitCost=9))
    one = order["purchaseOrderLines"][0]
    other = (await buyer.client.get("items?$filter=number eq '1007'")).value[0]["id"]
    changed = await buyer.set_line(one, itemId=other)
    assert (changed.body["lineObjectNumber"], changed.body["quantity"], changed.body["directUnitCost"]) == (
        "1007",
        4,
        1,
    )
    emptied = await buyer.client.call("DELETE", f"purchaseOrderLines({one['id']})")
    assert emptied.status == 204
    assert (await buyer.read(order))["totalAmountExcludingTax"] == 0


async def test_an_item_on_order_is_renamed_and_kept(buyer: Buyer) -> None:
    box = buyer.client.box
    box.seed({"companies": [{"name": "CRONUS", "items": [{"number": "R100", "unit": "PCS", **GROUPS}]}]})
    order = await buyer.order(line("R100"))
    await asyncio.to_thread(box.edit, "items", "R100", number="R200")
    assert (await buyer.lines(order))[0]["lineObjectNumber"] == "R200"
    item = (await buyer.client.get("items?$filter=number eq 'R200'")).value[0]["id"]
    kept = await buyer.client.call("DELETE", f"items({item})")
    assert "at least one outstanding Purchase Order" in kept.text


GROUPS = {"general_product_posting_group": "RETAIL", "inventory_posting_group": "RESALE"}
