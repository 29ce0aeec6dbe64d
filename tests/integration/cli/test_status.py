"""`isthmus status` and `isthmus messages`: shapes that scripts rely on, words that people read."""

from __future__ import annotations

import pytest

from isthmus.ledger.types import ALL_STATES

from .conftest import FLOW, Mine

pytestmark = pytest.mark.usefixtures("pg_server")
KEYS = ["id", "kind", "flow", "entity", "record", "state", "reason", "attempts", "next"]


def test_status_counts_by_state_and_adds_up_by_entity(synced: Mine) -> None:
    report = synced.run("status", "--json").one()
    expected = dict.fromkeys(ALL_STATES, 0) | {"done": 53, "skipped": 6, "dead": 1}
    assert report["messages"] == expected
    assert report["flows"] == {FLOW: expected}
    assert report["totals"] == {
        "journal_entry": {"count": 53, "amount": "90186.99", "currency": "USD"},
        "work_order": {"count": 60, "amount": "90186.99", "currency": "USD"},
    }
    assert list(report)[:3] == ["messages", "flows", "totals"]
    assert {row["connection"]: row["halted"] for row in report["connections"]} == {"finance": None, "maintenance": None}
    assert report["write_backs"]["maintenance"]["open"] == 0


def test_status_for_people_names_what_waits_for_them(synced: Mine) -> None:
    shown = synced.run("status")
    assert shown.code == 0
    assert "90,186.99 USD" in shown.out
    assert "work_orders.csv line 30" in shown.out
    assert "\x1b" not in shown.out, "colours belong on a terminal"


def test_nothing_synchronised_yet_is_said_in_words_and_zeros(unsynced: Mine) -> None:
    report = unsynced.run("status", "--json")
    assert report.code == 0
    assert report.one()["messages"] == dict.fromkeys(ALL_STATES, 0)
    assert report.one()["flows"] == {FLOW: dict.fromkeys(ALL_STATES, 0)}


def test_without_a_ledger_nothing_is_made(unsynced: Mine, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home") / "none"
    alone = Mine(unsynced.folder, {"ISTHMUS_HOME": str(home)})
    shown = alone.run("status")
    assert (shown.code, home.exists()) == (0, False)
    assert "Nothing was synchronised yet: run `isthmus sync`." in shown.out
    assert alone.run("messages", "--json").out == ""
    assert alone.run("trace", "M-1").code == 1


def test_a_message_is_one_line_with_fixed_keys(synced: Mine) -> None:
    lines = synced.run("messages", "--json").lines()
    assert len(lines) == 60
    assert all(list(line) == KEYS for line in lines)
    [dead] = [line for line in lines if line["state"] == "dead"]
    assert dead["record"] == "work_orders.csv line 30"
    assert dead["next"] == "person"
    assert dead["kind"] == "event"
    assert {line["next"] for line in lines if line["state"] in {"done", "skipped"}} == {None}


def test_messages_are_chosen_by_state_flow_record_and_number(synced: Mine) -> None:
    def count(*options: str) -> int:
        return len(synced.run("messages", "--json", *options).lines())

    assert count("--state", "dead") == 1
    assert count("--state", "dead", "--state", "skipped") == 7
    assert count("--flow", FLOW, "--limit", "5") == 5
    assert count("--record", "work_orders.csv:30") == 1
    assert count("--record", "nothing of that name") == 0
    assert synced.run("messages", "--flow", "nix").code == 1
    assert "States are ready" in synced.run("messages", "--state", "lost").err


def test_long_lines_say_how_to_mend(synced: Mine) -> None:
    [dead] = synced.run("messages", "--json", "--long", "--state", "dead").lines()
    assert list(dead)[: len(KEYS)] == KEYS
    assert dead["code"] == "bad_value"
    assert "mappings/work_order.yaml:23" in dead["mend"]


def test_people_see_a_hundred_and_are_told_of_more(synced: Mine) -> None:
    shown = synced.run("messages", "--limit", "10")
    assert "50 more: --limit 0 shows all of them." in shown.out
    assert "M-10 " in shown.out
