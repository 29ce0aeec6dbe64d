"""Webhook subscriptions kept: made, renewed, missed. Whatever goes wrong with them, polling goes on as always."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import structlog
from msgspec import Struct, structs

from isthmus.contract.webhooks import Subscriber, Subscription, Wanted
from isthmus.errors import IsthmusError
from isthmus.ledger import audit, streams, subscriptions
from isthmus.ledger.subscriptions import Care, SubscriptionRow
from isthmus.ledger.types import AuditWrite, StreamKey
from isthmus.sync.door import Door
from isthmus.sync.turn import Turn

_log = structlog.get_logger("isthmus.webhooks")
#: A subscription that ends within this time is renewed; those of Business Central last three days (bc.md §11).
RENEW_WITHIN = timedelta(days=1)
#: How often the system is asked whether they are all there.
_CHECK = timedelta(hours=1)
#: And how soon again when one is refused, or the system could not be asked.
_AGAIN = timedelta(minutes=10)
#: So many refusals with one reason in a row, and the rest is not tried: the door is not open, or there is no room.
_MANY_REFUSALS = 2
_WHO = "Isthmus"
_SWITCHED_OFF = "The system had switched it off, as it does when nobody answers"


class _Judged(Struct):
    """How the subscriptions stand now, what is to be told of it, and what is read again at once."""

    rows: list[SubscriptionRow]
    told: list[AuditWrite]
    missed: list[SubscriptionRow]


async def keep_subscriptions(turn: Turn, door: Door | None) -> None:
    """Look after the connection's subscriptions when their time has come, at the end of a turn. Safe to repeat.

    `door` None: this process does not know the address. Raises FenceLost and StorageFailed only.
    """
    connector = turn.actor.connector
    if door is None or not door.url or not isinstance(connector, Subscriber):
        return
    wanted = door.wanted(turn.actor)
    aim = _aim(door.address(turn.actor.id), wanted)
    async with turn.world.transaction() as db:
        care = await subscriptions.care(db, turn.actor.id)
        before = await subscriptions.of_connection(db, turn.actor.id)
    if care is not None and care.aim == aim and care.due_at > turn.now():
        return
    found, trouble = await _ask(turn, connector, door, wanted, before)
    if care is not None and care.aim != aim:  # those of another address were given up, not lost
        before = [structs.replace(row, native_id="") for row in before]
    judged = _judge(turn, before, found, wanted, trouble)
    await _write(turn, judged, aim, care, trouble, whole=len(found) == len(wanted))


async def _ask(
    turn: Turn, connector: Subscriber, door: Door, wanted: Sequence[Wanted], before: Sequence[SubscriptionRow]
) -> tuple[Mapping[tuple[str, str], Subscription], str]:
    """What the system says of each wanted set, as far as time allows, and why it could not say more."""
    found: dict[tuple[str, str], Subscription] = {}
    refusals: list[str] = []
    ours = {row.native_id for row in before if row.native_id}
    answers = connector.subscriptions(
        door.address(turn.actor.id), wanted, ours=ours, renew_before=turn.now() + RENEW_WITHIN
    )
    try:
        async with aclosing(answers):
            async for one in answers:
                shown = structs.replace(one, text=door.masked(one.text), mend=door.masked(one.mend))
                found[one.native, one.company] = shown
                refusals = [*refusals, one.code] if one.result == "refused" else []
                if len(refusals) >= _MANY_REFUSALS and len(set(refusals)) == 1:
                    return found | _alike(shown, wanted, before, found), ""
                if not turn.may_start():
                    break
    except IsthmusError as error:
        return found, door.masked(str(error))
    return found, ""


def _alike(
    refusal: Subscription,
    wanted: Sequence[Wanted],
    before: Sequence[SubscriptionRow],
    found: Mapping[tuple[str, str], Subscription],
) -> dict[tuple[str, str], Subscription]:
    """What was not asked any more is refused like the last one; what is there already stays until its end."""
    known = {(row.native, row.company): row for row in before if row.state == "kept"}
    alike = {}
    for item in wanted:
        place = item.native, item.company
        if place not in found:
            row = known.get(place)
            alike[place] = structs.replace(
                refusal,
                native=item.native,
                company=item.company,
                id=row.native_id if row is not None else "",
                expires_at=row.expires_at if row is not None else None,
            )
    return alike


def _judge(
    turn: Turn,
    before: Sequence[SubscriptionRow],
    found: Mapping[tuple[str, str], Subscription],
    wanted: Sequence[Wanted],
    trouble: str,
) -> _Judged:
    known = {(row.native, row.company): row for row in before}
    judged = _Judged([], [], [])
    for item in wanted:
        place = item.native, item.company
        old, new = known.get(place), found.get(place)
        if new is not None:
            _told_of(turn, judged, old, new)
        elif old is not None:
            _not_told_of(turn, judged, old, trouble)
    return judged


def _told_of(turn: Turn, judged: _Judged, old: SubscriptionRow | None, new: Subscription) -> None:
    now = turn.now()
    row = SubscriptionRow(
        native=new.native, company=new.company, state="kept", since=now, native_id=new.id, expires_at=new.expires_at,
        code=new.code, reason=new.text, mend=new.mend,
    )  # fmt: skip
    was = old.state if old is not None else None
    if new.result == "unsupported":
        row = structs.replace(row, state="unsupported")
    elif new.result == "refused" and not (new.id and new.expires_at and new.expires_at > now):
        row = structs.replace(row, state="lost" if was in {"kept", "lost"} else "refused")
        if was not in {"lost", "refused"}:
            _alert(turn, judged, row, f"{new.text} {new.mend}".strip())
    elif new.result == "made" and was == "kept" and old is not None and old.native_id:
        _alert(turn, judged, structs.replace(row, state="lost"), f"{_missing(old, now)}; it was made anew.")
    elif new.result == "resumed" and was == "kept":
        _alert(turn, judged, structs.replace(row, state="lost"), f"{_SWITCHED_OFF}; it was switched on again.")
    elif was in {"lost", "refused"}:
        judged.told.append(_entry(turn, row, "webhook subscription back", "it was made anew."))
        judged.missed.append(row)
    if old is not None and old.state == row.state:
        row = structs.replace(row, since=old.since)
    judged.rows.append(row)


def _not_told_of(turn: Turn, judged: _Judged, old: SubscriptionRow, trouble: str) -> None:
    """The system said nothing of it: it stands as it stood, until its end has passed while the system is in trouble."""
    now = turn.now()
    if trouble and old.state == "kept" and old.expires_at is not None and old.expires_at <= now:
        reason = f"It ended at {_shown(old.expires_at)} and could not be renewed. {trouble}"
        old = structs.replace(old, state="lost", since=now, reason=reason)
        _alert(turn, judged, old, reason)
    judged.rows.append(old)


def _missing(old: SubscriptionRow, now: datetime) -> str:
    if old.expires_at is not None and old.expires_at <= now:
        return f"It ended at {_shown(old.expires_at)} without having been renewed"
    return "The system does not have it any more"


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _alert(turn: Turn, judged: _Judged, row: SubscriptionRow, reason: str) -> None:
    """A loss is told once, and what it may have kept from us is read at once."""
    what = "webhook subscription lost" if row.state == "lost" else "webhook subscription refused"
    judged.told.append(_entry(turn, row, what, f"{reason} Polling goes on meanwhile."))
    judged.missed.append(row)
    _log.warning(what, connection=turn.actor.id, set=row.native, company=row.company, reason=reason)


def _entry(turn: Turn, row: SubscriptionRow, what: str, reason: str) -> AuditWrite:
    streams_of = [key.entity for key, spec in turn.actor.streams.items() if spec.native == row.native]
    place = f"{row.native} of {row.company}" if row.company else row.native
    return AuditWrite(what=what, who=_WHO, entity=streams_of[0] if streams_of else "", reason=f"{place}: {reason}")


async def _write(turn: Turn, judged: _Judged, aim: str, care: Care | None, trouble: str, *, whole: bool) -> None:
    now = turn.now()
    refused = any(row.state in {"lost", "refused"} or (row.state == "kept" and row.code) for row in judged.rows)
    pause = timedelta(0) if not whole and not trouble else _AGAIN if trouble or refused else _CHECK
    async with turn.commit() as db:
        await subscriptions.save(db, turn.actor.id, judged.rows)
        await subscriptions.set_care(
            db, turn.actor.id, aim=aim, due_at=now + pause, checked_at=None if trouble else now, trouble=trouble
        )
        if trouble and (care is None or not care.trouble):
            told = AuditWrite(what="webhook subscriptions not looked after", who=_WHO, reason=trouble)
            judged.told.append(told)
        await audit.append(db, turn.actor.id, judged.told, now)
        if missed := _streams(turn, judged.missed):
            await streams.hasten_some(db, missed, now)
    turn.count("webhook subscriptions lost", len(judged.missed))


def _streams(turn: Turn, rows: Sequence[SubscriptionRow]) -> list[StreamKey]:
    places = {(row.native, row.company) for row in rows}
    return [key for key, spec in turn.actor.streams.items() if (spec.native, key.company) in places]


def _aim(address: str, wanted: Sequence[Wanted]) -> str:
    """Another address, token or set to be told of is another aim: then the subscriptions are looked after at once."""
    said = "\n".join((address, *sorted(f"{item.native} {item.company} {item.state}" for item in wanted)))
    return hashlib.sha256(said.encode()).hexdigest()
