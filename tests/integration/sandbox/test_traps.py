"""Traps of addresses, payloads, paging, etags and batches, asked one by one by a stranger (bc.md sections 4 to 8).
Those of masters, journals and webhooks are in test_traps_records.py, those of purchasing in test_traps_purchase.py.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest

from integration.sandbox.plain_http import Wire, line, running

NO_GUID = "00000000-0000-0000-0000-000000000000"
SNAPSHOT = {"Isolation": "snapshot"}
STAR = {"headers": {"If-Match": "*"}}


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with running(tmp_path_factory.mktemp("traps")) as wire:
        yield wire


def term(wire: Wire, code: str = "T1") -> dict[str, Any]:
    """A new payment term: the smallest record there is."""
    answer = wire.post("paymentTerms", {"code": code})
    assert answer.status == 201, answer.body
    return dict(answer.body)


# section 4: JSON and OData


def test_collections_and_etags_have_the_shape_of_odata(wire: Wire) -> None:
    body = wire.get("vendors").body
    assert set(body) == {"@odata.context", "value"}
    etag = body["value"][0]["@odata.etag"]
    assert base64.b64decode(re.fullmatch(r'W/"(.+)"', etag)[1])  # type: ignore[index] # no match fails the test


def test_enums_are_encoded_names(wire: Wire) -> None:
    wire.post("items", {"displayName": "Sundries", "type": "Non_x002D_Inventory", "baseUnitOfMeasureCode": "PCS"})
    assert wire.get("items?$filter=type eq 'Non_x002D_Inventory'").value[0]["type"] == "Non_x002D_Inventory"
    assert wire.get("vendors").value[0]["blocked"] == "_x0020_"
    assert wire.get("items?$filter=type eq 'Non-Inventory'").value == []


def test_a_wrong_enum_is_unknown(wire: Wire) -> None:
    answer = wire.post("items", {"displayName": "X", "type": "Non-Inventory"})
    assert (answer.status, answer.code, "is not an option. The existing options are:" in answer.text) == (
        400,
        "Unknown",
        True,
    )


def test_blank_dates_and_ids(wire: Wire) -> None:
    order = wire.order()
    assert (order["requestedReceiptDate"], order["currencyId"]) == ("0001-01-01", NO_GUID)


def test_the_own_currency_is_shown_and_kept_blank(wire: Wire) -> None:
    made = wire.post("vendors", {"displayName": "Own", "currencyCode": "EUR"}).body
    assert (made["currencyCode"], made["currencyId"]) == ("EUR", NO_GUID)


def test_codes_are_upper_case_and_trimmed(wire: Wire) -> None:
    assert term(wire, " net7 ")["code"] == "NET7"


def test_a_text_that_is_too_long(wire: Wire) -> None:
    answer = wire.post("vendors", {"displayName": "x" * 101})
    assert (answer.status, answer.code) == (400, "Application_StringExceededLength")
    assert answer.text.startswith(
        "The length of the string is 101, but it must be less than or equal to 100 characters."
    )


def test_pairs_must_agree(wire: Wire) -> None:
    first, second = wire.get("vendors?$top=2").value
    answer = wire.post("purchaseOrders", {"vendorId": first["id"], "vendorNumber": second["number"]})
    assert (answer.code, answer.text) == (
        "Application_DialogException",
        "The buy-from vendor values do not match to a specific Vendor.",
    )


def test_statuses_of_each_method(wire: Wire) -> None:
    made = wire.post("paymentTerms", {"code": "S1"})
    assert (made.status, made.body["code"]) == (201, "S1")
    path = f"paymentTerms({made.body['id']})"
    assert wire.get(path).status == 200
    assert wire.patch(path, {"displayName": "one"}).body["displayName"] == "one"
    quiet = wire.post("paymentTerms", {"code": "S2"}, Prefer="return-no-content")
    assert (quiet.status, quiet.body) == (204, "")
    assert wire.call("PUT", path, {"displayName": "two"}, If_Match="*").status == 405
    assert (wire.delete(path).status, wire.get(path).status) == (204, 404)


def test_actions_answer_204_with_a_location_and_in_any_case(wire: Wire) -> None:
    order = wire.order(line(quantity=1))
    one = order["purchaseOrderLines"][0]["id"]
    wire.patch(f"purchaseOrderLines({one})", {"invoiceQuantity": 0})
    answer = wire.act(order, "Microsoft.NAV.RECEIVEANDINVOICE")
    assert (answer.status, answer.body) == (204, "")
    assert answer.headers["location"].endswith(f"/purchaseOrders({order['id']})")


def test_or_joins_one_field_only(wire: Wire) -> None:
    assert len(wire.get("vendors?$filter=number eq '10000' or number eq '20000'").value) == 2
    answer = wire.get("vendors?$filter=number eq '10000' or displayName eq 'x'")
    assert (answer.status, answer.text) == (
        400,
        "The 'OR' operator is not supported on distinct fields on an OData filter.",
    )


def test_in_and_nested_functions_need_a_schema_version(wire: Wire) -> None:
    for query in ("$filter=number in ('10000','20000')", "$filter=contains(tolower(displayName),'vendor 10000')"):
        assert wire.get(f"vendors?{query}").status == 400
        assert wire.get(f"vendors?$schemaversion=2.1&{query}").status == 200


def test_lambdas_are_ignored_in_silence(wire: Wire) -> None:
    wire.order()
    query = "purchaseOrders?$filter=purchaseOrderLines/any(l: l/quantity gt 999999)"
    assert len(wire.get(query).value) == int(wire.get("purchaseOrders/$count").body)


def test_a_change_goes_one_level_deep(wire: Wire) -> None:
    order = wire.order()
    answer = wire.patch(f"purchaseOrders({order['id']})", {"purchaseOrderLines": [{"quantity": 1}]})
    assert (answer.status, answer.code) == (400, "BadRequest")


def test_expansions_nest_and_filter(wire: Wire) -> None:
    order = wire.order(line(quantity=3), line(quantity=5))
    query = "$expand=purchaseOrderLines($filter=quantity gt 4;$select=quantity;$expand=item($select=number)),vendor"
    body = wire.get(f"purchaseOrders({order['id']})?{query}").body
    (one,) = body["purchaseOrderLines"]
    assert (one["quantity"], one["item"]["number"], "id" in one) == (5, "1000", False)
    assert body["vendor"]["number"] == "10000"


def test_navigation_to_one_is_singular(wire: Wire) -> None:
    order = wire.order()
    assert wire.get(f"purchaseOrders({order['id']})/paymentTerm").body["code"] == "30D"
    assert wire.get(f"purchaseOrders({order['id']})/paymentTerms").status == 404


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("purchaseOrderLines", "You must specify an Id or a Document Id to get the lines."),
        ("purchaseInvoiceLines", "You must specify an Id or a Document Id to get the lines."),
        ("purchaseCreditMemoLines", "You must specify an id or a Document Id to get the lines."),
        ("journalLines", "You must specify a journal batch ID or a journal ID to get a journal line."),
        ("dimensionSetLines", "You must get to the parent first to get to the dimension set line."),
    ],
)
def test_lines_are_never_read_flat(wire: Wire, path: str, text: str) -> None:
    for query in ("", "?$top=1", "?$filter=displayName eq 'x'" if path == "dimensionSetLines" else "?$count=true"):
        answer = wire.get(path + query)
        assert (answer.status, answer.code, answer.text) == (400, "Application_DialogException", text)


def test_lines_are_read_by_their_document_or_id(wire: Wire) -> None:
    order = wire.order(line(), line())
    assert len(wire.get(f"purchaseOrderLines?$filter=documentId eq {order['id']}").value) == 2
    assert wire.get(f"purchaseOrderLines({order['purchaseOrderLines'][0]['id']})").status == 200


def test_lines_of_receipts_are_a_plain_table(wire: Wire) -> None:
    assert wire.get("purchaseReceiptLines").status == 200


def test_a_property_that_is_not_there(wire: Wire) -> None:
    answer = wire.post("vendors", {"displayName": "X", "vendorInvoiceNumber": "1"})
    assert (answer.status, answer.code) == (400, "BadRequest")


def test_companies_are_not_made_here(wire: Wire) -> None:
    answer = wire.post("/companies", {"name": "NEW"})
    assert (answer.status, answer.code) == (405, "BadRequest_MethodNotAllowed")


def test_a_read_only_intent_does_not_write(wire: Wire) -> None:
    answer = wire.post("paymentTerms", {"code": "RO"}, Data_Access_Intent="ReadOnly")
    assert answer.status == 400
    assert wire.get("paymentTerms", Data_Access_Intent="ReadOnly").status == 200


# section 5: paging


def test_pages_are_followed_word_by_word(wire: Wire) -> None:
    total = int(wire.get("accounts/$count").body)
    seen, url = [], "accounts"
    while url:
        answer = wire.get(url, Prefer="odata.maxpagesize=4")
        assert len(answer.value) <= 4
        seen += [row["number"] for row in answer.value]
        url = answer.body.get("@odata.nextLink", "")
        assert not url or (url.startswith("https://") and "$skiptoken=" in url)
    assert seen == sorted(set(seen))
    assert len(seen) == total


def test_top_is_carried_on_above_the_page(wire: Wire) -> None:
    first = wire.get("accounts?$top=5", Prefer="odata.maxpagesize=3")
    assert len(first.value) == 3
    second = wire.get(first.body["@odata.nextLink"], Prefer="odata.maxpagesize=3")
    assert (len(second.value), "@odata.nextLink" in second.body) == (2, False)


def test_top_within_the_page_has_no_next(wire: Wire) -> None:
    assert "@odata.nextLink" not in wire.get("accounts?$top=2", Prefer="odata.maxpagesize=3").body


def test_the_server_sets_the_page(wire: Wire) -> None:
    wire.dev("POST", "set", {"page_size": 2})
    try:
        answer = wire.get("accounts", Prefer="odata.maxpagesize=50")
        assert (len(answer.value), "@odata.nextLink" in answer.body) == (2, True)
    finally:
        wire.dev("POST", "set", {"page_size": 20_000})


def test_counts(wire: Wire) -> None:
    assert wire.get("accounts?$count=true&$top=1").body["@odata.count"] == int(wire.get("accounts/$count").body)


# section 6: etags


@pytest.mark.parametrize("etag", ["", "nonsense", '"1"'])
def test_a_change_needs_an_etag(wire: Wire, etag: str) -> None:
    path = f"paymentTerms({term(wire, 'E' + str(len(etag)))['id']})"
    headers = {"If_Match": etag} if etag else {}
    answer = wire.call("PATCH", path, {"displayName": "x"}, **headers)
    assert (answer.status, answer.code) == (400, "BadRequest_InvalidToken")


def test_a_stale_etag_is_409_and_a_star_goes(wire: Wire) -> None:
    made = term(wire, "ST")
    path = f"paymentTerms({made['id']})"
    assert wire.patch(path, {"displayName": "a"}, made["@odata.etag"]).status == 200
    stale = wire.patch(path, {"displayName": "b"}, made["@odata.etag"])
    assert (stale.status, stale.code, stale.text) == (
        409,
        "Request_EntityChanged",
        "Another user has already changed the record.",
    )
    assert wire.patch(path, {"displayName": "c"}, "*").status == 200


def test_deletions_and_actions_check_an_etag_they_are_given(wire: Wire) -> None:
    made = term(wire, "DE")
    path = f"paymentTerms({made['id']})"
    wire.patch(path, {"displayName": "a"})
    assert wire.delete(path, If_Match=made["@odata.etag"]).status == 409
    assert wire.delete(path).status == 204
    order = wire.order()
    wire.patch(f"purchaseOrderLines({order['purchaseOrderLines'][0]['id']})", {"quantity": 7})
    action = f"purchaseOrders({order['id']})/Microsoft.NAV.receiveAndInvoice"
    assert wire.call("POST", action, If_Match=order["@odata.etag"]).status == 409


def test_a_changed_line_changes_the_etag_of_its_header(wire: Wire) -> None:
    order = wire.order()
    wire.patch(f"purchaseOrderLines({order['purchaseOrderLines'][0]['id']})", {"description": "other"})
    stale = wire.patch(f"purchaseOrders({order['id']})", {"orderDate": "2026-01-02"}, order["@odata.etag"])
    assert (stale.status, stale.code) == (409, "Request_EntityChanged")


def test_an_unchanged_value_changes_nothing(wire: Wire) -> None:
    order = wire.order()
    path = f"purchaseOrders({order['id']})"
    etag = wire.get(path).body["@odata.etag"]
    assert wire.patch(path, {"orderDate": order["orderDate"]}).body["@odata.etag"] == etag


def test_not_every_409_is_staleness(wire: Wire) -> None:
    wire.dev("POST", "faults", {"fault": "lock_409", "match": {"entity": "paymentTerms"}, "times": 1})
    answer = wire.post("paymentTerms", {"code": "LK"})
    assert (answer.status, answer.code) == (409, "Internal_ServerError")
    wire.dev("DELETE", "faults")


# sections 7 and 8: batches and deep insert


def test_a_batch_has_a_hundred_parts(wire: Wire) -> None:
    one = wire.part("GET", "companyInformation")
    assert len(wire.batch(*[one] * 100).parts()) == 100
    answer = wire.batch(*[one] * 101)
    assert (answer.status, "A maximum number of '100' query operations" in answer.text) == (500, True)


def test_each_part_brings_its_own_etag(wire: Wire) -> None:
    path = f"paymentTerms({term(wire, 'BE')['id']})"
    answer = wire.batch(
        wire.part("PATCH", path, {"displayName": "a"}), wire.part("PATCH", path, {"displayName": "b"}, **STAR)
    )
    assert answer.parts() == [400, 200]


def test_without_snapshot_each_part_stands_alone(wire: Wire) -> None:
    parts = [wire.part("POST", "paymentTerms", {"code": code}) for code in ("A1", "", "A2")]
    assert wire.batch(*parts).parts() == [201, 400, 201]
    assert len(wire.get("paymentTerms?$filter=code eq 'A1' or code eq 'A2'").value) == 2


def test_a_snapshot_says_201_of_what_it_takes_back(wire: Wire) -> None:
    answer = wire.batch(
        wire.part("POST", "paymentTerms", {"code": "SN"}), wire.part("POST", "paymentTerms", {}), **SNAPSHOT
    )
    assert answer.parts() == [201, 400]
    assert wire.get(f"paymentTerms({answer.body['responses'][0]['body']['id']})").status == 404


def test_a_snapshot_ends_with_its_first_failure(wire: Wire) -> None:
    parts = [wire.part("POST", "paymentTerms", {}), wire.part("POST", "paymentTerms", {"code": "AF"})]
    assert wire.batch(*parts, **SNAPSHOT).parts() == [400]


def test_a_posting_is_not_taken_back(wire: Wire) -> None:
    order = wire.order(line(quantity=5))
    one = order["purchaseOrderLines"][0]["id"]
    answer = wire.batch(
        wire.part("PATCH", f"purchaseOrderLines({one})", {"invoiceQuantity": 0}, **STAR),
        wire.part("POST", f"purchaseOrders({order['id']})/Microsoft.NAV.receiveAndInvoice", {}),
        wire.part("POST", "paymentTerms", {}),
        **SNAPSHOT,
    )
    assert answer.parts() == [200, 204, 400]
    assert wire.lines(order)[0]["receivedQuantity"] == 5


def test_an_id_that_was_not_given_is_null(wire: Wire) -> None:
    answer = wire.post("/$batch", {"requests": [wire.part("GET", "companyInformation")]})
    assert answer.body["responses"][0]["id"] is None


def test_a_part_may_name_its_company_in_a_header(wire: Wire) -> None:
    answer = wire.batch({"method": "GET", "url": "vendors?$top=1", "headers": {"Company": "CRONUS"}})
    assert answer.parts() == [200]


def test_change_sets_of_more_than_one_part_are_refused(wire: Wire) -> None:
    parts = [wire.part("POST", "paymentTerms", {"code": code}, atomicityGroup="g") for code in ("G1", "G2")]
    assert wire.batch(*parts).status == 500


def test_a_duplicate_journal_line_kills_the_whole_batch(wire: Wire) -> None:
    journal = wire.get("journals?$filter=code eq 'TRAPS'").value[0]["id"]
    parts = [wire.part("POST", f"journals({journal})/journalLines", {"lineNumber": number}) for number in (1, 1)]
    answer = wire.batch(*parts)
    assert (answer.status, answer.code) == (400, "Internal_EntityWithSameKeyExists")


def test_a_deep_insert_is_one_transaction_and_answers_the_header(wire: Wire) -> None:
    before = wire.get("purchaseOrders/$count").body
    lines = [line(), line("NOBODY")]
    assert wire.post("purchaseOrders", {"vendorNumber": "10000", "purchaseOrderLines": lines}).status == 400
    assert wire.get("purchaseOrders/$count").body == before
    made = wire.post("purchaseOrders", {"vendorNumber": "10000", "purchaseOrderLines": lines[:1]})
    assert "purchaseOrderLines" not in made.body


def test_sending_again_makes_another(wire: Wire) -> None:
    assert wire.order()["number"] != wire.order()["number"]
