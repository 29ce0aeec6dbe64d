"""The example's own folder read into a ledger, with a finance system in memory; and what its files say, added up apart.

What is expected is worked out from the CSV files by the standard library alone, so that no test asks the code what is
right.
"""

from __future__ import annotations

import csv
import shutil
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from integration.procurement.bench import BOOKS, NOON, Bench
from isthmus.app.project.loading import load_project
from isthmus.app.registry import connect
from isthmus.app.tables import TableCache
from isthmus.app.wiring import compile_lenses
from isthmus.contract.clock import DrivenClock
from isthmus.ledger import connections, streams
from isthmus.ledger.types import StreamKey
from isthmus.model.entity import State, entities
from isthmus.model.finding import Finding
from isthmus.model.state import decode_state
from isthmus.sync.admit import list_keys_of
from isthmus.sync.booking import CompanySettings
from isthmus.sync.goods_receipts import compare_receipts, goods_receipts, receipt_corrector
from isthmus.sync.merge import Policy
from isthmus.sync.procurement import USED_ENTITIES, ProcurementDesk
from isthmus.sync.run import run_turn
from isthmus.sync.world import Actor, FlowSpec, StreamSpec

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "examples" / "adventureworks"
PUBLISHED = ROOT.parent / "shared" / "data"
#: Status in the files -> what it means here.
STATUS = {"1": "pending", "2": "approved", "3": "rejected", "4": "received"}
SENT = ("2", "4")

Row = Mapping[str, str]


class Files:
    """The two files as the standard library reads them."""

    def __init__(self, folder: Path) -> None:
        self.orders = _rows(folder / "PurchaseOrderHeader.csv")
        self.lines = _rows(folder / "PurchaseOrderDetail.csv")
        self.products = {row["ProductID"]: row for row in _rows(folder / "Product.csv")}
        self.status = {row["PurchaseOrderID"]: row["Status"] for row in self.orders}

    def of(self, *statuses: str) -> list[Row]:
        """Lines of orders of these statuses."""
        return [line for line in self.lines if self.status[line["PurchaseOrderID"]] in statuses]

    def accepted(self) -> dict[str, dict[str, Decimal]]:
        """Order -> line -> accepted, lines that accept nothing left out."""
        found: dict[str, dict[str, Decimal]] = defaultdict(dict)
        for line in self.lines:
            if quantity := Decimal(line["StockedQty"]):
                found[line["PurchaseOrderID"]][line["PurchaseOrderDetailID"]] = quantity
        return found


def worth(lines: list[Row]) -> Decimal:
    return sum((Decimal(line["OrderQty"]) * Decimal(line["UnitPrice"]) for line in lines), Decimal(0))


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


