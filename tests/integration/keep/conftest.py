"""Two systems of records in memory on a real ledger, joined by a flow that keeps states in step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.keep.shelf import Shelf
from isthmus.app.runtime import transactions
from isthmus.contract.clock import DrivenClock
from isthmus.ledger import connections, messages, streams
from isthmus.ledger.database import Database
from isthmus.ledger.types import Db, MessageRow, StreamKey
from isthmus.mapping.compiler import compile_lens
from isthmus.mapping.context import LensContext
from isthmus.model.document import parse_document
from isthmus.model.entity import State, entities
from isthmus.sync.admit import list_keys_of
from isthmus.sync.merge import Policy
from isthmus.sync.run import run_turn
from isthmus.sync.world import Actor, AnyFlow, KeepSpec, StreamSpec, Tables, World

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

TERMS = """
entity: payment_terms
native: payment_terms
fields:
  code: {at: code}
  name: {at: name}
"""
VENDOR = """
entity: vendor
native: vendor
fields:
  number:        {at: number}
  name:          {at: name}
  contact.phone: {at: phone}
  tax_number:    {at: tax}
  payment_terms: {at: terms, ref: payment_terms}
  blocked:       {at: blocked}
"""
ORDER = """
entity: purchase_order
native: purchase_order
fields:
  number:        {at: number}
  vendor:        {at: vendor, ref: vendor}
  requisition:   {at: requisition}
  booked_number: {at: own_number, way: read}
  lines:
    each: lines
    key: key
    fields:
      key:      {at: line}
      item:     {at: item}
      quantity: {at: quantity}
      received: {at: received, way: read}
"""
REQUISITION = """
entity: purchase_requisition
native: purchase_requisition
fields:
  number: {at: number}
  status: {at: status}
  vendor: {at: vendor, ref: vendor}
  lines:
    each: lines
    key: key
    fields:
      key:      {at: line}
      item:     {at: item}
      quantity: {at: quantity}
"""
LENSES = {"payment_terms": TERMS, "vendor": VENDOR, "purchase_order": ORDER, "purchase_requisition": REQUISITION}
FINANCE: dict[str, Policy] = {}


class Bench:
    """The two shelves and the world between them."""

    def __init__(self, database: Database) -> None:
        self.clock = DrivenClock(NOON)
        self.finance = Shelf("finance", *LENSES)
        self.cafm = Shelf("cafm", *LENSES, external_id="erp_id")
        self.policies: dict[str, Policy] = {}
        self.database = database
        self.flows: dict[str, AnyFlow] = {}
        self.world: World | None = None

    def flow(self, entity: str, source: str = "finance", target: str = "cafm", **more: Any) -> KeepSpec:
        values: dict[str, Any] = {
            "name": f"{entity}s", "source": source, "source_entity": entity, "target": target, "target_entity": entity,
            "route": lambda state: "", "when": lambda state: True, "two_way": True, "create": True, "write_back": False,
        }  # fmt: skip
        spec = KeepSpec(**(values | more))
        if spec.match:
            spec = KeepSpec(**(values | more | {"needs": (StreamKey(target, entity, ""),)}))
        self.flows[spec.name] = spec
        return spec

    def policy(self, entity: str, path: str) -> Policy:
        del entity
        return self.policies.get(path, Policy("owner", "finance"))

    async def open(self, pool: Any) -> None:
        async def tables(db: Db, scope: str) -> Tables:
            del db, scope
            return Tables(LensContext(), "")

        shelves: Mapping[str, Shelf] = {"finance": self.finance, "cafm": self.cafm}
        kept = {flow.source_entity for flow in self.flows.values()}
        only = {"purchase_requisition": "cafm"}
        actors = {}
        for name, shelf in shelves.items():
            lenses = {
                e: compile_lens(parse_document(text, f"{e}.yaml"), entities=entities()) for e, text in LENSES.items()
            }
            keys = [entity for entity in LENSES if entity in kept and only.get(entity, name) == name]
            actors[name] = Actor(
                id=name,
                system="shelf",
                role="finance" if name == "finance" else "operations",
                connector=shelf,
                streams={
                    StreamKey(name, entity, ""): StreamSpec(
                        key=StreamKey(name, entity, ""),
                        native=entity,
                        entity=entities()[entity],
                        lens=lenses[entity],
                        scope="books",
                        digest="1",
                        next_poll=lambda now: now + timedelta(seconds=60),
                        list_keys=list_keys_of(lenses[entity]),
                    )
                    for entity in keys
                },
                lenses=lenses,
                tables=tables,
                policy=self.policy,
            )
        self.transaction = transactions(pool)
        self.world = World(
            clock=self.clock,
            actors=actors,
            flows=tuple(self.flows.values()),
            transaction=self.transaction,
            configuration=None,
            epoch=1,
            restored_at=None,
            holder="test",
        )
        async with self.transaction() as db:
            await connections.register(db, [(name, "shelf") for name in actors])
            for actor in actors.values():
                await streams.register(db, actor.id, [(key.entity, "") for key in actor.streams], self.clock.now())

    async def turns(self, rounds: int = 4, *, seconds: float = 61) -> None:
        """Both connections in turn; between the rounds the polls come due."""
        assert self.world is not None
        for _ in range(rounds):
            for name in self.world.actors:
                result = await run_turn(self.world, name)
                assert not result.halted, result.halted
            self.clock.advance(seconds)

    async def messages(self, state: str = "") -> list[MessageRow]:
        async with self.transaction() as db:
            cursor = await db.execute("select id from message where %s in ('', state) order by id", (state,))
            return await messages.by_ids(db, [row[0] for row in await cursor.fetchall()])

    async def ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        async with self.transaction() as db:
            cursor = await db.execute(query, values)
            return await cursor.fetchall()

    async def record(self, entity: str, number: str) -> State:
        from isthmus.model.state import decode_state

        [(text,)] = await self.ask(
            "select data from record where entity = %s and number = %s and deleted_at is null", entity, number
        )
        return decode_state(text)


Opened = Callable[..., Any]


@pytest.fixture
async def bench(database: Database) -> AsyncIterator[Bench]:
    """Set up flows and rows, then `await bench.open(bench.pool)`."""
    pool = await database.pool(min_size=1, max_size=4)
    one = Bench(database)
    one.pool = pool  # type: ignore[attr-defined]
    yield one
    await pool.close()
