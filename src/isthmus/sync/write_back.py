"""Write back: notes to the source. Newest text wins and writing twice is harmless, so a lost answer just repeats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from isthmus.contract.operations import Operation
from isthmus.errors import Halt, IsthmusError
from isthmus.ledger import notes
from isthmus.ledger.notes import NoteRow
from isthmus.model.state import decode_state
from isthmus.sync.points import reach
from isthmus.sync.turn import Turn

_PAUSE = timedelta(minutes=1)


async def write_back(turn: Turn) -> None:
    """Write the connection's due notes. Raises Halt when the connection cannot work."""
    while turn.may_start():
        async with turn.world.transaction() as db:
            rows = await notes.due(db, turn.actor.id, turn.now(), 1000)
        if not rows:
            return
        for members in _alike(rows):
            await _write(turn, members)


def _alike(rows: Sequence[NoteRow]) -> list[list[NoteRow]]:
    gathered: dict[tuple[str, str], list[NoteRow]] = {}
    for row in rows:
        gathered.setdefault((row.entity, row.company), []).append(row)
    return list(gathered.values())


async def _write(turn: Turn, rows: Sequence[NoteRow]) -> None:
    by_key = {f"note:{row.native_id}": row for row in rows}
    operations = [
        Operation(
            key=key,
            entity=row.entity,
            action="note",
            company=row.company,
            native=decode_state(row.body),
            native_id=row.native_id,
        )
        for key, row in by_key.items()
    ]
    done: list[NoteRow] = []
    trouble = "the connector gave no outcome"
    try:
        async for outcome in turn.actor.connector.write(operations):
            if outcome.result in {"done", "saved"}:
                done.append(by_key.pop(outcome.key))
            else:
                trouble = " ".join(word for word in (outcome.text, outcome.mend) if word)
    except Halt:
        raise
    except IsthmusError as error:
        trouble = str(error)
    reach("after_note")
    async with turn.commit() as db:
        await notes.written(db, done)
        if by_key:
            await notes.postpone(db, list(by_key.values()), trouble, turn.now() + _PAUSE)
    turn.count("notes written", len(done))
    turn.count("notes postponed", len(by_key))
