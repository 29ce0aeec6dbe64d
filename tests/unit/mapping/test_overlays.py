"""Overlays: what a project changes of a mapping that is shipped with a connector."""

from __future__ import annotations

from typing import Any

BASE = """  number: Nr
  name: {at: Text, via: trim}
  weight: Kg
  lines:
    each: rows
    key: key
    fields:
      key: Line
      amount: Cost"""


def _rules(lens: Any) -> dict[str, tuple[str, str]]:
    return {row.target: (row.source, row.place) for row in lens.sheet()}


def test_an_overlay_adds_replaces_and_removes_and_each_rule_knows_its_line(compiled: Any) -> None:
    overlay = "fields:\n  name: {at: LongText}\n  weight: null\n  seats: Count\nextra: [warranty]\nkeep: [etag]"
    lens = compiled(BASE, overlay)
    assert _rules(lens) == {
        "number": ("Nr", "base.yaml:4"),
        "name": ("LongText", "overlay1.yaml:2"),
        "lines": ("rows", "base.yaml:7"),
        "lines.key": ("rows.Line", "base.yaml:11"),
        "lines.amount": ("rows.Cost", "base.yaml:12"),
        "seats": ("Count", "overlay1.yaml:4"),
        "extra.warranty": ("warranty", "overlay1.yaml:5"),
    }
    assert lens.native_fields() == ("Nr", "LongText", "rows", "Count", "warranty", "etag")


def test_a_replaced_rule_keeps_nothing_of_the_old_one(compiled: Any) -> None:
    lens = compiled(BASE, "fields:\n  name: LongText")
    assert lens.read({"Nr": "1", "LongText": " x "}).state["name"] == " x "


def test_element_rules_change_one_by_one(compiled: Any) -> None:
    lens = compiled(BASE, "fields:\n  lines:\n    fields:\n      amount: null\n      text: Note")
    assert lens.read({"Nr": "1", "rows": [{"Line": 1, "Cost": 2, "Note": "n"}]}).state["lines"] == [
        {"key": "1", "text": "n"}
    ]
    assert _rules(lens)["lines.text"] == ("rows.Note", "overlay1.yaml:5")


def test_a_list_can_be_replaced_as_a_whole(compiled: Any) -> None:
    lens = compiled(BASE, "fields:\n  lines:\n    each: self\n    fields:\n      key: {value: only}")
    assert lens.read({"Nr": "1"}).state["lines"] == [{"key": "only"}]


def test_later_overlays_win(compiled: Any) -> None:
    lens = compiled(BASE, "fields:\n  name: A", "fields:\n  name: B\nnative: other")
    assert _rules(lens)["name"] == ("B", "overlay2.yaml:2")
    assert lens.native == "other"


def test_faults_of_an_overlay_name_the_overlay(problems: Any) -> None:
    found = problems(BASE, "fields:\n  wieght: null\n  nmae: X")
    assert found[0][:2] == ("nothing_to_remove", "overlay1.yaml:2")
    assert 'Did you mean "weight"?' in found[0][2]
    assert found[1][:2] == ("unknown_field", "overlay1.yaml:3")


def test_an_overlay_of_another_entity_is_refused(problems: Any) -> None:
    ((code, place, text),) = problems(BASE, "native: machines\nentity: vendor")
    assert (code, place) == ("form", "overlay1.yaml:2")
    assert '"vendor"' in text


def test_removing_a_required_field_is_reported(problems: Any) -> None:
    ((code, _, text),) = problems(BASE, "fields:\n  number: null")
    assert code == "required_unmapped"
    assert '"number"' in text


def test_the_number_rule_at_the_top_is_the_one_of_the_entity(compiled: Any) -> None:
    lens = compiled("  name: Text\nnumber: Nr")
    assert lens.read({"Nr": "7"}).state == {"number": "7"}
    assert compiled("  number: Nr", "number: {at: Other}").native_fields() == ("Other",)
