"""What the hub believes to be in the target's books, by flow; for reconciliation."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from isthmus.ledger.types import Db


class Booked(msgspec.Struct, frozen=True):
    """One document. `root` is the number of its record's first document: corrections add up under it."""

    record_id: int
    root: str
    number: str
    company: str
    currency: str
    amount: Decimal | None
    state: str
    place: str
    reason: str


class Known(msgspec.Struct, frozen=True):
    """Documents of a flow, and the ways to find them.

    left_out   records that deliberately are not booked (before the cut-over, skipped by a person)
    accounts   accounts their expense lines went to
    """

    documents: tuple[Booked, ...]
    root_of: dict[int, str]
    root_by_number: dict[str, str]
    by_root: dict[str, Booked]
    left_out: frozenset[int]
    accounts: frozenset[str]
    currency_of: dict[str, str]


class _Line(msgspec.Struct):
    key: str
    account: str


class _Document(msgspec.Struct):
    lines: tuple[_Line, ...] = ()


_DECODER = msgspec.json.Decoder(_Document)


async def of_flow(db: Db, flow: str) -> Known:
    """All booked, saved or stopped documents of a flow."""
    cursor = await db.execute(
        """select record_id, number, company, currency, amount, state, place, subject, reason, code, document
             from message where flow = %s order by id""",
        (flow,),
    )
    documents: list[Booked] = []
    root_of: dict[int, str] = {}
    by_root: dict[str, Booked] = {}
    by_number: dict[str, str] = {}
    left_out: set[int] = set()
    accounts: set[str] = set()
    currency_of: dict[str, str] = {}
    async for record_id, number, company, currency, amount, state, place, subject, reason, code, text in cursor:
        if state == "skipped" and code != "nothing_to_post":
            left_out.add(record_id)
        root = root_of.setdefault(record_id, number or place or subject)
        document = Booked(record_id, root, number, company, currency, amount, state, place or subject, reason)
        by_root.setdefault(root, document)
        if number:
            by_number[number] = root
        if state in {"done", "saved"}:
            documents.append(document)
            currency_of[company] = currency
            accounts.update(line.account for line in _DECODER.decode(text).lines if line.key.endswith("/d"))
        elif state in {"held", "dead"}:
            by_root[root] = document
    return Known(tuple(documents), root_of, by_number, by_root, frozenset(left_out), frozenset(accounts), currency_of)
