"""Days of posting: month ends in two time zones, closed periods, cut-over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.controls.periods import before_cut_over, event_day, posting_date

AUCKLAND, LOS_ANGELES = "Pacific/Auckland", "America/Los_Angeles"


@pytest.mark.parametrize(
    ("zone", "moment", "day"),
    [
        # month end, southern summer: UTC+13
        (AUCKLAND, "2026-01-31T10:59:59Z", "2026-01-31"),
        (AUCKLAND, "2026-01-31T11:00:00Z", "2026-02-01"),
        # month end, southern winter: UTC+12
        (AUCKLAND, "2026-06-30T11:59:59Z", "2026-06-30"),
        (AUCKLAND, "2026-06-30T12:00:00Z", "2026-07-01"),
        # the day daylight saving ends there (2026-04-05, 03:00 -> 02:00) has 25 hours
        (AUCKLAND, "2026-04-04T11:00:00Z", "2026-04-05"),
        (AUCKLAND, "2026-04-05T11:59:59Z", "2026-04-05"),
        (AUCKLAND, "2026-04-05T12:00:00Z", "2026-04-06"),
        # the day it begins (2026-09-27) has 23 hours
        (AUCKLAND, "2026-09-26T12:00:00Z", "2026-09-27"),
        (AUCKLAND, "2026-09-27T10:59:59Z", "2026-09-27"),
        (AUCKLAND, "2026-09-27T11:00:00Z", "2026-09-28"),
        # month end, northern winter: UTC-8
        (LOS_ANGELES, "2026-02-01T07:59:59Z", "2026-01-31"),
        (LOS_ANGELES, "2026-02-01T08:00:00Z", "2026-02-01"),
        # month end, northern summer: UTC-7
        (LOS_ANGELES, "2026-07-01T06:59:59Z", "2026-06-30"),
        (LOS_ANGELES, "2026-07-01T07:00:00Z", "2026-07-01"),
        # 23 hours on 2026-03-08, 25 hours on 2026-11-01
        (LOS_ANGELES, "2026-03-08T08:00:00Z", "2026-03-08"),
        (LOS_ANGELES, "2026-03-09T06:59:59Z", "2026-03-08"),
        (LOS_ANGELES, "2026-03-09T07:00:00Z", "2026-03-09"),
        (LOS_ANGELES, "2026-11-02T07:59:59Z", "2026-11-01"),
        (LOS_ANGELES, "2026-11-02T08:00:00Z", "2026-11-02"),
        # the same moment lies in two months
        (AUCKLAND, "2025-12-31T23:30:00-05:00", "2026-01-01"),
        (LOS_ANGELES, "2025-12-31T23:30:00-05:00", "2025-12-31"),
    ],
)
def test_the_day_of_an_event_is_that_of_the_company(make_book, zone, moment, day):
    book = make_book(time_zone=zone, posting_from=None, posting_to=None)
    expected = date.fromisoformat(day)
    assert posting_date(datetime.fromisoformat(moment), None, book) == (expected, ())


def test_a_day_without_time_is_taken_as_it_is_and_a_moment_wins(make_book):
    book = make_book(time_zone=AUCKLAND)
    assert event_day(None, date(2026, 3, 31), book) == date(2026, 3, 31)
    assert event_day(datetime(2026, 3, 31, 12, tzinfo=UTC), date(2026, 3, 31), book) == date(2026, 4, 1)
    assert event_day(None, None, book) is None


def test_a_time_without_zone_is_refused(make_book):
    with pytest.raises(ValueError, match="no time zone"):
        event_day(datetime(2026, 3, 31, 12), None, make_book())  # noqa: DTZ001 - the naive time is the point


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 6, 1), date(2026, 12, 31)])
@pytest.mark.parametrize("policy", ["hold", "first_open", "reject"])
def test_the_first_and_last_open_day_are_open(make_book, day, policy):
    assert posting_date(None, day, make_book(), policy) == (day, ())


@pytest.mark.parametrize(
    ("policy", "booked", "code", "severity"),
    [
        ("hold", date(2025, 12, 31), "period_closed", "hold"),
        ("first_open", date(2026, 1, 1), "posting_date_moved", "notice"),
        ("reject", date(2025, 12, 31), "period_refused", "error"),
    ],
)
def test_a_closed_day_follows_the_policy(make_book, policy, booked, code, severity):
    day, [finding] = posting_date(None, date(2025, 12, 31), make_book(), policy)
    assert (day, finding.code, finding.severity, finding.value) == (booked, code, severity, "2025-12-31")
    assert "CRONUS" in finding.text


@pytest.mark.parametrize("policy", ["hold", "first_open", "reject"])
def test_a_day_after_the_last_open_one_is_held_under_every_policy(make_book, policy):
    day, [finding] = posting_date(None, date(2027, 1, 1), make_book(), policy)
    assert (day, finding.code, finding.severity) == (date(2027, 1, 1), "period_closed", "hold")
    assert finding.text == "2027-01-01 is not open yet in CRONUS: open 2026-01-01 to 2026-12-31"


def test_a_company_with_no_open_day_at_all_holds(make_book):
    book = make_book(posting_from=date(2026, 5, 1), posting_to=date(2026, 4, 30))
    day, [finding] = posting_date(None, date(2026, 4, 1), book, "first_open")
    assert (day, finding.code) == (date(2026, 4, 1), "period_closed")


def test_an_open_end_is_open(make_book):
    assert posting_date(None, date(1999, 1, 1), make_book(posting_from=None))[1] == ()
    assert posting_date(None, date(2999, 1, 1), make_book(posting_to=None))[1] == ()
    text = posting_date(None, date(2999, 1, 1), make_book(posting_from=None))[1][0].text
    assert text.endswith("open until 2026-12-31")
    assert posting_date(None, date(1999, 1, 1), make_book(posting_to=None))[1][0].text.endswith("open from 2026-01-01")


@given(day=st.dates(date(2025, 1, 1), date(2027, 12, 31)), policy=st.sampled_from(["hold", "first_open", "reject"]))
def test_nothing_goes_on_a_closed_day_unless_a_person_says_so(make_book, day, policy):
    book = make_book()
    booked, findings = posting_date(None, day, book, policy)
    if not {finding.severity for finding in findings} & {"hold", "error"}:
        assert book.open_on(booked)
        assert booked >= day


def test_the_cut_over_day_itself_is_posted():
    cut_over = date(2026, 1, 1)
    assert before_cut_over(cut_over, cut_over) is None
    assert before_cut_over(cut_over, None) is None
    finding = before_cut_over(cut_over - timedelta(days=1), cut_over)
    assert (finding.code, finding.severity) == ("before_cut_over", "skip")
    assert finding.text == "2025-12-31 is before the cut-over 2026-01-01: the old system booked it"


def test_a_book_needs_a_zone_and_a_currency_that_exist(make_book):
    for changes in ({"time_zone": "Mars/Olympus"}, {"time_zone": ""}, {"time_zone": "/etc"}, {"currency": "DOLLAR"}):
        with pytest.raises(ValueError, match="unknown"):
            make_book(**changes)
