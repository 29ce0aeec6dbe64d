"""Reading rules: everything that is wrong is told at once, with file, line and what to write instead."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from isthmus.controls.rules import DimensionSource
from isthmus.errors import ConfigurationError

ROW = '{name: a, account: "1", offset: "2"%s}'


def row_error(read_rules, extra):
    with pytest.raises(ConfigurationError) as caught:
        read_rules("rules: r\nrows:\n  - " + ROW % f", {extra}")
    return caught.value


def test_a_row_carries_what_is_written(table):
    row = table.rows[0]
    assert (table.name, table.file) == ("maintenance-costs", "rules/maintenance.yaml")
    assert (row.name, row.account, row.offset, row.line) == ("corrective labour", "8450", "2370", 5)
    assert row.when == {"category": frozenset({"PM01", "PM02"}), "source": frozenset({"payroll"})}
    assert row.dimensions == {
        "COSTCENTRE": DimensionSource(path="cost_centre"),
        "ASSET": DimensionSource(path="asset"),
        "DEPARTMENT": DimensionSource(literal="MAINT"),
    }
    assert (table.rounding.account, table.rounding.limit) == ("8990", Decimal("0.05"))


def test_a_star_and_an_absent_condition_mean_any(read_rules):
    table = read_rules("""
        rules: r
        rows:
          - {name: a, when: {category: "*", type: [PM, 7]}, account: "1", offset: "2", from: 2026-01-01, until: null}
    """)
    assert table.rows[0].when == {"type": frozenset({"PM", "7"})}
    assert (table.rows[0].valid_from, table.rows[0].valid_until) == (date(2026, 1, 1), None)


def test_an_unquoted_account_is_its_digits(read_rules):
    table = read_rules("rules: r\nrows: [{name: a, account: 8450, offset: 08991}]")
    assert (table.rows[0].account, table.rows[0].offset) == ("8450", "08991")


def test_all_problems_are_told_at_once_in_order_of_lines(read_rules):
    with pytest.raises(ConfigurationError) as caught:
        read_rules("""
            rules: r
            roundin: {}
            rows:
              - name: a
                when: {catgory: PM01, source: payrol, branch: NO}
                offset: "2"
                dimensions: {CC: cost_center}
                form: 2026-01-01
              - name: b
                account: "1"
                offset: "1"
                from: 2026-02-30
        """)
    assert str(caught.value).splitlines() == [
        "rules/maintenance.yaml:3: 9 problems:",
        "  rules/maintenance.yaml:3: 'roundin' is not known here. Did you mean rounding?",
        "  rules/maintenance.yaml:5: account is empty",
        "  rules/maintenance.yaml:6: 'catgory' is not known here. Did you mean category?",
        "  rules/maintenance.yaml:6: source 'payrol' does not exist. Did you mean payroll?",
        "  rules/maintenance.yaml:6: branch is read as false, not as text. Put it in quotes.",
        "  rules/maintenance.yaml:8: work_order has no field 'cost_center'. Did you mean cost_centre?",
        "  rules/maintenance.yaml:9: 'form' is not known here. Did you mean from?",
        "  rules/maintenance.yaml:12: offset and account are both 1: the cost would cancel itself",
        "  rules/maintenance.yaml:13: 2026-02-30 is not a day of the calendar",
    ]


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        ("when: {category: []}", "category names no value"),
        ('when: {category: ["*", PM01]}', 'category mixes "*" with values'),
        ("when: {category: {a: b}}", "category must be one value"),
        ("when: {category: 1.10}", "category is read as the number 1.10, not as text"),
        ("when: {currency: DOLLAR}", "currency 'DOLLAR' is not an ISO 4217 code"),
        ("when: [PM01]", "expected keys here"),
        ("dimensions: [CC]", "expected DIMENSION: path"),
        ("dimensions: {CC: 7}", "dimension CC needs a path such as cost_centre"),
        ('dimensions: {CC: "="}', "dimension CC needs a path such as cost_centre"),
        ("dimensions: {CC: lines}", "lines is a list, a dimension needs one value"),
        ("dimensions: {V: vendor}", "Did you mean lines.vendor?"),
        ("from: 1.5", "is not a date"),
        ("from: 2026-02-01, until: 2026-01-31", "ends on 2026-01-31, before it begins"),
        ("no_posting: maybe", "no_posting must be true or false"),
        ("no_posting: true", "a row with no_posting has no account"),
    ],
)
def test_what_cannot_stand_is_refused(read_rules, extra, text):
    error = row_error(read_rules, extra)
    assert text in str(error)
    assert error.line == 3
    assert error.file == "rules/maintenance.yaml"


def test_only_stock_may_go_without_posting(read_rules):
    with pytest.raises(ConfigurationError, match="only stock may go without posting"):
        read_rules("rules: r\nrows: [{name: a, when: {source: [stock, direct]}, no_posting: true}]")


@pytest.mark.parametrize(
    "text", ["rules: r\nrows: {}", "rules: r\nrows: [7]", "rows: []", "7", 'rules: r\nrounding: {account: "1"}']
)
def test_a_table_of_the_wrong_form_is_refused(read_rules, text):
    with pytest.raises(ConfigurationError):
        read_rules(text)


def test_names_of_rows_are_used_once(read_rules):
    with pytest.raises(ConfigurationError, match="2 rows are called 'a', on lines 3, 4") as caught:
        read_rules(
            'rules: r\nrows:\n  - {name: a, account: "1", offset: "2"}\n'
            '  - {name: a, when: {source: stock}, account: "1", offset: "2"}'
        )
    assert caught.value.line == 4


def test_rows_of_equal_specificity_must_not_meet(read_rules):
    text = """
