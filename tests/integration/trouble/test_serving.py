"""`up` on a home: one at a time, beside other commands, drained, killed, started again; its door for webhooks."""

from __future__ import annotations

import http.client
import json
import signal
import socket
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from integration.trouble.bench import ROWS, Site, eventually
from isthmus.ledger.embedded import Embedded

LATE = "2025-02-01,A,Bucket tooth lost,PM01,158.60"


def ask(method: str, url: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
    """One call to the door."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    try:
        connection.request(method, parts.path, body)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content.startswith(b"{") else {}
    finally:
        connection.close()


@pytest.fixture
def alone(site: Site) -> Site:
    """The list is asked for changes once an hour only: what comes sooner was called for."""
    site.edit("isthmus.yaml", "poll: 60s", "poll: 1h")
    return site


@pytest.fixture
def patient(alone: Site) -> Site:
    """The same with its simulator at hand."""
    assert alone.box
    return alone


def settled(site: Site, done: int) -> bool:
    return site.standing() == {"done": done, "skipped": 1}


def test_one_up_per_home(alone: Site) -> None:
    server = alone.up()
    told = alone.command("up", "--port", "0")
    assert told.code == 1
    assert f"is served already by process {server.process.pid} ({server.url})." in told.err
    assert "isthmus down" in told.err

    eventually(lambda: settled(alone, 3))
    alone.save(*ROWS, LATE)
    told = alone.sync()  # beside it, on the same ledger and simulator
    assert told.code == 0, told
    assert settled(alone, 4)

    told = alone.command("down")
    assert told.code == 0
    assert f"asked process {server.process.pid} to end" in told.out
    ended = server.ended()
    assert ended.code == 0, ended
    assert "Traceback" not in ended.text
    assert "nothing was up" in alone.command("down").out
    assert alone.booked_once()  # the simulator ended too, and kept its books
    assert alone.betrayed() == []


def test_a_home_whose_server_was_killed(patient: Site) -> None:
    """The lock goes with the process. What it had sent is looked up by the next one, not sent again."""
    patient.environment["ISTHMUS_CRASH_AT"] = "after_call"
    first = patient.up()
    assert first.ended().code == -signal.SIGKILL
    assert patient.messages("state = 'sending'")

    del patient.environment["ISTHMUS_CRASH_AT"]
    second = patient.up()
    eventually(lambda: settled(patient, 3))
    assert patient.booked_once()
    told = second.end()
    assert told.code == 0, told


@pytest.mark.slow
def test_an_end_in_the_middle_of_work_is_waited_for(patient: Site) -> None:
    """SIGTERM while a posting is under way: its answer is kept, so that nothing has to be looked up afterwards."""
    patient.box.fault("latency", seconds=3, match={"action": "post"}, times=1)
    server = patient.up()
    eventually(lambda: patient.messages("state = 'sending'"))
    told = server.end()
    assert told.code == 0, told
    assert settled(patient, 3)
    assert patient.booked_once()
    assert patient.ask("select count(*) from message where attempts > 1") == [(0,)]


def test_a_port_that_is_taken(patient: Site) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        told = patient.command("up", "--port", str(port))
    assert told.code == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use. Choose another one with --host and --port." in (
        told.err
    )


def test_a_hint_makes_a_poll_happen_at_once(patient: Site) -> None:
    server = patient.up()
    eventually(lambda: settled(patient, 3))
    patient.save(*ROWS, LATE)
    status, answer = ask("POST", server.hook("maintenance"), b'{"changed": "something"}')
    assert (status, answer) == (202, {"kept": True})
    eventually(lambda: settled(patient, 4))
    assert patient.booked_once()
    assert patient.ask("select count(*) from inbox where taken_at is null") == [(0,)]


def test_calls_the_door_refuses(patient: Site) -> None:
    server = patient.up()
    hook = server.hook("maintenance")
    assert ask("POST", hook[:-1] + ("A" if hook[-1] != "A" else "B"))[0] == 404
    assert ask("POST", server.hook("nobody"))[0] == 404
    assert ask("GET", hook)[0] == 405
    status, answer = ask("POST", hook, b"x" * 1_000_001)
    assert status == 413
    assert answer["error"]["code"] == "too_large"
    assert patient.ask("select count(*) from inbox") == [(0,)]

    token = hook.rpartition("/")[2]
    key = patient.home / "keys" / "hooks"
    assert key.read_text("ascii") == token
    assert key.stat().st_mode & 0o777 == 0o600
    server.end()
    patient.said.clear()  # `up --json` is asked to show the address
    assert patient.betrayed(token) == [str(key)]


def test_health_tells_who_stands_still(patient: Site) -> None:
    patient.box.fault("status", code=401, match={"entity": "accounts"})
    server = patient.up()
    found = eventually(lambda: (answer := ask("GET", f"{server.url}/health"))[1]["status"] == "halted" and answer)
    assert found[0] == 200
    assert "Business Central refuses the application" in found[1]["halted"]["finance"]
    told = server.end()
    assert told.code == 0, told
    patient.box.clear_faults()
    patient.finish()


@pytest.mark.slow
def test_a_ledger_that_does_not_answer(patient: Site, pg_server: Embedded) -> None:
    """Hints are not promised to be kept then: the sender is told to come again."""
    server = patient.up()
    eventually(lambda: settled(patient, 3))
    hook = server.hook("maintenance")
    with psycopg.connect(pg_server.uri("postgres"), autocommit=True) as admin:
        name = urlsplit(str(patient.url)).path.lstrip("/")
        admin.execute(f"alter database {name} allow_connections false")
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        status, answer = ask("POST", hook, b"{}")
        assert status == 503
        assert answer["error"]["code"] == "storage"
        status, answer = ask("GET", f"{server.url}/health")
        assert (status, answer["status"]) == (503, "down")
        admin.execute(f"alter database {name} allow_connections true")

    patient.save(*ROWS, LATE)
    eventually(lambda: ask("POST", hook, b"{}")[0] == 202)
    eventually(lambda: settled(patient, 4))  # it went on by itself
    assert patient.booked_once()
    told = server.end()
    assert told.code == 0, told
