"""What flows of goods look at: the company's books, its items and their units, and the orders that goods came for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar, cast

import msgspec
from msgspec import Struct

from isthmus.controls.book import Book
from isthmus.controls.quantities import ItemUnits
from isthmus.ledger import numbered, records
from isthmus.ledger.numbered import Numbered, OnItsWay
from isthmus.ledger.types import Db
from isthmus.model.entities.items import Item, ItemUnit
from isthmus.model.entities.purchasing import PurchaseOrder, Receipt
from isthmus.model.entity import State, entities
from isthmus.model.finding import Finding
from isthmus.model.state import decode_state, encode_state
from isthmus.sync.booking import CompanySettings, fitting, incomplete, open_book

#: What must have been read of the target before goods can be booked, and what is used where the target shows it.
NEEDED_ENTITIES = ("company", "item")
USED_ENTITIES = (*NEEDED_ENTITIES, "item_unit")
#: Orders that are kept in memory, about.
_KEPT = 20_000
_NO_UNITS = ItemUnits((), ())

K = TypeVar("K")
V = TypeVar("V")


class Ordered(Struct, frozen=True):
    """An order as the hub knows it. `state` and `order` are the same."""

    record_id: int
    scope: str
    origin: str
    state: State
    order: PurchaseOrder


class ProcurementDesk:
    """Loads what the records at hand name, and nothing else: a hub may hold a million orders.

    What one record made it load stays while others load theirs, as turns interleave; each load brings its own up to
    date.

    Args:
        companies: what the project says of the target's companies.
        scopes: scopes of the source's orders (the scopes of its streams); orders made in the target are found too.
        source: connection of the source, where a scope of its own does not tell its orders from the target's.
    """

    def __init__(self, companies: Mapping[str, CompanySettings], scopes: Sequence[str] = (), source: str = "") -> None:
        self._companies = companies
        self._source = source
        self._scopes = tuple(dict.fromkeys(scopes))
        self._stamps: dict[str, str] = {}
        self._books: dict[str, Book] = {}
        self._items: dict[str, dict[str, Item]] = {}
        self._factors: dict[str, dict[str, ItemUnit]] = {}
        self._units: dict[str, ItemUnits] = {}
        self._orders: dict[str, tuple[Ordered | Finding, ...]] = {}
        self._coming: dict[int, tuple[OnItsWay, ...]] = {}
        self._new: dict[str, tuple[Receipt, ...]] = {}

    async def load(self, db: Db, companies: Sequence[str], states: Sequence[State] = ()) -> None:
        """Bring the books of these companies up to date, and what these receipts or movements name."""
        for company in companies:
            stamp = await records.stamp(db, ("company",), company)
            if self._stamps.get(company) != stamp:
                book = await open_book(db, company, self._companies.get(company, CompanySettings("UTC")))
                self._books.pop(company, None)
                self._books |= {company: book} if book is not None else {}
                self._stamps[company] = stamp
        await self._load_orders(db, companies, states)
        await self._load_new(db, states)
        pairs = {pair for state in states for pair in self._pairs(state)}
        for company in companies:
            await self._load_items(db, company, pairs)

    def book(self, company: str) -> Book | None:
        """The company's books, None when finance has no such company."""
        return self._books.get(company)

    def units(self, company: str) -> ItemUnits:
        """Items and units of the company, as far as the loaded records name them."""
        return self._units.get(company, _NO_UNITS)

    def order(self, company: str, number: str) -> Ordered | Finding:
        """The order of a number, or why there is none.

        One of the source wins over one that was made in the target. A finding that waits names the number: the order's
        arrival, and any change of it, wakes what waits for it.
        """
        known = self._orders.get(number, ())
        found = [one for one in known if isinstance(one, Finding) or one.scope in self._scopes]
        found = found or [one for one in known if isinstance(one, Ordered) and one.scope == company]
        if len(found) > 1 and self._source:  # one we made, read from the target before it was looked up, is no second
            found = [o for o in found if isinstance(o, Ordered) and o.origin == self._source] or found
        if len(found) == 1:
            return found[0]
        if found:
            return Finding(
                "order_ambiguous",
                "hold",
                f"there are {len(found)} orders {number}, and which one goods came for cannot be told",
                field="order",
                value=number,
                mend="Give each order a number of its own, or let a flow for each company read its own orders.",
            )
        return Finding(
            "order_missing",
            "wait",
            f"order {number} is not known yet",
            field="order",
            value=number,
            mend="Nothing if it is on its way; else correct the order number of the receipt in its system.",
        )

    def coming(self, order_id: int, receipt: str) -> Iterator[Receipt]:
        """Receipts of an order that are on their way before that of number `receipt` and not counted in finance yet."""
        messages = self._coming.get(order_id, ())
        own = next((one.message_id for one in messages if one.subject == receipt and not one.booked), None)
        for one in messages:
            if one.subject != receipt and (own is None or one.message_id < own) and one.document and not one.stopped:
                yield from fitting("receipt", [one.document], Receipt)

    def new_before(self, receipt: Receipt) -> Sequence[Receipt]:
        """New receipts of the same order that are decided just before this one."""
        mates = self._new.get(receipt.order, ())
        at = next((index for index, mate in enumerate(mates) if mate.number == receipt.number), None)
        return mates[:at] if at is not None else ()

    async def _load_orders(self, db: Db, companies: Sequence[str], states: Sequence[State]) -> None:
        """Orders that are named, and receipts of them that are on their way."""
        numbers = sorted({str(state["order"]) for state in states if state.get("order")})
        scopes = [*self._scopes, *(company for company in companies if company not in self._scopes)]
        orders: dict[str, list[Ordered | Finding]] = {number: [] for number in numbers}
        for row in await numbered.by_number(db, "purchase_order", scopes, numbers):
            orders[row.number].append(_ordered(row))
        ids = [one.record_id for found in orders.values() for one in found if isinstance(one, Ordered)]
        coming: dict[int, list[OnItsWay]] = {record_id: [] for record_id in ids}
        for message in await numbered.on_their_way(db, "receipt", ids):
            coming[message.anchor_id].append(message)
        _renew(self._orders, orders)
        _renew(self._coming, coming)

    async def _load_new(self, db: Db, states: Sequence[State]) -> None:
        """Receipts among these of which nothing was decided before, by order, as they come."""
        told = [state for state in states if state.get("order") and state.get("number")]
        rows = await numbered.by_number(db, "receipt", self._scopes, [str(state["number"]) for state in told])
        known = await numbered.with_messages(db, [row.record_id for row in rows]) if rows else set()
        decided = {row.number for row in rows if row.record_id in known}
        new: dict[str, list[Receipt]] = {str(state["order"]): [] for state in told}
        for state in told:
            if str(state["number"]) not in decided:
                new[str(state["order"])] += fitting("receipt", [encode_state(state)], Receipt)
        _renew(self._new, new)

    async def _load_items(self, db: Db, company: str, pairs: Iterable[tuple[str, str]]) -> None:
        named = sorted(pairs)
        items = await numbered.by_number(db, "item", [company], sorted({item for item, _ in named}), company)
        keys = [f"{item}/{unit}" for item, unit in named if unit]
        factors = await numbered.by_number(db, "item_unit", [company], keys, company)
        own = self._items.setdefault(company, {})
        for item, _ in named:
            own.pop(item, None)
        own |= {item.number: item for item in fitting("item", [row.data for row in items], Item)}
        units = self._factors.setdefault(company, {})
        for key in keys:
            units.pop(key, None)
        units |= {unit.key: unit for unit in fitting("item_unit", [row.data for row in factors], ItemUnit)}
        self._units[company] = ItemUnits(own.values(), units.values())

    def _pairs(self, state: State) -> Iterator[tuple[str, str]]:
        """(item, unit) that a record makes one ask for; "" is no unit."""
        lines = [state, *(state.get("lines") or ())]
        told = {str(line.get("unit") or "") for line in lines if isinstance(line, dict)}
        items = {str(line["item"]) for line in lines if isinstance(line, dict) and line.get("item")}
        for one in self._orders.get(str(state.get("order") or ""), ()):
            if isinstance(one, Ordered):
                told |= {line.unit or "" for line in one.order.lines}
                items |= {line.item for line in one.order.lines if line.item}
        yield from ((item, unit) for item in items for unit in told)


def _renew(kept: dict[K, tuple[V, ...]], loaded: Mapping[K, Sequence[V]]) -> None:
    """Put what was loaded last behind all else, and let go of what nobody asked for in a long time."""
    for key, values in loaded.items():
        kept.pop(key, None)
        kept[key] = tuple(values)
    for key in list(kept)[: max(0, len(kept) - max(_KEPT, len(loaded)))]:
        del kept[key]


def _ordered(row: Numbered) -> Ordered | Finding:
    state = decode_state(row.data)
    try:
        order = cast("PurchaseOrder", entities()["purchase_order"].parse(state))
    except msgspec.ValidationError as error:
        return incomplete(f"order {row.number}", str(error))
    return Ordered(row.record_id, row.scope, row.origin, state, order)
