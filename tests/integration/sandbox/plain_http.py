"""The sandbox as a stranger sees it: a process started from the command line, and HTTP of the standard library. Nothing
of isthmus is imported here.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from integration.sandbox.masters import PRINCIPAL, TENANT
from integration.sandbox.purchasing import company, line

__all__ = ["Answer", "Wire", "line", "running"]
STAR = {"If-Match": "*"}
SCOPE = "https://api.businesscentral.dynamics.com/.default"


class Answer:
    """Status, body (JSON data or text) and headers."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        raw = response.read()
        self.status, self.headers = response.status, {k.lower(): v for k, v in response.getheaders()}
        self.body: Any = raw.decode()
        if "json" in self.headers.get("content-type", ""):
            self.body = json.loads(raw)

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def text(self) -> str:
        """The message without its CorrelationId."""
        return str(self.body["error"]["message"]).partition("  CorrelationId:  ")[0]

    @property
    def value(self) -> list[dict[str, Any]]:
        return list(self.body["value"])

    def parts(self) -> list[int]:
        return [part["status"] for part in self.body["responses"]]


class Wire:
    """A connection with a token. Paths are below the company, or below the service when they start with `/`."""

    def __init__(self, url: str, ca: str) -> None:
        self.root = f"/v2.0/{TENANT}/Sandbox/api/v2.0"
        self.url = url
        context = ssl.create_default_context(cafile=ca)
        self._connection = http.client.HTTPSConnection(url.removeprefix("https://"), context=context, timeout=60)
        form = {
            "grant_type": "client_credentials",
            "client_id": PRINCIPAL["client_id"],
            "client_secret": PRINCIPAL["secret"],
            "scope": SCOPE,
        }
        self._connection.request(
            "POST",
            f"/{TENANT}/oauth2/v2.0/token",
            urlencode(form),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        token = Answer(self._connection.getresponse()).body["access_token"]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.company = self.get("/companies").value[0]["id"]

    def close(self) -> None:
        self._connection.close()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        below = f"{self.root}{path}" if path.startswith("/") else f"{self.root}/companies({self.company})/{path}"
        url = path.removeprefix(self.url) if path.startswith("https://") else quote(below, safe="/?&=$()'%,;:.+@-_")
        sent = self._headers | {name.replace("_", "-"): text for name, text in headers.items()}
        self._connection.request(method, url, json.dumps(body) if body is not None else None, sent)
        return Answer(self._connection.getresponse())

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.call("POST", path, {} if body is None else body, **headers)

    def patch(self, path: str, body: Any, etag: str = "*") -> Answer:
        return self.call("PATCH", path, body, If_Match=etag)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.call("DELETE", path, **headers)

    def dev(self, method: str, name: str, body: Any = None) -> Any:
        """The dev API, as a person or an operator of the sandbox."""
        self._connection.request(method, f"/_sandbox/{name}", json.dumps(body) if body is not None else None)
        answer = Answer(self._connection.getresponse())
        assert answer.status == 200, answer.body
        return answer.body

    @contextlib.contextmanager
    def setup(self, before: dict[str, Any], **during: Any) -> Iterator[None]:
        """Set-up of the company for the time being; `before` is what it is set back to."""
        self.dev("POST", "set", {"company": "CRONUS", **during})
        try:
            yield
        finally:
            self.dev("POST", "set", {"company": "CRONUS", **before})

    # documents

    def part(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """One request of a batch, below the company."""
        headers = {"Content-Type": "application/json"} | more.pop("headers", {})
        return {"method": method, "url": f"companies({self.company})/{path}", "headers": headers, "body": body} | more

    def batch(self, *parts: dict[str, Any], **headers: str) -> Answer:
        numbered = [{"id": str(at), **part} for at, part in enumerate(parts)]
        return self.post("/$batch", {"requests": numbered}, **headers)

    def order(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A new order, with its lines."""
        body = {"vendorNumber": "10000", "purchaseOrderLines": list(lines) or [line()], **more}
        answer = self.post("purchaseOrders?$expand=purchaseOrderLines", body)
        assert answer.status == 201, answer.body
        return dict(answer.body)

    def lines(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        return self.get(f"purchaseOrders({order['id']})/purchaseOrderLines").value

    def act(self, order: dict[str, Any], action: str = "Microsoft.NAV.receiveAndInvoice") -> Answer:
        return self.call("POST", f"purchaseOrders({order['id']})/{action}")

    def receive(self, order: dict[str, Any], quantity: Any = 1) -> Answer:
        """Receive so much of the first line and nothing of the others."""
        for place, one in enumerate(self.lines(order)):
            wanted = {"receiveQuantity": quantity if place == 0 else 0}
            for changes in (wanted, {"invoiceQuantity": 0}):
                answer = self.patch(f"purchaseOrderLines({one['id']})", changes)
                assert answer.status == 200, answer.body
        return self.act(order)

    def invoice(self, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A draft invoice."""
        body = {"vendorNumber": "10000", "purchaseInvoiceLines": list(lines), **more}
        answer = self.post("purchaseInvoices", body)
        assert answer.status == 201, answer.body
        return dict(answer.body)


@contextlib.contextmanager
def running(home: Path) -> Iterator[Wire]:
    """A sandbox in a process of its own, with the buying company, and a client of it."""
    journals = [{"code": "DEFAULT"}, {"code": "TRAPS"}]
    more = {"journals": journals, "item_series": "ITEM"}
    given = company(**more)
    given["number_series"] = [*given["number_series"], {"code": "ITEM", "start": "I0001", "manual": False}]
    tenant = {"tenant": TENANT, "environment": "Sandbox", "principals": [PRINCIPAL], "companies": [given]}
    home.mkdir(parents=True, exist_ok=True)
    path = home / "seed.yaml"
    path.write_text(yaml.safe_dump(tenant), "utf-8")
    command = [sys.executable, "-m", "isthmus.sandbox", "--home", str(home / "box"), "--seed", str(path)]
    process = subprocess.Popen([*command, "--idle-exit", "300"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        about = json.loads(process.stdout.readline())
        wire = Wire(about["url"], about["ca"])
        yield wire
        wire.close()
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
