"""One phase of changes to many orders: whole orders to a request, and what decides for each (bc.md §7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics._odata import BATCH_LIMIT, Part, PartReply
from isthmus.errors import IsthmusError, Stale

#: What decides where several requests of one order failed: doubt before refusal.
_WEIGHT: Mapping[str, int] = {"halt": 0, "uncertain": 1, "reject": 2, "retry": 3}


class Sent(Struct, frozen=True):
    """Answers to one phase by key, and the error that decides for those of which a request failed."""

    replies: Mapping[str, Sequence[PartReply]]
    failed: Mapping[str, IsthmusError]


async def send(client: ODataClient, parts: Mapping[str, Sequence[Part]], *, at_once: int = BATCH_LIMIT) -> Sent:
    """One phase: the requests of each order stay together and in order. A request whose answer is lost makes those
    doubtful that were in it; the others go on."""
    replies: dict[str, Sequence[PartReply]] = {}
    failed: dict[str, IsthmusError] = {}
    for group in _packed(parts, at_once):
        try:
            answers = iter(await client.batch([part for key in group for part in parts[key]]))
        except IsthmusError as error:
            failed |= dict.fromkeys(group, error)
            continue
        for key in group:
            replies[key] = [next(answers) for _ in parts[key]]
            fault = worst([client.verdict(reply) for reply in replies[key]])
            if fault is not None:
                failed[key] = fault
    return Sent(replies, failed)


def worst(answers: Sequence[IsthmusError | None]) -> IsthmusError | None:
    """The error that decides; None where all went well."""
    errors = [error for error in answers if error is not None]
    return min(errors, key=lambda error: (_WEIGHT[error.next_step], isinstance(error, Stale)), default=None)


def _packed(parts: Mapping[str, Sequence[Part]], at_once: int) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for key, asked in parts.items():
        if not asked:
            continue
        if group and size + len(asked) > at_once:
            yield group
            group, size = [], 0
        group.append(key)
        size += len(asked)
    if group:
        yield group
