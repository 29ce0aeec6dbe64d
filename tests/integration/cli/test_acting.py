"""What people do: retry, skip, correct, lookups; each leaves its trace in the audit."""

from __future__ import annotations

import pytest

from .conftest import Mine

#: a port where nobody listens
UNREACHABLE = "    url: https://127.0.0.1:9\n    authority: https://127.0.0.1:9\n    secret: env:BC_SECRET #"


def test_a_mended_row_is_retried_and_booked_by_the_name_of_who_did_it(mine: Mine) -> None:
    mine.change("rules/maintenance-costs.yaml", 'account: "8420"', 'account: "8499"')
    assert mine.run("sync", "--json").code == 2
    dead = [line["id"] for line in mine.run("messages", "--state", "dead", "--json").lines()]
    assert len(dead) > 1
    mine.change("rules/maintenance-costs.yaml", 'account: "8499"', 'account: "8420"')
    retried = mine.run("retry", "--state", "dead", "--code", "account_not_posting", "--json")
    assert retried.code == 0
    assert {line["state"] for line in retried.lines()} == {"done"}
    assert {line["id"] for line in retried.lines()} < set(dead)
    story = mine.run("trace", f"M-{retried.lines()[0]['id']}", "--json").one()["story"]
    [acted] = [event for event in story["events"] if event["what"] == "acted"]
    assert acted["who"].startswith("local user ")
    assert mine.run("reconcile").code == 0


def test_a_retry_that_changes_nothing_says_so(synced: Mine) -> None:
    done = synced.run("retry", "M-1", "--no-deliver", "--json")
    assert done.code == 2
    assert done.one()["done"] is False
    assert "nothing to retry" in done.one()["text"]


def test_a_skip_needs_a_reason_and_keeps_it(mine: Mine) -> None:
    mine.run("sync")
    [dead] = mine.run("messages", "--state", "dead", "--json").lines()
    assert mine.run("skip", f"M-{dead['id']}").code == 1
    assert mine.run("skip", f"M-{dead['id']}", "--why", " ").code == 1
    skipped = mine.run("skip", f"M-{dead['id']}", "--why", "booked by hand", "--json")
    assert (skipped.code, skipped.one()["state"]) == (0, "skipped")
    told = [row for row in mine.run("export", "audit", "--format", "jsonl").lines() if row["what"] == "message skipped"]
    assert [row["reason"] for row in told] == ["booked by hand"]


def test_a_change_of_a_booked_document_is_corrected_by_counter_and_new_one(mine: Mine) -> None:
    mine.run("sync")
    mine.change("sample/excavators/work_orders.csv", "212.35", "210.00")
    assert mine.run("sync").code == 2
    [held] = mine.run("messages", "--state", "held", "--json", "--long").lines()
    assert (held["code"], held["next"]) == ("already_booked", "finance")
    assert "212.35 -> 210" in held["reason"]
    assert mine.run("retry", str(held["id"])).code == 2
    assert mine.run("correct", str(held["id"]), "--json").one()["done"] is True
    assert mine.run("status", "--json").one()["messages"]["held"] == 0
    compared = mine.run("reconcile", "--json")
    assert (compared.code, compared.one()["target"]["amount"]) == (0, "90184.64")


@pytest.mark.parametrize("arguments", [("retry",), ("retry", "M-x"), ("retry", "M-4711"), ("skip",), ("correct",)])
def test_what_was_not_meant_is_refused_with_exit_1(synced: Mine, arguments: tuple[str, ...]) -> None:
    assert synced.run(*arguments).code == 1


def test_reconcile_shows_drift_and_ends_with_2(mine: Mine) -> None:
    mine.run("sync")
    mine.change("sample/excavators/work_orders.csv", "96.8", "97.8")
    compared = mine.run("reconcile", "--json")
    row = compared.one()
    assert (compared.code, row["agrees"], row["difference"]) == (2, False, "1")
    [drift] = row["drift"]
    assert (drift["kind"], drift["source"], drift["target"]) == ("amount_differs", "97.8", "96.8")
    assert list(row) == [
        "flow", "entity", "company", "currency", "source", "hub", "target", "difference", "rounding", "agrees",
        "unreadable", "drift",
    ]  # fmt: skip
    assert "amount differs" in mine.run("reconcile").out


def test_reconcile_agrees_to_the_cent(synced: Mine) -> None:
    row = synced.run("reconcile", "--json").one()
    side = {"count": 53, "amount": "90186.99"}
    assert (row["source"], row["hub"], row["target"], row["difference"]) == (side, side, side, "0")
    assert row["unreadable"] == 1
    assert "Source and target agree." in synced.run("reconcile").out


def test_an_unreachable_system_is_exit_3(mine: Mine) -> None:
    mine.run("sync")
    mine.change("isthmus.yaml", "    sandbox: sandbox.yaml", UNREACHABLE)
    alone = Mine(mine.folder, {**mine.environ, "BC_SECRET": "s3cr3t-value-of-the-test"})
    compared = alone.run("reconcile", "--json")
    assert compared.code == 3, compared.err
    assert "s3cr3t" not in compared.err
    assert compared.err.startswith('{"error":{"code":')
