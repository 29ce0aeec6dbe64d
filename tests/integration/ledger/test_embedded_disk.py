"""The embedded server on a disk that is full or read-only. Needs root, who alone may mount a small disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from isthmus.contract.clock import SystemClock
from isthmus.errors import StorageFailed
from isthmus.ledger import cluster
from isthmus.ledger.database import Database, open_database, storage_errors
from isthmus.ledger.embedded import Embedded

if TYPE_CHECKING:
    from collections.abc import Iterator


def mounted(options: str) -> Iterator[Path]:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root mounts")
    place = Path(tempfile.mkdtemp(prefix="isthmus-test-"))
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=False, capture_output=True
    ).returncode:
        place.rmdir()
        pytest.skip("mounting is not permitted here")
    yield place
    postmaster = cluster.read_postmaster(place / "postgres")
    if postmaster is not None:  # a failed test leaves no server behind
        cluster.halt(postmaster, place / "postgres")
    subprocess.run(["umount", "-l", place], check=True)
    place.rmdir()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    yield from mounted("size=140m")


@pytest.fixture
def tiny_disk() -> Iterator[Path]:
    yield from mounted("size=4m")


def test_a_full_disk_is_named_at_the_first_start(tiny_disk: Path) -> None:
    with pytest.raises(StorageFailed, match="disk is full"):
        Embedded.start(tiny_disk)
    assert not (tiny_disk / "postgres").exists()
    assert not (tiny_disk / "postgres.new").exists()


def test_a_read_only_home_is_named(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StorageFailed, match="Read-only file system"):
        Embedded.start(small_disk)


def test_a_full_disk_loses_nothing_that_was_committed(small_disk: Path) -> None:
    database = open_database(small_disk, None, clock=SystemClock())
    with database.connect(autocommit=True) as connection:
        connection.execute("create table public.filling (content text)")
    committed = 0
    failure: StorageFailed | None = None
    while failure is None:
        try:
            fill(database)
            committed += 1
        except StorageFailed as refused:
            failure = refused
    assert committed > 0
    subprocess.run(["mount", "-o", "remount,size=400m", small_disk], check=True)
    database.revive()
    with database.connect() as connection:
        assert connection.execute("select count(*) from public.filling").fetchone() == (committed,)
    fill(database)
    database.close()


def fill(database: Database) -> None:
    content = "select string_agg(gen_random_uuid()::text, '') from generate_series(1, 40000)"
    with database.connect() as connection, storage_errors():
        connection.execute(f"insert into public.filling {content}")
        connection.commit()
