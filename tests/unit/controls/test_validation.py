"""Declared checks of a record: all findings at once, values of personal fields never repeated."""

from __future__ import annotations

import pytest

from isthmus.controls.validation import parse_checks, validate
from isthmus.errors import ConfigurationError
from isthmus.model.document import parse_document

CHECKS = """
checks:
  - {field: asset, required: true}
  - {field: number, pattern: "WO-[0-9]{4}"}
  - {field: status, one_of: [completed, cancelled], severity: hold}
  - {field: lines.amount, min: 0, max: 1000.50}
  - {field: started_on, min: 2020-01-01}
  - {field: completed_at, max: 2026-12-31}
  - {field: lines.employee, required: true, pattern: "E-[0-9]+"}
  - {field: extra.warranty, one_of: [true, "no"]}
"""


@pytest.fixture(scope="module")
def checks():
    return parse_checks(parse_document(CHECKS, "flows/costs.yaml"), "work_order")


GOOD = {
    "number": "WO-0001",
    "asset": "EX-7",
    "status": "completed",
    "started_on": "2026-01-01",
    "completed_at": "2026-12-31T23:00:00Z",
    "lines": [{"amount": "0", "employee": "E-1"}, {"amount": "1000.5", "employee": "E-2"}],
    "extra": {"warranty": True},
}


def found(state, checks):
    return [(finding.code, finding.severity, finding.field) for finding in validate(state, checks)]


def test_a_good_record_has_no_findings(checks):
    assert validate(GOOD, checks) == ()


def test_everything_wrong_is_told_at_once(checks):
    state = {
        "number": "4711",
        "asset": " ",
        "status": "open",
        "started_on": "2019-12-31",
        "completed_at": "2027-01-01T00:00:00Z",
        "lines": [{"amount": "-0.01", "employee": "Smith"}, {"amount": "1000.51"}],
        "extra": {"warranty": False},
    }
    assert found(state, checks) == [
        ("field_required", "error", "asset"),
        ("field_format", "error", "number"),
        ("field_not_allowed", "hold", "status"),
        ("field_out_of_range", "error", "lines[0].amount"),
        ("field_out_of_range", "error", "lines[1].amount"),
        ("field_out_of_range", "error", "started_on"),
        ("field_out_of_range", "error", "completed_at"),
        ("field_format", "error", "lines[0].employee"),
        ("field_required", "error", "lines[1].employee"),
        ("field_not_allowed", "error", "extra.warranty"),
    ]


def test_a_finding_names_value_reason_and_check(checks):
    [finding] = validate({**GOOD, "number": "4711"}, checks)
    assert finding.text == "number: '4711' does not have the form WO-[0-9]{4}"
    assert finding.value == "4711"
    assert finding.mend == "Correct number in the source, or the check (flows/costs.yaml:4)."


def test_a_form_is_met_from_end_to_end(checks):
    assert found({**GOOD, "number": "WO-00012"}, checks) == [("field_format", "error", "number")]


def test_a_personal_value_is_not_repeated(checks):
    [finding] = validate({**GOOD, "lines": [{"amount": "1", "employee": "Smith"}]}, checks)
    assert "Smith" not in repr(finding)


@pytest.mark.parametrize("empty", [{}, {"asset": None}, {"asset": ""}])
def test_absent_null_and_empty_are_all_missing(checks, empty):
    state = {key: value for key, value in GOOD.items() if key != "asset"} | empty
    assert found(state, checks) == [("field_required", "error", "asset")]


@pytest.mark.parametrize("none", [{}, {"lines": []}, {"lines": None}])
def test_a_list_without_elements_has_none_to_check(checks, none):
    state = {key: value for key, value in GOOD.items() if key != "lines"} | none
    assert found(state, checks) == []


@pytest.mark.parametrize("value", ["many", "NaN", "1e999999999"])
def test_what_is_no_number_is_out_of_range(checks, value):
    [finding] = validate({**GOOD, "lines": [{"amount": value, "employee": "E-1"}]}, checks)
    assert finding.code == "field_out_of_range"


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01", "2026-01-01T00:00:00"])
def test_what_is_no_date_is_out_of_range(checks, value):
    [finding] = validate({**GOOD, "started_on": value}, checks)
    assert finding.text == f"started_on: '{value}' is not a date"


def test_checks_may_stand_anywhere_and_be_absent():
    document = parse_document("steps:\n  validate:\n    checks: [{field: number, required: true}]", "f.yaml")
    [check] = parse_checks(document, "work_order", ("steps", "validate", "checks"))
    assert check.place == "f.yaml:3"
    assert parse_checks(document, "work_order") == ()


def test_all_problems_of_checks_are_told_at_once():
    text = """
checks:
  - {field: aset, required: true}
  - {field: number, patern: x, pattern: "["}
  - {field: number}
  - {field: status, one_of: [complete]}
  - {field: lines.amount, min: 5, max: 4}
  - {field: status, min: 4}
  - {field: number, one_of: [], severity: fatal}
  - {field: number, min: 4, max: 2026-01-01}
  - {required: yes please}
"""
    with pytest.raises(ConfigurationError) as caught:
        parse_checks(parse_document(text, "f.yaml"), "work_order")
    told = str(caught.value)
    for line, part in (
        (3, "work_order has no field 'aset'. Did you mean asset?"),
        (4, "'patern' is not known here. Did you mean pattern?"),
        (4, "'[' is not a regular expression"),
        (5, "the check of number asks for nothing"),
        (6, "'complete' can never be. Did you mean completed?"),
        (7, "max 4 is below min 5"),
        (8, "status is a enum and has no min"),
        (9, "one_of allows no value at all"),
        (9, "severity 'fatal' is not known"),
        (10, "min and max must both be numbers or both be dates"),
        (11, "the field of the check is empty"),
    ):
        assert f"f.yaml:{line}: {part}" in told


def test_an_unknown_entity_is_refused():
    with pytest.raises(ConfigurationError, match=r"there is no entity 'workorder'\. Did you mean work_order"):
        parse_checks(parse_document("checks: []", "f.yaml"), "workorder")
