"""kill -9 at moments nobody chose, with a service that throttles, fails, loses answers and commits late."""

from __future__ import annotations

import functools
import random
from decimal import Decimal

import pytest

from crash.worker import Worker, check, end_state, rows
from integration.work_order_costs.bench import PUBLISHED, Mine

LIST = PUBLISHED / "excavators" / "work_orders.csv"
#: Some 5 % of the calls refused, 1 % of the answers lost, postings and lines that take effect half a minute later.
FAULTS = (
    ("status", {"code": 429, "retry_after": 2}, {"probability": 0.025, "seed": 11}),
    ("status", {"code": 503}, {"probability": 0.025, "seed": 12}),
    ("lose_after", {}, {"probability": 0.005, "seed": 13}),
    ("lose_before", {}, {"probability": 0.005, "seed": 14}),
    ("late_commit", {"seconds": 30}, {"action": "post", "probability": 0.2, "seed": 15}),
    ("late_commit", {"seconds": 30}, {"entity": "$batch", "probability": 0.05, "seed": 16}),
)


def troubled(mine: Mine) -> None:
    for kind, parameters, match in FAULTS:
        mine.box.fault(kind, match=match, **parameters)


def small_journals(mine: Mine) -> None:
    mine.edit("isthmus.yaml", "    environment: sandbox\n", "    environment: sandbox\n    documents_per_journal: 20\n")


def killed(mine: Mine, times: int, seed: int, stride: int) -> int:
    """Start workers and kill each after so many calls, drawn at random. Returns how many were killed at work."""
    draw = random.Random(seed)
    count = 0
    for _ in range(times):
        target = mine.box.calls()["requests"] + draw.randint(1, stride)
        with Worker(mine) as worker:
            reached = worker.until(functools.partial(_called, mine, target))
            assert reached or worker.ends() == 0, worker.output
            count += reached
    return count


def _called(mine: Mine, times: int) -> bool:
    return int(mine.box.calls()["requests"]) >= times


def finished(mine: Mine, within: float = 120) -> None:
    with Worker(mine) as worker:
        assert worker.ends(within) == 0, worker.output
    mine.box.clear_faults()
    mine.box.advance(3600)


async def same_as_clean(killed_mine: Mine, clean_mine: Mine) -> None:
    """Both ends look as if nothing had ever gone wrong."""
    clean_mine.save(*killed_mine.lines[1:])
    await clean_mine.run()
    assert end_state(killed_mine) == end_state(clean_mine)


async def test_killed_thrice_in_a_troubled_service(own_mine: Mine, mine: Mine) -> None:
    """With the embedded PostgreSQL, which lives on alone and is adopted by the next start."""
    small_journals(own_mine)
    own_mine.save(*rows(240, seed=4))
    troubled(own_mine)
    assert killed(own_mine, times=3, seed=5, stride=60) == 3
    finished(own_mine)
    check(own_mine)
    await same_as_clean(own_mine, mine)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [21, 22])
async def test_killed_ten_times_in_a_troubled_service(own_mine: Mine, mine: Mine, seed: int) -> None:
    small_journals(own_mine)
    own_mine.save(*rows(600, seed=seed))
    troubled(own_mine)
    assert killed(own_mine, times=10, seed=seed, stride=60) >= 5
    finished(own_mine)
    check(own_mine)
    await same_as_clean(own_mine, mine)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not LIST.exists(), reason="the published list is not beside this checkout")
async def test_the_published_list_survives_ten_kills(own_mine: Mine, mine: Mine) -> None:
    own_mine.lines = LIST.read_text("utf-8").splitlines()
    own_mine.save()
    troubled(own_mine)
    assert killed(own_mine, times=10, seed=31, stride=200) == 10
    finished(own_mine, within=600)
    assert own_mine.charged() == Decimal("17506068.13")
    assert own_mine.standing() == {"dead": 1, "done": 4196, "skipped": 1288}
    await same_as_clean(own_mine, mine)
