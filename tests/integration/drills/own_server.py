"""A PostgreSQL of one's own, as a user runs it: TCP, a password, a role without rights beyond its database."""

from __future__ import annotations

import itertools
import socket
from pathlib import Path
from urllib.parse import quote

import psycopg

from isthmus.errors import StorageFailed
from isthmus.ledger import cluster
from isthmus.ledger.account import choose_account, open_programs
from isthmus.ledger.binaries import find_binaries

#: With everything in it that an address has to escape.
PASSWORD = "p@ss w:rd/%"


class OwnServer:
    """Runs from construction to `stop`."""

    def __init__(self, place: Path) -> None:
        self._data = place / "theirs"
        self._numbers = itertools.count(1)
        try:
            binaries = find_binaries(16)
        except StorageFailed:
            binaries = find_binaries()
        account = choose_account(place, self._data)
        open_programs(account, binaries.folder)
        account.open_way(self._data)
        cluster.make_cluster(self._data, account, binaries)
        hba = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (self._data / "pg_hba.conf").write_text(hba)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._socket = cluster.choose_socket_folder(place, self._data, account)
        cluster.launch(self._data, self._socket, account, binaries)
        self._as_owner(
            cluster.PORT,
            "alter system set listen_addresses = '127.0.0.1'",
            f"alter system set port = {self._port}",
            f"create role clerk login password '{PASSWORD}'",
        )
        self.stop()
        again = ("-D", str(self._data), "-l", str(self._data / "start.log"), "-w", "start")
        binaries.run("pg_ctl", *again, account=account)

    def _as_owner(self, port: int, *statements: str) -> None:
        with psycopg.connect(
            host=str(self._socket), port=port, user=cluster.SUPERUSER, dbname="postgres", autocommit=True
        ) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def database(self) -> str:
        """Address of a fresh database."""
        name = f"books_{next(self._numbers)}"
        self._as_owner(self._port, f"create database {name} owner clerk")
        return f"postgresql://clerk:{quote(PASSWORD, safe='')}@127.0.0.1:{self._port}/{name}"

    def stop(self) -> None:
        postmaster = cluster.read_postmaster(self._data)
        if postmaster is not None:
            cluster.halt(postmaster, self._data)
