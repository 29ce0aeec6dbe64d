"""What an order of ours carries for us: its mark, its number, keys of its lines."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from isthmus.connectors.dynamics.business_central.purchasing.marks import (
    TEXT_LENGTH,
    allot,
    free_below,
    key_texts,
    mark_text,
    place_of,
    read_marks,
    read_take_back,
    sequence_of,
    take_back_text,
)

MARK = "IS-7Q2M4Z0V9K3XBT5C"


def test_the_first_comment_tells_mark_and_number() -> None:
    assert mark_text(MARK, "PO-1001") == f"ISTHMUS {MARK} PO-1001"
    found = read_marks([(1, f"ISTHMUS {MARK} PO 10/01 ")])
    assert (found.mark, found.number) == (MARK, "PO 10/01")
    assert read_marks([(1, mark_text(MARK, ""))]).number == ""


@pytest.mark.parametrize(
    "comments",
    [
        [],
        [(1, "Deliver to gate 4")],
        [(1, "isthmus IS-7Q2M4Z0V9K3XBT5C")],
        [(20_000, f"ISTHMUS {MARK} PO-1")],
        [(1, "ISTHMUS LINES")],
    ],
)
def test_comments_of_people_are_not_ours(comments: list[tuple[int, str]]) -> None:
    assert read_marks(comments).mark == ""
    assert dict(read_marks(comments).keys) == {}


def test_a_second_mark_is_ignored_and_broken_keys_are_too() -> None:
    found = read_marks([(2, "ISTHMUS LINES 1=a x= =y two=b 3"), (1, mark_text(MARK, "A")), (3, mark_text("IS-2", "B"))])
    assert (found.mark, found.number, dict(found.keys)) == (MARK, "A", {10_000: "a"})


@given(st.dictionaries(st.integers(10_000, 2**31 - 1), st.text(min_size=1, max_size=12), max_size=60))
def test_keys_of_any_text_come_back_from_comments_that_fit(keys: dict[int, str]) -> None:
    assume(all(len(quote(key)) < 70 for key in keys.values()))
    texts = key_texts(keys)
    assert all(len(text) <= TEXT_LENGTH for text in texts)
    assert dict(read_marks(enumerate(texts, 2)).keys) == keys


def test_a_key_that_fits_into_no_comment_is_told() -> None:
    with pytest.raises(ValueError, match=r"^x{90}$"):
        key_texts({10_000: "x" * 90})


@given(st.integers(1, 2**31 - 1))
def test_every_line_number_has_a_place_and_places_from_one_on_lead_back(sequence: int) -> None:
    place = place_of(sequence)
    assert sequence_of(place) == (sequence if sequence >= 10_000 else None)


@pytest.mark.parametrize("key", ["0", "-1", "01", "1.0", "1e2", "214749", "NaN", "Infinity", "1_0", "", " 1"])
def test_what_is_no_place_in_its_one_spelling_is_none(key: str) -> None:
    assert sequence_of(key) is None


def test_lines_stand_where_their_key_says_and_others_behind() -> None:
    assert allot(["2", "2147483655", "1", "a"], (1,)) == {"2": 20_000, "2147483655": 30_000, "1": 10_000, "a": 40_000}
    assert allot(["1"], (10_000, 25_000)) == {"1": 30_000}


@given(st.lists(st.text(max_size=3) | st.integers(0, 30).map(str), unique=True), st.sets(st.integers(1, 400_000)))
def test_no_two_lines_get_one_place(keys: list[str], taken: set[int]) -> None:
    found = allot(keys, taken)
    assert list(found) == keys
    assert len(set(found.values()) | taken) == len(keys) + len(taken)
    assert all(sequence >= 10_000 for sequence in found.values())


def test_further_comments_stand_below_the_first_line() -> None:
    assert free_below([1, 2, 10_000, 20_000]) == 3
    assert free_below([]) == 2


def test_lines_that_take_back_name_receipt_and_line() -> None:
    assert read_take_back(take_back_text(MARK, 15_000)) == (MARK, 15_000)
    assert read_take_back(mark_text(MARK, "PO-1")) is None
    assert read_take_back("Hydraulic pump") is None
    assert read_take_back(f"ISTHMUS {MARK} TAKES BACK it") is None
