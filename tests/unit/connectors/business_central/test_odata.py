"""The OData wire format."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.connectors.dynamics._odata import (
    Part,
    address,
    any_of,
    chunks,
    decode_batch,
    encode_batch,
    literal,
    row,
    rows,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("O'Brien", "'O''Brien'"),
        (True, "true"),
        (7, "7"),
        (Decimal("1E+2"), "100"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 10, 0, 0, 123456, tzinfo=UTC), "2026-01-31T10:00:00.123Z"),
    ],
)
def test_literals_stand_as_the_service_reads_them(value: object, text: str) -> None:
    assert literal(value) == text  # type: ignore[arg-type]


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_any_text_survives_the_address(text: str) -> None:
    url = address("https://h.example/api", "items", {"$filter": f"number eq {literal(text)}"})
    assert url.isascii()
    assert " " not in url
    assert parse_qs(urlsplit(url).query)["$filter"] == [f"number eq {literal(text)}"]


def test_or_stands_on_one_field_only() -> None:
    assert any_of("number", map(literal, ["1", "2"])) == "(number eq '1' or number eq '2')"


def test_annotations_are_dropped_and_the_etag_is_kept() -> None:
    entity = {
        "@odata.etag": 'W/"1"',
        "number": "1",
        "lines@odata.context": "x",
        "lines": [{"@odata.etag": "y", "amount": 1}],
    }
    found = row(entity)
    assert (found.data, found.etag) == ({"number": "1", "lines": [{"amount": 1}]}, 'W/"1"')


def test_a_single_entity_is_a_page_of_one() -> None:
    assert [item.data for item in rows({"@odata.context": "c", "id": "1"})[0]] == [{"id": "1"}]
    assert rows({"value": [], "@odata.nextLink": "l"}) == ([], "l")
    assert rows(None) == ([], None)


def test_batch_answers_are_matched_by_id_in_whatever_order_they_come() -> None:
    answer = {"responses": [{"id": "2", "status": 204}, {"id": "0", "status": 201, "body": {"id": "x"}}, {"id": "9"}]}
    statuses = [reply.status for reply in decode_batch(answer, 3)]
    assert statuses == [201, 0, 204]
    assert [reply.status for reply in decode_batch("nonsense", 2)] == [0, 0]


def test_each_writing_part_says_its_content_type_and_its_etag() -> None:
    first, second = encode_batch(
        [Part(method="POST", path="a", body={"x": 1}), Part(method="DELETE", path="b", etag="*")]
    )["requests"]
    assert first["headers"]["Content-Type"] == "application/json"
    assert second["headers"]["If-Match"] == "*"
    assert "body" not in second


def test_more_parts_than_a_batch_takes_are_refused_here() -> None:
    with pytest.raises(ValueError, match="100"):
        encode_batch([Part(method="GET", path="a")] * 101)


@given(st.lists(st.integers()), st.integers(1, 7))
def test_chunks_lose_nothing(values: list[int], size: int) -> None:
    parts = list(chunks(values, size))
    assert [item for part in parts for item in part] == values
    assert all(1 <= len(part) <= size for part in parts)
