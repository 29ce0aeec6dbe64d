"""How the suite drives a connector: read a stream to its end, deliver the way the core does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from isthmus.contract.capabilities import EntitySupport
from isthmus.contract.connector import Connector
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import NativeRecord, Page, ReadRequest
from isthmus.errors import IsthmusError
from isthmus.model.values import Action
from isthmus.testing.claims import claim
from isthmus.testing.harness import Harness

_MOST_PAGES = 500


class Stream(Struct, frozen=True):
    """A stream read to its end: its records in order of arrival, its pages, and where the next read goes on."""

    records: tuple[NativeRecord, ...]
    pages: tuple[Page, ...]
    cursor: str | None

    @property
    def ids(self) -> list[str]:
        return [record.id for record in self.records]


async def nothing_known(families: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
    """The hub holds nothing of this stream."""
    del families
    return {}


async def read_stream(
    connector: Connector, native: str, company: str, *, cursor: str | None = None, limit: int = 500
) -> Stream:
    """Read page after page until there is no more."""
    pages: list[Page] = []
    while len(pages) < _MOST_PAGES:
        request = ReadRequest(native=native, company=company, cursor=cursor, limit=limit)
        page = await connector.read(request, nothing_known)
        pages.append(page)
        cursor = page.cursor
        if not page.more:
            return Stream(tuple(record for page in pages for record in page.records), tuple(pages), cursor)
    raise AssertionError(f"{native} never ends: {_MOST_PAGES} pages and still more")


async def write_all(connector: Connector, operations: Sequence[Operation]) -> dict[str, Outcome]:
    """Outcomes by key of one `write` call. What got no outcome is left out, as after a raise."""
    outcomes: dict[str, Outcome] = {}
    wanted = {operation.key for operation in operations}
    try:
        async for outcome in connector.write(operations):
            claim(outcome.key in wanted, f"an outcome for {outcome.key!r}, which nobody asked for")
            claim(outcome.key not in outcomes, f"two outcomes for {outcome.key!r}")
            outcomes[outcome.key] = outcome
    except IsthmusError:
        pass  # the contract: what has no outcome by now counts as uncertain
    return outcomes


async def deliver_until_done(
    harness: Harness,
    connector: Connector,
    support: EntitySupport,
    entity: str,
    serials: Sequence[int],
    *,
    tries: int = 4,
) -> dict[int, Outcome]:
    """Deliver as the core does: after `uncertain` nothing is sent before the settle time has passed, a look-up found
    nothing, and what the lost delivery left was discarded. Final outcomes by serial."""
    final: dict[int, Outcome] = {}
    lost: dict[int, list[str]] = {}
    for attempt in range(tries):
        open_serials = [serial for serial in serials if serial not in final]
        if not open_serials:
            break
        delivery = f"attempt-{serials[0]}-{attempt}"
        operations = {
            serial: harness.operation(entity, serial, delivery=delivery, earlier=tuple(lost.get(serial, ())))
            for serial in open_serials
        }
        found = await _settle(harness, connector, support, [op for op in operations.values() if op.earlier])
        to_send = [op for op in operations.values() if op.key not in found]
        outcomes = dict(found) | (await write_all(connector, to_send) if to_send else {})
        for serial, operation in operations.items():
            outcome = outcomes.get(operation.key)
            if outcome is not None and outcome.result in {"done", "saved", "reject"}:
                final[serial] = outcome
            elif outcome is None or outcome.result == "uncertain":
                lost.setdefault(serial, []).append(delivery)
        await harness.pass_time(max((o.after or 0.0 for o in outcomes.values()), default=0.0))
    return final


async def _settle(
    harness: Harness, connector: Connector, support: EntitySupport, uncertain: Sequence[Operation]
) -> Mapping[str, Outcome]:
    if not uncertain:
        return {}
    await harness.pass_time(connector.capabilities.call_timeout.total_seconds() + support.settle.total_seconds())
    found = await connector.look_up(uncertain)
    rest = [operation for operation in uncertain if operation.key not in found]
    if rest:
        await connector.discard(rest)
    return found


def readable(connector: Connector) -> list[tuple[str, EntitySupport]]:
    """Entities the connector says it can read."""
    return [(name, support) for name, support in connector.capabilities.entities.items() if support.read]


def writable(connector: Connector) -> list[tuple[str, EntitySupport, Action]]:
    """Entities the connector says it can write, each with the action that makes a new one."""
    found: list[tuple[str, EntitySupport, Action]] = []
    for name, support in connector.capabilities.entities.items():
        action: Action = "post" if "post" in support.actions else "create"
        if action in support.actions:
            found.append((name, support, action))
    return found
