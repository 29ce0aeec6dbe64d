"""Time in several processes: a server waits, a command jumps, and both see one simulated time. And what time brings:
daily backups, waiting that has an end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integration.drills.bench import LATER, Drill
from integration.trouble.bench import eventually
from isthmus.app.upkeep import back_up
from isthmus.cli.simulation import SandboxClock
from isthmus.contract.clock import DrivenClock
from isthmus.sandbox.server import SandboxProcess, find, start_process
from isthmus.sync.expire import expire_waiting

SEED = Path(__file__).resolve().parents[3] / "examples" / "real-data" / "sandbox.yaml"
NEAR = timedelta(seconds=2)


def seen_from_elsewhere(drill: Drill, *, jumps: bool) -> SandboxClock:
    """The clock another process would have."""
    box = find(drill.home / "sandbox" / "finance")
    assert box is not None
    return SandboxClock([box], jumps=jumps)


def test_a_jump_of_one_process_is_seen_by_the_others_at_once(drill: Drill) -> None:
    waits, jumps = seen_from_elsewhere(drill, jumps=False), seen_from_elsewhere(drill, jumps=True)
    before = waits.now()
    asyncio.run(jumps.sleep(3600))
    assert timedelta(hours=1) <= waits.now() - before < timedelta(hours=1) + NEAR
    drill.box.advance(60)
    assert abs(waits.now() - jumps.now()) < NEAR
    assert abs(waits.now() - datetime.fromisoformat(drill.box.clock()["now"])) < NEAR


async def test_who_waits_is_woken_by_a_jump(drill: Drill) -> None:
    waits = seen_from_elsewhere(drill, jumps=False)
    waiting = asyncio.create_task(waits.sleep(1800))
    await asyncio.sleep(0)
    await seen_from_elsewhere(drill, jumps=True).sleep(1800)
    await asyncio.wait_for(waiting, 5)


def test_several_simulators_jump_to_one_time(tmp_path: Path) -> None:
    boxes: list[SandboxProcess] = []
    try:
        boxes += [start_process(tmp_path / name, SEED, idle_exit=60) for name in ("one", "two")]
        boxes[1].advance(500)  # they need not have begun together
        clock = SandboxClock(boxes, jumps=True)
        before = clock.now()
        asyncio.run(clock.sleep(7200))
        moments = [datetime.fromisoformat(box.clock()["now"]) for box in boxes]
        assert all(abs(moment - before - timedelta(hours=2)) < NEAR for moment in moments)
    finally:
        for box in boxes:
            box.stop()


@pytest.mark.slow
def test_a_command_beside_a_server_waits_out_a_settle_time_for_both(own_drill: Drill) -> None:
    """The server has the lost call, the command jumps: the time is over for both, and for the target too."""
    drill = own_drill
    server = drill.up()
    eventually(lambda: drill.standing().get("done") == 3)
    drill.box.fault("late_commit", seconds=500, match={"action": "post"}, times=1)
    drill.add(*LATER)
    drill.ends()
    assert drill.standing()["done"] == 6
    drill.holds_the_list()
    found = {row[0] for row in drill.ask("select outcome from attempt where step = 'look up'")}
    assert found == {"done"}  # it had landed by then, and was not sent again
    drill.box.fault("lose_before", match={"action": "post"}, times=1)
    drill.add("2025-03-01,A,500 h service,PM02,99.95")
    drill.ends()
    lost, again = drill.ask(
        "select at from attempt where message_id = (select max(id) from message where state = 'done')"
        " and step in ('deliver', 'send') order by id"
    )
    assert (again[0] - lost[0]).total_seconds() > 600
    assert server.end().code == 0
    drill.holds_the_list()


async def test_a_server_backs_up_once_a_day(own_drill: Drill) -> None:
    drill = own_drill
    clock = DrivenClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    async with drill.session() as session:
        made = []
        for _ in range(9):
            made += [await back_up(session.runtime, clock), await back_up(session.runtime, clock)]
            clock.advance(86_400)
        assert [info is not None for info in made] == [True, False] * 9
    kept = sorted(path.name for path in (drill.home / "backups").glob("ledger-*.dump"))
    assert [name[7:15] for name in kept] == [f"202603{day:02}" for day in range(3, 10)]


async def test_a_ledger_of_ones_own_server_is_backed_up_by_its_owner(drill: Drill) -> None:
    async with drill.session() as session:
        assert await back_up(session.runtime, DrivenClock(datetime(2026, 3, 1, tzinfo=UTC))) is None


async def test_what_waits_too_long_is_held_and_its_source_is_told(drill: Drill) -> None:
    await drill.run()
    with drill.ledger() as connection:
        connection.execute(
            """update message set state = 'waiting', waits_for = 'cost_centre/PIT MINING/X', code = 'reference_missing',
                      reason = 'cost centre X does not exist yet' where amount = 212.35"""
        )
        connection.execute("update message set state = 'waiting', waits_for = 'message:1' where amount = 3140")
    async with drill.session() as session:
        assert await expire_waiting(session.runtime.world) == 0
    drill.box.advance(25 * 3600)  # the flow's limit is a day
    async with drill.session() as session:
        assert await expire_waiting(session.runtime.world) == 1
        assert await expire_waiting(session.runtime.world) == 0
    held = drill.only("state = 'held'")
    assert held.code == "waited_too_long"
    assert "cost centre X" in held.reason
    assert drill.only("state = 'waiting'").waits_for == "message:1"
    await drill.run()
    assert drill.standing()["held"] == 1
    assert [told[2] for told in drill.told() if told[4] == "212.35"] == ["held"]


def test_a_command_holds_what_waited_too_long_as_well(drill: Drill) -> None:
    """Who only ever runs `sync` by a timer is not left with messages that wait for ever."""
    drill.ends()
    with drill.ledger() as connection:
        connection.execute(
            "update message set state = 'waiting', waits_for = 'x', reason = 'x',"
            " changed_at = now() - interval '2 days' where amount = 212.35"
        )
    assert drill.sync().code == 2
    assert drill.only("state = 'held'").code == "waited_too_long"
