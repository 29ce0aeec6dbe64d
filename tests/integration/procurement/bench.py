"""A yard that orders, takes in and moves goods, and the finance system that books it, on a real ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from integration.keep.shelf import Shelf
from isthmus.app.runtime import transactions
from isthmus.contract.capabilities import Capabilities
from isthmus.contract.clock import DrivenClock
from isthmus.contract.operations import Operation, Outcome
from isthmus.controls.periods import PeriodPolicy
from isthmus.ledger import connections, messages, streams
from isthmus.ledger.types import Db, MessageRow, StreamKey
from isthmus.mapping.compiler import compile_lens
from isthmus.mapping.context import LensContext
from isthmus.model.document import parse_document
from isthmus.model.entity import entities
from isthmus.model.finding import Finding
from isthmus.sync import act
from isthmus.sync.booking import CompanySettings
from isthmus.sync.goods_receipts import compare_receipts, goods_receipts, receipt_corrector
from isthmus.sync.merge import Policy
from isthmus.sync.procurement import USED_ENTITIES, ProcurementDesk
from isthmus.sync.requisitions import compare_drafts, purchase_requisitions
from isthmus.sync.run import run_turn
from isthmus.sync.stock_transactions import compare_movements, movement_corrector, stock_transactions
from isthmus.sync.world import Actor, FlowSpec, StreamSpec, Tables, World

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
BOOKS, YARD = "BOOKS", "yard"
SOURCES = ("purchase_order", "receipt", "inventory_transaction", "purchase_requisition")
BOOKED = ("receipt", "inventory_transaction", "purchase_order")
_LISTS = {"purchase_order", "receipt", "purchase_requisition"}


def lens_of(entity: str) -> Any:
    """Every field as it stands in the system."""
    kind = entities()[entity]
    lines = [f"entity: {entity}", f"native: {entity}", "fields:"]
    for field in kind.fields:
        if field.type in {"struct", "map"} or field.path == "lines":
            continue
        lines.append(f"  {field.path}: {{at: {field.path}}}")
    if entity in _LISTS:
        inner = next(field for field in kind.fields if field.path == "lines").fields
        lines += ["  lines:", "    each: lines", "    key: key", "    fields:"]
        lines += [f"      {field.path}: {{at: {field.path}}}" for field in inner]
    return compile_lens(parse_document("\n".join(lines), f"{entity}.yaml"), entities=entities())


class Books(Shelf):
    """Finance: what is posted stays. `refuse`: what it says of the next document instead of booking it."""

    refuse = ""

    @property
    def capabilities(self) -> Capabilities:
        known = super().capabilities
        post = frozenset({"post", "create", "update"})
        supports = {name: msgspec.structs.replace(one, actions=post) for name, one in known.entities.items()}
        return msgspec.structs.replace(known, entities=supports)

    def posted(self, entity: str) -> list[dict[str, Any]]:
        return [row for row in self.rows[entity].values() if row.get("mark")]

    def _carry_out(self, operation: Operation) -> Outcome:
        if self.refuse:
            text, self.refuse = self.refuse, ""
            return Outcome(key=operation.key, result="reject", code="refused", text=text)
        if operation.action == "post":
            operation = msgspec.structs.replace(operation, action="create")
        return super()._carry_out(operation)


class Bench:
    """The two systems and the world between them."""

    def __init__(self) -> None:
        self.clock = DrivenClock(NOON)
        self.yard = Shelf(YARD, *SOURCES)
        self.finance = Books("finance", *USED_ENTITIES, *BOOKED)
        self.world: World
        self.policy: PeriodPolicy = "hold"
        self.cut_over: date | None = None
        self._serial = 0
        self.finance.add("company", "c1", name=BOOKS, currency="USD", posting_from="2026-03-01")
        self.finance.add("item", "i1", number="BOLT", base_unit="PCS", type="stock")
        self.finance.add("item_unit", "u1", key="BOLT/BOX", item="BOLT", unit="BOX", factor="10")

    def order(self, number: str = "12", status: str = "approved", **lines: str) -> None:
        """An order with lines of BOLT: key -> quantity."""
        told = [
            {"key": key.removeprefix("l"), "item": "BOLT", "quantity": quantity, "unit": "PCS", "unit_cost": "2.5"}
            for key, quantity in (lines or {"l1": "10"}).items()
        ]
        self.yard.add("purchase_order", f"o{number}", number=number, status=status, lines=told)

    def receipt(self, number: str, order: str = "12", on: str = "2026-03-10", unit: str = "PCS", **lines: str) -> None:
        """A receipt: order line -> accepted."""
        told = [
            {"key": key, "order_line": key.removeprefix("l"), "accepted": accepted, "unit": unit}
            for key, accepted in (lines or {"l1": "4"}).items()
        ]
        self.yard.add("receipt", f"r{number}", number=number, order=order, received_on=on, lines=told)

    def movement(self, number: str, **fields: Any) -> None:
        values = {"type": "issue", "item": "BOLT", "quantity": "3", "location": "MAIN", "happened_on": "2026-03-10"}
        self.yard.add("inventory_transaction", f"t{number}", number=number, **(values | fields))

    async def open(self, pool: Any) -> None:
        self.transaction = transactions(pool)
        self.world = World(
            clock=self.clock,
            actors={YARD: self._actor(YARD, self.yard, SOURCES, ""), "finance": self._finance()},
            flows=self._flows(),
            transaction=self.transaction,
            configuration=None,
            epoch=1,
            restored_at=None,
            holder="test",
        )
        async with self.transaction() as db:
            await connections.register(db, [(name, "shelf") for name in self.world.actors])
            for actor in self.world.actors.values():
                names = [(key.entity, key.company) for key in actor.streams]
                await streams.register(db, actor.id, names, self.clock.now())

    def _finance(self) -> Actor:
        return self._actor("finance", self.finance, USED_ENTITIES, BOOKS)

    def _actor(self, name: str, shelf: Shelf, polled: Sequence[str], company: str) -> Actor:
        async def tables(db: Db, scope: str) -> Tables:
            del db, scope
            return Tables(LensContext(), "")

        lenses = {entity: lens_of(entity) for entity in shelf.rows}
        specs = {
            StreamKey(name, entity, company): StreamSpec(
                key=StreamKey(name, entity, company),
                native=entity,
                entity=entities()[entity],
                lens=lenses[entity],
                scope=company or name,
                digest="1",
                next_poll=lambda now: now + timedelta(seconds=60),
                list_keys={"lines": "key"} if entity in _LISTS else {},
            )
            for entity in polled
        }
        return Actor(
            id=name, system="shelf", role="finance" if company else "operations", connector=shelf, streams=specs,
            lenses=lenses, tables=tables, policy=lambda entity, path: Policy("owner", name),
        )  # fmt: skip

    def _flows(self) -> tuple[FlowSpec, ...]:
        desk = ProcurementDesk({BOOKS: CompanySettings("UTC")}, (YARD,))
        common: dict[str, Any] = {
            "source": YARD, "target": "finance", "route": lambda state: BOOKS, "when": lambda state: True, "desk": desk,
            "worth": lambda state, company: Finding("none", "error", "not compared"), "write_back": False,
            "needs": tuple(StreamKey("finance", entity, BOOKS) for entity in USED_ENTITIES),
        }  # fmt: skip
        return (
            FlowSpec(
                name="receipts", source_entity="receipt", target_entity="receipt", action="post", transition="received",
                steps=goods_receipts(desk, self.policy, self.cut_over, ()), compare=compare_receipts,
                correct=receipt_corrector(desk), **common,
            ),
            FlowSpec(
                name="stock", source_entity="inventory_transaction", target_entity="inventory_transaction",
                action="post", transition="moved", steps=stock_transactions(desk, self.policy, self.cut_over, ()),
                compare=compare_movements, correct=movement_corrector(desk), **common,
            ),
            FlowSpec(
                name="requisitions", source_entity="purchase_requisition", target_entity="purchase_order",
                action="create", transition="submitted", steps=purchase_requisitions(()), compare=compare_drafts,
                correct=lambda booked, work, serial: (), **common,
            ),
        )  # fmt: skip

    async def turns(self, rounds: int = 3) -> None:
        for _ in range(rounds):
            for name in ("finance", YARD, "finance"):
                result = await run_turn(self.world, name)
                assert not result.halted, result.halted
            self.clock.advance(61)

    async def messages(self, subject: str = "") -> list[MessageRow]:
        async with self.transaction() as db:
            cursor = await db.execute("select id from message where %s in ('', subject) order by id", (subject,))
            return await messages.by_ids(db, [row[0] for row in await cursor.fetchall()])

    async def message(self, subject: str) -> MessageRow:
        """The last one of a subject."""
        return (await self.messages(subject))[-1]

    async def act(self, what: str, row: MessageRow) -> Any:
        async with self.transaction() as db:
            if what == "correct":
                return await act.correct(db, self.world, row, "anna")
            return (await act.retry(db, self.world, [row], "anna"))[0]
