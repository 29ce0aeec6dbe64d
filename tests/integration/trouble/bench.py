"""A mine in trouble: the example as its own copy, worked on through the command line as a person would, and the marks
that tell whether anything was lost, doubled or betrayed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from integration.work_order_costs.bench import COMPANY, HEADER, Mine
from isthmus.cli.main import main

SECRET = "only-for-the-simulator"
TENANT = "2b7e1c58-4a0d-4c3f-8f0e-6d9a35c1e274"
CLIENT = "6f1c2f5e-0d5b-4c0e-9a53-5a3f6d1c7a10"
#: Three orders that go through and one that has nothing to post.
ROWS = (
    "2025-01-06,A,500 h service,PM02,1284.50",
    "2025-01-08,C,Track shoe bolts loose,PM01,212.35",
    "2025-01-09,D,Weld crack in boom foot,PM01,3140.00",
    "2025-01-10,E,Inspect slew ring bolts,PM05,0",
)
_LIMIT = 60


class Told:
    """What a command ended with."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def text(self) -> str:
        """Everything it said."""
        return self.out + self.err

    @property
    def rows(self) -> list[dict[str, Any]]:
        """JSON lines of stdout."""
        return [json.loads(line) for line in self.out.splitlines() if line.strip()]

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"


class Site(Mine):
    """A mine whose commands run through the program's entry point; those that serve, as processes of their own."""

    def __init__(self, place: Path, url: str | None = None) -> None:
        super().__init__(place, url)
        self.environment: dict[str, str] = {}
        self.said: list[str] = []
        self._up: list[Server] = []

    @property
    def environ(self) -> dict[str, str]:
        return super().environ | self.environment

    # commands

    def command(self, *words: str) -> Told:
        """`isthmus WORDS --project …`. What it says is kept for the search for secrets."""
        out, err = io.StringIO(), io.StringIO()
        with _environment(self.environ), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*words, "--project", str(self.project)])
        told = Told(code, out.getvalue(), err.getvalue())
        self.said.append(told.text)
        return told

    def command_apart(self, *words: str) -> Told:
        """The same as a process of its own, with whatever else reaches its terminal."""
        process = self.start(*words)
        try:
            out, err = process.communicate(timeout=_LIMIT)
        finally:
            if process.poll() is None:
                process.kill()
        told = Told(process.returncode, out.decode(), err.decode())
        self.said.append(told.text)
        return told

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a process without waiting for its end."""
        return subprocess.Popen(  # our own module, no shell
            [sys.executable, "-m", "isthmus.cli.main", *words, "--project", str(self.project)],
            env=os.environ | self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def check(self, *words: str) -> Told:
        return self.command("check", *words)

    def sync(self, *words: str) -> Told:
        return self.command("sync", *words)

    def up(self, *words: str) -> Server:
        """Start serving; returns when it answers."""
        server = Server(self, self.start("up", "--json", "--port", "0", *words))
        self._up.append(server)
        server.wait()
        return server

    def stop(self) -> None:
        for server in self._up:
            server.end()
        super().stop()

    def finish(self) -> Told:
        """Sync, and hold it to what a good end looks like."""
        told = self.sync()
        assert told.code == 0, told
        assert self.booked_once()
        return told

    # the project

    def seed_file(self) -> Path:
        return self.project / "sandbox.yaml"

    def reseed(self, **changes: Any) -> None:
        """Change the company of the simulator's seed before it starts for the first time."""
        seed = yaml.safe_load(self.seed_file().read_text("utf-8"))
        seed["companies"][0].update(changes)
        self.seed_file().write_text(yaml.safe_dump(seed, sort_keys=False), "utf-8")

    def seed(self) -> dict[str, Any]:
        """The company as its seed has it."""
        return dict(yaml.safe_load(self.seed_file().read_text("utf-8"))["companies"][0])

    def connect_for_real(self, **settings: str) -> None:
        """Finance as a real environment is written: an address, and a secret that only the environment holds."""
        self.environment |= {"MINE_SECRET": SECRET}
        found = {
            "url": self.box.url,
            "authority": self.box.url,
            "ca": str(self.box.ca),
            "tenant": "pit.example",
            "client_id": CLIENT,
            "secret": "env:MINE_SECRET",
        } | settings
        project = yaml.safe_load((self.project / "isthmus.yaml").read_text("utf-8"))
        finance = project["connections"]["finance"]
        finance.pop("sandbox", None)
        finance.update(found)
        for name in [name for name, value in found.items() if not value]:
            del finance[name]
        self.write("isthmus.yaml", yaml.safe_dump(project, sort_keys=False))

    def line_of(self, name: str, text: str) -> int:
        """Where a text stands in a project file, counted from 1."""
        lines = (self.project / name).read_text("utf-8").splitlines()
        found = [number for number, line in enumerate(lines, 1) if text in line]
        assert len(found) == 1, f"{text!r} stands {len(found)} times in {name}"
        return found[0]

    # what became of it

    def booked_once(self) -> bool:
        """Every done message is in the books, each exactly once, and nothing else is."""
        postings = self.postings()
        books = self.books()
        return set(postings.values()) <= {1} and int(books["documents"]) == len(postings) and not self.unposted()

    def unposted(self) -> int:
        return int(self.books()["unposted_lines"])

    def reasons(self) -> list[tuple[Any, ...]]:
        """State, code, reason and mend of every message that is not done."""
        return self.ask("select state, code, reason, mend from message where state <> 'done' order by id")

    def betrayed(self, *secrets: str) -> list[str]:
        """Places where one of the secrets stands: what was said, files of the home, the whole ledger."""
        found = []
        for secret in secrets or (SECRET,):
            found += [f"said: {text[:200]}" for text in self.said if secret in text]
            found += [str(path) for path in self._files() if secret.encode() in path.read_bytes()]
            with self.ledger() as connection:
                tables = connection.execute(
                    "select table_name from information_schema.tables where table_schema = 'isthmus'"
                ).fetchall()
                for (table,) in tables:
                    query = f'select count(*) from "{table}" t where t::text like %s'  # names of our own
                    hits = connection.execute(query.encode(), (f"%{secret}%",)).fetchone()
                    found += [f"table {table}"] if hits and hits[0] else []
        return found

    def _files(self) -> list[Path]:
        places = (path for path in self.home.rglob("*") if path.is_file())
        return [path for path in places if not {"sandbox", "postgres"} & set(path.relative_to(self.home).parts)]


