"""The job of `benchmarks/shared_job.sh` between two small servers: every valid vendor stands at the target once and as
it should, although answers are lost, what lost its answer is carried out late, and operations are refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import yaml

from docs.pages import ROOT
from isthmus.ledger.embedded import Embedded

VENDORS = 450
#: how long after its lost answer a write is carried out, and what the profile says it may take, in seconds
LATE, SETTLE = 0.5, 2


def vendor(number: int) -> dict[str, Any]:
    """What the source has; every tenth is of no use."""
    return {
        "id": f"V{number:05}",
        "vendorName": " " if number % 20 == 0 else f" Works {number}  ",
        "tel": "+92 21 555",
        "mail": f"Desk{number}@Works.example",
        "street": "1 Quay",
        "town": "Karachi",
        "ctry": "PK",
        "curr": "???" if number % 20 == 10 else "PKR",
        "terms": "COD",
        "active": number % 3 > 0,
        "limitCents": 100 * number + 5,
        "updatedAt": f"2026-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z",
    }


class Systems:
    """Source and target behind one address, and what the target was made to do."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.made: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.lost = 0
        self._late: list[threading.Timer] = []
        self._lock = threading.Lock()

    def answer(self, method: str, address: str, body: Any) -> tuple[int, Any]:
        parts = urlsplit(address)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.replace("%24", "$")
        with self._lock:
            self.asked[f"{method} {path}"] += 1
            if path == "/vendors":
                return self._page(int(query["page"]), int(query["size"]), query.get("since", ""))
            if method == "GET":
                found = self.rows.get(query["externalId"])
                return 200, {"value": [found] if found else []}
            if path == "/api/$batch":
                return self._batch(body["requests"])
            return self._made(body)

    def _page(self, page: int, size: int, since: str) -> tuple[int, Any]:
        rows = [row for row in map(vendor, range(VENDORS)) if row["updatedAt"] >= since]
        pages = -(-len(rows) // size) or 1
        return 200, {"value": rows[(page - 1) * size : page * size], "pages": pages, "total": len(rows)}

    def _batch(self, operations: list[dict[str, Any]]) -> tuple[int, Any]:
        if self.asked["POST /api/$batch"] == 2:  # carried out after the answer was lost
            self.lost += len(operations)
            self._late.append(threading.Timer(LATE, self._all, [operations]))
            self._late[-1].start()
            return 503, {"error": "gone"}
        if self.asked["POST /api/$batch"] == 4:  # carried out, and the answer is lost
            self.lost += len(operations)
            self._all(operations)
            return 503, {"error": "gone"}
        answers = []
        for at, operation in enumerate(operations):
            status, told = (429, {"error": "busy"}) if at == 7 else self._made(operation["body"])
            answers.append({"id": operation["id"], "status": status, "body": told})
        return 200, {"responses": answers}

    def come_to_rest(self) -> None:
        """Wait for what is still to be carried out."""
        for late in self._late:
            late.join()

    def _all(self, operations: list[dict[str, Any]]) -> None:
        for operation in operations:
            self._made(operation["body"])

    def _made(self, body: dict[str, Any]) -> tuple[int, Any]:
        self.rows[body["externalId"]] = body
        self.made[body["externalId"]] += 1
        return 201, {"id": str(sum(self.made.values()))}


@pytest.fixture
def systems() -> Iterator[tuple[Systems, str]]:
    both = Systems()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, told = both.answer(self.command, self.path, json.loads(sent) if sent else None)
            data = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield both, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def database_url(pg_server: Embedded, ledger_template: str) -> Iterator[str]:
    with psycopg.connect(pg_server.uri("postgres"), autocommit=True) as connection:
        connection.execute(f"create database shared_job template {ledger_template}")
        yield pg_server.uri("shared_job")
        connection.execute("drop database shared_job with (force)")


def put_at(folder: Path, url: str) -> None:
    """The job's project at these servers."""
    shutil.copytree(ROOT / "benchmarks" / "shared_job", folder, ignore=shutil.ignore_patterns(".isthmus"))
    project = yaml.safe_load((folder / "isthmus.yaml").read_text(encoding="utf-8"))
    project["connections"]["source"]["url"] = url
    project["connections"]["target"]["url"] = url + "/api"
    (folder / "isthmus.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    profile = folder / "profiles" / "target.yaml"
    text = profile.read_text(encoding="utf-8")
    assert "settle: 3s" in text
    profile.write_text(text.replace("settle: 3s", f"settle: {SETTLE}s"), encoding="utf-8")


def test_every_valid_vendor_stands_there_once(tmp_path: Path, systems: tuple[Systems, str], database_url: str) -> None:
    both, url = systems
    put_at(tmp_path / "shared_job", url)
    shutil.copy(ROOT / "benchmarks" / "shared_job.sh", tmp_path)
    environ = {**os.environ, "PYTHON": sys.executable, "ISTHMUS_HOME": str(tmp_path / "home")}
    environ["DATABASE_URL"] = database_url
    done = subprocess.run(
        ["sh", tmp_path / "shared_job.sh"], env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    both.come_to_rest()
    wanted = {f"V{number:05}" for number in range(VENDORS) if number % 10}
    assert set(both.rows) == wanted
    assert set(both.made.values()) == {1}
    assert both.lost > 100
    assert both.asked["GET /api/vendors"] >= both.lost
    assert both.rows["V00001"] == {
        "externalId": "V00001", "displayName": "Works 1", "phoneNumber": "+9221555", "email": "desk1@works.example",
        "addressLine1": "1 Quay", "city": "KARACHI", "country": "PK", "currencyCode": "PKR",
        "paymentTermsCode": "CASH", "blocked": " ", "creditLimit": 1.05,
    }  # fmt: skip
    assert both.rows["V00003"]["blocked"] == "All"
