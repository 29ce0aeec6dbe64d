"""`isthmus trace`: one story under every number people know a document by."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Mine


@pytest.fixture(scope="module")
def booked(synced: Mine) -> dict[str, Any]:
    """The story of the second row of the list."""
    story: dict[str, Any] = synced.run("trace", "work_orders.csv:3", "--json").one()["story"]
    return story


def test_the_same_story_under_every_number(synced: Mine, booked: dict[str, Any]) -> None:
    [document] = booked["documents"]
    names = [
        document["number"],
        document["number"].lower(),
        document["booked_id"],
        document["message"],
        document["message"].lower(),
        document["key"],
        booked["record"]["number"],
        booked["record"]["handle"],
        booked["record"]["shown_by"][0]["id"],
        "work_orders.csv line 3",
        "WORK_ORDERS.CSV:3",
    ]
    for name in names:
        found = synced.run("trace", name, "--json")
        assert found.code == 0, name
        assert found.one()["story"] == booked, name


def test_the_story_tells_who_decided_what_by_which_rule(booked: dict[str, Any]) -> None:
    [document] = booked["documents"]
    assert (document["state"], document["company"], document["posting_date"]) == ("done", "PIT MINING", "2025-01-08")
    debit, credit = document["lines"]
    assert (debit["account"], debit["amount"], debit["rule"]) == ("8410", "212.35", "corrective")
    assert debit["dimensions"] == {"ASSET": "C", "COSTCENTRE": "PIT-SOUTH"}
    assert debit["rule_place"].startswith("rules/maintenance-costs.yaml:")
    assert credit["amount"] == "-212.35"
    events = [event["what"] for event in booked["events"]]
    assert [what for what in events if what != "told"] == ["seen", "decided", "attempt", "booked"]
    assert events.count("told") == 1
    assert booked["told"][0]["text"]["document"] == document["number"]
    assert sorted(event["at"] for event in booked["events"]) == [event["at"] for event in booked["events"]]


def test_what_stopped_says_how_it_goes_on(synced: Mine) -> None:
    story = synced.run("trace", "work_orders.csv line 30", "--json").one()["story"]
    [following] = story["next"]
    assert following["next"] == "person"
    assert "mappings/work_order.yaml:23" in following["text"]
    shown = synced.run("trace", "work_orders.csv line 30").out
    assert "What comes next" in shown
    assert "isthmus retry M-" in shown


def test_several_hits_are_a_list_to_choose_from(synced: Mine, booked: dict[str, Any]) -> None:
    delivery = booked["documents"][0]["delivery"]
    found = synced.run("trace", delivery, "--json").one()
    assert (found["story"], found["found"]) == (None, len(found["hits"]))
    assert found["found"] > 1
    for hit in found["hits"]:
        assert synced.run("trace", hit["handle"], "--json").one()["found"] == 1


def test_an_unknown_number_is_exit_1(synced: Mine) -> None:
    assert synced.run("trace", "INV-4711").code == 1
    assert synced.run("trace", "M-999999999999999999").code == 1
    assert synced.run("trace", "INV-4711", "--json").one() == {
        "query": "INV-4711",
        "found": 0,
        "hits": [],
        "story": None,
    }
