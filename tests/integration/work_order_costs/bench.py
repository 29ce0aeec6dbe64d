"""A mine of a test's own: a copy of the example with its list, a simulated Business Central, a ledger, and short words
for what tests do with them. Everything is reached through the doors that a command uses."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from isthmus.cli.opening import Place, Session, open_session
from isthmus.contract.clock import SystemClock
from isthmus.ledger.database import open_database
from isthmus.ledger.idle import Idle
from isthmus.ledger.types import MESSAGE_COLUMNS, MessageRow, message_row
from isthmus.sandbox.server import Sandbox
from isthmus.sync.act import Acted, correct, retry, skip

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "real-data"
PUBLISHED = ROOT.parent / "shared" / "data"
COMPANY = "PIT MINING"
HEADER = "BscStartDate,Asset,OriginalShorttext,PMType,Cost"
#: What the example's rules charge, told here once more so that a test does not ask the code what is right.
ACCOUNT_OF = {"PM01": "8410", "PM02": "8420", "PM04": "8440", "PM05": "8450", "PM06": "8460"}
OTHER = "8490"
CHARGED = (*ACCOUNT_OF.values(), OTHER)
CLEARING = "2910"
CENTRE_OF = {"A": "PIT-NORTH", "B": "PIT-NORTH", "C": "PIT-SOUTH", "D": "PIT-SOUTH", "E": "STOCKPILE"}
WHO = "Kim"


class Mine:
    """`place` holds everything of it; `url` is a database of a running server, None for an embedded one of its own."""

    def __init__(self, place: Path, url: str | None = None) -> None:
        self.project = place / "project"
        self.home = place / "home"
        self.list = place / "data" / "excavators" / "work_orders.csv"
        self.url = url
        self.more_environ: dict[str, str] = {}
        shutil.copytree(EXAMPLE, self.project)
        self.list.parent.mkdir(parents=True)
        self.lines = (EXAMPLE / "sample" / "excavators" / "work_orders.csv").read_text("utf-8").splitlines()
        self._box: Sandbox | None = None

    # the project and its list

    def edit(self, name: str, old: str, new: str) -> None:
        """Change one place of a project file."""
        file = self.project / name
        text = file.read_text("utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        file.write_text(text.replace(old, new, 1), "utf-8")

    def write(self, name: str, text: str) -> None:
        (self.project / name).write_text(text, "utf-8")

    def save(self, *rows: str) -> None:
        """Write the list: `rows` below the header, or without any the lines as they stand. It counts as settled."""
        if rows:
            self.lines = [HEADER, *rows]
        self.list.write_text("\n".join(self.lines) + "\n", "utf-8")
        settled = time.time() - 5
        os.utime(self.list, (settled, settled))

    def replace(self, old: str, new: str | None) -> None:
        """Change one row of the list, or take it out."""
        at = self.lines.index(old)
        self.lines[at : at + 1] = [] if new is None else [new]
        self.save()

    @property
    def environ(self) -> dict[str, str]:
        """What a command on this mine finds in its environment."""
        found = {"ISTHMUS_HOME": str(self.home), "ISTHMUS_DATA": str(self.list.parents[1])}
        return found | ({"DATABASE_URL": self.url} if self.url else {}) | self.more_environ

    # running

    @property
    def box(self) -> Sandbox:
        """The simulated Business Central, in a thread of this process; commands find it running."""
        if self._box is None:
            self._box = Sandbox(self.project / "sandbox.yaml", home=self.home / "sandbox" / "finance").start()
        return self._box

    def stop(self) -> None:
        if self._box is not None:
            self._box.stop()
            self._box = None

    def block(self, *accounts: str, blocked: bool = True) -> None:
        """What a person does on page Chart of Accounts."""
        self.box.set(company=COMPANY, accounts={number: {"blocked": blocked} for number in accounts})

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """The project opened as a command opens it; simulated time moves instead of passing."""
        assert self.box
        with _environment(self.environ):
            async with open_session(Place(self.project, {}), jumps=True) as session:
                yield session

    async def run(self) -> Idle:
        """What `isthmus run` does on simulators: everything that can be done is done when it returns."""
        async with self.session() as session:
            return await settle(session)

    async def act(self, what: str, *rows: MessageRow, go_on: bool = True) -> list[Acted]:
        """Retry, skip or correct messages as a person would; then everything is done that follows from it."""
        async with self.session() as session:
            world = session.runtime.world
            async with world.transaction() as db:
                if what == "correct":
                    acted = [await correct(db, world, row, WHO) for row in rows]
                elif what == "skip":
                    acted = await skip(db, world, rows, WHO, "not ours")
                else:
                    acted = await retry(db, world, rows, WHO)
            if go_on:
                await settle(session)
            return acted

    def ask_engine_to_forget(self) -> None:
        """Lose every row of the task engine: it only says who works next, and a new start need not wait for it."""
        with self.ledger() as connection:
            connection.execute("delete from procrastinate_jobs")
            connection.execute("delete from procrastinate_workers")

    # what became of it

    @contextmanager
    def ledger(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        with _environment(self.environ):
            database = open_database(self.home, self.url, clock=SystemClock())
            try:
                with database.connect() as connection:
                    yield connection
            finally:
                database.close()

    def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.ledger() as connection:
            return connection.execute(query.encode(), values).fetchall()

    def messages(self, where: str = "true", *values: Any) -> list[MessageRow]:
        query = f"select {MESSAGE_COLUMNS} from message where {where} order by id"
        return [message_row(row) for row in self.ask(query, *values)]

    def only(self, where: str, *values: Any) -> MessageRow:
        found = self.messages(where, *values)
        assert len(found) == 1, [(row.id, row.state, row.reason) for row in found]
        return found[0]

    def of_row(self, line: str) -> MessageRow:
        """The one message of a row of the list, by where it stands there."""
        return self.only("place = %s", f"work_orders.csv line {self.lines.index(line) + 1}")

    def standing(self) -> dict[str, int]:
        """How many messages are in which state."""
        return dict(self.ask("select state, count(*) from message group by state order by state"))

    def books(self, company: str = COMPANY) -> dict[str, Any]:
        return self.box.books(company)

    def charged(self, company: str = COMPANY) -> Decimal:
        """Debit less credit of the maintenance accounts in the simulator's own books."""
        accounts = self.books(company)["accounts"]
        return sum((Decimal(accounts.get(number, "0")) for number in CHARGED), Decimal(0))

    def postings(self, company: str = COMPANY) -> dict[str, int]:
        """Document number of each done message -> how often the simulator's books were charged with it."""
        done = self.messages("state = 'done'")
        return {row.number: int(self.box.document(row.number, company)["postings"]) for row in done}

    def written(self) -> int:
        """Calls so far that asked the simulator to change something."""
        calls = self.box.calls()
        return int(calls["writes"]) + int(calls["part_writes"])


async def settle(session: Session) -> Idle:
    """Everything that can be done is done when this returns; a test never waits longer than a simulated week."""
    idle = await session.runtime.until_idle(simulated=True, limit=timedelta(days=7))
    assert idle.pending == 0, idle
    return idle


def split_of(rows: Sequence[Sequence[str]]) -> dict[tuple[str, str, str], Decimal]:
    """(account, asset, cost centre) -> sum, worked out from rows of the list alone."""
    found: dict[tuple[str, str, str], Decimal] = {}
    for _, asset, _, category, cost in rows:
        place = (ACCOUNT_OF.get(category, OTHER), asset, CENTRE_OF[asset])
        found[place] = found.get(place, Decimal(0)) + Decimal(cost)
    return {place: amount for place, amount in found.items() if amount}


def split_in_books(books: dict[str, Any]) -> dict[tuple[str, str, str], Decimal]:
    """The same, as the simulator's books show it."""
    return {
        (part["account"], part["dimensions"]["ASSET"], part["dimensions"]["COSTCENTRE"]): Decimal(part["amount"])
        for part in books["by_dimensions"]
        if part["account"] in CHARGED and Decimal(part["amount"])
    }


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
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
