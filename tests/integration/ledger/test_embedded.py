"""The embedded server: closed to others, shared by processes, adopted after a kill, stopped by the last that leaves."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from isthmus.errors import StorageFailed
from isthmus.ledger.cluster import read_postmaster
from isthmus.ledger.embedded import Embedded, stop_abandoned

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLD = """
import sys
from pathlib import Path
from isthmus.ledger.embedded import Embedded
held = Embedded.start(Path(sys.argv[1]))
print("holding", flush=True)
sys.stdin.read()
held.stop()
"""


@pytest.fixture(scope="session")
def made_home() -> Iterator[Path]:
    """A home that was started and stopped, to copy: quicker than making each anew, and careless of power cuts."""
    place = Path(tempfile.mkdtemp(prefix="isthmus-test-"))
    Embedded.start(place).stop()
    with (place / "postgres" / "postgresql.auto.conf").open("a") as conf:
        conf.write("fsync = off\n")
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def home(bare_home: Path, made_home: Path) -> Path:
    """A home that was in use before."""
    subprocess.run(["cp", "-a", made_home, bare_home], check=True)
    return bare_home


@pytest.fixture
def bare_home() -> Iterator[Path]:
    """A home that does not exist yet. Not under pytest's folder: see tests/integration/conftest.py."""
    place = Path(tempfile.mkdtemp(prefix="isthmus-test-")) / "home"
    yield place
    reap(place)
    shutil.rmtree(place.parent, ignore_errors=True)


def reap(home: Path) -> None:
    """A failed test leaves no server behind."""
    server = postmaster_of(home)
    if server is not None:
        server.send_signal(signal.SIGINT)
        server.wait(20)


def postmaster_of(home: Path) -> psutil.Process | None:
    found = read_postmaster(home / "postgres")
    if found is None or not psutil.pid_exists(found.pid):
        return None
    return psutil.Process(found.pid)


def another_process(home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    return process


def leave(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=30)
    assert process.returncode == 0


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_data_and_socket_are_closed_to_others_and_no_port_is_open(pg_server: Embedded) -> None:
    assert mode(pg_server.data) == 0o700
    assert mode(pg_server.socket_folder) == 0o700
    server = postmaster_of(pg_server.home)
    assert server is not None
    for process in (server, *server.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # a session that another test just closed
            assert process.net_connections(kind="inet") == []
    with psycopg.connect(pg_server.uri()) as connection:
        settings = dict(
            connection.execute(
                "select name, setting from pg_settings where name = any(%s)",
                (["listen_addresses", "jit", "max_connections", "synchronous_commit", "TimeZone", "lc_messages"],),
            ).fetchall()
        )
    assert settings == {
        "listen_addresses": "", "jit": "off", "max_connections": "100", "synchronous_commit": "on",
        "TimeZone": "UTC", "lc_messages": "C",
    }  # fmt: skip


def test_the_log_names_errors_but_never_values(pg_server: Embedded) -> None:
    with psycopg.connect(pg_server.uri(), autocommit=True) as connection:
        connection.execute("create table secretive (amount text unique)")
        connection.execute("insert into secretive values ('payload-4711')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into secretive values ('payload-4711')")
        connection.execute("drop table secretive")
        logged = ""
        while "duplicate key value" not in logged:  # the log is written by a process of its own
            connection.execute("select pg_sleep(0.02)")
            logged = "".join(path.read_text() for path in (pg_server.data / "log").iterdir())
    assert "4711" not in logged


def test_a_started_home_starts_again_within_a_second_and_keeps_its_data(home: Path) -> None:
    first = Embedded.start(home)
    with psycopg.connect(first.uri()) as connection:
        connection.execute("create table kept as select 42 as answer")
    first.stop()
    first.stop()
    assert postmaster_of(home) is None
    begun = time.monotonic()
    second = Embedded.start(home)
    assert time.monotonic() - begun < 5  # 0.15 s alone on the machine
    with psycopg.connect(second.uri()) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)
    second.stop()


def test_several_holders_share_one_server_and_the_last_one_stops_it(home: Path) -> None:
    mine = Embedded.start(home)
    again = Embedded.start(home)
    other = another_process(home)
    server = postmaster_of(home)
    mine.stop()
    again.stop()
    assert server is not None
    assert server.is_running()
    leave(other)
    assert postmaster_of(home) is None


def test_many_starting_at_once_get_one_server(bare_home: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", HOLD, str(bare_home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
    for process in processes:
        leave(process)
    assert postmaster_of(bare_home) is None


def test_a_killed_holder_neither_stops_the_server_nor_keeps_it(home: Path) -> None:
    mine = Embedded.start(home)
    killed = another_process(home)
    server = postmaster_of(home)
    killed.kill()
    killed.wait()
    assert server is not None
    assert server.is_running()
    with psycopg.connect(mine.uri()) as connection:
        connection.execute("select 1")
    mine.stop()
    assert postmaster_of(home) is None


def test_the_server_of_a_killed_process_is_adopted(home: Path) -> None:
    killed = another_process(home)
    before = postmaster_of(home)
    killed.kill()
    killed.wait()
    adopted = Embedded.start(home)
    after = postmaster_of(home)
    assert before is not None
    assert after is not None
    assert after.pid == before.pid
    adopted.stop()
    assert postmaster_of(home) is None


def test_a_server_without_holders_can_be_stopped_and_one_with_holders_cannot(home: Path) -> None:
    holder = another_process(home)
    assert stop_abandoned(home) is False
    holder.kill()
    holder.wait()
    assert stop_abandoned(home) is True
    assert stop_abandoned(home) is False
    assert postmaster_of(home) is None


def test_starts_after_a_power_loss(home: Path) -> None:
    first = Embedded.start(home)
    with psycopg.connect(first.uri()) as connection:
        connection.execute("create table kept as select 42 as answer")
    server = postmaster_of(home)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    server.wait(10)
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    pid_file = home / "postgres" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))  # the id belongs to another program by now
    first.revive()
    with psycopg.connect(first.uri()) as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)
    first.stop()
    stranger.communicate(b"\n")
    assert postmaster_of(home) is None


