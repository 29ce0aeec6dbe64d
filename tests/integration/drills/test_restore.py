"""The restore drill: a ledger that is older than the world loses nothing and doubles nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from integration.drills.bench import LATER, Drill
from integration.trouble.bench import eventually
from isthmus.ledger.types import MessageRow


def held(drill: Drill) -> MessageRow:
    return drill.only("state = 'held'")


async def correct(drill: Drill, cost: str, row: str = LATER[0]) -> None:
    """The cost of a booked row changes, and a person corrects what is booked."""
    drill.replace(row, f"{row.rpartition(',')[0]},{cost}")
    await drill.run()
    acted = await drill.act("correct", held(drill))
    assert [one.done for one in acted] == [True], acted


def test_what_was_booked_after_the_backup_is_found_and_not_sent_again(drill: Drill) -> None:
    drill.ends()
    taken = drill.backup()
    drill.add(*LATER)
    drill.ends()
    before = drill.end_state()

    told = json.loads(drill.restore(taken, "--json").out)
    assert told["epoch"] == 2
    assert drill.standing() == {"done": 3, "skipped": 1}
    drill.box.reset_calls()
    drill.ends()

    assert drill.end_state() == before
    drill.holds_the_list()
    assert drill.written() == 0  # looked up, never sent
    [looked] = [number for path, number in drill.box.calls()["by_path"].items() if "generalLedgerEntries" in path]
    assert looked >= 1
    assert set(drill.ask("select step, outcome from attempt where at > (select value from meta where name ="
                         " 'restored_at')::timestamptz")) == {("look up", "done")}  # fmt: skip


def test_what_was_never_sent_is_sent_after_the_settle_time_and_once(drill: Drill) -> None:
    taken = drill.backup()
    drill.ends()
    drill.restore(taken)
    restored_at = drill.ask("select value::timestamptz from meta where name = 'restored_at'")[0][0]
    drill.add(LATER[0])  # of this one the lost ledger knew nothing
    drill.ends()
    drill.holds_the_list()
    sent = drill.only("amount = 183.05")
    assert sent.sent_at is not None
    assert (sent.sent_at - restored_at).total_seconds() > 600  # Business Central may execute a call for ten minutes


def test_a_call_that_the_lost_ledger_made_may_land_late(drill: Drill) -> None:
    """It was in flight when the machine died, and the backup is restored at once: the settle time is waited for."""
    drill.ends()
    taken = drill.backup()
    drill.add(LATER[0])
    drill.box.fault("late_commit", seconds=500, match={"action": "post"}, times=1)
    drill.environment["ISTHMUS_CRASH_AT"] = "after_call"
    assert drill.command_apart("sync").code == -9
    del drill.environment["ISTHMUS_CRASH_AT"]
    assert drill.books()["documents"] == 3
    drill.box.clear_faults()
    drill.restore_when_free(taken)
    drill.ends()
    drill.holds_the_list()


async def test_a_correction_made_after_the_backup_is_not_made_twice(drill: Drill) -> None:
    drill.add(LATER[0])
    await drill.run()
    taken = drill.backup()
    drill.add(LATER[1])
    await drill.run()
    await correct(drill, "210.00")
    before = drill.end_state()
    drill.restore(taken)  # now both come at once, so messages have other numbers than before
    await drill.run()
    assert held(drill).code == "already_booked"  # the decision of the person went with the lost ledger
    drill.box.reset_calls()
    await drill.act("correct", held(drill))
    assert drill.written() == 0
    assert drill.end_state()["books"] == before["books"]
    assert set(drill.postings().values()) == {1}


async def test_several_corrections_after_the_backup_are_left_to_a_person(drill: Drill) -> None:
    """The restored ledger cannot know the steps between. It must not book over them."""
    drill.add(LATER[0])
    await drill.run()
    taken = drill.backup()
    await correct(drill, "210.00")
    await correct(drill, "55.50", LATER[0].replace("183.05", "210.00"))
    before = drill.books()
    drill.restore(taken)
    await drill.run()
    await drill.act("correct", held(drill))
    assert drill.books() == before
    refused = drill.only("state in ('held', 'dead')")
    assert refused.code == "number_taken"


async def test_a_cost_taken_away_and_given_again_after_the_backup_is_found(drill: Drill) -> None:
    drill.add(LATER[0])
    await drill.run()
    taken = drill.backup()
    await correct(drill, "0")
    drill.replace(LATER[0].replace("183.05", "0"), LATER[0].replace("183.05", "99.00"))
    await drill.run()
    before = drill.books()
    drill.restore(taken)
    await drill.run()
    await drill.act("correct", held(drill))
    assert drill.books() == before
    assert set(drill.postings().values()) == {1}


async def test_stopped_messages_released_after_the_backup_are_looked_up_when_released_again(drill: Drill) -> None:
    drill.block("8420")
    await drill.run()
    stopped = drill.messages("state in ('held', 'dead')")
    assert stopped
    taken = drill.backup()
    drill.block("8420", blocked=False)
    await drill.run()  # the chart of accounts is read anew
    await drill.act("retry", *stopped)
    drill.holds_the_list()
    before = drill.end_state()

    drill.restore(taken)
    assert drill.messages("state in ('held', 'dead')")  # they stay with their person
    await drill.run()
    drill.box.reset_calls()
    await drill.act("retry", *drill.messages("state in ('held', 'dead')"))
    assert drill.written() == 0
    assert drill.end_state() == before


def test_an_unknown_outcome_in_the_backup_is_resolved(drill: Drill) -> None:
    drill.box.fault("lose_after", match={"action": "post"}, times=1)
    drill.environment["ISTHMUS_CRASH_AT"] = "after_confirm"
    assert drill.command_apart("sync").code == -9
    del drill.environment["ISTHMUS_CRASH_AT"]
    assert drill.standing() == {"uncertain": 3, "skipped": 1}
    taken = drill.backup()
    told = drill.restore_when_free(taken)
    assert told["looked_up"] == 3
    drill.box.reset_calls()
    drill.ends()
    assert not [path for path in drill.box.calls()["by_path"] if path.startswith(("POST comp", "POST $b", "PATCH"))]
    drill.holds_the_list()


def test_a_journal_that_the_lost_ledger_left_is_not_left_lying(drill: Drill) -> None:
    """It stood filled and unposted when the machine died; whoever posted it later would book everything twice."""
    drill.ends()
    taken = drill.backup()
    drill.add(LATER[0])
    drill.box.fault("lose_before", match={"action": "post"}, times=1)
    drill.environment["ISTHMUS_CRASH_AT"] = "after_call"
    assert drill.command_apart("sync").code == -9
    del drill.environment["ISTHMUS_CRASH_AT"]
    assert drill.books()["unposted_lines"] > 0
    drill.restore_when_free(taken)
    drill.ends()
    drill.holds_the_list()


def test_sources_are_told_everything_once_more(drill: Drill) -> None:
    """The results file says what the lost ledger knew; afterwards it says what is true."""
    drill.ends()
    before = drill.end_state()
    taken = drill.backup()
    results = drill.list.parent / "work_orders.results.csv"
    results.write_text(results.read_text("utf-8").replace("done", "held"), "utf-8")
    drill.restore(taken)
    drill.ends()
    assert drill.end_state() == before


def test_a_restore_under_a_server_is_refused_and_nothing_is_lost(drill: Drill) -> None:
    drill.ends()
    taken = drill.backup()
    server = drill.up()
    told = drill.command("restore", str(taken), "--json")
    assert (told.code, json.loads(told.err)["error"]["code"]) == (1, "home_busy")
    drill.add(*LATER)
    drill.ends()
    assert server.end().code == 0
    drill.holds_the_list()
    assert drill.ask("select value from meta where name = 'epoch'") == [("1",)]


def test_a_server_that_was_overlooked_ends_by_itself_after_a_restore(drill: Drill) -> None:
    """It was cut off from the database so long that it counted as gone. What it knows is of another ledger."""
    drill.ends()
    taken = drill.backup()
    server = drill.up()
    eventually(lambda: drill.ask("select 1 from procrastinate_workers"))
    with drill.ledger() as connection:  # what a restore does that did not see it
        connection.execute("update meta set value = '2' where name = 'epoch'")
        connection.execute("update connection set next_due = now()")
    told = server.ended()
    assert told.code == 1
    assert "restored" in told.err
    drill.restore(taken)
    drill.ends()
    drill.holds_the_list()


@pytest.mark.parametrize("kind", ["text", "half", "none"])
def test_what_is_no_backup_is_refused_and_the_ledger_stays(drill: Drill, kind: str) -> None:
    drill.ends()
    before = drill.end_state()
    source = drill.home / "other.dump"
    if kind == "text":
        source.write_text("no backup", "utf-8")
    elif kind == "half":
        source.write_bytes(drill.backup().read_bytes()[:2000])
    told = drill.command("restore", str(source), "--json")
    assert (told.code, json.loads(told.err)["error"]["code"]) == (1, "configuration")
    assert drill.end_state() == before
    assert not list((drill.home / "backups").glob("*"))


def test_the_ledger_that_is_replaced_is_kept_and_can_be_brought_back(drill: Drill) -> None:
    taken = drill.backup()
    drill.ends()
    before = drill.end_state()
    told = json.loads(drill.restore(taken, "--json").out)
    kept = Path(told["kept"])
    assert kept.parent == drill.home / "backups"
    assert drill.standing() == {}
    again = json.loads(drill.restore(kept, "--json").out)
    assert again["kept"] is None  # an empty ledger is not worth a file
    assert drill.end_state() == before
    drill.ends()
    assert drill.end_state() == before
    assert json.loads(drill.command("status", "--json").out)["backup"]["kept"] == 0  # it is none of the daily ones


def test_a_ledger_that_cannot_be_kept_is_replaced_only_on_request(drill: Drill) -> None:
    drill.ends()
    taken = drill.backup()
    (drill.home / "backups").write_text("in the way", "utf-8")
    told = drill.command("restore", str(taken), "--json")
    assert told.code == 1
    assert "--discard" in json.loads(told.err)["error"]["hint"]
    assert drill.ask("select value from meta where name = 'epoch'") == [("1",)]
    assert json.loads(drill.restore(taken, "--discard", "--json").out)["kept"] is None
    assert drill.ask("select value from meta where name = 'epoch'") == [("2",)]


def test_status_shows_the_age_of_the_newest_backup(drill: Drill) -> None:
    drill.ends()
    assert json.loads(drill.command("status", "--json").out)["backup"] == {"age_hours": None, "kept": 0}
    assert drill.command("backup").code == 0
    shown = json.loads(drill.command("status", "--json").out)["backup"]
    assert shown["kept"] == 1
    assert 0 <= float(shown["age_hours"]) < 0.1
    assert "Newest backup" in drill.command("status").out


@pytest.mark.slow
def test_an_unreadable_cluster_is_replaced_by_a_new_one(own_drill: Drill) -> None:
    drill = own_drill
    drill.ends()
    before = drill.end_state()
    taken = drill.backup()
    drill.add(*LATER)
    drill.ends()
    shutil.rmtree(drill.home / "postgres" / "base")
    told = drill.command("restore", str(taken))
    assert told.code == 1
    drill.restore(taken, "--new-cluster")
    assert drill.standing() == {"done": 3, "skipped": 1}
    drill.ends()
    drill.holds_the_list()
    assert before["messages"] == [row for row in drill.end_state()["messages"] if row in before["messages"]]
    assert list(drill.home.glob("postgres-*"))


def test_a_new_cluster_is_not_made_where_the_server_is_ones_own(drill: Drill) -> None:
    taken = drill.backup()
    told = drill.command("restore", str(taken), "--new-cluster", "--json")
    assert (told.code, json.loads(told.err)["error"]["code"]) == (1, "configuration")
