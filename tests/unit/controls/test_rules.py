"""The most specific row decides, whatever the order of rows, and the choice says why."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from isthmus.controls.rule_checks import overlaps
from isthmus.controls.rules import CONDITIONS, RuleRow, RuleTable, choose, facts_of

DAY = date(2026, 3, 10)
TABLE = """
rules: r
rows:
  - {name: any, account: "1", offset: "9"}
  - {name: pm, when: {category: PM01}, account: "2", offset: "9"}
  - {name: pm nyc, when: {category: [PM01, PM02], branch: NYC}, account: "3", offset: "9"}
  - {name: pm until 2025, when: {category: PM03}, account: "4", offset: "9", until: 2025-12-31}
  - {name: pm from 2026, when: {category: PM03}, account: "5", offset: "9", from: 2026-01-01}
"""


@pytest.mark.parametrize(
    ("facts", "row"),
    [
        ({}, "any"),
        ({"category": "PM01"}, "pm"),
        ({"category": "PM01", "branch": "LA"}, "pm"),
        ({"category": "PM01", "branch": "NYC"}, "pm nyc"),
        ({"category": "PM02", "branch": "NYC"}, "pm nyc"),
        ({"category": "pm01"}, "any"),
        ({"category": None, "branch": "NYC"}, "any"),
    ],
)
def test_the_row_with_most_conditions_that_fit_wins(read_rules, facts, row):
    assert choose(read_rules(TABLE), facts, DAY).row.name == row


@pytest.mark.parametrize(
    ("day", "row"),
    [(date(2025, 12, 31), "pm until 2025"), (date(2026, 1, 1), "pm from 2026")],
)
def test_rows_hold_from_and_until_a_day_inclusive(read_rules, day, row):
    assert choose(read_rules(TABLE), {"category": "PM03"}, day).row.name == row


def test_the_choice_says_why(read_rules):
    choice = choose(read_rules(TABLE), {"category": "PM01", "branch": "NYC", "source": "direct"}, DAY)
    assert choice.why == (
        "row 'pm nyc' (rules/maintenance.yaml:6) fits category PM01, branch NYC; more specific than 'pm', 'any'"
    )


def test_where_no_row_fits_the_nearest_is_named(read_rules):
    table = read_rules("""
        rules: r
        rows:
          - {name: a, when: {category: [PM01, PM02], branch: NYC}, account: "1", offset: "9"}
          - {name: b, when: {category: PM03}, account: "1", offset: "9", until: 2025-12-31}
    """)
    assert choose(table, {"category": "PM09", "branch": "NYC"}, DAY).why == (
        "nearest is row 'a' (rules/maintenance.yaml:4), which asks for category PM01 or PM02"
    )
    assert choose(table, {"category": "PM03"}, DAY).why == (
        "row 'b' (rules/maintenance.yaml:5) would fit, but holds until 2025-12-31 and the posting date is 2026-03-10"
    )
    assert choose(msgspec.structs.replace(table, rows=()), {}, DAY).row is None


def test_conditions_look_at_order_and_line(make_order, make_line):
    order = make_order(make_line("1", "5", "payroll", kind="labour"), type="corrective", branch="NYC", location="Y1")
    assert facts_of(order, order.lines[0]) == {
        "category": "PM01",
        "type": "corrective",
        "branch": "NYC",
        "asset": "EX-7",
        "location": "Y1",
        "cost_centre": "CC1",
        "currency": "USD",
        "source": "payroll",
        "kind": "labour",
    }


CODES = ("A", "B", "C")
NAMED = ("category", "branch", "source")
WHEN = st.dictionaries(st.sampled_from(NAMED), st.frozensets(st.sampled_from(CODES), min_size=1), max_size=3)
DAYS = st.none() | st.dates(date(2025, 1, 1), date(2027, 1, 1))


@st.composite
def tables(draw) -> tuple[RuleRow, ...]:
    rows = draw(st.lists(st.tuples(WHEN, DAYS, DAYS), min_size=1, max_size=7))
    return tuple(
        RuleRow(name=f"row {index}", when=when, account="1", offset="2", valid_from=begins, valid_until=ends)
        for index, (when, begins, ends) in enumerate(rows)
    )


FACTS = st.fixed_dictionaries({name: st.none() | st.sampled_from(CODES) for name in NAMED})


@given(
    rows=tables(), facts=FACTS, on=st.dates(date(2024, 1, 1), date(2028, 1, 1)), seed=st.randoms(use_true_random=False)
)
def test_the_order_of_rows_never_matters(rows, facts, on, seed):
    shuffled = list(rows)
    seed.shuffle(shuffled)
    first = choose(RuleTable(name="r", file="f", rows=rows), facts, on)
    assert choose(RuleTable(name="r", file="f", rows=tuple(shuffled)), facts, on) == first
    if first.row is not None:
        fitting = [row for row in rows if row.in_force(on) and not row.misfits(facts)]
        assert first.row.specificity == max(row.specificity for row in fitting)


@given(rows=tables(), facts=FACTS, on=st.dates(date(2024, 1, 1), date(2028, 1, 1)))
def test_a_table_without_overlaps_never_leaves_a_choice_open(rows, facts, on):
    assume(not any(True for _ in overlaps(rows)))
    choice = choose(RuleTable(name="r", file="f", rows=rows), facts, on)
    if choice.row is not None:
        fitting = [row for row in rows if row.in_force(on) and not row.misfits(facts)]
        assert [row for row in fitting if row.specificity == choice.row.specificity] == [choice.row]


def test_every_condition_has_a_place_in_the_words_of_a_choice():
    row = RuleRow(name="all", when={name: frozenset({"A"}) for name in CONDITIONS}, account="1", offset="2")
    choice = choose(RuleTable(name="r", file="f", rows=(row,)), dict.fromkeys(CONDITIONS, "A"), DAY)
    assert all(f"{name} A" in choice.why for name in CONDITIONS)
    assert row.specificity == len(CONDITIONS)
