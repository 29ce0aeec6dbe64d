"""Costs become one balanced journal, or findings that say everything that stands in the way."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from isthmus.model.entities.ledger_accounts import Account
from isthmus.model.finding import Finding
from isthmus.model.money import Money


def codes(posting):
    return sorted(finding.code for finding in posting.findings)


def amounts(journal):
    return {line.key: (line.account, line.amount) for line in journal.lines}


def test_three_cost_groups_become_one_balanced_journal(post, make_order, make_line):
    order = make_order(
        make_line("l1", "120.00", "payroll", kind="labour", description="Fitter 2 h"),
        make_line("p1", "40.55", "stock", kind="part", item="FILTER"),
        make_line("c1", "22.50", "invoice", kind="contractor", vendor="V10"),
    )
    posting = post(order)
    assert posting.findings == ()
    assert posting.ready
    assert amounts(posting.journal) == {
        "l1/d": ("8450", Decimal("120.00")),
        "l1/o": ("2370", Decimal("-120.00")),
        "p1/d": ("8460", Decimal("40.55")),
        "p1/o": ("5410", Decimal("-40.55")),
        "c1/d": ("8470", Decimal("22.50")),
        "c1/o": ("2350", Decimal("-22.50")),
    }
    assert posting.journal.amount == Decimal("183.05")
    assert posting.journal.number == "IS-1"
    assert posting.journal.external_number == "WO-1"
    assert posting.journal.posting_date == posting.journal.document_date == date(2026, 3, 10)


def test_dimensions_land_on_the_debit_and_only_declared_ones_on_the_offset(post, make_order, make_line):
    order = make_order(make_line("l1", "1", "payroll"), make_line("c1", "2", "invoice", vendor="V10"))
    lines = {line.key: line for line in post(order).journal.lines}
    assert lines["l1/d"].dimensions == {"COSTCENTRE": "CC1", "ASSET": "EX-7", "DEPARTMENT": "MAINT"}
    assert lines["l1/o"].dimensions == {}
    assert lines["c1/o"].dimensions == {"VENDOR": "V10"}
    assert lines["l1/d"].rule == lines["l1/o"].rule == "corrective labour"


def test_a_custom_field_fills_a_dimension(post, read_rules, make_order, make_line):
    table = read_rules("""
        rules: r
        rows: [{name: a, account: "8480", offset: "1010", dimensions: {COSTCENTRE: extra.department}}]
    """)
    journal = post(make_order(make_line("1", "5"), extra={"department": "CC2"}), table=table).journal
    assert journal.lines[0].dimensions == {"COSTCENTRE": "CC2"}


def test_a_credit_swaps_the_sides(post, make_order, make_line):
    journal = post(make_order(make_line("1", "-7.10"))).journal
    assert amounts(journal) == {"1/d": ("8480", Decimal("-7.10")), "1/o": ("1010", Decimal("7.10"))}
    assert journal.amount == Decimal("-7.10")


def test_zero_lines_vanish_and_need_no_rule(post, make_order, make_line):
    journal = post(make_order(make_line("0", "0.00", "payroll"), make_line("1", "5"), category="XX")).journal
    assert list(amounts(journal)) == ["1/d", "1/o"]


def test_nothing_left_is_skipped_even_where_the_day_is_closed(post, make_order, make_line):
    for order in (make_order(), make_order(make_line("1", "0"), completed_on=date(2020, 1, 1))):
        posting = post(order)
        assert posting.journal is None
        assert [(finding.code, finding.severity) for finding in posting.findings] == [("nothing_to_post", "skip")]


def test_stock_may_go_without_posting_and_says_so(post, read_rules, make_order, make_line):
    table = read_rules("""
        rules: r
        rows:
          - {name: stock, when: {source: stock}, no_posting: true}
          - {name: rest, account: "8480", offset: "1010"}
    """)
    both = post(make_order(make_line("p", "3", "stock"), make_line("d", "4")), table=table)
    assert list(amounts(both.journal)) == ["d/d", "d/o"]
    assert [(finding.code, finding.severity) for finding in both.findings] == [("no_posting", "notice")]
    assert both.ready
    alone = post(make_order(make_line("p", "3", "stock")), table=table)
    assert alone.journal is None
    assert codes(alone) == ["no_posting", "nothing_to_post"]


def test_an_unmapped_cost_names_its_values_the_file_and_the_nearest_row(post, make_order, make_line):
    order = make_order(make_line("1", "5", "payroll"), make_line("2", "6", "payroll"), category="PM09", branch="NYC")
    posting = post(order)
    assert posting.journal is None
    [finding] = posting.findings  # two lines, one thing to mend
    assert (finding.code, finding.severity, finding.field) == ("account_unmapped", "error", "lines[0]")
    assert finding.text == "no posting rule for category PM09, type (none), branch NYC, source payroll"
    assert "rules/maintenance.yaml" in finding.mend
    assert "'corrective labour' (rules/maintenance.yaml:5), which asks for category PM01 or PM02" in finding.mend


def test_every_problem_of_an_order_is_told_at_once(post, make_book, make_order, make_line):
    accounts = {
        "8450": Account(number="8450", blocked=True),
        "2370": Account(number="2370", type="begin_total"),
        "8480": Account(number="8480", direct_posting=False),
    }
    book = make_book(accounts=accounts, dimension_values=frozenset({"COSTCENTRE/CC1"}))
    order = make_order(
        make_line("l", "1", "payroll"),
        make_line("d", "2"),
        make_line("d", "3"),
        make_line("c", "4", "invoice"),
        cost_centre=None,
        completed_on=date(2025, 12, 31),
    )
    posting = post(order, book=book)
    assert posting.journal is None
    assert codes(posting) == [
        "account_blocked",
        "account_missing",
        "account_missing",
        "account_missing",
        "account_no_direct_posting",
        "account_not_posting",
        "cost_line_doubled",
        "dimension_missing",
        "dimension_missing",
        "dimension_missing",
        "dimension_value_missing",
        "dimension_value_missing",
        "period_closed",
    ]


def test_findings_of_the_chart_name_account_rule_and_where_to_mend(post, make_book, make_order, make_line):
    chart = dict(make_book().accounts)
    del chart["8480"]
    [finding] = post(make_order(make_line("1", "5")), book=make_book(accounts=chart)).findings
    assert finding.code == "account_missing"
    assert "8480" in finding.text
    assert "row 'fees' (rules/maintenance.yaml:21)" in finding.text
    assert finding.mend == (
        "Create 8480 in the chart of accounts, or name another account in row 'fees' (rules/maintenance.yaml:21)."
    )


def test_an_account_written_without_quotes_that_lost_its_zeros_is_recognised(
    post, read_rules, make_book, make_order, make_line
):
    table = read_rules('{rules: r, rows: [{name: a, account: 8450, offset: "1010"}]}')
    chart = {number: Account(number=number) for number in ("08450", "1010")}
    [finding] = post(make_order(make_line("1", "5")), table=table, book=make_book(accounts=chart)).findings
    assert finding.code == "account_missing"
    assert 'write it in quotes, as "08450"' in finding.mend


def test_books_that_were_not_read_are_not_checked(post, make_book, make_order, make_line):
    book = make_book(accounts=None, dimension_values=None)
    assert post(make_order(make_line("1", "5", "payroll"), cost_centre="ANY"), book=book).ready


def test_an_empty_dimension_points_at_field_and_lookup(post, make_order, make_line):
    posting = post(make_order(make_line("c", "5", "invoice"), cost_centre="  "))
    found = {finding.field: finding for finding in posting.findings}
    assert set(found) == {"cost_centre", "lines[0].vendor"}
    assert found["cost_centre"].code == "dimension_missing"
    assert "lookup table" in found["cost_centre"].mend


def test_a_personal_value_is_not_repeated_in_a_finding(post, read_rules, make_order, make_line):
    table = read_rules("""
        rules: r
        rows: [{name: a, account: "8480", offset: "1010", dimensions: {EMPLOYEE: lines.employee}}]
    """)
    [finding] = post(make_order(make_line("1", "5", employee="E-4711")), table=table).findings
    assert finding.code == "dimension_value_missing"
    assert "4711" not in repr(finding)


def test_texts_fit_a_journal_line_and_name_no_employee(post, make_order, make_line):
    order = make_order(make_line("1", "5", description="Bolt\n" + "🔧" * 90, employee="E-4711"), description="x" * 200)
    journal = post(order).journal
    for text in (journal.description, *(line.description for line in journal.lines)):
        assert len(text.encode("utf-16-le")) // 2 <= 100
        assert "\n" not in text
        assert "4711" not in text
    assert journal.lines[0].description.startswith("WO-1 other Bolt 🔧")


def test_foreign_costs_are_converted_at_the_day_of_the_event(post, make_order, make_line):
    asked = []

    def convert(money, currency, on):
        asked.append((money, currency, on))
        return Money(money.amount * Decimal("1.0837"), currency)

    order = make_order(make_line("1", "10.00"), currency="EUR", completed_on=date(2025, 12, 31))
    journal = post(order, convert=convert, policy="first_open").journal
    assert asked == [(Money(Decimal("10.00"), "EUR"), "USD", date(2025, 12, 31))]
    assert journal.currency == "USD"
    assert journal.amount == Decimal("10.84")
    assert (journal.posting_date, journal.document_date) == (date(2026, 1, 1), date(2025, 12, 31))


def test_without_a_rate_nothing_is_booked_by_half(post, make_order, make_line):
    def convert(money, currency, on):
        if money.amount == 2:
            return Finding("rate_missing", "wait", "no rate")
        return Money(money.amount, currency)

    posting = post(make_order(make_line("1", "1"), make_line("2", "2"), currency="EUR"), convert=convert)
    assert posting.journal is None
    assert codes(posting) == ["rate_missing"]


def test_the_currency_must_be_told_and_known(post, make_order, make_line):
    assert codes(post(make_order(make_line("1", "1"), currency=None))) == ["currency_missing"]
    assert codes(post(make_order(make_line("1", "1"), currency="DOLLAR"))) == ["currency_unknown"]


def test_an_amount_of_unknown_currency_says_nothing_of_rounding(post, make_order, make_line):
    order = make_order(*(make_line(str(index), "1.004") for index in range(20)), currency=None)
    assert codes(post(order)) == ["currency_missing"]


def test_rounding_goes_to_the_named_account(post, make_order, make_line):
    order = make_order(*(make_line(str(index), "10.004") for index in range(3)))
    journal = post(order).journal
    assert journal.amount == Decimal("30.01")
    rounding = {line.key: line for line in journal.lines if line.rule == "rounding"}
    assert (rounding["rounding/difference"].account, rounding["rounding/difference"].amount) == (
        "8990",
        Decimal("0.01"),
    )
    assert (rounding["rounding/offset"].account, rounding["rounding/offset"].amount) == ("1010", Decimal("-0.01"))
    assert sum(line.amount for line in journal.lines) == 0


def test_no_rounding_line_where_the_lines_add_up(post, make_order, make_line):
    journal = post(make_order(make_line("1", "10.004"), make_line("2", "10.001"))).journal
    assert [line.rule for line in journal.lines] == ["fees"] * 4 + ["rounding"] * 2
    journal = post(make_order(make_line("1", "10.004"), make_line("2", "9.996"))).journal
    assert [line.rule for line in journal.lines] == ["fees"] * 4


def test_rounding_carries_the_dimensions_of_the_largest_cost(post, make_order, make_line):
    order = make_order(
        make_line("d", "10.004"), make_line("c", "-20.00", "invoice", vendor="V10"), make_line("e", "5.004")
    )
    lines = {line.key: line for line in post(order).journal.lines}
    assert lines["rounding/difference"].dimensions == {"COSTCENTRE": "CC1"}
    assert lines["rounding/offset"].dimensions == {"VENDOR": "V10"}
    assert lines["rounding/offset"].account == "2350"


def test_rounding_at_the_limit_is_believed(post, make_order, make_line):
    posting = post(make_order(*(make_line(str(index), "1.004") for index in range(12))))
    assert posting.ready
    assert posting.journal.lines[-2].amount == Decimal("0.05")


def test_rounding_above_the_limit_is_held_with_the_journal_shown(post, make_order, make_line):
    posting = post(make_order(*(make_line(str(index), "1.004") for index in range(20))))
    assert [(finding.code, finding.severity) for finding in posting.findings] == [("rounding_limit", "hold")]
    assert posting.journal.amount == Decimal("20.08")
    assert not posting.ready


def test_rounding_without_a_named_account_is_an_error(post, read_rules, make_order, make_line):
    table = read_rules('{rules: r, rows: [{name: a, account: "8480", offset: "1010"}]}')
    posting = post(make_order(*(make_line(str(index), "10.004") for index in range(3))), table=table)
    assert posting.journal is None
    assert codes(posting) == ["rounding_account_missing"]


def test_amounts_have_the_places_of_the_books(post, make_book, make_order, make_line):
    journal = post(make_order(make_line("1", "1234"), currency="JPY"), book=make_book(currency="JPY")).journal
    assert str(journal.amount) == "1234"
    journal = post(make_order(make_line("1", "1.2345")), book=make_book(places=4)).journal
    assert str(journal.lines[0].amount) == "1.2345"


def test_a_closed_day_holds_with_the_journal_shown(post, make_order, make_line):
    posting = post(make_order(make_line("1", "5"), completed_on=date(2025, 12, 31)))
    assert codes(posting) == ["period_closed"]
    assert posting.journal is not None
    assert not posting.ready


def test_an_order_without_any_date_cannot_be_posted(post, make_order, make_line):
    posting = post(make_order(make_line("1", "5"), completed_on=None, currency=None))
    assert posting.journal is None
    assert codes(posting) == ["currency_missing", "date_missing"]
