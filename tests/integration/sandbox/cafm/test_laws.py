"""Whatever is sent, the answer is one of the contract, and a refusal leaves everything as it was."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from integration.sandbox.cafm.facility import seed
from isthmus.sandbox.cafm.entities import ENTITIES
from isthmus.sandbox.cafm.entity import Field
from isthmus.sandbox.cafm.keys import Key
from isthmus.sandbox.cafm.kinds import (
    ByCode,
    ById,
    Choice,
    Country,
    Day,
    Dimensions,
    Exact,
    Flag,
    Integer,
    Text,
    Time,
)
from isthmus.sandbox.cafm.seed import apply
from isthmus.sandbox.cafm.service import Caller, Service
from isthmus.sandbox.cafm.world import World
from isthmus.sandbox.clock import Clock
from isthmus.sandbox.seed import read
from isthmus.sandbox.wire import Request

CODES = set(re.findall(r"`([a-z_]+)`", (Path(__file__).parents[4] / "docs" / "cafm-api.md").read_text("utf-8")))
#: Values that have a meaning somewhere: ids and codes that are there, numbers at the edges, wrong kinds.
WORDS = ["PCS", "BOX10", "V1", "1000", "EUR", "8430", "issue", "count", "service", "account", "x" * 200, "", " "]
NUMBERS = [
    "0",
    "1",
    "-1",
    "0.5",
    "9999999999999",
    "1e9",
    "1.00000001",
    "2026-02-29",
    "2026-02-28",
    "2999-01-01T00:00:00Z",
]
SCALARS = st.one_of(
    st.sampled_from([*WORDS, *NUMBERS]),
    st.sampled_from([None, True, 0, 1, 2_147_483_640, 2_700_000_000_000_001, 2**53, 4.5]),
    st.text(max_size=5),
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)


def fitting(world: World, field: Field) -> st.SearchStrategy[Any]:
    """What a field takes, or nearly."""
    kind = field.kind
    if isinstance(kind, ById):
        return st.sampled_from(list(world.tables[kind.entity].rows) or [17])
    if isinstance(kind, ByCode):
        return st.sampled_from([row["code"] for row in world.tables[kind.entity]] or ["X"])
    if isinstance(kind, Exact):
        return st.sampled_from(["1", "2", "10", "0.5", "-1", "0", "3.25"])
    if isinstance(kind, Choice):
        return st.sampled_from(kind.words)
    if field.name == "orderLineId":
        return st.sampled_from([line["id"] for row in world.tables["purchaseOrders"] for line in row["lines"]])
    if isinstance(kind, Country):
        return st.just("DE")
    if isinstance(kind, Text):
        return st.text(alphabet="abcÄ1", min_size=1, max_size=min(kind.length, 8))
    if isinstance(kind, Dimensions):
        return st.sampled_from([[], [{"dimension": "SITE", "value": "ADM"}]])
    examples = {Day: ["2026-02-28"], Time: ["2026-11-02T08:00:00+01:00"], Flag: [True, False], Integer: [1]}
    return st.sampled_from(examples.get(type(kind), [None]))


def bodies(world: World, fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these fields, most of them fitting; lines and members of the same making."""
    made: dict[str, st.SearchStrategy[Any]] = {}
    for field in fields:
        if field.lines or field.members:
            inner = bodies(world, (*field.members, *field.lines))
            good: st.SearchStrategy[Any] = st.lists(inner, max_size=2) if field.lines else inner
        else:
            good = fitting(world, field)
        made[field.name] = st.integers(0, 39).flatmap(lambda at, good=good: good if at else JUNK)
    needed = {field.name: made.pop(field.name) for field in fields if field.required or field.lines}
    return st.fixed_dictionaries(needed, optional=made)


ACTIONS = {"requisitions": "convert", "stockTransactions": "reverse"}


def snapshot(world: World) -> bytes:
    """Everything that is kept, but for the numbers given out."""
    tables = {name: list(table) for name, table in world.tables.items()}
    return msgspec.json.encode([tables, world.stock.dump()])


def fresh() -> World:
    found = World(Clock())
    apply(found, read(seed()))
    return found


#: The ids and codes that bodies draw from; every example has a world of its own that is just like it.
LIKE_ALL = fresh()


@pytest.mark.parametrize("name", [name for name in ENTITIES if name != "webhooks"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), by_hand=st.booleans())
def test_every_answer_is_of_the_contract(name: str, data: st.DataObject, by_hand: bool) -> None:
    """Without HTTP around it, for the sake of many examples."""
    world = fresh()
    service, caller = Service(world), Caller("somebody", None if by_hand else Key())
    body = data.draw(bodies(LIKE_ALL, ENTITIES[name].fields))
    one = f"/{name}/{data.draw(st.sampled_from([17, *world.tables[name].rows]))}"
    action = f"{one}/{ACTIONS.get(name, 'status')}"
    calls = [("PATCH", one), ("POST", f"{one}/integration"), ("POST", action), ("POST", f"/{name}"), ("DELETE", one)]
    for method, path in calls:
        before = snapshot(world)
        answer = service.answer(Request(method, path, payload=msgspec.to_builtins(body)), caller)
        event(f"{method} {path.count('/')}: {answer.status}")
        if answer.status >= 400:
            assert answer.body["error"]["code"] in CODES
            assert snapshot(world) == before
        else:
            assert answer.status in {200, 201, 204}
            assert all(quantity > 0 for row in world.tables["items"] for quantity in world.stock.of(row["id"]).values())
