"""Wire JSON: exact numbers both ways."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.connectors._http.decode import NotJson, decode, encode

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=5)


@given(AMOUNTS)
def test_an_amount_survives_the_wire_exactly(amount: Decimal) -> None:
    body = encode({"amount": amount})
    assert b"E" not in body
    assert b'"amount":"' not in body
    assert Decimal(decode(body)["amount"]) == amount


def test_a_number_with_a_point_is_a_decimal_and_never_a_float() -> None:
    assert decode(b'{"a": 0.1, "b": [1e2], "c": 3}') == {"a": Decimal("0.1"), "b": [Decimal("1E+2")], "c": 3}
    assert isinstance(decode(b"0.1"), Decimal)


def test_a_large_number_keeps_every_digit() -> None:
    assert decode(b"12345678901234567890.123456789") == Decimal("12345678901234567890.123456789")


def test_amounts_leave_without_exponent() -> None:
    assert encode([Decimal("1E+2"), Decimal("0.000001")]) == b"[100,0.000001]"


def test_a_byte_order_mark_is_tolerated() -> None:
    assert decode(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


@pytest.mark.parametrize("body", [b"<html>secret</html>", b"", b"\xff\xfe", b'{"a":'])
def test_what_is_not_json_is_told_without_being_quoted(body: bytes) -> None:
    with pytest.raises(NotJson) as caught:
        decode(body)
    assert "secret" not in str(caught.value)
