"""Candidates of first contact: what is alike is found however it is spelt, and what is not alike is left alone."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.controls.matching import candidates, signs, words


def vendor(name: str, **more: Any) -> dict[str, Any]:
    return {"number": more.pop("number", "1"), "name": name, **more}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Norton Utilities GmbH", "Nortn Utilities"),
        ("Müller & Söhne", "Mueller und Soehne"),
        ("Australia Bike Retailer", "Austrailia Bike Retailer Pty. Ltd."),
        ("Contoso", "CONTOSO, Inc."),
        ("Wide World Importers", "Importers Wide World"),
    ],
)
def test_what_is_spelt_differently_is_found(ours: str, theirs: str) -> None:
    found = candidates(
        "vendor", {1: vendor(ours)}, {7: vendor(theirs, number="9"), 8: vendor("Something Else", number="77")}
    )
    assert [one.record_id for one in found[1]] == [7]
    assert found[1][0].reasons


def test_doubles_are_both_shown_best_first() -> None:
    right = {7: vendor("Fabrikam"), 8: vendor("Fabrikam", tax_number="DE1"), 9: vendor("Fabrikom")}
    found = candidates("vendor", {1: vendor("Fabrikam", tax_number="DE 1")}, right)
    assert {one.record_id for one in found[1]} == {7, 8, 9}
    scores = [one.score for one in found[1]]
    assert scores == sorted(scores, reverse=True)


def test_another_tax_number_speaks_against_an_equal_name() -> None:
    same = candidates("vendor", {1: vendor("Fabrikam", tax_number="1")}, {7: vendor("Fabrikam", tax_number="1")})
    other = candidates("vendor", {1: vendor("Fabrikam", tax_number="1")}, {7: vendor("Fabrikam", tax_number="2")})
    assert same[1][0].score == 100
    assert 1 not in other or other[1][0].score < 70


def test_another_number_says_nothing() -> None:
    found = candidates("vendor", {1: vendor("Fabrikam", number="V1")}, {7: vendor("Fabrikam", number="900")})
    assert found[1][0].score == 100


def test_nothing_in_common_is_no_candidate() -> None:
    assert candidates("vendor", {1: vendor("Norton")}, {7: vendor("Contoso")}) == {}


@given(st.text())
def test_words_and_signs_take_anything_and_are_stable(text: str) -> None:
    assert words(words(text)) == words(text)
    assert signs(signs(text)) == signs(text)


def test_thousands_of_records_are_compared_without_comparing_all_pairs() -> None:
    left = {n: vendor(f"Company {n:05d} Bolts {n % 7}") for n in range(3000)}
    right = {n: vendor(f"Compny {n:05d} Bolts {n % 7}", number=str(n)) for n in range(3000)}
    started = time.process_time()
    found = candidates("vendor", left, right)
    assert time.process_time() - started < 60
    assert sum(1 for one in found if found[one][0].record_id == one) > 2900
