"""Laws of records with lines in another file: no line lost or in two records, the least changed, resumed anywhere."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HEADS = st.lists(st.sampled_from("12345"), max_size=6)
LINE = st.tuples(st.sampled_from("123456"), st.sampled_from("abcd"), st.sampled_from("xy"))
LINES = st.lists(LINE, max_size=12)
DESK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def desk_of(new_desk: Callable[[], Any]) -> Any:
    desk = new_desk()
    desk.open(lines={"file": "lines.csv", "by": "no", "key": "line"})
    return desk


def write(desk: Any, heads: list[str], lines: list[tuple[str, str, str]]) -> None:
    desk.write("no,day\n" + "".join(f"{no},d\n" for no in heads))
    desk.write("no,line,text\n" + "".join(",".join(line) + "\n" for line in lines), "lines.csv")


@DESK
@given(HEADS, LINES, st.integers(1, 4))
async def test_every_line_is_in_one_record_or_in_one_problem(
    new_desk: Callable[[], Any], heads: list[str], lines: list[tuple[str, str, str]], limit: int
) -> None:
    desk = desk_of(new_desk)
    write(desk, heads, lines)
    await desk.run(limit=limit)
    whole = {record.data["no"]: record for record in desk.hub.records.values() if not record.problem}
    often = Counter(heads)
    doubled = {no for (no, _), times in Counter(line[:2] for line in lines).items() if times > 1}
    assert whole.keys() == {no for no, times in often.items() if times == 1} - doubled
    for no, record in whole.items():
        found = [(no, part["line"], part["text"]) for part in record.data["lines"]]
        assert found == [line for line in lines if line[0] == no]
    orphans = {line[0] for line in lines} - set(heads)
    assert len(desk.hub.records) == len(heads) + len(orphans)
    told = " ".join(record.problem for record in desk.hub.records.values())
    assert all(f"no {no} has no row in orders.csv" in told for no in orphans)


@DESK
@given(HEADS.filter(bool), LINES, st.integers(1, 3), st.integers(0, 5))
async def test_an_interrupted_scan_ends_like_an_unbroken_one(
    new_desk: Callable[[], Any], heads: list[str], lines: list[tuple[str, str, str]], limit: int, pages: int
) -> None:
    results = []
    for interrupted in (False, True):
        desk = desk_of(new_desk)
        write(desk, heads, lines)
        for _ in range(pages if interrupted else 0):
            if not (await desk.page(limit=limit)).more:
                break
            desk.open()
        await desk.run(limit=limit)
        results.append(({r.id: r.version for r in desk.hub.records.values()}, desk.hub.counts))
    assert results[0] == results[1]


@DESK
@given(st.dictionaries(st.sampled_from("12345"), st.sets(st.sampled_from("abcd")), min_size=1), st.randoms())
async def test_only_records_whose_lines_differ_are_changed(
    new_desk: Callable[[], Any], orders: dict[str, set[str]], dice: random.Random
) -> None:
    desk = desk_of(new_desk)
    write(desk, sorted(orders), [(no, line, "x") for no in sorted(orders) for line in sorted(orders[no])] + [FILLER])
    await desk.run()
    desk.hub.forget()
    after = {no: lines if dice.random() < 0.6 else lines ^ {"a"} for no, lines in orders.items()}
    mixed = [(no, line, "x") for no in after for line in after[no]] + [FILLER]
    write(desk, dice.sample(sorted(after), len(after)), dice.sample(mixed, len(mixed)))
    await desk.run(limit=2)
    assert desk.hub.counts == (0, sum(after[no] != orders[no] for no in orders), 0)


#: a line of nobody, so that the file never runs empty
FILLER = ("9", "a", "x")
