"""Document numbers: short, readable, the same for the same event, different for different ones."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.controls.numbers import document_number


def test_a_number_never_changes():
    # booked documents are looked up by it: another algorithm would book everything a second time
    assert document_number("cmms/work_order/4711/completed/1") == "IS-865WKA1ZS3PACZBG"


@given(st.text())
def test_a_number_fits_every_ledger_and_is_easy_to_read(key):
    assert re.fullmatch(r"IS-[0-9A-HJKMNP-TV-Z]{16}", document_number(key))
    assert document_number(key) == document_number(key)


@given(st.sets(st.text(), min_size=2, max_size=20))
def test_different_events_have_different_numbers(keys):
    assert len({document_number(key) for key in keys}) == len(keys)


def test_a_project_may_choose_a_short_prefix():
    assert document_number("x", "MNT").startswith("MNT-")
    assert len(document_number("x", "MNT")) == 20
    for prefix in ("", "LONG", "is", "I-", "Ä"):
        with pytest.raises(ValueError, match="prefix"):
            document_number("x", prefix)
