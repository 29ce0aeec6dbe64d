"""Before anything is posted: each cost source has both sides, and every account and literal exists in the books."""

from __future__ import annotations

from datetime import date

from isthmus.controls.rule_checks import check_table, coverage
from isthmus.model.entities.ledger_accounts import Account


def test_a_complete_table_has_nothing_to_say(table, make_book):
    assert coverage(table) == ()
    assert check_table(table, make_book()) == ()


def test_a_source_without_row_is_named(read_rules):
    table = read_rules('{rules: r, rows: [{name: a, when: {source: [direct, payroll]}, account: "1", offset: "2"}]}')
    findings = coverage(table)
    assert [(finding.code, finding.severity, finding.value) for finding in findings] == [
        ("source_unruled", "error", "stock"),
        ("source_unruled", "error", "invoice"),
    ]
    assert "rules/maintenance.yaml" in findings[0].mend


def test_every_source_a_row_may_fit_needs_its_offset(read_rules):
    table = read_rules("""
        rules: r
        rows:
          - {name: stock, when: {source: stock}, no_posting: true}
          - {name: bills, when: {source: [invoice, payroll]}, account: "1"}
          - {name: direct, when: {source: direct}, account: "1", offset: "2"}
    """)
    findings = coverage(table)
    assert [(finding.code, finding.severity, finding.value) for finding in findings] == [
        ("offset_missing", "error", "invoice"),
        ("offset_missing", "error", "payroll"),
    ]
    assert findings[0].text == "row 'bills' has no offset for costs of source invoice"
    assert findings[0].mend == "Add `offset:` to the row (rules/maintenance.yaml:5)."


def test_a_row_for_anything_without_offset_leaves_four_sources_open(read_rules):
    findings = coverage(read_rules('{rules: r, rows: [{name: a, account: "1"}]}'))
    assert [finding.value for finding in findings] == ["stock", "invoice", "payroll", "direct"]


def test_coverage_on_a_day_counts_rows_in_force(read_rules):
    table = read_rules('{rules: r, rows: [{name: a, account: "1", offset: "2", until: 2025-12-31}]}')
    assert coverage(table) == coverage(table, date(2025, 12, 31)) == ()
    assert {finding.code for finding in coverage(table, date(2026, 1, 1))} == {"source_unruled"}


def test_posting_by_a_row_without_offset_is_an_error(post, read_rules, make_order, make_line):
    posting = post(make_order(make_line("1", "5")), table=read_rules('{rules: r, rows: [{name: a, account: "8480"}]}'))
    assert posting.journal is None
    assert [finding.code for finding in posting.findings] == ["offset_missing"]


def test_a_blocked_account_flags_the_rule_before_posting(table, make_book):
    chart = dict(make_book().accounts)
    chart["2370"] = Account(number="2370", blocked=True)
    del chart["8990"]
    book = make_book(accounts=chart, dimension_values=frozenset())
    assert {(finding.code, finding.value) for finding in check_table(table, book)} == {
        ("account_missing", "8990"),
        ("account_blocked", "2370"),
        ("dimension_value_missing", "MAINT"),
    }
    assert check_table(table, book, date(2026, 1, 1)) == check_table(table, book)
