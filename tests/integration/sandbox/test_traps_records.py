"""Traps of masters, journals and webhooks, asked one by one by a stranger (bc.md sections 11, 13 and 14)."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from integration.sandbox.plain_http import Wire, line, running


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with running(tmp_path_factory.mktemp("records")) as wire:
        yield wire


# sections 13 and 14: masters and journals


def test_numbers_of_masters_come_from_their_series(wire: Wire) -> None:
    made = wire.post("items", {"displayName": "Numbered"}).body
    assert made["number"].startswith("I0")
    refused = wire.post("items", {"number": "MINE", "displayName": "X"})
    assert refused.text.startswith("You may not enter numbers manually.")


def test_a_vendor_made_by_the_api_has_no_posting_groups(wire: Wire) -> None:
    vendor = wire.post("vendors", {"displayName": "Bare"}).body
    answer = wire.post("purchaseOrders", {"vendorId": vendor["id"]})
    assert (answer.code, "Posting Group must have a value in Vendor" in answer.text) == (
        "Application_FieldValidationException",
        True,
    )


def test_inventory_is_patched_but_not_posted(wire: Wire) -> None:
    assert (
        wire.post("items", {"displayName": "X", "inventory": 5}).text == "Inventory cannot be changed during on insert."
    )
    item = wire.get("items?$filter=number eq '1006'").value[0]
    with wire.setup({"location_mandatory": False}, location_mandatory=True):
        refused = wire.patch(f"items({item['id']})", {"inventory": 3})
        assert "Location Code must have a value" in refused.text


@pytest.mark.parametrize(
    "path", ["dimensions", "accounts", "generalLedgerEntries", "itemLedgerEntries", "purchaseReceipts"]
)
def test_what_is_only_read(wire: Wire, path: str) -> None:
    answer = wire.post(path, {})
    assert (answer.status, answer.code) == (405, "BadRequest_MethodNotAllowed")


def test_a_read_only_property(wire: Wire) -> None:
    order = wire.order()
    answer = wire.patch(f"purchaseOrders({order['id']})", {"number": "X"})
    assert (answer.status, answer.code) == (400, "BadRequest_InvalidOperation")


def test_journals_keep_the_codes_that_documents_lose(wire: Wire) -> None:
    journal = wire.post("journals", {"code": "CODES"}).body["id"]
    body = {"accountNumber": "8450", "amount": 1, "documentNumber": "C1", "postingDate": "2026-01-01"}
    wire.post(f"journals({journal})/journalLines", body)
    order = wire.order(postingDate="2026-01-01")
    with wire.setup({"allow_posting_from": "0001-01-01"}, allow_posting_from="2026-02-01"):
        posted = wire.call("POST", f"journals({journal})/Microsoft.NAV.post")
        assert posted.code == "Application_FieldValidationException"
        received = wire.receive(order)
    assert (received.code, received.text) == (
        "Application_DialogException",
        "Posting Date is not within your range of allowed posting dates.",
    )


# section 11: webhooks


class Hook(http.server.BaseHTTPRequestHandler):
    """A subscriber that answers as `answer` says; keeps what it is told."""

    answer = 200
    told: list[bytes]

    def do_GET(self) -> None:
        self._shake()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if "validationToken" in self.path:
            self._shake()
            return
        type(self).told.append(body)
        self.send_response(type(self).answer)
        self.end_headers()

    def _shake(self) -> None:
        token = parse_qs(urlsplit(self.path).query)["validationToken"][0].encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(token)

    def log_message(self, *_: object) -> None:
        """Nothing to the console."""


@pytest.fixture
def hook() -> Iterator[tuple[str, type[Hook]]]:
    kind = type("Told", (Hook,), {"told": [], "answer": 200})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/told", kind
        server.shutdown()


def subscribe(wire: Wire, url: str, set_name: str) -> Any:
    return wire.post("/subscriptions", {"notificationUrl": url, "resource": f"companies({wire.company})/{set_name}"})


def test_a_line_tells_of_its_document_and_nothing_but_its_address(wire: Wire, hook: tuple[str, type[Hook]]) -> None:
    url, kind = hook
    made = subscribe(wire, url, "purchaseOrders")
    assert made.status == 201
    order = wire.order(line(), line())
    wire.dev("POST", "clock", {"advance": 31})
    kind.told.clear()
    wire.patch(f"purchaseOrderLines({order['purchaseOrderLines'][0]['id']})", {"quantity": 4})
    wire.patch(f"purchaseOrderLines({order['purchaseOrderLines'][1]['id']})", {"quantity": 5})
    wire.dev("POST", "clock", {"advance": 31})
    assert len(kind.told) == 1
    assert kind.told[0].count(b"changeType") == 1
    assert f"purchaseOrders({order['id']})".encode() in kind.told[0]
    assert b"quantity" not in kind.told[0]
    wire.delete(f"/subscriptions('{made.body['subscriptionId']}')")


def test_an_answer_that_is_no_success_ends_a_subscription(wire: Wire, hook: tuple[str, type[Hook]]) -> None:
    url, kind = hook
    made = subscribe(wire, url, "paymentTerms").body
    kind.answer = 404  # type: ignore[misc] # a class of its own per test
    wire.post("paymentTerms", {"code": "HK"})
    wire.dev("POST", "clock", {"advance": 31})
    assert wire.get(f"/subscriptions('{made['subscriptionId']}')").status == 404


def test_a_subscriber_must_shake_hands(wire: Wire) -> None:
    wire.dev("POST", "set", {"handshake_seconds": 0.3})
    assert subscribe(wire, "http://127.0.0.1:9/nobody", "vendors").status == 400
