"""Laws of identity: the least possible is new, changed or gone, and a scan can be interrupted anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isthmus.connectors.files.identity import align, family_of, torn_family, version_of

HEAD = "no,text\n"
ROWS = st.lists(st.tuples(st.sampled_from("123"), st.sampled_from("abcde")), max_size=12)
VERSIONS = st.sampled_from([version_of([letter]) for letter in "abcd"])


def short_of(version: bytes) -> int:
    return int.from_bytes(version[:8], "big")


@given(st.lists(VERSIONS, max_size=8), st.dictionaries(st.integers(1, 12), VERSIONS, max_size=8), st.integers(0, 8))
def test_resuming_after_any_row_gives_the_same_ordinals(
    rows: list[bytes], held: dict[int, bytes], committed: int
) -> None:
    known: dict[str, str | None] = {f"f#{ordinal}": version.hex() for ordinal, version in held.items()}
    whole = align([short_of(row) for row in rows], known)
    assert len(set(whole)) == len(rows)
    for row, ordinal in list(zip(rows, whole, strict=True))[:committed]:
        known[f"f#{ordinal}"] = row.hex()
    again = align([short_of(row) for row in rows], known)
    assert again[committed:] == whole[committed:]
    assert set(again[:committed]) == set(whole[:committed])


@given(st.lists(VERSIONS, max_size=8), st.dictionaries(st.integers(1, 12), VERSIONS, max_size=8))
def test_no_alignment_changes_less(rows: list[bytes], held: dict[int, bytes]) -> None:
    known: dict[str, str | None] = {f"f#{ordinal}": version.hex() for ordinal, version in held.items()}
    ordinals = align([short_of(row) for row in rows], known)
    equal = sum((Counter(rows) & Counter(held.values())).values())
    kept = [(row, held[ordinal]) for row, ordinal in zip(rows, ordinals, strict=True) if ordinal in held]
    assert len(kept) == min(len(rows), len(held))
    assert sum(row == version for row, version in kept) == equal
    assert all(ordinal > max(held, default=0) for ordinal in ordinals if ordinal not in held)


def test_a_row_that_comes_back_is_the_record_that_went() -> None:
    assert align([7], {"f#1": None}) == [1]
    assert align([7, 8], {"f#1": None, "f#2": version_of(["x"]).hex()}) == [2, 1]


def test_keys_do_not_run_into_each_other() -> None:
    assert family_of("s", ["ab", "c"]) != family_of("s", ["a", "bc"])
    assert family_of("s", ["a"]) != family_of("sa", [])
    assert torn_family("s", "a") != family_of("s", ["", "1", "a"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, min_size=2, max_size=4))
async def test_any_sequence_of_edits_touches_the_least(
    new_desk: Callable[[], Any], versions: list[list[tuple[str, str]]]
) -> None:
    desk = new_desk()
    before = list[tuple[str, str]]()
    for rows in versions:
        desk.write(HEAD + "".join(f"{no},{text}\n" for no, text in rows))
        desk.hub.forget()
        if not rows and before:
            continue  # an emptied file is no deletion
        await desk.run(limit=3)
        new = changed = gone = 0
        for key in "123":
            here, there = ([row for row in side if row[0] == key] for side in (rows, before))
            equal = sum((Counter(here) & Counter(there)).values())
            new += max(0, len(here) - len(there))
            gone += max(0, len(there) - len(here))
            changed += min(len(here), len(there)) - equal
        assert desk.hub.counts == (new, changed, gone)
        assert Counter((r.data["no"], r.data["text"]) for r in desk.hub.records.values()) == Counter(rows)
        before = rows


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, ROWS.filter(bool), st.integers(1, 5), st.integers(0, 6))
async def test_an_interrupted_scan_ends_like_an_unbroken_one(
    new_desk: Callable[[], Any],
    before: list[tuple[str, str]],
    rows: list[tuple[str, str]],
    limit: int,
    pages: int,
) -> None:
    results = []
    for interrupted in (False, True):
        desk = new_desk()
        for content in (before, rows):
            desk.write(HEAD + "".join(f"{no},{text}\n" for no, text in content))
            for _ in range(pages if interrupted else 0):
                if (await desk.page(limit=limit)).more:
                    desk.open()
                else:
                    break
            await desk.run(limit=limit)
        results.append(({r.id: r.version for r in desk.hub.records.values()}, desk.hub.counts))
    assert results[0] == results[1]


@pytest.mark.parametrize("seed", range(3))
async def test_a_shuffle_changes_nothing(desk: Any, seed: int) -> None:
    import random

    lines = [f"{n % 7},{n % 11}\n" for n in range(300)]
    desk.write(HEAD + "".join(lines))
    await desk.run(limit=50)
    desk.hub.forget()
    random.Random(seed).shuffle(lines)
    desk.write(HEAD + "".join(lines))
    await desk.run(limit=70)
    assert desk.hub.counts == (0, 0, 0)
