"""A site of a test's own: a copy of the example, both simulators, a ledger, and short words for what people do.

Everything of Isthmus is reached through the doors that a command uses; what the simulators hold is read by plain HTTP
and by their dev APIs.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import yaml

from isthmus.app import matching
from isthmus.app.matching import Pair
from isthmus.cli.opening import Place, Session, open_session
from isthmus.contract.clock import SystemClock
from isthmus.ledger.database import open_database
from isthmus.ledger.types import MESSAGE_COLUMNS, Db, MessageRow, message_row
from isthmus.sandbox.server import Guest, Sandbox
from isthmus.sync.act import Acted, correct, retry, skip

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "cafm-business-central"
PUBLISHED = ROOT.parent / "shared" / "data" / "adventureworks" / "Vendor.csv"
COMPANY = "HARBOUR HALLS"
ZERO = "00000000-0000-0000-0000-000000000000"
WHO = "Kim"

Given = dict[str, Any]


class Site:
    """`flows`: those the test is about, all when it names none. Seeds are the example's, changed before the start."""

    def __init__(self, place: Path, url: str, flows: Sequence[str] = ()) -> None:
        self.project, self.home, self.url = place / "project", place / "home", url
        shutil.copytree(EXAMPLE, self.project, ignore=shutil.ignore_patterns(".isthmus"))
        for file in (self.project / "flows").glob("*.yaml"):
            if flows and file.stem not in flows:
                file.unlink()
        self.books: Given = yaml.safe_load((EXAMPLE / "finance.yaml").read_text("utf-8"))
        self.seed: Given = yaml.safe_load((EXAMPLE / "cafm.yaml").read_text("utf-8"))
        self._finance: Sandbox | None = None
        self._cafm: Guest | None = None

    # the project, before anything runs

    @property
    def company(self) -> Given:
        """The seed of the company."""
        found: Given = self.books["companies"][0]
        return found

    def without_documents(self) -> None:
        for section in ("purchaseOrders", "receipts", "stockTransactions", "workOrders"):
            self.seed.pop(section)

    def edit(self, name: str, old: str, new: str) -> None:
        """Change one place of a project file."""
        file = self.project / name
        text = file.read_text("utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        file.write_text(text.replace(old, new, 1), "utf-8")

    # the two systems

    @property
    def finance(self) -> Sandbox:
        """The simulated Business Central, in a thread of this process; commands find it running."""
        if self._finance is None:
            for name, seed in (("finance.yaml", self.books), ("cafm.yaml", self.seed)):
                (self.project / name).write_text(yaml.safe_dump(seed), "utf-8")
            home = self.home / "sandbox"
            self._finance = Sandbox(self.project / "finance.yaml", home=home / "finance").start()
            self._cafm = self._finance.host(home / "cafm", self.project / "cafm.yaml")
        return self._finance

    @property
    def cafm(self) -> Guest:
        assert self.finance
        assert self._cafm is not None
        return self._cafm

    def stop(self) -> None:
        if self._finance is not None:
            self._finance.stop()
            self._finance = None

    def act(self, method: str, path: str, body: Any = None, *, user: str = "anna") -> Given:
        """What a user of the CAFM does. Returns the record."""
        answer = self.cafm.act(method, path, body, user=user)
        assert answer["status"] < 300, answer["body"]
        return dict(answer["body"]["data"]) if answer["body"] else {}

    def of_cafm(self, entity: str, name: str) -> Given:
        """The only record of a code or number."""
        [found] = self.cafm.records(entity, name=name)
        return found

    def of_finance(self, entity: str, **fields: str) -> list[Given]:
        """Records of a set of Business Central as a stranger reads them."""
        asked = {"$filter": " and ".join(f"{name} eq '{value}'" for name, value in fields.items())} if fields else {}
        if entity == "purchaseOrders":
            asked["$expand"] = "purchaseOrderLines"
        with _connection(self.finance) as connection:
            token = _token(connection, self.books)
            company = _get(connection, token, self._service("/companies"))[0]["id"]
            return _get(connection, token, self._service(f"/companies({company})/{entity}"), asked)

    def _service(self, path: str) -> str:
        return f"/v2.0/{self.books['tenant']}/{self.books['environment']}/api/v2.0{path}"

    def changes(self) -> tuple[dict[str, dict[str, int]], int]:
        """What Isthmus really changed since the last `forget`: in the CAFM by entity and event; calls and parts of
        calls that asked Business Central to change something."""
        calls = self.finance.calls()
        return self.cafm.calls()["changes"].get("key:isthmus", {}), calls["writes"] + calls["part_writes"]

    def forget(self) -> None:
        """Count from here."""
        self.finance.reset_calls()
        self.cafm.reset_calls()

    # running

    @property
    def environ(self) -> dict[str, str]:
        return {"ISTHMUS_HOME": str(self.home), "DATABASE_URL": self.url}

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """The project opened as a command opens it; simulated time moves instead of passing."""
        assert self.cafm
        with _environment(self.environ):
            async with open_session(Place(self.project, {}), jumps=True) as session:
                yield session

    async def run(self) -> None:
        """What `isthmus sync --until-idle` does on simulators."""
        async with self.session() as session:
            await settle(session)

    async def act_on(self, what: str, *rows: MessageRow) -> list[Acted]:
        """Retry, skip or correct messages as a person would; then everything is done that follows from it."""
        async with self.session() as session:
            world = session.runtime.world
            async with world.transaction() as db:
                acted = await _ACTS[what](db, world, rows)
            await settle(session)
            return acted

    async def match(self, flow: str, pairs: Sequence[tuple[str, str]] = (), *, confirm: bool = False) -> matching.Met:
        """What `isthmus match-existing` does: couple pairs of numbers, perhaps confirm; what is left to be decided."""
        async with self.session() as session:
            runtime = session.runtime
            spec = matching.keep_flow(runtime.world, flow)
            same = [Pair(decision="same", source_id=left, target_id=right) for left, right in pairs]
            if same:
                await matching.couple_pairs(runtime, spec, same, WHO)
            if confirm:
                await matching.confirm(runtime, spec, WHO)
            if same or confirm:
                await settle(session)
            return await matching.look(runtime, spec)

    # what became of it

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with _environment(self.environ):
            database = open_database(self.home, self.url, clock=SystemClock())
            try:
                with database.connect() as connection:
                    return _rows(connection, query, values)
            finally:
                database.close()

    def messages(self, where: str = "true", *values: Any) -> list[MessageRow]:
        return [
            message_row(row)
            for row in self.ask(f"select {MESSAGE_COLUMNS} from message where {where} order by id", *values)
        ]

    def last(self, subject: str) -> MessageRow:
        return self.messages("subject = %s", subject)[-1]

    def standing(self, flow: str) -> dict[str, int]:
        """How many messages of a flow are in which state."""
        return dict(self.ask("select state, count(*) from message where flow = %s group by state", flow))

    def audited(self, what: str) -> list[tuple[str, str, str, str]]:
        """(field, old, new, reason) of what the audit tells."""
        return self.ask("select field, old, new, reason from audit where what = %s order by id", what)  # type: ignore[return-value]


async def _correct(db: Db, world: Any, rows: Sequence[MessageRow]) -> list[Acted]:
    return [await correct(db, world, row, WHO) for row in rows]


async def _skip(db: Db, world: Any, rows: Sequence[MessageRow]) -> list[Acted]:
    return await skip(db, world, rows, WHO, "not ours")


async def _retry(db: Db, world: Any, rows: Sequence[MessageRow]) -> list[Acted]:
    return await retry(db, world, rows, WHO)


_ACTS = {"correct": _correct, "skip": _skip, "retry": _retry}


async def settle(session: Session) -> None:
    """Everything that can be done is done when this returns; a test never waits longer than a simulated week."""
    idle = await session.runtime.until_idle(simulated=True, limit=timedelta(days=7))
    assert idle.pending == 0, idle


def _rows(connection: psycopg.Connection[tuple[Any, ...]], query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode(), values).fetchall()


@contextmanager
def _connection(box: Sandbox) -> Iterator[http.client.HTTPSConnection]:
    context = ssl.create_default_context(cafile=str(box.ca))
    connection = http.client.HTTPSConnection(box.url.removeprefix("https://"), context=context, timeout=60)
    try:
        yield connection
    finally:
        connection.close()


def _token(connection: http.client.HTTPSConnection, books: Mapping[str, Any]) -> str:
    principal = books["principals"][0]
    form = {
        "grant_type": "client_credentials",
        "client_id": principal["client_id"],
        "client_secret": principal["secret"],
        "scope": "https://api.businesscentral.dynamics.com/.default",
    }
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"/{books['tenant']}/oauth2/v2.0/token", urlencode(form), kind)
    return str(json.loads(connection.getresponse().read())["access_token"])


def _get(
    connection: http.client.HTTPSConnection, token: str, path: str, asked: Mapping[str, str] | None = None
) -> list[Given]:
    url = quote(path) + (f"?{urlencode(asked, quote_via=quote)}" if asked else "")
    connection.request("GET", url, headers={"Authorization": f"Bearer {token}"})
    answer = json.loads(connection.getresponse().read())
    assert "value" in answer, answer
    return list(answer["value"])


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
