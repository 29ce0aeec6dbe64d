"""Three-way merge, case by case."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from isthmus.sync.merge import ABSENT, Merged, Policy, Side, merge

EARLY, LATE = datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 3, 1, 9, tzinfo=UTC)
LATEST = Policy("latest")


def merged(
    base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any], policy: Policy = LATEST, **more: Any
) -> Merged:
    return merge(
        base,
        ours,
        theirs,
        mine=Side("hub", more.get("mine")),
        other=Side("eam", more.get("other")),
        policy=lambda path: policy,
        list_keys=more.get("keys", {}),
    )


def test_an_edit_on_the_other_side_is_taken() -> None:
    found = merged({"name": "Pump"}, {"name": "Pump"}, {"name": "Pump 2"})
    assert found.state == {"name": "Pump 2"}
    (change,) = found.changes
    assert (change.path, change.kind, change.old, change.kept, change.lost) == (
        "name",
        "changed",
        "Pump",
        "Pump 2",
        ABSENT,
    )
    assert not found.revert


def test_an_echo_is_no_change_whatever_the_hub_holds() -> None:
    """What that system showed before, it may go on showing: the hub's own newer value stands."""
    found = merged({"name": "Pump"}, {"name": "Pump 2"}, {"name": "Pump"})
    assert found.state == {"name": "Pump 2"}
    assert found.changes == ()


def test_a_value_cut_by_the_system_never_comes_back_as_an_edit() -> None:
    """The base is what THAT system showed: the name cut to its length is no edit, and the hub's stays whole."""
    whole, cut = "Hydraulic pump of the northern shovel", "Hydraulic pump of"
    found = merged({"name": cut, "code": "P-1"}, {"name": whole, "code": "p-1"}, {"name": cut, "code": "P-1"})
    assert found.state == {"name": whole, "code": "p-1"}
    assert found.changes == ()
    edited = merged({"name": cut}, {"name": whole}, {"name": "Grease pump"})
    assert edited.state == {"name": "Grease pump"}


@pytest.mark.parametrize(
    ("mine", "other", "kept", "lost"),
    [
        (EARLY, LATE, "theirs", "ours"),
        (LATE, EARLY, "ours", "theirs"),
        (EARLY, EARLY, "theirs", "ours"),
        (None, EARLY, "theirs", "ours"),
        (EARLY, None, "theirs", "ours"),
    ],
)
def test_of_two_edits_the_later_wins_and_the_loser_is_kept_in_words(
    mine: datetime | None, other: datetime | None, kept: str, lost: str
) -> None:
    found = merged({"name": "base"}, {"name": "ours"}, {"name": "theirs"}, mine=mine, other=other)
    (change,) = found.changes
    assert found.state == {"name": kept}
    assert (change.kind, change.kept, change.lost) == ("won", kept, lost)
    assert found.revert is (kept == "ours")
    if None in {mine, other}:
        assert "told no time" in change.reason


def test_the_owner_is_restored() -> None:
    found = merged({"name": "base"}, {"name": "base"}, {"name": "theirs"}, Policy("owner", "erp"))
    assert found.state == {"name": "base"}
    assert found.revert
    (change,) = found.changes
    assert (change.kind, change.kept, change.lost) == ("restored", "base", "theirs")
    assert "erp owns" in change.reason
    assert "eam" in change.reason


def test_the_owner_wins_over_an_edit_of_the_hub() -> None:
    found = merged(
        {"name": "base"}, {"name": "ours"}, {"name": "theirs"}, Policy("owner", "eam"), mine=LATE, other=EARLY
    )
    assert found.state == {"name": "theirs"}


def test_review_keeps_the_hubs_value_and_asks() -> None:
    found = merged({"name": "base"}, {"name": "ours"}, {"name": "theirs"}, Policy("review"))
    assert found.state == {"name": "ours"}
    assert found.review
    assert found.changes[0].lost == "theirs"
    assert not merged({"name": "base"}, {"name": "base"}, {"name": "theirs"}, Policy("review")).review


@pytest.mark.parametrize(
    ("theirs", "kept"), [({}, "Pump"), ({"name": None}, None), ({"name": ""}, "")], ids=["absent", "null", "empty"]
)
def test_absent_is_not_null_is_not_empty(theirs: dict[str, Any], kept: str | None) -> None:
    assert merged({"name": "Pump"}, {"name": "Pump"}, theirs).state == {"name": kept}


def test_a_field_the_hub_did_not_know_is_taken_even_when_null() -> None:
    assert merged({}, {}, {"name": None}).state == {"name": None}


def test_fields_inside_a_part_are_merged_one_by_one() -> None:
    base = {"address": {"city": "Perth", "post": "6000"}}
    ours = {"address": {"city": "Perth", "post": "6001"}}
    found = merged(base, ours, {"address": {"city": "Fremantle", "post": "6000"}})
    assert found.state == {"address": {"city": "Fremantle", "post": "6001"}}
    assert [change.path for change in found.changes] == ["address.city"]


LINES = [{"no": "1", "amount": "10"}, {"no": "2", "amount": "20"}]
KEYS = {"keys": {"lines": "no"}}


def test_list_elements_are_told_apart_by_key_not_by_place() -> None:
    theirs = [{"no": "2", "amount": "25"}, {"no": "1", "amount": "10"}]
    found = merged({"lines": LINES}, {"lines": LINES}, {"lines": theirs}, **KEYS)
    assert found.state == {"lines": [LINES[0], {"no": "2", "amount": "25"}]}
    assert [change.path for change in found.changes] == ["lines[2].amount"]


def test_an_element_more_and_one_less() -> None:
    theirs = [LINES[1], {"no": "3", "amount": "30"}]
    found = merged({"lines": LINES}, {"lines": LINES}, {"lines": theirs}, **KEYS)
    assert found.state == {"lines": theirs}


def test_an_element_of_the_hub_that_they_never_had_stays() -> None:
    ours = [*LINES, {"no": "9", "amount": "90"}]
    found = merged({"lines": LINES}, {"lines": ours}, {"lines": [LINES[0]]}, **KEYS)
    assert found.state == {"lines": [LINES[0], ours[2]]}


def test_an_element_the_hub_removed_does_not_come_back_by_an_echo() -> None:
    theirs = [LINES[0], {"no": "2", "amount": "20"}]
    changed = [{"no": "1", "amount": "11"}, LINES[1]]
    assert merged({"lines": LINES}, {"lines": LINES[:1]}, {"lines": theirs}, **KEYS).state == {"lines": LINES[:1]}
    assert merged({"lines": LINES}, {"lines": LINES[:1]}, {"lines": changed}, **KEYS).state == {"lines": changed[:1]}


def test_removing_an_element_needs_the_right_to_the_list() -> None:
    found = merged({"lines": LINES}, {"lines": LINES}, {"lines": LINES[:1]}, Policy("owner", "erp"), **KEYS)
    assert found.state == {"lines": LINES}
    assert found.revert


def test_policies_are_per_field_and_not_per_element() -> None:
    asked: list[str] = []

    def policy(path: str) -> Policy:
        asked.append(path)
        return LATEST

    theirs = {"lines": [{"no": "1", "amount": "11"}, LINES[1]]}
    merge({"lines": LINES}, {"lines": LINES}, theirs, mine=Side("hub"), other=Side("eam"), policy=policy,
          list_keys={"lines": "no"})  # fmt: skip
    assert asked == ["lines.amount"]
