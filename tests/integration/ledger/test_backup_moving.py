"""Moving a ledger between the embedded server and one of one's own, and where its password does not go."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest

from isthmus.contract.clock import DrivenClock
from isthmus.errors import ConfigurationError, StorageFailed
from isthmus.ledger import cluster
from isthmus.ledger.account import choose_account, open_programs
from isthmus.ledger.backup import backup, restore
from isthmus.ledger.binaries import find_binaries
from isthmus.ledger.database import Database, open_database
from isthmus.ledger.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

STATES = 11
NAMES = "Grün & Söhne 日本 \\ \t 'quoted'"


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return connection.execute(query).fetchall()


@pytest.fixture
def own_server(own_home: Path) -> Iterator[str]:
    """URL of a server of one's own: TCP, a password, no rights beyond its database, an older major if it is there."""
    try:
        binaries = find_binaries(16)
    except StorageFailed:
        binaries = find_binaries()
    data = own_home / "theirs"
    account = choose_account(own_home, data)
    open_programs(account, binaries.folder)
    account.open_way(data)
    cluster.make_cluster(data, account, binaries)
    (data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    socket_folder = cluster.choose_socket_folder(own_home, data, account)
    cluster.launch(data, socket_folder, account, binaries)
    with psycopg.connect(host=str(socket_folder), user="isthmus", dbname="postgres", autocommit=True) as connection:
        connection.execute("alter system set listen_addresses = '127.0.0.1'")
        connection.execute(f"alter system set port = {port}")
        connection.execute("create role clerk login password 'p@ss w:rd/%'")
        connection.execute("create database books owner clerk")
    stop(data)
    restart = ("-D", str(data), "-l", str(data / "start.log"), "-w", "start")
    binaries.run("pg_ctl", *restart, account=account)
    yield f"postgresql://clerk:{quote('p@ss w:rd/%', safe='')}@127.0.0.1:{port}/books"
    stop(data)


def stop(data: Path) -> None:
    postmaster = cluster.read_postmaster(data)
    if postmaster is not None:
        cluster.halt(postmaster, data)


def test_moving_to_a_server_of_ones_own_and_back(
    ledger: Database, empty_database: Database, own_server: str, clock: DrivenClock, tmp_path: Path
) -> None:
    theirs = open_database(tmp_path, own_server, clock=clock)
    assert theirs.embedded is None
    assert "w:rd" not in theirs.shown
    assert restore(theirs, backup(ledger, tmp_path / "there.dump").path).epoch == 2
    assert restore(empty_database, backup(theirs, tmp_path / "back.dump").path).epoch == 3
    assert rows(theirs, "select count(*) from message") == [(STATES,)]
    assert rows(empty_database, "select distinct subject from message") == [(NAMES,)]
    assert migrate(theirs)


def test_the_password_is_in_no_argument(
    own_server: str, clock: DrivenClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = open_database(tmp_path, own_server, clock=clock)
    migrate(theirs)
    seen: list[str] = []
    real = subprocess.Popen.__init__

    def record(self: Any, arguments: list[str], *rest: Any, **options: Any) -> None:
        seen.extend(arguments)
        real(self, arguments, *rest, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", record)
    restore(theirs, backup(theirs, tmp_path / "one.dump").path)
    assert [Path(argument).name for argument in seen if "bin/" in argument] == [
        "pg_dump", "pg_restore", "pg_restore", "pg_restore", "psql",
    ]  # fmt: skip
    assert "rd/%" not in " ".join(seen)


def test_an_unreachable_server_is_named_without_its_password(tmp_path: Path, clock: DrivenClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    database = open_database(tmp_path, f"postgres://clerk:verysecret@127.0.0.1:{port}/books", clock=clock)
    with pytest.raises(StorageFailed, match="does not answer") as refused:
        migrate(database)
    assert "verysecret" not in str(refused.value)
    with pytest.raises(StorageFailed) as refused:
        backup(database, tmp_path / "one.dump")
    assert "verysecret" not in str(refused.value)
    with pytest.raises(ConfigurationError, match="DATABASE_URL") as wrong:
        open_database(tmp_path, "mysql://clerk:verysecret@host/books", clock=clock)
    assert "verysecret" not in str(wrong.value)
