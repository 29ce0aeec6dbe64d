"""What people see of a lens: traces, the mapping sheet, and drift."""

from __future__ import annotations

from typing import Any

from isthmus.mapping.drift import drift
from isthmus.mapping.sheets import COLUMNS
from isthmus.mapping.tables import LookupTable

TABLE = LookupTable("statuses", {"10": "open"})
RULES = """  number: Nr
  name: {at: Text, via: [trim, {prefix: "X-"}]}
  operator: Op
  status: {at: S, lookup: statuses}
  built_on: {at: B, via: {date: "%d.%m.%Y"}, way: read}
  location: {formula: 'upper(Site)', way: read}
  lines:
    each: rows
    key: key
    fields:
      key: Line
      amount: Cost
extra: [warranty]
keep: [etag]"""


def test_explain_shows_each_step_and_the_rule(compiled: Any) -> None:
    lens = compiled(RULES, tables={"statuses": TABLE})
    native = {"Nr": "1", "Text": " X-Pump ", "Op": "Erika", "S": "99", "rows": [{"Line": 1, "Cost": "1.50"}]}
    traces = {trace.path: trace for trace in lens.explain(native)}
    name = traces["name"]
    assert (name.native, name.steps, name.result) == (
        " X-Pump ",
        (("trim", "X-Pump"), ("prefix X-", "Pump")),
        "Pump",
    )
    assert name.place == "base.yaml:5"
    assert (traces["operator"].native, traces["operator"].result) == ("•••", "•••")
    assert traces["status"].result is None
    assert [finding.code for finding in traces["status"].findings] == ["lookup_missing"]
    assert traces["built_on"].native is None
    assert traces["location"].source == "formula: upper(Site)"
    assert (traces["lines[0].amount"].native, traces["lines[0].amount"].result) == ("1.50", "1.5")
    assert "Erika" not in repr(lens.explain(native))


def test_the_sheet_is_complete(compiled: Any) -> None:
    rows = compiled(RULES, tables={"statuses": TABLE}).sheet()
    assert COLUMNS[:4] == ("source", "target", "transformation", "direction")
    sheet = {row.target: row for row in rows}
    assert " ".join(sheet) == (
        "number name operator status built_on location lines lines.key lines.amount extra.warranty"
    )
    assert (
        sheet["name"].transformation == "trim, prefix {text: X-}" or sheet["name"].transformation == "trim, prefix X-"
    )
    assert sheet["status"].ownership == "finance"
    assert sheet["operator"].sensitivity == "personal"
    assert sheet["location"].direction == "read (a formula has no inverse)"
    assert sheet["built_on"].direction == "read"
    assert sheet["lines.amount"].source == "rows.Cost"
    assert all(row.description and row.place for row in rows)


def test_drift_names_rule_and_the_best_new_name(compiled: Any) -> None:
    lens = compiled(RULES, tables={"statuses": TABLE})
    live = [
        "Nr",
        "Text2",
        "Operator",
        "S",
        "B",
        "SiteCode",
        "rows",
        "rows.Line",
        "rows.CostAmount",
        "warranty",
        "etag",
        "Foo",
    ]
    findings = {finding.field: finding for finding in drift(lens, live)}
    assert set(findings) == {"Text", "Op", "Site", "rows.Cost"}
    assert all(finding.code == "native_field_missing" for finding in findings.values())
    assert (findings["Text"].value, findings["Text"].mend) == ("Text2", 'base.yaml:5: write "Text2" instead of "Text".')
    assert findings["rows.Cost"].value == "rows.CostAmount"
    assert findings["Site"].value == "SiteCode"
    assert "name" in findings["Text"].text


def test_drift_never_proposes_a_name_twice_nor_one_in_use(compiled: Any) -> None:
    lens = compiled("  number: OrderNr\n  name: OrderText\n  weight: OrderKg")
    values = [finding.value for finding in drift(lens, ["OrderNumber", "OrderKg"])]
    assert sorted(values) == ["", "OrderNumber"]


def test_no_drift_no_finding(compiled: Any) -> None:
    lens = compiled(RULES, tables={"statuses": TABLE})
    assert drift(lens, [*lens.native_fields(), "more"]) == ()
