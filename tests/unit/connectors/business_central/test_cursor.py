"""Rounds with overlap: nothing is missed, nothing comes twice."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.connectors.dynamics.business_central.cursor import (
    Cursor,
    advance,
    load,
    moment_at,
    parse_moment,
    restart,
    save,
)
from isthmus.contract.records import NativeRecord

OVERLAP = 50
#: (id, version, position) of changes in order of their visibility; a stamp lies at most OVERLAP before a visible one
CHANGES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, OVERLAP - 1), st.integers(0, 30)), max_size=25)


def record(number: int, version: int) -> NativeRecord:
    return NativeRecord(id=str(number), version=str(version))


@given(CHANGES, st.integers(1, 4), st.lists(st.booleans(), max_size=25))
@settings(max_examples=300)
def test_every_version_that_stands_is_delivered_exactly_once(
    changes: list[tuple[int, int, int]], page: int, polls: list[bool]
) -> None:
    """Changes become visible late by less than the overlap, in any order; polls come at any time, in any page size."""
    table: dict[int, tuple[int, int]] = {}
    delivered: list[tuple[str, str | None]] = []
    cursor, now = Cursor(), 1000

    def poll() -> None:
        nonlocal cursor
        since = None if cursor.since is None else cursor.since - OVERLAP
        visible = [(pos, record(key, version)) for key, (pos, version) in table.items() if since is None or pos > since]
        rows = [(item, pos) for pos, item in sorted(visible, key=lambda pair: pair[0])]
        parts = [rows[start : start + page] for start in range(0, len(rows), page)] or [[]]
        for index, part in enumerate(parts):
            link = "next" if index + 1 < len(parts) else None
            fresh, cursor = advance(load(save(cursor)), part, link, OVERLAP)
            delivered.extend((item.id, item.version) for item in fresh)

    for version, (key, late, step) in enumerate(changes):
        now += step
        table[key] = (now - late, version)
        if version < len(polls) and polls[version]:
            poll()
            standing = {(str(item), str(seen[1])) for item, seen in table.items()}
            assert standing <= set(delivered)
    poll()
    assert {(str(item), str(seen[1])) for item, seen in table.items()} <= set(delivered)
    assert len(delivered) == len(set(delivered))


def test_a_round_that_starts_again_delivers_nothing_twice() -> None:
    first, half = advance(Cursor(), [(record(1, 1), 10), (record(2, 1), 20)], "next", OVERLAP)
    again, after = advance(restart(half), [(record(1, 1), 10), (record(2, 1), 20), (record(3, 1), 30)], None, OVERLAP)
    assert [item.id for item in first] == ["1", "2"]
    assert [item.id for item in again] == ["3"]
    assert after.since == 30


def test_an_unreadable_cursor_starts_from_the_beginning() -> None:
    assert load("rubbish") == load("") == load(None) == Cursor()


def test_an_empty_set_has_no_watermark_yet() -> None:
    _, after = advance(Cursor(), [], None, OVERLAP)
    assert after == Cursor()


def test_wire_times() -> None:
    assert parse_moment("2026-01-31T10:00:00.123Z") == datetime(2026, 1, 31, 10, 0, 0, 123000, tzinfo=UTC)
    assert parse_moment("0001-01-01T00:00:00Z") is None
    assert parse_moment("2026-01-31T10:00:00") is None
    assert moment_at(0) == datetime(1970, 1, 1, tzinfo=UTC)
