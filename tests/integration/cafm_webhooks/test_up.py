"""`isthmus up` subscribes at both systems by itself; what is approved in the CAFM is in finance without a poll."""

from __future__ import annotations

import json
import socket

from integration.cafm_webhooks.bench import CAFM, FINANCE, Halls
from integration.trouble.bench import eventually


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_up_hears_of_an_order_and_of_goods(halls: Halls) -> None:
    port = _free_port()
    halls.edit("isthmus.yaml", "http://127.0.0.1:1", f"http://127.0.0.1:{port}")
    halls.box.set(notification_delay=0.1)
    server = halls.up("--port", str(port))
    eventually(lambda: len(halls.ask("select 1 from subscription where connection = %s and state = 'kept'", CAFM)) == 5)
    polled = "select count(*) from link where connection = %s and entity = any('{vendor,item,location}')"
    eventually(lambda: halls.ask(polled, CAFM) == halls.ask(polled, FINANCE) == [(3,)])

    order = halls.order("10")
    eventually(lambda: halls.cafm.records("purchaseOrders", id=order["id"])[0]["externalNumber"])
    halls.receive(order, "4")
    eventually(lambda: halls.in_finance(order)["receipts"])
    [receipt] = halls.in_finance(order)["receipts"]
    assert receipt["lines"] == {"10000": "4"}
    report = json.loads(halls.command("status", "--json").out)["webhooks"][CAFM]
    assert (report["kept"], report["lost"], report["trouble"]) == (5, 0, "")
    assert report["heard_at"] is not None

    assert server.end().code == 0
    key = halls.home / "keys" / "hooks"
    halls.said.clear()  # `up --json` is asked to show the address
    assert halls.betrayed(key.read_text("ascii")) == [str(key)]
