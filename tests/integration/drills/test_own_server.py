"""A server of one's own by DATABASE_URL: the same work, by several processes, and the way there and back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
import yaml

from integration.drills.bench import LATER, ROWS, Drill
from integration.drills.own_server import PASSWORD, OwnServer
from integration.trouble.bench import eventually

#: More lists of the same kind, so that several connections have something to do.
SITES = ("north", "south", "west")


def more_sites(drill: Drill) -> None:
    """Three more maintenance systems with a list each; rows are told apart by their connection."""
    project = yaml.safe_load((drill.project / "isthmus.yaml").read_text("utf-8"))
    source = project["connections"]["maintenance"]
    source["poll"] = "1s"
    flow = yaml.safe_load((drill.project / "flows" / "work-order-costs.yaml").read_text("utf-8"))
    for site in SITES:
        folder = drill.list.parents[1] / site
        shutil.copytree(drill.list.parent, folder, ignore=shutil.ignore_patterns("*results*"))
        project["connections"][site] = source | {"folder": f"${{data}}/{site}"}
        drill.write(
            f"flows/{site}.yaml", yaml.safe_dump(flow | {"flow": f"costs-of-{site}", "source": {"connection": site}})
        )
    drill.write("isthmus.yaml", yaml.safe_dump(project, sort_keys=False))


def booked_once(drill: Drill, number: int) -> None:
    done = drill.messages("state = 'done'")
    assert len(done) == number
    assert set(drill.postings().values()) == {1}
    assert int(drill.books()["documents"]) == number
    assert int(drill.books()["unposted_lines"]) == 0


def test_the_same_command_works_on_a_server_of_ones_own(served_drill: Drill) -> None:
    drill = served_drill
    drill.ends()
    drill.holds_the_list()
    assert not (drill.home / "postgres").exists()
    drill.add(*LATER)
    drill.ends()
    drill.holds_the_list()
    shown = json.loads(drill.command("status", "--json").out)
    assert shown["messages"]["done"] == 6


@pytest.mark.slow
def test_the_ledger_moves_from_the_embedded_server_to_ones_own_and_back(
    own_drill: Drill, own_server: OwnServer
) -> None:
    drill = own_drill
    drill.ends()
    before = drill.end_state()
    moving = drill.backup("there.dump")
    drill.url = own_server.database()
    drill.restore(moving)
    drill.box.reset_calls()
    drill.ends()
    assert drill.written() == 0
    assert drill.end_state() == before
    drill.add(*LATER)
    drill.ends()
    drill.holds_the_list()
    after = drill.end_state()
    back = drill.backup("back.dump")
    drill.url = None
    drill.restore(back)
    drill.ends()
    assert drill.end_state() == after


@pytest.mark.slow
def test_workers_share_the_connections_and_double_nothing(served_drill: Drill) -> None:
    drill = served_drill
    more_sites(drill)
    drill.ends()  # makes the ledger
    drill.log_turns()
    drill.box.fault("latency", seconds=0.2, match={"entity": "$batch"})
    workers = [drill.worker(), drill.worker(), drill.up()]
    for site in ("excavators", *SITES):
        file = drill.list.parents[1] / site / "work_orders.csv"
        file.write_text(file.read_text("utf-8") + "\n".join(LATER) + "\n", "utf-8")
    wanted = 3 * 4 + 3 * 4
    eventually(lambda: drill.standing().get("done") == wanted, within=60)
    eventually(
        lambda: len({row[0] for row in drill.ask("select distinct holder from turns where holder <> ''")}) == 3,
        within=60,
    )
    for worker in workers:
        assert worker.end().code == 0
    booked_once(drill, wanted)


@pytest.mark.slow
def test_the_password_is_in_no_argument_and_no_log(served_drill: Drill, tmp_path: Path) -> None:
    drill = served_drill
    server, worker = drill.up(), drill.worker()
    eventually(lambda: drill.standing().get("done") == len(ROWS) - 1)
    for process in (server.process, worker.process):
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        arguments = " ".join(word for one in family for word in one.cmdline())
        assert PASSWORD not in arguments
        assert quote(PASSWORD, safe="") not in arguments
    assert server.end().code == 0
    assert worker.end().code == 0
    drill.backup()
    wrong = drill.url
    assert wrong is not None
    drill.url = wrong.replace(quote(PASSWORD, safe=""), "n0t-the-0ne")
    assert drill.sync().code == 1
    assert drill.command("status", "--debug").code == 1
    drill.url = wrong
    assert not drill.betrayed(PASSWORD, quote(PASSWORD, safe=""), "n0t-the-0ne")
