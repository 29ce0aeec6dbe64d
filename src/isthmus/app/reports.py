"""Standing of a ledger for people and programs: what the command line shows and the console will show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from isthmus.ledger import connections, overview, subscriptions
from isthmus.ledger.overview import EntityTotal, StateCount
from isthmus.ledger.types import ALL_STATES, FINAL_STATES, STOPPED_STATES, Db, MessageRow
from isthmus.model.entity import entities
from isthmus.model.spelling import spell, spell_decimal

if TYPE_CHECKING:
    from isthmus.sync.reconcile import Reconciled

#: Who must act on a message that nothing moves by itself.
PERSON, FINANCE = "person", "finance"


async def status_report(
    db: Db, *, flows: Iterable[str] = (), backup_age: timedelta | None = None, backups: int = 0
) -> dict[str, Any]:
    """What `isthmus status --json` says. `flows`: names shown even when they have no message yet."""
    counts = await overview.message_counts(db)
    standings = await connections.standing(db)
    streams = await overview.stream_standings(db)
    return {
        "messages": _states(counts),
        "flows": {
            flow: _states(c for c in counts if c.flow == flow)
            for flow in dict.fromkeys((*flows, *(c.flow for c in counts)))
        },
        "totals": totals(await overview.entity_totals(db, counted_entities())),
        "connections": [
            {
                "connection": row.id,
                "system": row.system,
                "halted": {"code": row.halted_code, "text": row.halted_text, "since": _time(row.halted_at)}
                if row.halted_code
                else None,
                "troubles": sorted({s.trouble for s in streams if s.connection == row.id and s.trouble}),
            }
            for row in standings
        ],
        "write_backs": {
            row.connection: {"written": row.written, "open": row.open, "trouble": row.trouble}
            for row in await overview.note_standings(db)
        },
        "webhooks": {
            row.connection: {
                "kept": row.kept,
                "lost": row.lost,
                "unsupported": row.unsupported,
                "until": _time(row.until),
                "heard_at": _time(row.heard_at),
                "checked_at": _time(row.checked_at),
                "trouble": row.trouble,
            }
            for row in await subscriptions.standings(db)
        },
        "streams": [
            {
                "connection": s.connection,
                "entity": s.entity,
                "company": s.company,
                "complete": s.filled,
                "read_at": _time(s.polled_at),
                "trouble": s.trouble,
            }
            for s in streams
        ],
        "stopped": [
            {"state": state, "code": code, "count": number, "reason": reason, "example": f"M-{message_id}"}
            for state, code, reason, number, message_id in await overview.reasons(db, STOPPED_STATES)
        ],
        "backup": {"age_hours": _hours(backup_age), "kept": backups},
    }


def empty_report(flows: Iterable[str] = ()) -> dict[str, Any]:
    """The same of a ledger that does not exist yet."""
    return {
        "messages": _states(()),
        "flows": {flow: _states(()) for flow in flows},
        "totals": {},
        "connections": [],
        "write_backs": {},
        "webhooks": {},
        "streams": [],
        "stopped": [],
        "backup": {"age_hours": None, "kept": 0},
    }


def counted_entities() -> Sequence[str]:
    """Entities whose records have an amount that totals add up."""
    return [name for name, kind in entities().items() if kind.amount]


def totals(found: Sequence[EntityTotal]) -> dict[str, dict[str, Any]]:
    """Per entity count, amount and currency; with several currencies the amounts stand in `by_currency` alone."""
    told: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(total.entity for total in found):
        own = [total for total in found if total.entity == name]
        worth = {total.currency: total for total in own if total.amount is not None}
        told[name] = {"count": sum(total.count for total in own), "amount": "0", "currency": None}
        if len(worth) == 1:
            currency, total = next(iter(worth.items()))
            told[name] |= {"amount": spell_decimal(total.amount or Decimal(0)), "currency": currency or None}
        elif worth:
            told[name] |= {
                "amount": None,
                "by_currency": {
                    currency: {"count": total.count, "amount": spell_decimal(total.amount or Decimal(0))}
                    for currency, total in worth.items()
                },
            }
    return told


def message_line(row: MessageRow) -> dict[str, Any]:
    """What `isthmus messages --json` says of a message; the order of keys is part of it."""
    return {
        "id": row.id,
        "kind": row.kind,
        "flow": row.flow,
        "entity": row.entity,
        "record": record_name(row),
        "state": row.state,
        "reason": " ".join(words for words in (row.reason, row.mend) if words),
        "attempts": row.attempts,
        "next": next_step(row),
    }


def message_details(row: MessageRow) -> dict[str, Any]:
    """The same with everything else people ask for."""
    return message_line(row) | {
        "code": row.code,
        "field": row.field,
        "value": row.value,
        "mend": row.mend,
        "connection": row.connection,
        "company": row.company,
        "action": row.action,
        "number": row.number,
        "amount": spell_decimal(row.amount) if row.amount is not None else None,
        "currency": row.currency,
        "event_on": spell(row.event_on) if row.event_on is not None else None,
        "booked_at": _time(row.booked_at),
        "follows": row.follows,
        "created_at": _time(row.created_at),
        "changed_at": _time(row.changed_at),
        "key": row.key,
    }


def record_name(row: MessageRow) -> str:
    """What people know the record by: its place in a file, else its number."""
    return row.place or row.subject


def next_step(row: MessageRow) -> str | None:
    """When something happens next, or who must act; None when nothing is left to do."""
    if row.state in FINAL_STATES:
        return None
    if row.state == "dead":
        return PERSON
    if row.state in {"held", "saved"}:
        return FINANCE
    if row.state == "waiting":
        waited = row.waits_for.removeprefix("message:")
        return f"after M-{waited}" if waited != row.waits_for else f"when {row.waits_for} is there"
    return _time(row.next_at or row.changed_at)


def reconciled_line(row: Reconciled) -> dict[str, Any]:
    """What `isthmus reconcile --json` says of one flow's entity in one company and currency."""
    return {
        "flow": row.flow,
        "entity": row.entity,
        "company": row.company,
        "currency": row.currency,
        "source": row.source,
        "hub": row.hub,
        "target": row.target,
        "difference": row.difference,
        "rounding": row.rounding,
        "agrees": row.agrees,
        "unreadable": row.unreadable,
        "drift": [msgspec.to_builtins(drift) for drift in row.drift],
    }


def _states(counts: Iterable[StateCount]) -> dict[str, int]:
    found: dict[str, int] = dict.fromkeys(ALL_STATES, 0)
    for count in counts:
        found[count.state] += count.count
    return found


def _time(moment: datetime | None) -> str | None:
    return str(spell(moment)) if moment is not None else None


def _hours(age: timedelta | None) -> str | None:
    """Hours with one decimal, as text like every other decimal."""
    if age is None:
        return None
    return spell_decimal((Decimal(max(0, int(age.total_seconds()))) / 3600).quantize(Decimal("0.1")))
