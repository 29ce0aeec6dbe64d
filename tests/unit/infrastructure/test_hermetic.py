"""The guard in tests/conftest.py: seen refusing, and seen letting loopback through."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def test_a_connection_to_another_machine_is_refused_and_noted(loopback_only: list[str]) -> None:
    with socket.socket() as outside, pytest.raises(ConnectionRefusedError):
        outside.connect(("192.0.2.1", 443))
    assert loopback_only == ["192.0.2.1:443"]
    loopback_only.clear()


async def test_asyncio_is_watched_too(loopback_only: list[str]) -> None:
    with pytest.raises(OSError, match="loopback only"):
        await asyncio.open_connection("192.0.2.1", 443)
    assert "192.0.2.1:443" in loopback_only
    loopback_only.clear()


def test_a_name_is_not_looked_up(loopback_only: list[str]) -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("api.businesscentral.dynamics.com", 443)
    assert loopback_only == ["api.businesscentral.dynamics.com"]
    loopback_only.clear()


def test_a_reserved_name_fails_as_it_would_anywhere(loopback_only: list[str]) -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("nowhere.invalid", 443)
    assert loopback_only == []


async def test_loopback_answers() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection("localhost", server.sockets[0].getsockname()[1])
        writer.write(b"same\n")
        assert await reader.readline() == b"same\n"
        writer.close()


QUIET_TESTS = """
import contextlib, os, socket

def test_quiet():
    with contextlib.suppress(OSError):
        socket.create_connection(("192.0.2.1", 443))

def test_environment():
    assert not {"ISTHMUS_HOME", "DATABASE_URL", "https_proxy"} & set(os.environ)
"""


def test_swallowing_the_refusal_still_fails_the_test(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    shutil.copy(pytestconfig.rootpath / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_quiet.py").write_text(QUIET_TESTS, encoding="utf-8")
    settings = {name: "http://192.0.2.1" for name in ("ISTHMUS_HOME", "DATABASE_URL", "https_proxy")}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", "test_quiet.py"],
        cwd=tmp_path,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "2 passed, 1 error" in run.stdout
    assert "tried to reach 192.0.2.1" in run.stdout


def test_the_environment_is_wiped() -> None:
    assert not [name for name in os.environ if name.startswith(("ISTHMUS_", "PG")) or name.lower().endswith("_proxy")]
