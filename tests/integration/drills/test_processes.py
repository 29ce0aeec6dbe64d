"""Workers as processes that are killed, frozen, stopped, or lose their embedded server. All is real, time too."""

from __future__ import annotations

import os
import signal
import time

import pytest

from integration.drills.bench import LATER, Drill
from integration.trouble.bench import eventually
from isthmus.ledger import cluster

#: Real seconds within which whatever was broken off is taken up again (engine.md: 4.3 s after a kill -9).
TAKEN_OVER = 10.0


@pytest.fixture
def quick(drill: Drill) -> Drill:
    """Polls every second, so that new rows are seen soon."""
    drill.edit("isthmus.yaml", "poll: 60s", "poll: 1s")
    return drill


def booked(drill: Drill, number: int, within: float = 30) -> None:
    eventually(lambda: drill.standing().get("done") == number, within=within)


@pytest.mark.slow
def test_a_worker_that_is_stopped_finishes_its_turn(quick: Drill) -> None:
    drill = quick
    drill.box.fault("latency", seconds=2, match={"action": "post"}, times=1)
    worker = drill.worker()
    eventually(lambda: drill.standing().get("sending"))
    told = worker.end(signal.SIGTERM)
    assert told.code == 0, told
    assert drill.standing() == {"done": 3, "skipped": 1}
    assert drill.ask("select count(*) from procrastinate_jobs where status = 'doing'") == [(0,)]
    drill.holds_the_list()


def test_down_stops_a_server_in_the_same_way_and_its_simulators(quick: Drill) -> None:
    drill = quick
    drill.close_box()
    server = drill.up()
    booked(drill, 3)
    assert drill.command("down").code == 0
    assert server.ended().code == 0
    drill.holds_the_list()  # opens the books anew: nobody has them any more


@pytest.mark.slow
def test_a_killed_workers_connection_goes_to_another(quick: Drill) -> None:
    """kill -9 in the middle of a delivery, its intent committed, its answer not kept."""
    drill = quick
    drill.log_turns()
    drill.environment["ISTHMUS_CRASH_AT"] = "after_call"
    first = drill.worker()
    assert first.ended().code == -signal.SIGKILL
    del drill.environment["ISTHMUS_CRASH_AT"]
    died = time.time()
    second = drill.worker()
    eventually(lambda: drill.turns("finance", second.process.pid), within=30)
    started = drill.turns("finance", second.process.pid)[0].timestamp()
    assert started - died < TAKEN_OVER
    booked(drill, 3)  # looked up: it had been posted
    assert second.end().code == 0
    drill.holds_the_list()


@pytest.mark.slow
def test_a_frozen_worker_that_wakes_commits_nothing_and_frees_nothing(quick: Drill) -> None:
    drill = quick
    drill.log_turns()
    drill.box.fault("latency", seconds=4, match={"action": "post"}, times=1)
    frozen = drill.worker()
    eventually(lambda: drill.standing().get("sending"))
    frozen.process.send_signal(signal.SIGSTOP)
    drill.box.fault("latency", seconds=6, match={"entity": "generalLedgerEntries"}, times=1)
    successor = drill.worker()
    eventually(lambda: drill.turns("finance", successor.process.pid), within=TAKEN_OVER + 5)
    [(job,)] = drill.ask("select id from procrastinate_jobs where lock = 'connection:finance' and status = 'doing'")
    [(fence,)] = drill.ask("select fence from connection where id = 'finance'")
    frozen.process.send_signal(signal.SIGCONT)
    time.sleep(2)  # it runs on: its answer is there, its commit is refused, its job is gone
    assert drill.ask("select id from procrastinate_jobs where lock = 'connection:finance' and status = 'doing'") == [
        (job,)
    ]
    assert drill.ask("select fence, turn_started_at is not null from connection where id = 'finance'") == [
        (fence, True)
    ]
    booked(drill, 3)
    assert drill.ask("select step, outcome from attempt order by id") == [("look up", "done")] * 3
    assert successor.end().code == 0
    assert frozen.end().code == 0
    drill.holds_the_list()


@pytest.mark.slow
def test_a_server_outlives_its_embedded_database(own_drill: Drill) -> None:
    drill = own_drill
    drill.edit("isthmus.yaml", "poll: 60s", "poll: 1s")
    server = drill.up()
    booked(drill, 3)
    postmaster = cluster.read_postmaster(drill.home / "postgres")
    assert postmaster is not None
    os.kill(postmaster.pid, signal.SIGKILL)
    drill.add(*LATER)
    booked(drill, 6)
    now = cluster.read_postmaster(drill.home / "postgres")
    assert now is not None
    assert now.pid != postmaster.pid
    assert drill.command("restore", str(drill.backup())).code == 1  # it holds its ledger again
    assert server.end().code == 0
    drill.holds_the_list()
    assert len(list((drill.home / "backups").glob("ledger-*.dump"))) == 1  # the daily one


@pytest.mark.slow
def test_a_command_outlives_its_embedded_database(own_drill: Drill) -> None:
    drill = own_drill
    drill.box.fault("latency", seconds=2, match={"entity": "accounts"}, times=1)
    running = drill.start("sync", "--json")
    eventually(lambda: (drill.home / "postgres" / "postmaster.pid").exists() and drill.reading("accounts"))
    postmaster = cluster.read_postmaster(drill.home / "postgres")
    assert postmaster is not None
    os.kill(postmaster.pid, signal.SIGKILL)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 0, (out, err)
    drill.holds_the_list()


@pytest.mark.slow
def test_two_starting_together_share_their_simulator(own_drill: Drill) -> None:
    """Neither fails for the other, and the one that started it leaves it to the one that goes on."""
    drill = own_drill
    drill.close_box()
    both = [drill.start("check", "--json"), drill.start("check", "--json")]
    for process in both:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, (out, err)
    assert not (drill.home / "sandbox" / "finance" / "sandbox.json").exists()  # stopped by the last