class Bikes(Bench):
    """`folder`: the folder of the files, the test's own where it edits them. Nothing is written into it."""

    def __init__(self, place: Path, data: Path, *, own: bool) -> None:
        super().__init__()
        if own:
            shutil.copytree(data, place / "data")
            data = place / "data"
        self.clock = DrivenClock(NOON + timedelta(days=36500))  # long after any file was written
        self.folder = data / "adventureworks"
        self.files = Files(self.folder)
        self.project = load_project(EXAMPLE, sets={"data": str(data)}, environ={}, cwd=ROOT)
        self.finance.rows["item"].clear()
        for row in self.files.products.values():
            self.finance.add("item", row["ProductNumber"], number=row["ProductNumber"], base_unit="EA", type="stock")
        self.finance.edit("company", "c1", posting_from=None)

    async def open(self, pool: Any) -> None:
        """As the app wires it, with receipts as the only flow."""
        await super().open(pool)
        config = self.project.connections["purchasing"]
        connector = connect(config.system, config.settings, self.clock)
        desk = ProcurementDesk({BOOKS: CompanySettings("America/Los_Angeles")}, ("BIKE WORKS",))
        receipts = FlowSpec(
            name="goods-receipts", source="purchasing", source_entity="receipt", target="finance",
            target_entity="receipt", action="post", transition="received", route=lambda state: BOOKS,
            when=lambda state: True, desk=desk, steps=goods_receipts(desk, "hold", None, ()), compare=compare_receipts,
            correct=receipt_corrector(desk), worth=lambda state, company: Finding("none", "error", "not compared"),
            write_back=False,
            needs=tuple(StreamKey("finance", entity, BOOKS) for entity in USED_ENTITIES),
        )  # fmt: skip
        tables = TableCache(self.project.tables)
        lenses = compile_lenses(self.project, "purchasing")
        specs = {}
        for entity, native in (("purchase_order", "purchase_orders"), ("receipt", "receipts")):
            key = StreamKey("purchasing", entity, "BIKE WORKS")
            lens, digest = lenses[entity]
            specs[key] = StreamSpec(
                key=key, native=native, entity=entities()[entity], lens=lens, scope="BIKE WORKS", digest=digest,
                next_poll=lambda now: now + timedelta(seconds=60), list_keys=list_keys_of(lens),
            )  # fmt: skip
        purchasing = Actor(
            id="purchasing", system="files", role="operations", connector=connector, streams=specs,
            lenses={entity: lens for entity, (lens, _) in lenses.items()}, tables=tables.get,
            policy=lambda entity, path: Policy("owner", "purchasing"),
        )  # fmt: skip
        actors = {"purchasing": purchasing, "finance": self.world.actors["finance"]}
        self.world = msgspec.structs.replace(self.world, actors=actors, flows=(receipts,))
        async with self.transaction() as db:
            await connections.register(db, [("purchasing", "files")])
            names = [(key.entity, key.company) for key in specs]
            await streams.register(db, "purchasing", names, self.clock.now())

    async def turns(self, rounds: int = 2) -> None:
        for _ in range(rounds):
            for name in ("finance", "purchasing", "finance"):
                while True:
                    result = await run_turn(self.world, name)
                    assert not result.halted, result.halted
                    if not result.more:
                        break
            self.clock.advance(61)

    async def states(self, entity: str) -> list[State]:
        async with self.transaction() as db:
            cursor = await db.execute(
                "select data from record where entity = %s and deleted_at is null order by id", (entity,)
            )
            return [decode_state(row[0]) for row in await cursor.fetchall()]

    async def total(self, entity: str) -> Decimal:
        """The sum of the amounts the ledger keeps of an entity's records."""
        async with self.transaction() as db:
            cursor = await db.execute("select sum(amount) from record where entity = %s", (entity,))
            row = await cursor.fetchone()
            return row[0] if row else Decimal(0)

    async def changes(self, entity: str) -> int:
        """How many records of an entity were changed after they were first seen."""
        async with self.transaction() as db:
            cursor = await db.execute(
                "select count(*) from record where entity = %s and changed_at > created_at", (entity,)
            )
            row = await cursor.fetchone()
            return row[0] if row else 0

    async def standing(self) -> Counter[tuple[str, str]]:
        """(state, code) of messages -> how many."""
        async with self.transaction() as db:
            cursor = await db.execute("select state, code from message")
            return Counter((row[0], row[1]) for row in await cursor.fetchall())

    def received(self) -> dict[str, dict[str, Decimal]]:
        """What finance was told: order -> line -> accepted."""
        found: dict[str, dict[str, Decimal]] = defaultdict(dict)
        for document in self.finance.posted("receipt"):
            for line in document["lines"]:
                found[document["order"]][line["order_line"]] = Decimal(str(line["accepted"]))
        return found


async def check(bikes: Bikes) -> None:
    """The hub holds what the files say, and finance was told what was accepted of orders that were sent."""
    files = bikes.files
    orders = {order["number"]: order for order in await bikes.states("purchase_order")}
    assert {number: order["status"] for number, order in orders.items()} == {
        number: STATUS[status] for number, status in files.status.items()
    }
    lines = {(number, line["key"]): line for number, order in orders.items() for line in order["lines"]}
    assert len(lines) == len(files.lines)
    for row in files.lines:
        line = lines[row["PurchaseOrderID"], row["PurchaseOrderDetailID"]]
        assert line["item"] == files.products[row["ProductID"]]["ProductNumber"]
        assert Decimal(line["quantity"]) == Decimal(row["OrderQty"])
        assert Decimal(line["unit_cost"]) == Decimal(row["UnitPrice"])
        assert line["expected_on"] == row["DueDate"][:10]
    assert await bikes.total("purchase_order") == worth(files.lines)
    receipts = {receipt["order"]: receipt for receipt in await bikes.states("receipt")}
    came = {line["key"]: line for receipt in receipts.values() for line in receipt["lines"]}
    assert receipts.keys() == files.status.keys()
    for row in files.lines:
        line = came[row["PurchaseOrderDetailID"]]
        for name, column in (("received", "ReceivedQty"), ("rejected", "RejectedQty"), ("accepted", "StockedQty")):
            assert Decimal(line[name]) == Decimal(row[column])
    accepted = files.accepted()
    assert bikes.received() == {
        number: accepted[number] for number, status in files.status.items() if status in SENT and accepted[number]
    }
