"""Settings and check: everything wrong is said at once and clearly."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from isthmus.connectors.files.config import FilesConfig
from isthmus.connectors.files.connector import connect
from isthmus.contract.clock import DrivenClock


def config(folder: Path, top: dict[str, Any] | None = None, **one: Any) -> FilesConfig:
    settings = {"file": "orders.csv", "entity": "work_order", "key": ["no"], **one}
    return FilesConfig.model_validate({"folder": str(folder), "sets": {"orders": settings}, **(top or {})})


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ({"colour": "red"}, "colour"),
        ({"file": "../orders.csv"}, "must be a name inside the folder"),
        ({"file": "/orders.csv"}, "must be a name inside the folder"),
        ({"file": "orders-*.csv"}, "needs mode: drop"),
        ({"file": "orders.results.csv"}, "never read"),
        ({"file": "orders.tmp"}, "never read"),
        ({"file": "orders.xlsx"}, "does not fit format 'csv'"),
        ({"format": "xlsx"}, "does not fit format 'xlsx'"),
        ({"sheet": "A"}, "xlsx only"),
        ({"encoding": "klingon"}, "unknown encoding 'klingon'"),
        ({"encoding": "rot13"}, "unknown encoding"),
        ({"delimiter": ",,"}, "one character"),
        ({"delimiter": '"'}, "cannot both be"),
        ({"quote": "ab"}, "one character"),
        ({"key": ["a", "a"]}, "stands twice"),
        ({"key": ["a", " "]}, "without a name"),
        ({"header": ["text"]}, "column 'no' is not in header"),
        ({"header": False}, "list of column names"),
        ({"skip_rows": "1"}, "skip_rows"),
        ({"numbers": {"decimal": ",", "group": ","}}, "cannot both be"),
        ({"mode": "append"}, "snapshot"),
        ({"rows": "lines", "key": []}, "needs key"),
        ({"rows": "cost lines"}, "letters, digits and _"),
        ({"same": ["text"]}, "for sets with rows: only"),
        ({"rows": "no"}, "is the name of a column"),
        ({"rows": "text", "header": ["no", "text"]}, "is the name of a column"),
        ({"lines": {"by": "no", "key": "line"}}, "must be another file"),
        ({"lines": {"file": "orders.csv", "by": "no", "key": "line"}}, "must be another file"),
        ({"lines": {"file": "l.csv", "by": ["no", "day"], "key": "line"}}, "must name 1 columns, one for each of key"),
        ({"lines": {"file": "l.csv", "by": "no", "key": []}}, "lines.key"),
        ({"lines": {"file": "l.csv", "key": "line"}}, "lines.by"),
        ({"lines": {"file": "../l.csv", "by": "no", "key": "line"}}, "lines: file '../l.csv' must be a name inside"),
        ({"lines": {"file": "l.csv", "by": "no", "key": "line", "sheet": "A"}}, "lines: sheet is for format: xlsx"),
        ({"lines": {"file": "l.csv", "by": "no", "key": "line", "header": ["no"]}}, "lines: column 'line' is not in"),
        ({"lines": {"file": "l.csv", "by": "no", "key": "line", "name": "no"}}, "is the name of a column"),
        ({"lines": {"file": "l.csv", "by": "no", "key": "line"}, "key": []}, "lines needs key"),
        ({"lines": {"file": "l.csv", "by": "no", "key": "line"}, "rows": "parts"}, "not both"),
        ({"lines": {"file": "l.csv", "by": "no", "key": "line"}, "mode": "drop"}, "needs mode: snapshot"),
        ({"results": "../told"}, "without folder and ending"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, one: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        config(tmp_path, **one)
    assert said in str(caught.value)


def test_sets_that_get_in_each_others_way(tmp_path: Path) -> None:
    def sets(**second: Any) -> FilesConfig:
        both = {"a": {"file": "x.csv", "entity": "work_order"}, "b": {"file": "y.csv", "entity": "asset", **second}}
        return FilesConfig.model_validate({"folder": str(tmp_path), "sets": both})

    assert len(connect(sets(), DrivenClock(datetime(2026, 1, 1, tzinfo=UTC))).capabilities.entities) == 2
    with pytest.raises(ValidationError, match="a and b are both work_order"):
        sets(entity="work_order")
    with pytest.raises(ValidationError, match=r"would share x\.results\.csv"):
        sets(file="x.csv")
    sets(file="x.csv", results=False)
    sets(file="x.csv", results="assets")
    with pytest.raises(ValidationError, match=r"would share x\.results\.csv"):
        sets(results="x")
    with pytest.raises(ValidationError, match="absolute"):
        FilesConfig.model_validate({"folder": "here", "sets": {"a": {"file": "x.csv", "entity": "asset"}}})


def test_capabilities_follow_the_settings(desk: Any) -> None:
    one = desk.connector.capabilities.entities["work_order"]
    assert (one.native, one.changes, one.sees_deletes, one.batch) == ("orders", "scan", True, 1000)
    assert (one.actions, one.idempotency) == (frozenset({"note"}), "natural_key")
    one = desk.open(mode="drop", file="*.csv").capabilities.entities["work_order"]
    assert (one.changes, one.sees_deletes) == ("append", False)


async def test_check_finds_nothing_wrong(desk: Any) -> None:
    desk.write("no,text\n1,a\n")
    assert await desk.connector.check() == []


async def test_check_tells_all_sets_at_once(desk: Any) -> None:
    desk.write("nr,text\n1,a\n", "a.csv")
    desk.write(b"no,text\n1,\xff\n1\n", "b.csv")
    sets = {
        "a": {"file": "a.csv", "entity": "asset", "key": ["no"]},
        "b": {"file": "b.csv", "entity": "vendor", "key": ["no"]},
        "c": {"file": "c.csv", "entity": "item", "key": ["no"]},
        "d": {"file": "d-*.csv", "entity": "receipt", "mode": "drop", "key": ["no"]},
        "e": {"file": "b.csv", "entity": "work_order", "results": False},
    }
    findings = await desk.open(top={"sets": sets}).check()
    told = [(finding.code, finding.severity, finding.field) for finding in findings]
    assert told == [
        ("columns_missing", "error", "sets.a"),
        ("row_unreadable", "notice", "sets.b"),
        ("row_unreadable", "notice", "sets.b"),
        ("file_missing", "error", "sets.c"),
        ("file_missing", "notice", "sets.d.file"),
        ("row_unreadable", "notice", "sets.e"),
        ("row_unreadable", "notice", "sets.e"),
        ("key_missing", "notice", "sets.e.key"),
    ]
    assert "b.csv line 2" in findings[1].text
    assert "closest is 'nr'" in findings[0].text or "no column 'no'" in findings[0].text


async def test_check_of_a_folder_that_is_away(desk: Any) -> None:
    desk.folder.rmdir()
    assert [finding.code for finding in await desk.connector.check()] == ["folder_missing"]
