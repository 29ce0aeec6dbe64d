"""No room, or no right to write: for the ledger, and for the results beside the list."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.trouble.bench import ROWS, Site, eventually
from isthmus.ledger import cluster

LATE = "2025-02-01,A,Bucket tooth lost,PM01,158.60"
#: Enough rows that the ledger must grow; only the first of each asset and month costs anything.
MANY = [
    f"2024-{month:02}-{day:02},{asset},{'Look at it closely ' * 5}{turn},PM01,{int(day == 1 and turn == 0)}"
    for month in range(1, 9) for day in range(1, 29) for asset in "AB" for turn in range(3)
]  # fmt: skip
COSTLY = 16


class Disk:
    """A small disk of a test's own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._filling = place / "filling"

    def fill(self, leave: int = 0) -> None:
        """Take all room but `leave` bytes."""
        free = os.statvfs(self.place)
        with self._filling.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - leave)

    def free(self) -> None:
        self._filling.unlink()


@pytest.fixture
def disk_of() -> Iterator[Callable[[str], Disk]]:
    """Mounts disks of a size; only root may."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root mounts")
    places: list[Path] = []

    def mount(size: str) -> Disk:
        place = Path(tempfile.mkdtemp(prefix="isthmus-test-"))
        options = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
        if subprocess.run(options, check=False, capture_output=True).returncode:
            place.rmdir()
            pytest.skip("mounting is not permitted here")
        places.append(place)
        return Disk(place)

    yield mount
    for place in places:
        data = place / "home" / "postgres"
        if (postmaster := cluster.read_postmaster(data)) is not None:  # a failed test leaves no server behind
            cluster.halt(postmaster, data)
        subprocess.run(["umount", "-l", place], check=True)
        place.rmdir()


@pytest.fixture
def cramped(tmp_path: Path, disk_of: Callable[[str], Disk]) -> Iterator[tuple[Site, Disk]]:
    """A ledger of its own on a small disk, while finance has room: something is booked already."""
    site, disk = Site(tmp_path / "mine"), disk_of("140m")
    site.connect_for_real()
    site.home = disk.place / "home"
    site.save(ROWS[0])
    site.finish()
    site.save(*ROWS, *MANY)
    yield site, disk
    site.stop()


def whole(site: Site) -> bool:
    return site.standing() == {"done": 3 + COSTLY, "skipped": 1 + len(MANY) - COSTLY} and site.booked_once()


@pytest.mark.slow
def test_a_full_disk_is_told_and_the_same_command_finishes_later(cramped: tuple[Site, Disk]) -> None:
    site, disk = cramped
    disk.fill()
    for command in ("sync", "status", "check", "up"):
        told = site.command(command)
        assert told.code == 1
        assert "The disk is full. Free some space and start again; nothing committed is lost." in told.err
        assert "Traceback" not in told.text
    assert int(site.books()["documents"]) == 1

    disk.free()
    site.finish()
    assert whole(site)


@pytest.mark.slow
def test_a_disk_that_fills_up_during_work(cramped: tuple[Site, Disk]) -> None:
    """Work stands still, says so, and goes on by itself when there is room again: no restart, no second command."""
    site, disk = cramped
    disk.fill(leave=1_500_000)
    log = site.home / "isthmus.log"
    process = site.start("sync")
    try:
        eventually(lambda: b"The disk of the database is full" in log.read_bytes(), within=60)
        disk.free()
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert b"done" in out
    assert whole(site)


def told_of(folder: Path) -> dict[str, str]:
    """Row of the list -> what the results file says of it."""
    with (folder / "work_orders.results.csv").open(encoding="utf-8", newline="") as stream:
        return {row["OriginalShorttext"]: row["state"] for row in csv.DictReader(stream)}


def test_results_without_room_do_not_hold_up_the_books(site: Site, disk_of: Callable[[str], Disk]) -> None:
    disk = disk_of("64k")
    site.edit("isthmus.yaml", "    company: PIT MINING\n", f"    company: PIT MINING\n    results: {disk.place}\n")
    disk.fill()
    site.finish()
    assert site.standing() == {"done": 3, "skipped": 1}
    status = site.command("status")
    assert "maintenance: 4 results still to be told." in status.out
    assert f"{disk.place}: the disk is full, the results file work_orders.results.csv stays as it was." in status.out

    disk.free()
    told = site.finish()
    assert "still to be told" not in told.out
    assert len(told_of(disk.place)) == 4


def test_results_beside_a_list_in_a_read_only_folder(site: Site) -> None:
    """No write bit counts for root as well: whoever took it away meant everybody."""
    folder = site.list.parent
    folder.chmod(0o555)
    try:
        check = site.check()
        assert check.code == 0
        spare = site.home / "results" / "maintenance"
        assert f"{folder} is read-only, so the results go to {spare}/work_orders.results.csv." in check.out
        site.finish()
    finally:
        folder.chmod(0o755)
    assert not (folder / "work_orders.results.csv").exists()
    assert set(told_of(spare).values()) == {"done", "skipped"}

    site.save(*ROWS, LATE)
    site.finish()
    assert told_of(folder) == {"Bucket tooth lost": "done"}


def test_a_home_that_cannot_be_written(tmp_path: Path, disk_of: Callable[[str], Disk]) -> None:
    disk = disk_of("64m")
    site = Site(tmp_path / "mine")
    site.save(*ROWS)
    site.connect_for_real()
    site.home = disk.place / "home"
    subprocess.run(["mount", "-o", "remount,ro", disk.place], check=True)
    for command in ("sync", "check", "up"):
        told = site.command(command)
        assert told.code == 1
        assert "Read-only file system" in told.err, told
        assert "Traceback" not in told.text
    site.stop()