def test_a_half_written_pid_file_does_no_harm(home: Path) -> None:
    Embedded.start(home).stop()
    (home / "postgres" / "postmaster.pid").write_text("12")
    Embedded.start(home).stop()


def test_a_start_cut_off_while_making_the_cluster_is_repeated(bare_home: Path) -> None:
    unfinished = bare_home / "postgres.new"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    Embedded.start(bare_home).stop()
    assert not unfinished.exists()


def test_a_home_with_a_long_path_puts_its_socket_elsewhere(bare_home: Path) -> None:
    deep = bare_home / ("a-long-way-down" * 5) / ("and-further" * 5)
    server = Embedded.start(deep)
    try:
        assert server.socket_folder.parent != deep
        assert mode(server.socket_folder) == 0o700
        other = another_process(deep)
        postmaster = postmaster_of(deep)
        assert postmaster is not None
        known = server.uri()
        postmaster.kill()
        postmaster.wait(10)
        Embedded.start(deep).stop()  # a third one starts it again, where the others know it
        with psycopg.connect(known) as connection:
            connection.execute("select 1")
        leave(other)
    finally:
        server.stop()
    assert not server.socket_folder.exists()
    assert postmaster_of(deep) is None


def test_the_callers_locale_and_settings_do_not_matter(bare_home: Path) -> None:
    env = {
        **os.environ,
        "LC_ALL": "tr_TR.UTF-8",
        "LANGUAGE": "de",
        "PGPORT": "1",
        "PGDATA": "/nowhere",
        "TZ": "Asia/Tokyo",
    }
    process = subprocess.run(
        [sys.executable, "-c", HOLD, str(bare_home)],
        env=env,
        input="",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert process.returncode == 0, process.stderr


def test_a_file_in_the_way_is_named(bare_home: Path) -> None:
    bare_home.parent.mkdir(exist_ok=True)
    bare_home.write_text("not a folder")
    with pytest.raises(StorageFailed, match=r"The home .*home cannot be used"):
        Embedded.start(bare_home)


def test_a_data_folder_that_lost_its_cluster_is_not_overwritten(bare_home: Path) -> None:
    (bare_home / "postgres").mkdir(parents=True)
    (bare_home / "postgres" / "base").touch()
    with pytest.raises(StorageFailed, match="PG_VERSION is missing"):
        Embedded.start(bare_home)


@contextmanager
def acting_as(uid: int) -> Iterator[None]:
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_the_home_of_another_user_is_refused(bare_home: Path) -> None:
    bare_home.mkdir(mode=0o755)
    bare_home.parent.chmod(0o755)
    with acting_as(65534), pytest.raises(StorageFailed, match="belongs to the user root"):
        Embedded.start(bare_home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to another user")
def test_root_serves_the_home_of_an_ordinary_user_as_that_user(bare_home: Path) -> None:
    bare_home.mkdir()
    os.chown(bare_home, 65534, 65534)
    server = Embedded.start(bare_home)
    assert server.data.stat().st_uid == 65534
    with acting_as(65534):
        theirs = Embedded.start(bare_home)
        with psycopg.connect(theirs.uri()) as connection:
            connection.execute("select 1")
        theirs.stop()
    assert postmaster_of(bare_home) is not None
    server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to hand the server to another user")
def test_root_lets_others_pass_through_the_folders_above_but_not_look_into_them(home: Path) -> None:
    home.parent.chmod(0o700)
    Embedded.start(home).stop()
    assert mode(home.parent) == 0o701
    assert mode(home) == 0o701
