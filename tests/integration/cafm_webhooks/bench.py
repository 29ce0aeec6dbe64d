"""Halls that order in a CAFM and are kept by Business Central, told of changes by webhooks alone: both are polled once
in thirty days."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from integration.trouble.bench import Site
from integration.webhooks.bench import Doorway, Listening
from isthmus.app.reports import status_report
from isthmus.sandbox.server import Guest, Sandbox

SITE = Path(__file__).parent / "site"
COMPANY = "HALLS"
CAFM, FINANCE = "cafm", "finance"
#: Who the CAFM says wrote what Isthmus wrote.
US = "key:isthmus"
#: Rounds after which everything has long come to rest.
_MANY = 30
T = TypeVar("T")


class Halls(Site):
    """The project on simulators; words for what people do in them."""

    def __init__(self, place: Path, url: str | None = None) -> None:
        self.project, self.home, self.url = place / "project", place / "home", url
        self.more_environ = {}
        self.environment = {}
        self.said = []
        self._up = []
        self._box: Sandbox | None = None
        self._cafm: Guest | None = None
        shutil.copytree(SITE, self.project)

    @property
    def environ(self) -> dict[str, str]:
        found = {"ISTHMUS_HOME": str(self.home)} | ({"DATABASE_URL": self.url} if self.url else {})
        return found | self.more_environ | self.environment

    @property
    def box(self) -> Sandbox:
        """The simulated Business Central; the CAFM is served by the same thread and lives by its clock."""
        if self._box is None:
            self._box = Sandbox(self.project / "finance.yaml", home=self.home / "sandbox" / FINANCE).start()
            self._cafm = self._box.host(self.home / "sandbox" / CAFM, self.project / "cafm.yaml")
            self._box.set(handshake_seconds=0.3)
        return self._box

    @property
    def cafm(self) -> Guest:
        assert self.box
        assert self._cafm is not None
        return self._cafm

    def poll_only(self) -> None:
        """No address for webhooks; both sides are polled each minute."""
        self.edit("isthmus.yaml", 'hooks: {url: "http://127.0.0.1:1"}\n', "")
        for _ in (CAFM, FINANCE):
            self.edit("isthmus.yaml", "poll: 30d", "poll: 60s")

    # what people do in the CAFM

    def act(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        done = self.cafm.act(method, path, body, user="ann")
        assert done["status"] < 300, done
        return dict((done["body"] or {}).get("data") or {})

    def order(self, quantity: str = "10") -> dict[str, Any]:
        """An order that is written and approved: four edits."""
        line = {"itemId": "1000", "quantity": quantity, "unitPrice": "4.50"}
        made = self.act("POST", "/purchaseOrders", {"vendorId": "V1", "locationId": "STORE", "lines": [line]})
        for status in ("pending", "approved", "sent"):
            made = self.act("POST", f"/purchaseOrders/{made['id']}/status", {"status": status})
        return made

    def receive(self, order: dict[str, Any], quantity: str = "1") -> dict[str, Any]:
        lines = [{"orderLineId": order["lines"][0]["id"], "received": quantity}]
        return self.act("POST", "/receipts", {"purchaseOrderId": order["id"], "lines": lines})

    # what became of it

    def in_finance(self, order: dict[str, Any]) -> dict[str, Any]:
        """The order as Business Central has it, by the number that was written back."""
        [found] = self.cafm.records("purchaseOrders", id=order["id"])
        assert found["externalNumber"], found
        return self.box.purchase(found["externalNumber"], COMPANY)

    def end_state(self) -> dict[str, Any]:
        """What became of every order and receipt on both sides, without the numbers that depend on who came first."""
        found = {}
        for order in self.cafm.records("purchaseOrders"):
            booked = self.box.purchase(order["externalNumber"], COMPANY) if order["externalNumber"] else None
            receipts = self.cafm.records("receipts")
            found[order["number"]] = {
                "status": order["status"],
                "told": (order["integration"] or {}).get("state"),
                "ordered": [(one["ordered"], one["received"]) for one in booked["lines"] if one["item"]]
                if booked
                else [],
                "receipts": sorted(one["lines"]["10000"] for one in booked["receipts"]) if booked else [],
                "receipts told": sorted(
                    (one["integration"] or {}).get("state", "")
                    for one in receipts
                    if one["purchaseOrderId"] == order["id"]
                ),
            }
        return found

    def changed_by_us(self) -> Counter[str]:
        """Records of the CAFM that Isthmus really changed: `entity.event` -> how often."""
        changes = self.cafm.calls()["changes"].get(US, {})
        return Counter({f"{name}.{event}": n for name, events in changes.items() for event, n in events.items()})

    def writes(self) -> dict[str, int]:
        """Operations so far that asked the system to change something, whatever came of them."""
        return {CAFM: _written(self.cafm.calls()), FINANCE: _written(self.box.calls())}

    def reset_calls(self) -> None:
        self.cafm.reset_calls()
        self.box.reset_calls()


def _written(calls: dict[str, Any]) -> int:
    paths = Counter(calls["by_path"]) + Counter(calls["parts_by_path"])
    aside = ("batch", "webhooks", "subscriptions", "token")
    return sum(
        count
        for path, count in paths.items()
        if not path.startswith("GET ") and not any(word in path for word in aside)
    )


class Told(Listening):
    """The halls with their door open; turns are taken one by one."""

    mine: Halls  # type: ignore[assignment]

    async def does(self, edit: Callable[..., T], *values: Any) -> T:
        """What people do: in a thread, because the door answers meanwhile. Its webhooks have come when it returns."""
        done = await asyncio.to_thread(edit, *values)
        await self.told_by_now()
        return done

    async def told_by_now(self) -> None:
        """Wait until the CAFM has sent what is due."""
        await asyncio.to_thread(self.mine.cafm.advance, 0)

    async def wait(self, seconds: float) -> None:
        await super().wait(seconds)
        await self.told_by_now()

    async def settle(self, *, wait: float = 31) -> int:
        """Take turns and let the time pass that notifications need, until nothing is left to do. How many rounds."""
        for done in range(_MANY):
            await self.wait(wait)
            if done and not self._left():
                return done
            for name in (CAFM, FINANCE, CAFM):
                await self.turn(name)
        raise AssertionError(f"no rest: {self.mine.standing()}, {self.hints()}, {self.mine.reasons()}")

    def _left(self) -> bool:
        [(hints,)] = self.mine.ask("select count(*) from inbox where taken_at is null")
        resting = ("done", "held", "saved", "skipped", "cancelled", "dead", "waiting")
        [(messages,)] = self.mine.ask("select count(*) from message where not state = any(%s)", list(resting))
        [(notes,)] = self.mine.ask("select count(*) from note where next_at is not null")
        return bool(hints or messages or notes or self.mine.cafm.hooks()["pending"])

    async def session_status(self) -> dict[str, Any]:
        """What `isthmus status` says of webhooks, by connection."""
        async with self.world.transaction() as db:
            return dict((await status_report(db))["webhooks"])

    def hints(self) -> list[str]:
        """Entities named by the notifications that were kept, oldest first."""
        return [str(row[0]) for row in self.mine.ask("select named from inbox order by id")]


@asynccontextmanager
async def told(halls: Halls, doorway: Doorway, *, joined: bool = True) -> AsyncIterator[Told]:
    """Open the door; with `joined` everything has been read and shared once, and calls are counted from there."""
    async with Told.opened(halls, doorway) as found:
        assert isinstance(found, Told)
        if joined:
            await found.settle()
            halls.reset_calls()
        yield found