class Server:
    """An `isthmus up` of a site."""

    def __init__(self, site: Site, process: subprocess.Popen[bytes]) -> None:
        self.site = site
        self.process = process
        self.told: dict[str, Any] = {}

    def wait(self) -> None:
        """Read the line that says where it answers."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            out, err = self.process.communicate(timeout=10)
            raise AssertionError(Told(self.process.returncode, out.decode(), err.decode()))
        self.told = json.loads(line)

    @property
    def url(self) -> str:
        return str(self.told["url"])

    def hook(self, connection: str) -> str:
        return str(self.told["hooks"]).replace("CONNECTION", connection)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self, number: int = signal.SIGTERM) -> Told:
        """Ask it to end, and wait for that."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.ended()

    def ended(self) -> Told:
        """Wait for an end that was asked for already."""
        try:
            out, err = self.process.communicate(timeout=_LIMIT)
        except (subprocess.TimeoutExpired, ValueError):
            self.process.kill()
            out, err = b"", b"was killed: it did not end"
        told = Told(self.process.returncode, out.decode(), err.decode())
        self.site.said.append(told.text)
        return told


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def eventually(found: Any, *, within: float = 30) -> Any:
    """The first true value of `found()`. Only for what another process does, of which no event tells us."""
    until = time.monotonic() + within
    while True:
        value = found()
        if value:
            return value
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


__all__ = ["CLIENT", "COMPANY", "HEADER", "ROWS", "SECRET", "TENANT", "Server", "Site", "Told", "eventually"]