rules: r
rows:
  - {name: a, when: {category: [PM01, PM02]}, account: "1", offset: "2"}
  - {name: b, when: {branch: NYC}, account: "3", offset: "2"}
"""
    with pytest.raises(ConfigurationError) as caught:
        read_rules(text)
    assert str(caught.value) == (
        "rules/maintenance.yaml:5: rows 'a' (line 4) and 'b' both fit category PM01 or PM02, branch NYC, and neither "
        "is more specific. Narrow one of them, or add a row that names all of these values."
    )
    settled = '{name: c, when: {category: [PM01, PM02, PM03], branch: NYC}, account: "4", offset: "2"}'
    assert len(read_rules(text + f"  - {settled}\n").rows) == 3
    with pytest.raises(ConfigurationError, match="neither is more specific"):
        read_rules(text + f"  - {settled.replace('PM02, ', '')}\n")


def test_a_row_settles_two_others_only_for_all_the_time_they_share(read_rules):
    text = """
rules: r
rows:
  - {name: a, when: {category: PM01}, account: "1", offset: "2", from: 2026-01-01, until: 2026-06-30}
  - {name: b, when: {branch: NYC}, account: "3", offset: "2", from: 2026-03-01}
  - {name: c, when: {category: PM01, branch: NYC}, account: "4", offset: "2", from: 2026-03-01, until: 2026-06-%s}
"""
    assert len(read_rules(text % "30").rows) == 3
    with pytest.raises(ConfigurationError, match="neither is more specific"):
        read_rules(text % "29")
    with pytest.raises(ConfigurationError, match="neither is more specific"):
        read_rules(
            (text % "30").replace('offset: "2", from: 2026-03-01, until', 'offset: "2", from: 2026-03-02, until')
        )


def test_rows_that_follow_each_other_in_time_do_not_meet(read_rules):
    rows = ('{name: a, account: "1", offset: "2", until: 2025-12-31}', '{name: b, account: "1", offset: "2", from: %s}')
    assert read_rules("rules: r\nrows:\n  - " + "\n  - ".join(rows) % "2026-01-01")
    with pytest.raises(ConfigurationError, match="both fit every cost"):
        read_rules("rules: r\nrows:\n  - " + "\n  - ".join(rows) % "2025-12-31")
