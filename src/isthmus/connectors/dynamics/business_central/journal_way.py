"""The way of journal entries: journals of our own, found again by document number (bc.md §14)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from isthmus.connectors.dynamics.business_central.discarding import discard
from isthmus.connectors.dynamics.business_central.documents import Document, parse
from isthmus.connectors.dynamics.business_central.entries import find_booked
from isthmus.connectors.dynamics.business_central.journals import JournalDelivery
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import Reject


class JournalWay:
    """Documents of one delivery share a journal, as long as the service takes it."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def write(self, place: Place, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """Post, or leave in the journal where the connection says so."""
        work = JournalDelivery(
            self._site.client,
            self._site.budget,
            self._site.clock,
            company=place.path,
            company_name=place.name,
            delivery=operations[0].delivery,
            posts=self._site.config.posting == "post",
            patience=self._site.config.patience,
        )
        async for outcome in work.deliver(operations):
            yield outcome

    async def look_up(self, place: Place, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """By document number in the posted entries; posting date and sum of debits must fit."""
        return await find_booked(self._site.client, place.path, _documents(operations))

    async def discard(self, place: Place, operations: Sequence[Operation]) -> None:
        """Delete what earlier deliveries of these operations left."""
        await discard(self._site.client, place.path, operations)


def _documents(operations: Sequence[Operation]) -> list[Document]:
    documents = []
    for operation in operations:
        try:
            documents.append(parse(operation))
        except Reject:
            continue  # what cannot be parsed was never sent
    return documents
