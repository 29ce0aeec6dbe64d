"""The story of a document in the order of time: seen, decided, sent, booked, told, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from isthmus.app.project.project import Project
from isthmus.app.reports import next_step, record_name
from isthmus.controls.rule_reading import parse_rules
from isthmus.ledger.audit import AuditRow
from isthmus.ledger.finding_documents import Hit
from isthmus.ledger.story import AttemptFact, Facts, NoteFact
from isthmus.ledger.types import MessageRow
from isthmus.model.spelling import spell, spell_decimal
from isthmus.model.state import decode_state

#: (flow, rule) -> file:line of the posting rule as the project is now.
RulePlaces = Mapping[tuple[str, str], str]


class Event(Struct, frozen=True, kw_only=True):
    """One thing that happened. `what` is one of seen, changed, decided, attempt, acted, booked, stands, told."""

    at: datetime
    what: str
    who: str
    message: int | None
    text: str
    details: tuple[str, ...] = ()


def rule_places(project: Project) -> dict[tuple[str, str], str]:
    """Where each posting rule of each flow stands now."""
    places: dict[tuple[str, str], str] = {}
    for name, flow in project.flows.items():
        if flow.rules is not None:
            table = parse_rules(project.rules[flow.rules])
            places |= {(name, row.name): table.place(row.line) for row in table.rows}
    return places


def hit_line(hit: Hit) -> dict[str, Any]:
    """One of several things a number may stand for; `handle` names it alone."""
    handle = f"M-{hit.message_ids[0]}" if hit.message_ids else f"R-{hit.record_id}"
    return {
        "handle": handle,
        "entity": hit.entity,
        "number": hit.number,
        "place": hit.place,
        "messages": [f"M-{message_id}" for message_id in hit.message_ids],
        "matched": hit.how,
    }


def tell(facts: Facts, rules: RulePlaces) -> dict[str, Any]:
    """The story as `isthmus trace --json` gives it."""
    return {
        "record": _record(facts),
        "documents": [_document(row, facts, rules) for row in facts.messages],
        "events": [
            {
                "at": spell(event.at),
                "what": event.what,
                "who": event.who,
                "message": f"M-{event.message}" if event.message is not None else None,
                "text": event.text,
                "details": list(event.details),
            }
            for event in events(facts, rules)
        ],
        "told": [_note(note) for note in facts.notes],
        "next": [_next(row) for row in facts.messages if _is_open(row)] or [_at_rest(facts)],
    }


def events(facts: Facts, rules: RulePlaces) -> list[Event]:
    """Everything that happened, oldest first; at one moment in the order in which such things happen."""
    found = [
        *(_audited(row) for row in facts.audit),
        *(event for row in facts.messages for event in _of_message(row, facts, rules)),
        *(_attempted(attempt) for attempt in facts.attempts),
        *(_told(note) for note in facts.notes),
    ]
    return sorted(found, key=lambda event: (event.at, _ORDER.index(event.what)))


_ORDER = ("seen", "changed", "acted", "decided", "attempt", "booked", "stands", "told")


def _record(facts: Facts) -> dict[str, Any] | None:
    record = facts.record
    if record is None:
        return None
    return {
        "handle": f"R-{record.id}",
        "entity": record.entity,
        "number": record.number,
        "amount": spell_decimal(record.amount) if record.amount is not None else None,
        "currency": record.currency,
        "first_seen": spell(record.created_at),
        "changed": spell(record.changed_at),
        "gone": spell(record.deleted_at) if record.deleted_at else None,
        "shown_by": [
            {
                "connection": link.connection,
                "company": link.company,
                "id": link.native_id,
                "place": link.place,
                "gone": spell(link.deleted_at) if link.deleted_at else None,
            }
            for link in facts.links
        ],
    }


def _document(row: MessageRow, facts: Facts, rules: RulePlaces) -> dict[str, Any]:
    state = decode_state(row.document) if row.document else {}
    return {
        "message": f"M-{row.id}",
        "key": row.key,
        "flow": row.flow,
        "entity": row.entity,
        "action": row.action,
        "state": row.state,
        "code": row.code,
        "reason": row.reason,
        "mend": row.mend,
        "connection": row.connection,
        "company": row.company,
        "number": row.number,
        "booked_id": row.native_id,
        "posting_date": state.get("posting_date"),
        "event_on": spell(row.event_on) if row.event_on else None,
        "amount": spell_decimal(row.amount) if row.amount is not None else None,
        "currency": row.currency,
        "booked_at": spell(row.booked_at) if row.booked_at else None,
        "attempts": row.attempts,
        "delivery": row.delivery,
        "follows": f"M-{row.follows}" if row.follows else None,
        "configuration": facts.configurations.get(row.id),
        "lines": [
            {
                "account": line.get("account"),
                "amount": line.get("amount"),
                "dimensions": line.get("dimensions", {}),
                "rule": line.get("rule"),
                "rule_place": rules.get((row.flow, str(line.get("rule"))), ""),
                "description": line.get("description"),
            }
            for line in state.get("lines", ())
        ],
    }


def _audited(row: AuditRow) -> Event:
    if row.what == "record seen":
        return Event(at=row.at, what="seen", who=row.who, message=None, text=f"{row.connection} shows it: {row.reason}")
    if row.what.startswith("document "):
        text = f"{row.what} as {row.new}" if row.new else row.what
        return Event(at=row.at, what="booked", who=row.who, message=row.message_id, text=text)
    if row.what.startswith("message "):
        details = (row.reason,) if row.reason else ()
        return Event(at=row.at, what="acted", who=row.who, message=row.message_id, text=row.what, details=details)
    change = (
        f": {row.field} {_value(row.old)} -> {_value(row.new)}" if row.field and row.what != "field unreadable" else ""
    )
    details = (row.reason,) if row.reason else ()
    return Event(
        at=row.at, what="changed", who=row.who, message=row.message_id, text=f"{row.what}{change}", details=details
    )  # fmt: skip


def _value(text: str | None) -> str:
    return "(nothing)" if text is None else text


def _of_message(row: MessageRow, facts: Facts, rules: RulePlaces) -> Iterator[Event]:
    version = facts.configurations.get(row.id)
    by = f"flow {row.flow}" + (f", configuration {version}" if version else "")
    document = _document(row, facts, rules)
    if row.document:
        text = f"{row.action} {row.entity.replace('_', ' ')} {row.number} in {row.company or row.connection}"
        if document["posting_date"]:
            text += f", posting date {document['posting_date']}"
        details = tuple(_line_text(line) for line in document["lines"])
    else:
        text, details = "no document", ()
    if row.follows:
        text += f"; follows M-{row.follows}"
    yield Event(at=row.created_at, what="decided", who=by, message=row.id, text=text, details=details)
    if row.state != "done":
        words = tuple(word for word in (row.mend,) if word)
        why = f": {row.reason}" if row.reason else ""
        yield Event(at=row.changed_at, what="stands", who="", message=row.id, text=f"{row.state}{why}", details=words)


def _line_text(line: Mapping[str, Any]) -> str:
    dimensions = " ".join(f"{code}={value}" for code, value in sorted((line["dimensions"] or {}).items()))
    rule = f"rule {line['rule']!r}" + (f" ({line['rule_place']})" if line["rule_place"] else "") if line["rule"] else ""
    return "  ".join(part for part in (str(line["account"]), str(line["amount"]), dimensions, rule) if part)


def _attempted(attempt: AttemptFact) -> Event:
    took = f" in {attempt.seconds:.2f} s" if attempt.seconds else ""
    said = " ".join(part for part in (attempt.code, attempt.text) if part)
    return Event(
        at=attempt.at,
        what="attempt",
        who="Isthmus",
        message=attempt.message_id,
        text=f"{attempt.step}: {attempt.outcome}{took}",
        details=tuple(
            part for part in (said, f"delivery {attempt.delivery}" if attempt.delivery else "") if part
        ),
    )  # fmt: skip


def _told(note: NoteFact) -> Event:
    body = decode_state(note.body)
    said = " ".join(
        str(body[name]) for name in ("state", "document", "amount", "currency", "message") if body.get(name)
    )
    word = "was told" if note.told else "is still to be told"
    return Event(
        at=note.changed_at, what="told", who="Isthmus", message=None, text=f"{note.connection} {word}: {said}",
        details=(note.trouble,) if note.trouble else (),
    )  # fmt: skip


def _note(note: NoteFact) -> dict[str, Any]:
    return {
        "connection": note.connection,
        "told": note.told,
        "at": spell(note.changed_at),
        "text": decode_state(note.body),
        "trouble": note.trouble,
    }


def _is_open(row: MessageRow) -> bool:
    return next_step(row) is not None


def _next(row: MessageRow) -> dict[str, Any]:
    return {"message": f"M-{row.id}", "state": row.state, "next": next_step(row), "text": advice(row)}


def _at_rest(facts: Facts) -> dict[str, Any]:
    last = facts.messages[-1] if facts.messages else None
    if last is None:
        return {
            "message": None,
            "state": None,
            "next": None,
            "text": "No flow starts from it, so nothing is to be done.",
        }
    return {"message": f"M-{last.id}", "state": last.state, "next": None, "text": advice(last)}


def advice(row: MessageRow) -> str:
    """What happens next with a message, or what a person can do."""
    mend = f"{row.mend} " if row.mend else ""
    if row.state == "done":
        where = f" in {row.company}" if row.company else ""
        return f"Nothing: {row.number or record_name(row)} is booked{where}."
    if row.state in {"skipped", "cancelled"}:
        return "Nothing is to be done."
    if row.state == "dead":
        return f"{mend}Then it goes by itself if its source changed; else run `isthmus retry M-{row.id}`."
    if row.state == "held" and row.code == "already_booked":
        return f"Finance decides: `isthmus correct M-{row.id}` counters it and books it anew; `isthmus skip` leaves it."
    if row.state == "held":
        return f"{mend}Then run `isthmus retry M-{row.id}`, or `isthmus skip M-{row.id} --why …` to leave it."
    if row.state == "saved":
        return f"{mend}It lies in {row.company or row.connection} and is not booked: somebody there books it."
    if row.state == "waiting":
        return f"It goes by itself {next_step(row)}."
    if row.state == "uncertain":
        return f"Its outcome is asked of {row.connection} again at {next_step(row)}; nothing is sent before that."
    return f"It goes by itself at {next_step(row)}."
