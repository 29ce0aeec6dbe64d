"""`isthmus up` with a public address: it subscribes by itself, is told, and reads what it was told of."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.trouble.bench import ROWS, Site, eventually
from integration.webhooks.bench import SETS
from isthmus.ledger.database import Database


@pytest.fixture
def site(tmp_path: Path, database: Database) -> Iterator[Site]:
    """Polled once an hour only; notifications leave at once."""
    site = Site(tmp_path / "site", database.uri)
    site.edit("isthmus.yaml", "role: finance\n", "role: finance\n    poll: 1h\n")
    site.save(*ROWS)
    site.box.set(notification_delay=0.1)
    yield site
    site.stop()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _knows_as_blocked(site: Site, account: str) -> bool:
    rows = site.ask("select data from record where entity = 'account' and number = %s", account)
    return bool(rows) and bool(json.loads(rows[0][0]).get("blocked"))


def test_up_subscribes_and_hears(site: Site) -> None:
    port = _free_port()
    site.edit("isthmus.yaml", "connections:\n", f'hooks: {{url: "http://127.0.0.1:{port}"}}\n\nconnections:\n')
    server = site.up("--port", str(port))
    assert (
        server.told["public"]
        == server.told["hooks"]
        == f"http://127.0.0.1:{port}/hooks/CONNECTION/" + ((site.home / "keys" / "hooks").read_text("ascii"))
    )
    eventually(lambda: dict(site.ask("select native, state from subscription")) == dict.fromkeys(SETS, "kept"))
    assert not _knows_as_blocked(site, "8460")
    site.block("8460")
    eventually(lambda: _knows_as_blocked(site, "8460"))
    report = json.loads(site.command("status", "--json").out)["webhooks"]["finance"]
    assert (report["kept"], report["lost"], report["trouble"]) == (len(SETS), 0, "")
    assert report["heard_at"] is not None

    assert server.end().code == 0
    key = site.home / "keys" / "hooks"
    site.said.clear()  # `up --json` is asked to show the address
    assert site.betrayed(key.read_text("ascii")) == [str(key)]


def test_without_an_address_up_keeps_none(site: Site) -> None:
    server = site.up()
    assert server.told["public"] is None
    eventually(lambda: bool(site.ask("select 1 from stream where connection = 'finance' and filled_at is not null")))
    assert site.ask("select count(*) from subscription_care") == [(0,)]
    assert site.box.state()["webhooks"]["subscriptions"] == []
    assert server.end().code == 0
