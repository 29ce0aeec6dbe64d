"""`isthmus trace`: the story of a document by any number people know it by."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import heading, money, say, table, write_json

if TYPE_CHECKING:
    from isthmus.cli.place import Place
    from isthmus.cli.reading import Reading


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("trace")(trace)


def trace(
    what: Annotated[
        str, typer.Argument(metavar="X", help="A number, M-123, FILE:LINE, an id of a system, a delivery.")
    ],
    project: Project = None,
    sets: Sets = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Where it was seen, what was decided by which rule, every attempt, where it is booked, and what comes next."""
    del debug
    raise typer.Exit(asyncio.run(_trace(place_of(project, sets), what, as_json)))


async def _trace(place: Place, what: str, as_json: bool) -> int:
    from isthmus.cli.reading import open_reading

    async with open_reading(place) as reading:
        found = await _found(reading, what)
    if as_json:
        write_json(found)
    elif found["story"] is not None:
        _show(found["story"])
    elif found["hits"]:
        say(f"{what} stands for several things; name one of them:")
        keys = ("handle", "entity", "number", "place", "matched")
        table(list(keys), [[hit[key] for key in keys] for hit in found["hits"]], keep=(0,))
    else:
        say(f"Nothing in the ledger is known by {what!r}.", error=True)
    return 0 if found["hits"] else 1


async def _found(reading: Reading, what: str) -> dict[str, Any]:
    from isthmus.app.story import hit_line, rule_places, tell
    from isthmus.ledger.finding_documents import find
    from isthmus.ledger.story import gather

    async with reading.transaction() as db:
        hits = await find(db, what)
        facts = await gather(db, hits[0].record_id, hits[0].message_ids) if len(hits) == 1 else None
    return {
        "query": what,
        "found": len(hits),
        "hits": [hit_line(hit) for hit in hits],
        "story": tell(facts, rule_places(reading.project)) if facts is not None else None,
    }


def _show(story: dict[str, Any]) -> None:
    record = story["record"]
    if record is not None:
        shown = [link["place"] or link["id"] for link in record["shown_by"]]
        heading(f"{record['entity'].replace('_', ' ')} {record['number']}  {', '.join(shown)}")
        worth = money(record["amount"], record["currency"])
        say(f"{worth}, handle {record['handle']}" if worth else f"handle {record['handle']}")
    for document in story["documents"]:
        _show_document(document)
    heading("What happened (times in UTC)")
    for event in story["events"]:
        _show_event(event)
    heading("What comes next")
    for item in story["next"]:
        say(f"  {item['message'] or ''} {item['text']}".rstrip())


def _show_document(document: dict[str, Any]) -> None:
    words = [f"{document['message']} {document['state']}:"]
    if document["number"]:
        worth = money(document["amount"], document["currency"])
        words.append(f"{document['entity'].replace('_', ' ')} {document['number']} {worth}")
        words.append(f"in {document['company'] or document['connection']}")
    else:
        words.append("no document")
    if document["posting_date"]:
        words.append(f"on {document['posting_date']}")
    if document["booked_id"]:
        words.append(f"(id there {document['booked_id']})")
    say(" ".join(words), style="green" if document["state"] == "done" else "")


def _show_event(event: dict[str, Any]) -> None:
    at = event["at"].removesuffix("Z").partition(".")[0].replace("T", " ")
    message = f"{event['message']} " if event["message"] else ""
    who = f"  [{event['who']}]" if event["who"] else ""
    say(f"  {at}  {message}{event['what']}: {event['text']}{who}")
    for detail in event["details"]:
        say(f"                       {detail}", style="dim")
