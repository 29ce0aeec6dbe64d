"""The way into Business Central is barred: secrets, applications, rights, tenants, ports, certificates."""

from __future__ import annotations

import socket

import pytest
import yaml

from integration.trouble.bench import CLIENT, COMPANY, SECRET, Site

READER = "00000000-0000-4000-8000-000000000002"
EXPIRED = "00000000-0000-4000-8000-000000000003"
UNINVITED = "00000000-0000-4000-8000-000000000004"
STRANGER = "00000000-0000-4000-8000-000000000009"
WRONG = "not-the-secret-of-this-mine"


@pytest.fixture
def real(site: Site) -> Site:
    """Finance as a real environment is connected: nothing of it is filled in by a simulator."""
    seed = yaml.safe_load(site.seed_file().read_text("utf-8"))
    rights = ["D365 BUS FULL ACCESS"]
    seed["principals"] += [
        {"client_id": READER, "secret": SECRET, "permissions": ["D365 READ"]},
        {"client_id": EXPIRED, "secret": SECRET, "secret_expires": "2020-01-01T00:00:00Z", "permissions": rights},
        {"client_id": UNINVITED, "secret": SECRET, "registered": "false", "permissions": rights},
    ]
    site.seed_file().write_text(yaml.safe_dump(seed), "utf-8")
    site.connect_for_real()
    return site


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("settings", "secret", "words", "mend"),
    [
        ({}, WRONG, f"the client secret of application {CLIENT} is wrong", "the setting `secret`"),
        ({"client_id": EXPIRED}, SECRET, f"the client secret of application {EXPIRED} has expired", "Make a new one"),
        ({"client_id": STRANGER}, SECRET, f"application {STRANGER} is not known in tenant pit.example", "`client_id`"),
        ({"client_id": UNINVITED}, SECRET, "Business Central refuses the application", "Microsoft Entra Applications"),
        ({"tenant": "nobody.example"}, SECRET, "tenant nobody.example does not exist", "Check the setting `tenant`"),
    ],
    ids=["wrong secret", "expired secret", "unknown application", "application not invited", "unknown tenant"],
)
def test_a_sign_in_that_is_refused(real: Site, settings: dict[str, str], secret: str, words: str, mend: str) -> None:
    real.connect_for_real(**settings)
    real.environment["MINE_SECRET"] = secret
    check = real.check()
    assert check.code == 3
    assert check.out.count(words) == 1, check
    assert mend in check.out

    told = real.sync()
    assert told.code == 3
    assert words in told.err
    assert "finance stands still since" in told.out
    assert not real.messages()

    real.connect_for_real()
    real.environment["MINE_SECRET"] = SECRET
    assert real.check().code == 0
    real.finish()
    assert real.standing() == {"done": 3, "skipped": 1}
    assert real.betrayed(SECRET, WRONG) == []


@pytest.mark.slow
def test_a_process_of_its_own_shows_no_secret_either(real: Site) -> None:
    """With everything a terminal gets: warnings of libraries, logs, and the details of a failure."""
    real.environment["MINE_SECRET"] = WRONG
    for words in (("check", "--debug"), ("sync", "--debug", "--limit", "2"), ("sync", "--json", "--limit", "2")):
        told = real.command_apart(*words)
        assert told.code == 3, told
        assert f"the client secret of application {CLIENT} is wrong" in told.text
    assert real.betrayed(WRONG) == []


def test_a_right_that_is_missing_costs_no_document_its_tries(real: Site) -> None:
    """Whether the application may post shows only when it does: everything waits, whole, for the right to come."""
    real.connect_for_real(client_id=READER)
    assert real.check().code == 0
    for _ in range(2):
        told = real.sync()
        assert told.code == 3
        assert "finance: the application lacks a right in Business Central." in told.err
        assert "page Microsoft Entra Applications" in told.err
    assert real.standing() == {"retrying": 3, "skipped": 1}
    assert real.ask("select max(attempts) from message") == [(0,)]
    assert int(real.books()["documents"]) == 0

    real.connect_for_real()
    real.finish()
    assert real.standing() == {"done": 3, "skipped": 1}
    assert real.betrayed() == []


def test_a_variable_that_is_not_set(real: Site) -> None:
    real.environment["MINE_SECRET"] = ""
    for command in ("check", "sync", "plan"):
        told = real.command(command)
        assert told.code == 1
        assert "finance.secret cannot be read: the environment variable MINE_SECRET is not set or empty." in told.err


def test_a_secret_written_into_the_project(real: Site) -> None:
    real.connect_for_real(secret=WRONG)
    told = real.check()
    assert told.code == 1
    line = real.line_of("isthmus.yaml", WRONG)
    assert f"isthmus.yaml:{line}: " in told.err
    assert "env:NAME" in told.err
    assert real.betrayed(WRONG) == []


def test_a_server_that_does_not_answer(real: Site) -> None:
    nowhere = f"https://127.0.0.1:{free_port()}"
    real.finish()
    real.save(*real.lines[1:], "2025-02-01,A,Bucket tooth lost,PM01,158.60")
    real.connect_for_real(url=nowhere, authority=nowhere)
    check = real.check()
    assert check.code == 3
    assert check.out.count(f"cannot reach the sign-in server {nowhere}") == 1
    told = real.sync("--limit", "1")
    assert told.code == 3
    assert f"finance: cannot reach the sign-in server {nowhere}" in told.err
    assert real.standing() in ({"done": 3, "retrying": 1, "skipped": 1}, {"done": 3, "ready": 1, "skipped": 1})

    real.connect_for_real()
    real.finish()
    assert real.standing() == {"done": 4, "skipped": 1}
    assert real.betrayed() == []


@pytest.mark.slow
def test_a_service_that_is_down_while_sign_in_works(real: Site) -> None:
    real.connect_for_real(url=f"https://127.0.0.1:{free_port()}")
    check = real.check()
    assert check.code == 3
    assert "connection finance: cannot reach 127.0.0.1" in check.out
    told = real.sync("--limit", "1")
    assert told.code == 3
    assert "finance: cannot reach 127.0.0.1" in told.err


@pytest.mark.slow
def test_a_certificate_nobody_vouches_for(real: Site) -> None:
    real.connect_for_real(ca="")
    check = real.check()
    assert check.code == 3
    assert real.box.url in check.out
    told = real.sync("--limit", "1")
    assert told.code == 3
    assert real.box.url in told.err
    real.connect_for_real()
    real.finish()


def test_a_company_that_is_not_there(real: Site) -> None:
    for name in ("isthmus.yaml", "flows/work-order-costs.yaml"):
        file = real.project / name
        file.write_text(file.read_text("utf-8").replace(COMPANY, "PIT MINING LTD"), "utf-8")
    check = real.check()
    assert check.code == 1
    assert "company 'PIT MINING LTD' does not exist in this environment (it has: PIT MINING)" in check.out
    told = real.sync()
    assert told.code == 1
    assert "PIT MINING LTD" in told.err
    assert not real.messages("state not in ('skipped')")
