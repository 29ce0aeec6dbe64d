"""`isthmus explain`: a record read afresh, each field with its steps, and why its rule was chosen."""

from __future__ import annotations

from .conftest import Mine


def test_a_row_is_explained_field_by_field_and_by_rule(synced: Mine) -> None:
    found = synced.run("explain", "work_order", "--line", "3", "--json").one()
    fields = {field["field"]: field for field in found["fields"]}
    assert fields["cost_centre"]["steps"] == [{"step": "lookup cost_centre_of_asset", "value": "PIT-SOUTH"}]
    assert fields["cost_centre"]["place"] == "mappings/work_order.yaml:13"
    [flow] = found["flows"]
    [posting] = flow["postings"]
    assert (posting["rule"], posting["account"], posting["offset"]) == ("corrective", "8410", "2910")
    assert "more specific than 'other'" in posting["why"]
    assert flow["document"]["amount"] == "212.35"


def test_by_id_as_by_line(synced: Mine) -> None:
    by_line = synced.run("explain", "work_order", "--line", "3", "--json").one()
    by_id = synced.run("explain", "work_order", by_line["id"], "--connection", "maintenance", "--json").one()
    assert by_id["fields"] == by_line["fields"]


def test_what_is_wrong_is_said_once_with_its_place(synced: Mine) -> None:
    shown = synced.run("explain", "work_order", "--line", "30").out
    assert shown.count("needs a number with a decimal point") == 1


def test_what_is_not_there_is_exit_1(synced: Mine) -> None:
    assert synced.run("explain", "work_order").code == 1
    assert synced.run("explain", "work_order", "--line", "4711").code == 1
    assert "Read are account" in synced.run("explain", "invoice", "4711").err
    assert "There is finance" in synced.run("explain", "work_order", "1", "--connection", "nix").err
