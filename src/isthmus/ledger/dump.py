"""pg_dump, pg_restore and psql on a ledger: write its schema into one file, load such a file in one transaction.

The client programs of the wheel speak to older servers too, so this works for the embedded server and for one's own.
Passwords travel in the environment of the child (PGPASSWORD), never in its arguments, which everybody can read.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from isthmus.errors import ConfigurationError, StorageFailed
from isthmus.ledger.binaries import Binaries, ProgramFailed, failed, find_binaries
from isthmus.ledger.database import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

# Rows of the engine say who works next, never what is true: a ledger without them loses nothing (design.md §4).
_ENGINE_ROWS = f"--exclude-table-data={SCHEMA}.procrastinate_*"

# A setting that only servers from PostgreSQL 17 on know, and that pg_restore 18 writes for every server.
_NEW_SETTING = b"SET transaction_timeout = 0;\n"
_NEW_SETTING_SINCE = 170000
_HEAD_LINES = 60  # the settings stand before the first statement


def dump(uri: str, target: Path) -> None:
    """Write the ledger behind `uri` into the existing file `target` (custom format): one snapshot, without job rows.

    Raises:
        StorageFailed: pg_dump could not finish. What is in `target` is then worthless.
    """
    place, env = _client(uri)
    options = ("--format=custom", f"--schema={SCHEMA}", _ENGINE_ROWS, "--no-owner", "--no-privileges")
    try:
        find_binaries().run("pg_dump", *options, f"--file={target}", f"--dbname={place}", env=env, timeout=6 * 3600)
    except ProgramFailed as failure:
        if "server version mismatch" in failure.output:
            raise StorageFailed(
                "The server is newer than the pg_dump of this installation.",
                hint="Back it up with the pg_dump of that server, or update Isthmus.",
            ) from failure
        raise


def check(source: Path) -> None:
    """Raise unless `source` can be read to its end as a backup of a ledger.

    Raises:
        ConfigurationError: It is missing, damaged, or holds something else.
    """
    if not source.is_file():
        raise ConfigurationError(
            f"There is no backup {source}.", hint="Daily backups lie in the folder backups of the home."
        )
    try:
        listed = find_binaries().run("pg_restore", "--list", str(source))
    except ProgramFailed as failure:
        raise ConfigurationError(
            f"{source} cannot be read as a backup.", hint="It is damaged or no backup of Isthmus; take another one."
        ) from failure
    if f"TABLE DATA {SCHEMA} message " not in listed or f"TABLE DATA {SCHEMA} meta " not in listed:
        raise ConfigurationError(f"{source} is a PostgreSQL backup, but not of a ledger of Isthmus.")


def load(source: Path, uri: str, *, server_version: int, before: str, after: str) -> None:
    """Run `before`, the content of `source`, and `after` in ONE transaction: all of it, or nothing.

    A crash of ours on the way leaves psql without its commit, so the server rolls back. `server_version` as libpq
    gives it (180004).

    Raises:
        StorageFailed: Something did not work; the database is as it was.
    """
    binaries = find_binaries()
    place, env = _client(uri)
    everything = {**os.environ, **env}
    with tempfile.TemporaryFile() as read_errors, tempfile.TemporaryFile() as load_errors:
        reader = subprocess.Popen(  # noqa: S603 - programs of our own installation, no shell
            [str(binaries.folder / "pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(source)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=read_errors, env=everything,
        )  # fmt: skip
        loader = _psql(binaries, place, everything, load_errors)
        try:
            complete = _pump(reader, loader, before, after, old=server_version < _NEW_SETTING_SINCE)
        finally:
            for process in (loader, reader):  # psql first: while it lives, its transaction is open
                if process.poll() is None:
                    process.kill()
                process.wait()
        if loader.returncode != 0:
            raise failed("psql", _text(load_errors))
        if not complete:
            raise failed("pg_restore", _text(read_errors))


def _psql(binaries: Binaries, place: str, env: dict[str, str], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - programs of our own installation, no shell
        [str(binaries.folder / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", place],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, env=env,
    )  # fmt: skip


def _pump(
    reader: subprocess.Popen[bytes], loader: subprocess.Popen[bytes], before: str, after: str, *, old: bool
) -> bool:
    """Feed psql. False, and no commit, when pg_restore did not reach its end."""
    source, sink = reader.stdout, loader.stdin
    if source is None or sink is None:
        return False
    complete = False
    try:
        with source, sink:
            sink.write(f"BEGIN;\n{before}\n".encode())
            for _ in range(_HEAD_LINES):
                line = source.readline()
                if not (old and line == _NEW_SETTING):
                    sink.write(line)
            while chunk := source.read(1 << 16):
                sink.write(chunk)
            complete = reader.wait() == 0
            sink.write(f"\n{after}\nCOMMIT;\n".encode() if complete else b"\nROLLBACK;\n")
    except BrokenPipeError:
        pass  # psql stopped at an error; its exit code and words tell
    loader.wait()
    return complete


def _client(uri: str) -> tuple[str, dict[str, str]]:
    """Connection string without secrets, and the environment that carries them."""
    parts = {name: value for name, value in conninfo_to_dict(uri).items() if value is not None}
    if "sslpassword" in parts:
        raise ConfigurationError(
            "DATABASE_URL holds sslpassword, which cannot be handed to pg_dump safely.",
            hint="Use a client key without password, readable by this user only.",
        )
    password = parts.pop("password", None)
    env = {**os.environ, "LC_ALL": "C"}
    if password is not None:
        env["PGPASSWORD"] = str(password)
    return make_conninfo("", **parts), env


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
