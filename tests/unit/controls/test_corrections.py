"""What is booked is never patched: counter document, new document, and the words of a change."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.controls.corrections import booked_change, counter_document
from isthmus.model.entities.journals import JournalEntry, JournalLine

TODAY = date(2026, 4, 2)


def journal(*lines, amount="183.05", **changes):
    known = {
        "number": "IS-1",
        "posting_date": date(2026, 3, 31),
        "document_date": date(2026, 3, 31),
        "currency": "USD",
        "amount": Decimal(amount),
        "description": "Work order WO-1",
    }
    return JournalEntry(lines=lines, **known | changes)


def pair(amount, account="8450", key="1", **dimensions):
    return (
        JournalLine(key=f"{key}/d", account=account, amount=Decimal(amount), dimensions=dimensions),
        JournalLine(key=f"{key}/o", account="2370", amount=-Decimal(amount)),
    )


BOOKED = journal(*pair("183.05", COSTCENTRE="CC1"))


def changed(*lines, **changes):
    return booked_change(BOOKED, journal(*lines, **changes))


def test_a_counter_document_takes_everything_back():
    counter = counter_document(BOOKED, "IS-2", TODAY)
    assert (counter.number, counter.corrects, counter.posting_date) == ("IS-2", "IS-1", TODAY)
    assert (counter.amount, counter.document_date) == (Decimal("-183.05"), date(2026, 3, 31))
    assert [line.amount for line in counter.lines] == [Decimal("-183.05"), Decimal("183.05")]
    assert counter.description == "Correction of IS-1 Work order WO-1"
    assert counter_document(msgspec.structs.replace(BOOKED, booked_number="G1"), "IS-2", TODAY).booked_number is None


def test_a_counter_document_needs_a_number_of_its_own():
    with pytest.raises(ValueError, match="own"):
        counter_document(BOOKED, "IS-1", TODAY)


def test_a_changed_amount_is_held_with_both_amounts():
    finding = changed(*pair("210", COSTCENTRE="CC1"), amount="210")
    assert (finding.code, finding.severity, finding.value) == ("already_booked", "hold", "210")
    assert finding.text == "already booked as IS-1, change of 183.05 -> 210.00"
    booked = msgspec.structs.replace(BOOKED, booked_number="G00012")
    assert "already booked as G00012," in booked_change(booked, journal(amount="210")).text


@pytest.mark.parametrize(
    ("lines", "changes", "text"),
    [
        (pair("183.05", account="8460", COSTCENTRE="CC1"), {}, "account 8450 -> 8460"),
        (pair("183.05", COSTCENTRE="CC2"), {}, "COSTCENTRE CC1 -> CC2"),
        (pair("183.05"), {}, "COSTCENTRE CC1 -> (none)"),
        (BOOKED.lines, {"document_date": date(2026, 4, 1)}, "date 2026-03-31 -> 2026-04-01"),
        (BOOKED.lines, {"currency": "EUR"}, "currency USD -> EUR"),
        (
            pair("200.00", account="8460", COSTCENTRE="CC1"),
            {"amount": "200.00"},
            "183.05 -> 200.00, account 8450 -> 8460",
        ),
    ],
)
def test_what_else_changed_is_named(lines, changes, text):
    assert changed(*lines, **changes).text == f"already booked as IS-1, change of {text}"


def test_a_sum_shared_out_differently_is_named():
    old = journal(*pair("100.00", "8450", "1"), *pair("83.05", "8460", "2"))
    new = journal(*pair("83.05", "8450", "1"), *pair("100.00", "8460", "2"))
    assert booked_change(old, new).text == (
        "already booked as IS-1, change of 8450 100.00 -> 83.05, 8460 83.05 -> 100.00"
    )


@pytest.mark.parametrize(
    "same",
    [
        BOOKED,
        journal(*BOOKED.lines, *pair("5", "8460", "2"), *pair("-5", "8460", "3")),
        msgspec.structs.replace(BOOKED, number="IS-9", description="other", posting_date=TODAY),
        journal(*reversed(BOOKED.lines)),
        journal(*pair("83.05", key="1", COSTCENTRE="CC1"), *pair("100", key="2", COSTCENTRE="CC1"), amount="183.050"),
    ],
)
def test_the_same_effect_is_no_change(same):
    assert booked_change(BOOKED, same) is None


LINES = st.lists(
    st.builds(
        JournalLine,
        key=st.text(max_size=3),
        account=st.sampled_from(["1", "2", "3"]),
        amount=st.decimals(-1000, 1000, places=2),
        dimensions=st.dictionaries(st.sampled_from("AB"), st.sampled_from("xy")),
    ),
    max_size=6,
)


@given(lines=LINES)
def test_original_and_counter_are_zero_on_every_account_and_dimension(lines):
    original = journal(*lines, amount="1")
    counter = counter_document(original, "IS-2", TODAY)
    totals = defaultdict(Decimal)
    for line in (*original.lines, *counter.lines):
        totals[line.account, frozenset(line.dimensions.items())] += line.amount
    assert not any(totals.values())
    assert original.amount + counter.amount == 0
    again = counter_document(counter, "IS-3", TODAY)
    assert booked_change(original, again) is None


@given(old=LINES, new=LINES)
def test_a_change_is_seen_from_both_sides(old, new):
    there, back = (booked_change(*pair) for pair in ((journal(*old), journal(*new)), (journal(*new), journal(*old))))
    assert (there is None) == (back is None)
    if there:
        assert "->" in there.text
