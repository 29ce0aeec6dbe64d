"""Laws of records made of several rows: nothing lost, nothing merged, the least is changed, resumed anywhere."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from isthmus.connectors.files.identity import align_groups, version_of

HEAD = "no,text\n"
ROW = st.tuples(st.sampled_from("1234"), st.sampled_from("abc"))
ROWS = st.lists(ROW, max_size=12)
VERSIONS = st.sampled_from([version_of([letter]) for letter in "abcd"])
DESK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def short_of(version: bytes) -> int:
    return int.from_bytes(version[:8], "big")


def content(rows: list[tuple[str, str]]) -> str:
    return HEAD + "".join(f"{no},{text}\n" for no, text in rows)


def groups_of(rows: list[tuple[str, str]]) -> list[tuple[str, tuple[str, ...]]]:
    return [(no, tuple(text for _, text in group)) for no, group in groupby(rows, key=lambda row: row[0])]


@given(
    st.lists(VERSIONS, min_size=1, max_size=6), st.none() | VERSIONS, st.lists(VERSIONS, max_size=4), st.integers(0, 6)
)
def test_resuming_after_any_group_gives_the_same_ordinals(
    groups: list[bytes], held: bytes | None, strays: list[bytes], committed: int
) -> None:
    known: dict[str, str | None] = {"f#1": held.hex()} if held else {}
    apart: dict[str, str | None] = {f"f.apart#{at}": version.hex() for at, version in enumerate(strays, 1)}
    whole = align_groups([short_of(group) for group in groups], known, apart)
    assert len(set(whole)) == len(groups)
    assert len({1, -1} & set(whole)) == 1
    for group, ordinal in list(zip(groups, whole, strict=True))[:committed]:
        if ordinal == 1:
            known["f#1"] = group.hex()
        elif ordinal == -1:
            known["f#1"] = version_of(["salted", group.hex()]).hex()
        else:
            apart[f"f.apart#{-1 - ordinal}"] = group.hex()
    again = align_groups([short_of(group) for group in groups], known, apart)
    assert again[committed:] == whole[committed:]
    assert set(again[:committed]) == set(whole[:committed])


@DESK
@given(st.lists(ROWS.filter(bool), min_size=1, max_size=3), st.integers(1, 4))
async def test_every_row_is_in_one_record_or_in_one_problem(
    new_desk: Callable[[], Any], versions: list[list[tuple[str, str]]], limit: int
) -> None:
    desk = new_desk()
    desk.open(rows="lines")
    for rows in versions:
        desk.write(content(rows))
        await desk.run(limit=limit)
        groups = groups_of(rows)
        often = Counter(no for no, _ in groups)
        whole = [record for record in desk.hub.records.values() if not record.problem]
        found = [(record.data["no"], tuple(part["text"] for part in record.data["lines"])) for record in whole]
        assert len(found) == len(set(no for no, _ in found))
        assert set(found) <= set(groups)
        assert {no for no, times in often.items() if times == 1} <= {no for no, _ in found}
        assert len(desk.hub.records) == len(groups)  # each group is a record, whole or a problem
        assert all(record.id.endswith("#1") for record in whole)


@DESK
@given(ROWS.filter(bool), ROWS.filter(bool), st.integers(1, 4), st.integers(0, 6))
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
        desk.open(rows="lines")
        for version in (before, rows):
            desk.write(content(version))
            for _ in range(pages if interrupted else 0):
                if (await desk.page(limit=limit)).more:
                    desk.open()
                else:
                    break
            await desk.run(limit=limit)
        results.append(({r.id: r.version for r in desk.hub.records.values()}, desk.hub.counts))
    assert results[0] == results[1]


@DESK
@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3), min_size=1, max_size=8), st.randoms())
async def test_records_that_stand_together_change_only_where_their_rows_do(
    new_desk: Callable[[], Any], lists: list[list[str]], dice: random.Random
) -> None:
    desk = new_desk()
    desk.open(rows="lines")
    orders = {str(number): texts for number, texts in enumerate(lists)}
    desk.write(content([(no, text) for no, texts in orders.items() for text in texts]))
    await desk.run(limit=3)
    desk.hub.forget()
    after = {no: texts if dice.random() < 0.6 else [*texts, "new"] for no, texts in orders.items()}
    shuffled = dice.sample(sorted(after), len(after))
    desk.write(content([(no, text) for no in shuffled for text in after[no]]))
    await desk.run(limit=2)
    assert desk.hub.counts == (0, sum(after[no] != orders[no] for no in orders), 0)


@pytest.mark.parametrize("mode", ["snapshot", "drop"])
async def test_another_process_goes_on_in_mid_scan(desk: Any, mode: str) -> None:
    desk.open(rows="lines", mode=mode, file="orders-*.csv" if mode == "drop" else "orders.csv")
    name = "orders-1.csv" if mode == "drop" else "orders.csv"
    desk.write(content([(str(number // 3), "abc"[number % 3]) for number in range(30)]), name)
    sizes = []
    for _ in range(4):
        page = await desk.page(limit=3)
        sizes.append([len(record.data["lines"]) for record in page.records])
        desk.open()
    assert sizes == [[3, 3, 3], [3, 3, 3], [3, 3, 3], [3]]
    assert desk.hub.counts == (10, 0, 0)
