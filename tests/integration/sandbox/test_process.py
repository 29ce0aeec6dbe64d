"""The sandbox as a process: readiness, one per home, saving, restarts, and callers that die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from isthmus.sandbox.server import Sandbox, SandboxError, SandboxProcess, find, start_process
from isthmus.sandbox.serving import HomeInUse

CALLER = """
import http.client, json, ssl, sys, urllib.parse
url, ca, tenant, client, secret, company = sys.argv[1:]
connection = http.client.HTTPSConnection(url.removeprefix("https://"), context=ssl.create_default_context(cafile=ca))
form = (f"grant_type=client_credentials&client_id={client}&client_secret={secret}"
        "&scope=https%3A//api.businesscentral.dynamics.com/.default")
connection.request("POST", f"/{tenant}/oauth2/v2.0/token", form)
token = json.load(connection.getresponse())["access_token"]
headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
path = f"/v2.0/{tenant}/Sandbox/api/v2.0/journals?company={urllib.parse.quote(company)}"
connection.request("POST", path, json.dumps({"code": "ORPHAN"}), headers)
print("sent", flush=True)
connection.getresponse().read()
print("answered", flush=True)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def seed_file(tmp_path: Path, seed_data: dict[str, Any]) -> Path:
    path = tmp_path / "seed.yaml"
    path.write_text(yaml.safe_dump(seed_data, allow_unicode=True), "utf-8")
    return path


@pytest.fixture
def process(home: Path, seed_file: Path) -> Iterator[SandboxProcess]:
    process = start_process(home, seed_file)
    yield process
    process.stop()


def call(process: SandboxProcess, seed: dict[str, Any], company: str, *, wait: bool = True) -> subprocess.Popen[str]:
    """A client in a process of its own that makes one journal."""
    principal = seed["principals"][0]
    arguments = [process.url, str(process.ca), seed["tenant"], principal["client_id"], principal["secret"], company]
    caller = subprocess.Popen([sys.executable, "-c", CALLER, *arguments], stdout=subprocess.PIPE, text=True)
    if wait:
        assert caller.wait(20) == 0
        assert caller.stdout is not None
        caller.stdout.close()
    return caller


def journals(process: SandboxProcess, company: str = "CRONUS") -> int:
    found = next(one for one in process.state()["companies"] if one["name"] == company)
    return int(found["rows"]["journals"])


def test_a_process_is_found_and_keeps_its_state(
    process: SandboxProcess, home: Path, seed_file: Path, seed_data: dict[str, Any]
) -> None:
    about = json.loads((home / "sandbox.json").read_text())
    assert (about["pid"], about["url"]) == (process.pid, process.url)
    found = find(home)
    assert found is not None
    call(found, seed_data, "CRONUS")
    before = process.state()
    assert journals(found) == 5
    process.advance(1000)
    process.fault("status", match={"nth": 7})
    process.set(batch_counts="each")
    process.set(company="CRONUS", allow_posting_to="2026-12-31")
    ca = process.ca.read_bytes()

    found.stop()
    assert find(home) is None
    assert not (home / "sandbox.json").exists()

    again = start_process(home, seed_file)
    try:
        after = again.state()
        assert after["companies"] == [
            {**before["companies"][0], "setup": {**before["companies"][0]["setup"], "allow_posting_to": "2026-12-31"}},
            before["companies"][1],
        ]
        assert again.clock()["offset"] == 1000
        assert again.faults()["rules"][0]["match"]["nth"] == 7
        assert after["switches"]["batch_counts"] == "each"
        assert again.ca.read_bytes() == ca
    finally:
        again.stop()


def test_one_sandbox_per_home(process: SandboxProcess, home: Path) -> None:
    with pytest.raises(SandboxError, match=f"a sandbox runs on .* already: .*{process.pid}"):
        start_process(home)
    with pytest.raises(HomeInUse):
        Sandbox(home=home).start()
    assert process.alive()


def test_a_killed_sandbox_does_not_block_the_next(process: SandboxProcess, home: Path) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.stop()
    assert find(home) is None
    again = start_process(home)
    try:
        assert again.url != process.url or again.pid != process.pid
        assert find(home) is not None
    finally:
        again.stop()


def test_a_caller_killed_in_mid_call_harms_nothing(process: SandboxProcess, seed_data: dict[str, Any]) -> None:
    process.fault("latency", seconds=0.5, match={"method": "POST"}, times=1)
    caller = call(process, seed_data, "CRONUS", wait=False)
    assert caller.stdout is not None
    with caller.stdout as lines:
        assert lines.readline() == "sent\n"
        while process.calls()["by_path"].get("POST journals", 0) == 0:
            pass
        os.kill(caller.pid, signal.SIGKILL)
        caller.wait()
    while process.calls()["statuses"].get("201", 0) == 0:
        pass
    assert journals(process) == 5  # done, though nobody heard of it
    call(process, seed_data, "Zweite Gesellschaft")
    assert process.alive()


def test_a_late_commit_survives_a_restart(home: Path, seed_file: Path, seed_data: dict[str, Any]) -> None:
    with Sandbox(seed_file, home=home) as box:
        box.fault("late_commit", seconds=500, match={"method": "POST"}, times=1)
        found = SandboxProcess(home, os.getpid(), box.url)
        caller = call(found, seed_data, "CRONUS", wait=False)
        assert caller.stdout is not None
        with caller.stdout as lines:
            assert lines.readline() == "sent\n"
            assert caller.wait(20) == 1  # cut without an answer
        assert box.state()["due"][0]["kind"] == "request"
        assert journals(found) == 4
    with Sandbox(home=home) as box:
        found = SandboxProcess(home, os.getpid(), box.url)
        box.advance(400)
        assert journals(found) == 4
        box.advance(101)
        assert journals(found) == 5


def test_it_leaves_when_nobody_calls(home: Path) -> None:
    process = start_process(home, idle_exit=1.5)
    assert process.clock()["offset"] == 0
    assert process._child is not None
    assert process._child.wait(20) == 0
    assert (home / "state").exists()


def test_a_wrong_seed_ends_it_with_words(tmp_path: Path, home: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("companies: [{name: A, acounts: []}]")
    with pytest.raises(SandboxError, match="acounts"):
        start_process(home, wrong)
    (home / "state").write_text("{")
    with pytest.raises(SandboxError, match="not a state"):
        start_process(home)


def test_the_default_company_needs_no_seed(home: Path) -> None:
    with Sandbox(home=home) as box:
        assert box.books()["company"] == "CRONUS"


def test_secrets_are_for_the_owner_only(home: Path) -> None:
    with Sandbox(home=home):
        pass
    for name in ("state", "server.pem"):
        assert (home / name).stat().st_mode & 0o077 == 0
