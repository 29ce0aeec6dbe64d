"""Effects stay where they belong; money meets no float; nothing blocks or swallows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from architecture import purity
from architecture.tree import ROOT, plant

Check = Callable[[Path], Iterator[str]]
CHECKS: list[Check] = [
    purity.effects,
    purity.sql_outside_ledger,
    purity.floats,
    purity.blocking_sleeps,
    purity.swallowed_errors,
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_code_keeps_it(check: Check) -> None:
    assert list(check(ROOT)) == []


@pytest.mark.parametrize("place", sorted({**purity.FLOATS, **purity.SLEEPS}))
def test_an_exception_is_still_needed(place: str) -> None:
    checks = [(purity.floats, purity.FLOATS), (purity.blocking_sleeps, purity.SLEEPS)]
    for check, allowed in checks:
        if place in allowed:
            assert [line for line in check(ROOT, {}) if line.startswith(place + ":")], f"{place} needs no exception"


@pytest.mark.parametrize(
    ("check", "place", "text", "line"),
    [
        (purity.effects, "mapping/a.py", "import asyncio", 1),
        (purity.effects, "mapping/a.py", "def f():\n    from pathlib import Path", 2),
        (purity.effects, "controls/a.py", "x = open('rules.yaml')", 1),
        (purity.effects, "controls/a.py", "from datetime import date\nd = date.today()", 2),
        (purity.effects, "model/a.py", "import socket as s", 1),
        (purity.effects, "model/a.py", "x = files('a').joinpath('b').read_text()", 1),
        (purity.sql_outside_ledger, "sync/a.py", "q = 'select id from message'", 1),
        (purity.sql_outside_ledger, "app/a.py", "q = f'''\n insert into {table} values (1)'''", 1),
        (purity.sql_outside_ledger, "console/a.py", "q = 'UPDATE message SET state = 1'", 1),
        (purity.sql_outside_ledger, "cli/a.py", "q = 'select pg_notify(1)'", 1),
        (purity.floats, "sync/a.py", "rate = float('1.1')", 1),
        (purity.blocking_sleeps, "sync/a.py", "import time\ntime.sleep(1)", 2),
        (purity.blocking_sleeps, "sync/a.py", "from time import sleep", 1),
        (purity.swallowed_errors, "sync/a.py", "try:\n    f()\nexcept Exception:\n    pass", 3),
        (purity.swallowed_errors, "sync/a.py", "for x in y:\n    try:\n        f()\n    except:\n        continue", 4),
        (purity.swallowed_errors, "sync/a.py", "try:\n    f()\nexcept (ValueError, Exception):\n    ...", 3),
        (purity.swallowed_errors, "sync/a.py", "with contextlib.suppress(Exception):\n    f()", 1),
    ],
)
def test_a_breach_is_seen(tmp_path: Path, check: Check, place: str, text: str, line: int) -> None:
    plant(tmp_path, f"src/isthmus/{place}", text)
    complaints = list(check(tmp_path))
    assert [complaint.split(" ")[0] for complaint in complaints] == [f"src/isthmus/{place}:{line}:"]


@pytest.mark.parametrize(
    ("check", "place", "text"),
    [
        (purity.effects, "sync/a.py", "import asyncio"),
        (purity.effects, "mapping/a.py", "from datetime import date\nd = date(2026, 1, 1)"),
        (purity.sql_outside_ledger, "ledger/a.py", "q = 'select id from message'"),
        (purity.sql_outside_ledger, "sync/a.py", "t = 'Select a dimension from the list and update the card.'"),
        (purity.sql_outside_ledger, "sync/a.py", '"""We select a row from message here."""'),
        (purity.floats, "sync/a.py", "seconds: float = 1.5"),
        (purity.swallowed_errors, "sync/a.py", "try:\n    f()\nexcept KeyError:\n    pass"),
        (purity.swallowed_errors, "sync/a.py", "try:\n    f()\nexcept Exception:\n    raise"),
    ],
)
def test_what_is_right_is_left_alone(tmp_path: Path, check: Check, place: str, text: str) -> None:
    plant(tmp_path, f"src/isthmus/{place}", text)
    assert list(check(tmp_path)) == []
