"""The doors for Python: a sandbox in a thread of this process, or in a process of its own."""

from __future__ import annotations

import asyncio
import fcntl
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from isthmus.sandbox import seed as seeds
from isthmus.sandbox.serving import Serving

_START_SECONDS = 30.0


class SandboxError(RuntimeError):
    """The sandbox did not start, did not answer, or refused a question of the dev API."""


class _DevCalls:
    """The dev API as methods; `_dev` asks it one way or the other."""

    def _dev(self, method: str, name: str, query: Mapping[str, str], body: Any) -> Any:
        raise NotImplementedError

    def advance(self, seconds: float) -> dict[str, Any]:
        """Move sandbox time forward; everything due by then has run when this returns."""
        return self._answer("POST", "clock", body={"advance": seconds})

    def clock(self) -> dict[str, Any]:
        return self._answer("GET", "clock")

    def fault(self, kind: str, *, match: Mapping[str, Any] | None = None, times: int = 0, **parameters: Any) -> None:
        """Add a fault, e.g. `fault("late_commit", seconds=60, match={"action": "post"}, times=1)`."""
        rule = {"fault": {"kind": kind, **parameters}, "match": dict(match or {}), "times": times}
        self._answer("POST", "faults", body=rule)

    def faults(self) -> dict[str, Any]:
        return self._answer("GET", "faults")

    def clear_faults(self) -> None:
        self._answer("DELETE", "faults")

    def calls(self) -> dict[str, Any]:
        return self._answer("GET", "calls")

    def reset_calls(self) -> None:
        self._answer("DELETE", "calls")

    def books(self, company: str = "") -> dict[str, Any]:
        return self._answer("GET", "books", {"company": company})

    def document(self, number: str, company: str = "") -> dict[str, Any]:
        """Everything posted or waiting under one document number."""
        return self._answer("GET", "documents", {"company": company, "number": number})

    def stock(self, company: str = "") -> dict[str, Any]:
        """Stock by item and location, and what waits in item journals."""
        return self._answer("GET", "stock", {"company": company})

    def post_item_journal(self, batch: str = "DEFAULT", template: str = "ITEM", company: str = "") -> dict[str, Any]:
        """A person posts a batch. Raises SandboxError with the text when Business Central refuses."""
        return self._answer("POST", "item_journal", {"company": company}, {"template": template, "batch": batch})

    def edit(self, set_name: str, key: str, company: str = "", **values: Any) -> dict[str, Any]:
        """A person edits a record, by its number, code or id."""
        body = {"set": set_name, "key": key, "values": values}
        return self._answer("POST", "edit", {"company": company}, body)

    def remove(self, set_name: str, key: str, company: str = "") -> dict[str, Any]:
        """A person deletes a record."""
        return self._answer("POST", "remove", {"company": company}, {"set": set_name, "key": key})

    def purchase(self, number: str, company: str = "") -> dict[str, Any]:
        """A purchase order, and what was received and invoiced for it."""
        return self._answer("GET", "purchase", {"company": company, "number": number})

    def buy(self, do: str, number: str, company: str = "", **more: Any) -> dict[str, Any]:
        """A person does something to a purchase document, e.g. `buy("receive", "106001", lines={"10000": 5})`."""
        return self._answer("POST", "purchase", {"company": company}, {"do": do, "number": number, **more})

    def publish(self, **services: int | None) -> dict[str, Any]:
        """Publish pages as web services, e.g. `publish(Item_Units=5404)`; None withdraws one."""
        return self._answer("POST", "services", body=services)

    def state(self) -> dict[str, Any]:
        return self._answer("GET", "state")

    def seed(self, more: Mapping[str, Any] | str | Path) -> None:
        """Add to what there is."""
        self._answer("POST", "seed", body=seeds.read(more))

    def set(self, **switches: Any) -> None:
        """Switches of the environment, or with `company=` those of a company."""
        self._answer("POST", "set", body=switches)

    def act(self, method: str, path: str, body: Any = None, user: str = "anna") -> dict[str, Any]:
        """What a user of a CAFM does: `status` and `body` of an operation of its API."""
        return self._answer("POST", "act", body={"method": method, "path": path, "body": body, "user": user})

    def records(self, entity: str, **query: Any) -> list[dict[str, Any]]:
        """Records of a CAFM, deleted ones too; with `id=` or `name=` one of them."""
        return list(self._answer("GET", "records", {"entity": entity, **query})["records"])

    def hooks(self) -> dict[str, Any]:
        """What became of the webhooks of a CAFM."""
        return self._answer("GET", "hooks")

    def _host(self, home: Path, seed: Path) -> str:
        paths = {"home": str(Path(home).absolute()), "seed": str(Path(seed).absolute())}
        return str(self._answer("POST", "homes", body=paths)["url"])

    def _answer(
        self, method: str, name: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> dict[str, Any]:
        found = self._dev(method, name, query or {}, body)
        if not isinstance(found, dict) or "error" in found:
            raise SandboxError(f"/_sandbox/{name}: {found['error'] if isinstance(found, dict) else found}")
        return found


def _ask(url: str, ca: Path, method: str, name: str, query: Mapping[str, str], body: Any, timeout: float) -> Any:
    """One call of the dev API over HTTPS."""
    host = url.removeprefix("https://")
    connection = http.client.HTTPSConnection(host, timeout=timeout, context=ssl.create_default_context(cafile=str(ca)))
    try:
        payload = json.dumps(body, default=str) if body is not None else None
        connection.request(method, f"/_sandbox/{name}?{urlencode(query)}", payload)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


class Guest(_DevCalls):
    """A home served by the process of another one; it ends with that."""

    def __init__(self, home: Path, url: str) -> None:
        self.home, self.url, self.ca = home, url, home / "ca.pem"

    def _dev(self, method: str, name: str, query: Mapping[str, str], body: Any) -> Any:
        return _ask(self.url, self.ca, method, name, query, body, _START_SECONDS)


class Sandbox(_DevCalls):
    """A sandbox in a background thread with a loop of its own; `async with` and `with` both start and stop it.

    Its state is kept in `home` and found again by the next one there.
    """

    def __init__(
        self,
        seed: Mapping[str, Any] | str | Path | None = None,
        *,
        home: Path,
        port: int = 0,
    ) -> None:
        self._home, self._seed, self._port = Path(home), seed, port
        self._serving: Serving | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.url = ""
        self.ca = Path(home) / "ca.pem"

    def start(self) -> Self:
        """Raises what stands in the way: HomeInUse, SeedError, StateError."""
        serving = self._serving = Serving(self._home, self._seed, self._port, None)
        self._thread = threading.Thread(target=self._run, args=(serving,), name="sandbox", daemon=True)
        self._thread.start()
        self._wait(lambda: (serving.home / "sandbox.json").exists() and serving.server.started)
        self.url = serving.url
        return self

    def _run(self, serving: Serving) -> None:
        async def run() -> None:
            self._loop = asyncio.get_running_loop()
            await serving.run()

        asyncio.run(run())

    def _wait(self, ready: Callable[[], bool]) -> None:
        limit = time.monotonic() + _START_SECONDS
        while not ready():
            if time.monotonic() > limit or (self._thread is not None and not self._thread.is_alive()):
                raise SandboxError("the sandbox thread did not start")
            time.sleep(0.005)

    def stop(self) -> None:
        """Save and end; harmless when it has ended."""
        if self._serving is not None and self._thread is not None:
            self._serving.server.should_exit = True
            self._thread.join(_START_SECONDS)
            self._serving = self._thread = None

    def host(self, home: Path, seed: Path) -> Guest:
        """Serve one more home, with a port of its own and the same clock."""
        return Guest(Path(home), self._host(home, seed))

    def _dev(self, method: str, name: str, query: Mapping[str, str], body: Any) -> Any:
        return _ask(self.url, self.ca, method, name, query, body, _START_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)


class SandboxProcess(_DevCalls):
    """A sandbox in a process of its own, started by us or found."""

    def __init__(self, home: Path, pid: int, url: str, child: subprocess.Popen[bytes] | None = None) -> None:
        self.home, self.pid, self.url = home, pid, url
        self.ca = home / "ca.pem"
        self._child = child

    def _dev(self, method: str, name: str, query: Mapping[str, str], body: Any) -> Any:
        return _ask(self.url, self.ca, method, name, query, body, _START_SECONDS)

    def host(self, home: Path, seed: Path) -> SandboxProcess:
        """Let the same process serve one more home, with a port of its own and the same clock. Stopping one stops
        both.
        """
        return SandboxProcess(Path(home), self.pid, self._host(home, seed), self._child)

    def alive(self) -> bool:
        """The process is there and answers for itself."""
        try:
            os.kill(self.pid, 0)
            return bool(_ask(self.url, self.ca, "GET", "health", {}, None, 2.0)["pid"] == self.pid)
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            return False

    def stop(self, timeout: float = 20.0) -> None:
        """SIGTERM and wait until it has saved and gone; harmless when it has gone. Raises SandboxError if it stays."""
        if self._child is None and not self.alive():
            return
        limit = time.monotonic() + timeout
        if not self._gone():
            os.kill(self.pid, signal.SIGTERM)
        while not self._gone():
            if time.monotonic() > limit:
                raise SandboxError(f"sandbox {self.pid} did not end within {timeout} s")
            time.sleep(0.02)

    def _gone(self) -> bool:
        """By its lock on the home: the pid of a child that nobody has waited for yet would still be there."""
        if self._child is not None:
            return self._child.poll() is not None
        with (self.home / "lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
        return True


def start_process(
    home: Path, seed: Path | None = None, idle_exit: float | None = None, port: int = 0
) -> SandboxProcess:
    """Start `python -m isthmus.sandbox` in a session of its own and wait until it is ready. Its errors go to
    home/sandbox.log.
    """
    home = Path(home)
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "isthmus.sandbox", "--port", str(port), "--home", str(home)]
    if seed is not None:
        command += ["--seed", str(seed)]
    if idle_exit is not None:
        command += ["--idle-exit", str(idle_exit)]
    with (home / "sandbox.log").open("ab") as log:
        child = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    if child.stdout is None:
        raise SandboxError("the sandbox has no output to wait for")
    with child.stdout as lines:
        line = lines.readline()
    if not line:
        code = child.wait(_START_SECONDS)
        words = (home / "sandbox.log").read_text("utf-8", "replace").strip().splitlines()
        raise SandboxError(f"the sandbox ended with {code}: {words[-1] if words else 'no word of it'}")
    ready = json.loads(line)
    return SandboxProcess(home, ready["pid"], ready["url"], child)


def find(home: Path) -> SandboxProcess | None:
    """The live sandbox of a home, or None."""
    try:
        about = json.loads((Path(home) / "sandbox.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    found = SandboxProcess(Path(home), about["pid"], about["url"])
    return found if found.alive() else None
