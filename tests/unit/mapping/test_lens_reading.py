"""Native -> state, by example."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from isthmus.mapping.context import LensContext, NativeInfo
from isthmus.mapping.tables import LookupTable


class Links:
    """Links of two vendors."""

    def number(self, entity: str, native_id: str) -> str | None:
        return {"id-1": "HQ"}.get(native_id) if entity == "location" else None

    def native_id(self, entity: str, number: str) -> str | None:
        return {"HQ": "id-1"}.get(number) if entity == "location" else None


def test_absent_null_and_empty_stay_three_things(compiled: Any) -> None:
    lens = compiled("  number: Nr\n  name: Name\n  location: Loc\n  operator: Op")
    reading = lens.read({"Nr": "1", "Name": "", "Op": None})
    assert reading.state == {"number": "1", "name": "", "operator": None}
    assert lens.write(reading.state).native == {"Nr": "1", "Name": "", "Op": None}


@pytest.mark.parametrize(
    ("field", "native", "state"),
    [
        ("weight", "183.10", "183.1"),
        ("weight", ".50", "0.5"),
        ("weight", "+7", "7"),
        ("weight", "-0.00", "0"),
        ("weight", Decimal("1E+2"), "100"),
        ("weight", 5, "5"),
        ("weight", "", None),
        ("seats", "04", 4),
        ("seats", Decimal("4.0"), 4),
        ("blocked", "TRUE", True),
        ("blocked", False, False),
        ("built_on", "2004-07-01", "2004-07-01"),
        ("seen_at", "2026-01-31T08:00:00.1234567+01:00", "2026-01-31T07:00:00.123456Z"),
        ("status", "open", "open"),
        ("status", "", None),
        ("name", 17, "17"),
        ("name", Decimal("1.50"), "1.5"),
        ("tags", ["a", Decimal("1.0")], ["a", "1"]),
        ("dimensions", {"CC": "100"}, {"CC": "100"}),
    ],
)
def test_conversion_to_the_type_of_the_field_is_implicit(compiled: Any, field: str, native: Any, state: Any) -> None:
    reading = compiled(f"  number: Nr\n  {field}: X").read({"Nr": "1", "X": native})
    assert reading.findings == ()
    assert reading.state[field] == state


@pytest.mark.parametrize(
    ("field", "native", "expected"),
    [
        ("weight", "1,5", "a number with a decimal point"),
        ("weight", " 1", "a number with a decimal point"),
        ("weight", "1e5", "a number with a decimal point"),
        ("weight", True, "a number with a decimal point"),
        ("weight", 1.5, "a number with a decimal point"),
        ("weight", Decimal("NaN"), "a number with a decimal point"),
        ("weight", Decimal("1E+999999"), "at most 40 digits"),
        ("seats", "1.5", "a whole number"),
        ("blocked", 1, "true or false"),
        ("built_on", "01.07.2004", "a date such as"),
        ("built_on", "2004-02-30", "a date such as"),
        ("built_on", "20040701", "a date such as"),
        ("seen_at", "2026-01-31T08:00:00", "a time with its zone"),
        ("status", "Open", "one of open, busy, gone"),
        ("name", {"a": 1}, "a text"),
        ("number", None, "must not be empty"),
        ("dimensions", "x", "an object"),
    ],
)
def test_a_value_that_does_not_fit_is_a_finding_with_place(
    compiled: Any, field: str, native: Any, expected: str
) -> None:
    lens = compiled(f"  {field}: X" + ("" if field == "number" else "\n  number: Nr"))
    reading = lens.read({"Nr": "1", "X": native})
    (finding,) = reading.findings
    assert (finding.code, finding.severity, finding.field) == ("bad_value", "error", "X")
    assert finding.text.startswith("X holds ")
    assert f"{field} needs" in finding.text
    assert expected in finding.text
    assert "base.yaml:4" in finding.mend
    assert field not in reading.state


def test_all_findings_at_once_and_the_readable_rest_is_there(compiled: Any) -> None:
    lens = compiled("  number: Nr\n  weight: W\n  seats: S\n  name: N")
    reading = lens.read({"Nr": "1", "W": "heavy", "S": "many", "N": "Pump"})
    assert [finding.field for finding in reading.findings] == ["W", "S"]
    assert [finding.value for finding in reading.findings] == ["heavy", "many"]
    assert reading.state == {"number": "1", "name": "Pump"}


def test_personal_values_are_never_shown(compiled: Any) -> None:
    lens = compiled("  number: Nr\n  operator: {at: Op, via: {prefix: P-}}\n  name: {formula: 'Op * 2'}")
    reading = lens.read({"Nr": "1", "Op": "Erika Mustermann"})
    assert [finding.code for finding in reading.findings] == ["bad_value", "formula_failed"]
    assert "Erika" not in repr(reading.findings)
    good = {"Nr": "1", "Op": "P-Erika"}
    assert "Erika" not in repr([t for t in lens.explain(good) if t.path == "operator"])


def test_default_fills_what_is_absent_null_or_empty(compiled: Any) -> None:
    lens = compiled("  number: Nr\n  status: {at: S, default: open}\n  seats: {at: N, default: 4}")
    for native in ({"Nr": "1"}, {"Nr": "1", "S": None, "N": None}, {"Nr": "1", "S": "", "N": ""}):
        assert lens.read(native).state == {"number": "1", "status": "open", "seats": 4}
    assert lens.read({"Nr": "1", "S": "busy", "N": 0}).state == {"number": "1", "status": "busy", "seats": 0}


def test_a_default_does_not_hide_a_bad_value(compiled: Any) -> None:
    lens = compiled("  number: Nr\n  status: {at: S, default: open}")
    assert [finding.value for finding in lens.read({"Nr": "1", "S": "??"}).findings] == ["??"]


def test_lookup_reads_and_a_missing_row_names_table_and_key(compiled: Any) -> None:
    table = LookupTable("statuses", {"10": "open", "20": "busy"})
    lens = compiled("  number: Nr\n  status: {at: S, lookup: statuses}", tables={"statuses": table})
    assert lens.read({"Nr": "1", "S": 10}).state["status"] == "open"
    (finding,) = lens.read({"Nr": "1", "S": "30"}).findings
    assert (finding.code, finding.field, finding.value) == ("lookup_missing", "S", "30")
    assert finding.mend == 'Add a row "30" to lookup table statuses.'


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        ("missing: default, default: gone", {"number": "1", "status": "gone"}),
        ('missing: "null"', {"number": "1", "status": None}),
        ("missing: null", {"number": "1", "status": None}),
        ("missing: keep", {"number": "1", "status": "busy"}),
    ],
)
def test_a_missing_row_by_rule(compiled: Any, rule: str, state: Any) -> None:
    table = LookupTable("statuses", {"10": "open"})
    lens = compiled(f"  number: Nr\n  status: {{at: S, lookup: statuses, {rule}}}", tables={"statuses": table})
    assert lens.read({"Nr": "1", "S": "busy"}).state == state


def test_tables_of_the_context_win_over_those_known_when_compiling(compiled: Any) -> None:
    old, new = LookupTable("t", {"1": "open"}), LookupTable("t", {"1": "gone"})
    lens = compiled("  number: Nr\n  status: {at: S, lookup: t}", tables={"t": old})
    assert lens.read({"Nr": "1", "S": "1"}, LensContext({"t": new})).state["status"] == "gone"


def test_table_keys_can_be_folded(compiled: Any) -> None:
    table = LookupTable("t", {"Open ": "open"}, fold_case=True)
    lens = compiled("  number: Nr\n  status: {at: S, lookup: t}", tables={"t": table})
    assert lens.read({"Nr": "1", "S": " OPEN"}).state["status"] == "open"
    with pytest.raises(ValueError, match="stands twice"):
        LookupTable("t", {"a": "1", "A": "2"}, fold_case=True)


def test_references_become_numbers(compiled: Any) -> None:
    lens = compiled("  number: Nr\n  location: {at: locationId, via: blank_guid, ref: location}")
    context = LensContext(refs=Links())
    assert lens.read({"Nr": "1", "locationId": "id-1"}, context).state["location"] == "HQ"
    blank = {"Nr": "1", "locationId": "00000000-0000-0000-0000-000000000000"}
    assert lens.read(blank, context).state["location"] is None
    (finding,) = lens.read({"Nr": "1", "locationId": "id-9"}, context).findings
    assert (finding.code, finding.severity, finding.value) == ("reference_missing", "wait", "id-9")


def test_a_condition_decides_whether_a_field_is_told(compiled: Any) -> None:
    lens = compiled("""  number: Nr\n  name: {at: N, when: 'N <> "" and Nr <> "0"'}""")
    assert "name" not in lens.read({"Nr": "1", "N": ""}).state
    assert lens.read({"Nr": "1", "N": "x"}).state["name"] == "x"
    assert "name" not in lens.read({"Nr": "0", "N": "x"}).state


def test_join_formula_constant_and_nested_names(compiled: Any) -> None:
    lens = compiled(
        """  number: {at: ids.external}
  name: {join: [First, Last]}
  status: {value: busy}
  weight: {formula: 'round(value(Kg) / 1000, 3)'}
  address.city: {at: place.city.name}
  dimensions.CC: CostCentre"""
    )
    native = {
        "ids": {"external": 17},
        "First": "Ada",
        "Last": "Lovelace",
        "Kg": "1250",
        "place": {"city": {"name": "Bern"}},
        "CostCentre": "100",
    }
    assert lens.read(native).state == {
        "number": "17",
        "name": "Ada Lovelace",
        "status": "busy",
        "weight": "1.25",
        "address": {"city": "Bern"},
        "dimensions": {"CC": "100"},
    }
    assert lens.native_fields() == ("ids.external", "First", "Last", "Kg", "place.city.name", "CostCentre")
    assert "dimensions" not in lens.read({**native, "CostCentre": None}).state


def test_a_column_whose_name_has_a_dot_is_read_as_such(compiled: Any) -> None:
    assert compiled("  number: a.b").read({"a.b": "1"}).state == {"number": "1"}


LINES = """  number: Nr
  lines:
    each: rows
    key: key
    fields:
      key: Line
      amount: Cost
      text: {formula: 'Nr & "/" & Line'}"""


def test_lists_read_element_by_element(compiled: Any) -> None:
    reading = compiled(LINES).read({"Nr": "W1", "rows": [{"Line": 1, "Cost": "2.50"}, {"Line": 2, "Cost": "x"}, 7]})
    assert reading.state["lines"] == [{"key": "1", "amount": "2.5", "text": "W1/1"}, {"key": "2", "text": "W1/2"}]
    assert [finding.field for finding in reading.findings] == ["rows[1].Cost", "rows[2]"]


def test_what_element_formulas_read_of_the_record_is_asked_for(compiled: Any) -> None:
    kinds = {"Nr": "text", "Plant": "text", "rows": "list", "rows.Line": "text", "rows.Cost": "decimal"}
    infos = {name: NativeInfo(name, kind) for name, kind in kinds.items()}
    rules = LINES.replace('Nr & "/" & Line', 'Plant & "/" & Line')
    assert compiled(rules, native_fields=infos).native_fields() == ("Nr", "rows", "Plant")


def test_absent_and_empty_lists_differ(compiled: Any) -> None:
    lens = compiled(LINES)
    assert "lines" not in lens.read({"Nr": "1"}).state
    assert lens.read({"Nr": "1", "rows": None}).state["lines"] == []
    assert lens.read({"Nr": "1", "rows": "x"}).findings[0].field == "rows"


def test_two_elements_of_one_key_are_found(compiled: Any) -> None:
    (finding,) = compiled(LINES).read({"Nr": "1", "rows": [{"Line": 1}, {"Line": "1"}]}).findings
    assert (finding.code, finding.value) == ("duplicate_key", "1")
    assert "base.yaml:5" in finding.mend


def test_a_flat_row_is_a_list_of_one(compiled: Any) -> None:
    lens = compiled("  number: Nr\n  lines:\n    each: self\n    fields:\n      key: {value: x}\n      amount: Cost")
    assert lens.read({"Nr": "1", "Cost": "3"}).state["lines"] == [{"key": "x", "amount": "3"}]
    assert lens.native_fields() == ("Nr", "Cost")
    assert lens.read({"Nr": "1", "Cost": "?"}).findings[0].field == "Cost"
