"""Delivery of journal entries: one own journal per call, posted whole, split when it is refused (semantics.md §5).

No word is final while a journal of ours may still stand that somebody could post: a document is only called refused or
to be retried once its journal, or its lines in it, are gone. Else it is uncertain, and the next attempt discards first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct

from isthmus.connectors._http.budget import Budget
from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics.business_central.diagnose import Diagnosis
from isthmus.connectors.dynamics.business_central.documents import Document, parse
from isthmus.connectors.dynamics.business_central.entries import confirm, find_booked
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.own_journal import OwnJournal, Placed, Present, place
from isthmus.contract.clock import Clock
from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import IsthmusError, Reject, Retry, Uncertain

#: Waits in seconds before each attempt to remove a journal; locks of the service last moments.
_REMOVE_WAITS = (0.0, 1.0, 3.0)


#: Calls of one journal besides its batches: make, read back, post, confirm, remove.
_OWN_CALLS = 8


class Settled(Struct, frozen=True):
    """What became of one journal: outcomes, groups to be tried in journals of their own, whether to stop here."""

    outcomes: tuple[Outcome, ...] = ()
    again: tuple[tuple[Document, ...], ...] = ()
    trouble: bool = False


class JournalDelivery:
    """One `write` call for one company: its journals, numbered, and the outcomes of its documents."""

    def __init__(
        self,
        client: ODataClient,
        budget: Budget,
        clock: Clock,
        *,
        company: str,
        company_name: str,
        delivery: str,
        posts: bool,
        patience: float,
    ) -> None:
        self._client = client
        self._budget = budget
        self._clock = clock
        self._company = company
        self._delivery = delivery
        self._posts = posts
        self._patience = patience
        self._diagnosis = Diagnosis(client, company, company_name)
        self._journals = 0

    async def deliver(self, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """One outcome per operation, as soon as known. Never sends anything a second time."""
        documents, refused = _parse_all(operations)
        for outcome in refused:
            yield outcome
        start = await self._start(documents)
        for outcome in start.outcomes:
            yield outcome
        queue = list(start.again)
        while queue:
            settled = await self._group(queue.pop(0))
            for outcome in settled.outcomes:
                yield outcome
            queue = [*settled.again, *queue]
            if settled.trouble:
                # What has no journal yet stays out of the trouble.
                later = Retry("not sent: the service was in trouble before its turn came.", code="not_sent")
                for document in (document for group in queue for document in group):
                    yield outcome_of(document.key, later)
                return

    async def _start(self, documents: Sequence[Document]) -> Settled:
        """Nothing leaves before the budget suffices for it, and nothing that the books hold already."""
        if not documents:
            return Settled()
        parts = sum(len(document.lines) + _dimension_count(document) for document in documents)
        if (wait := self._budget.wait_for(_OWN_CALLS + self._client.weight(parts))) > self._patience:
            busy = Retry("the request budget of this connection is used up.", code="budget", after=wait)
            return Settled(tuple(outcome_of(document.key, busy) for document in documents))
        try:
            booked = await find_booked(self._client, self._company, documents)
        except IsthmusError as error:
            return Settled(tuple(outcome_of(document.key, error) for document in documents))
        rest = tuple(document for document in documents if document.key not in booked)
        return Settled(tuple(booked.values()), (rest,) if rest else ())

    async def _group(self, documents: Sequence[Document]) -> Settled:
        """One journal from making to posting."""
        journal = OwnJournal(self._client, self._company, self._delivery, self._journals)
        self._journals += 1
        try:
            await journal.create()
        except IsthmusError as error:
            return Settled(tuple(_not_made(document, journal, error) for document in documents), trouble=True)
        bad: tuple[Outcome, ...] = ()
        good: Sequence[Document] = documents
        try:
            good, bad = await self._fill(journal, documents)
            if good and self._posts:
                await journal.post()
        except Reject as refusal:
            after = await self._refused(journal, good, refusal)
            return Settled(bad + after.outcomes, after.again, after.trouble)
        except IsthmusError as error:
            return Settled(bad + await self._broken_off(journal, good, error), trouble=True)
        if not good:
            await self._removed(journal)
            return Settled(bad)
        if not self._posts:
            return Settled(bad + tuple(_left_for_a_person(document, journal) for document in good))
        return Settled(bad + await self._posted(journal, good))

    async def _fill(
        self, journal: OwnJournal, documents: Sequence[Document]
    ) -> tuple[tuple[Document, ...], tuple[Outcome, ...]]:
        """Lines and dimensions of all documents. Those whose lines are refused are taken out again.

        What counts is what the journal shows when read back, not what the answers said: a batch may answer 201 for
        what it does not keep (bc.md §7). Raises anything but Reject.
        """
        lines = place(documents)
        try:
            refusals = await journal.add(lines)
            held = await journal.present()
            whole = _whole(documents, lines, held, dressed=False)
            refusals |= await journal.dress([line for line in lines if line.document in whole], held)
            held = await journal.present()
            good = [document for document in _whole(documents, lines, held) if document.number not in refusals]
            if len(good) < len(documents):
                wanted = {line.number for line in lines if line.document in good}
                await journal.drop([present for number, present in held.items() if number not in wanted])
                held = await journal.present()
        except Reject as refusal:
            raise Retry(f"journal {journal.code} cannot be worked on: {refusal.message}", code=refusal.code) from None
        if set(held) != {line.number for line in lines if line.document in good}:
            raise Retry(f"journal {journal.code} does not hold what was put into it.", code="not_kept")
        bad = [document for document in documents if document not in good]
        refused = [document for document in bad if document.number in refusals]
        diagnosed = await self._diagnosis.explain(refused, refusals)
        lost = Retry(f"lines put into journal {journal.code} were not kept.", code="not_kept")
        return tuple(good), tuple(diagnosed.get(document.key) or outcome_of(document.key, lost) for document in bad)

    async def _refused(self, journal: OwnJournal, documents: Sequence[Document], refusal: Reject) -> Settled:
        """The posting was refused: look in the books all the same (a refusal may come after the posting, bc.md §15),
        remove the journal, then sort out by facts or by halves."""
        try:
            booked = await find_booked(self._client, self._company, documents)
        except IsthmusError as error:
            text = f"posting was refused and the books could not be read: {error.message}"
            doubt = Uncertain(text, code=refusal.code)
            return Settled(tuple(outcome_of(document.key, doubt) for document in documents), trouble=True)
        known = tuple(booked.values())
        rest = [document for document in documents if document.key not in booked]
        if not await self._removed(journal):
            doubt = Uncertain(f"posting was refused ({refusal.message}) {_still_stands(journal)}", code=refusal.code)
            return Settled(known + tuple(outcome_of(document.key, doubt) for document in rest), trouble=True)
        if not rest:
            return Settled(known)
        found = await self._diagnosis.facts(rest, refusal)
        known += tuple(found.values())
        rest = [document for document in rest if document.key not in found]
        if found or not rest:
            return Settled(known, (tuple(rest),) if rest else ())
        if len(rest) == 1:
            return Settled((*known, self._diagnosis.in_its_words(rest[0], refusal)))
        middle = len(rest) // 2
        return Settled(known, (tuple(rest[:middle]), tuple(rest[middle:])))

    async def _posted(self, journal: OwnJournal, documents: Sequence[Document]) -> tuple[Outcome, ...]:
        """The service says it posted: find the entries, then clear away the empty journal."""
        try:
            booked = await confirm(self._client, self._company, documents)
            missing = [document for document in documents if document.key not in booked]
            queued = bool(await journal.present()) if missing else False
        except IsthmusError as error:
            doubt = Uncertain(f"posted, but the entries could not be read: {error.message}", code="unconfirmed")
            return tuple(outcome_of(document.key, doubt) for document in documents)
        if not queued:
            await self._removed(journal)
        told = _queued if queued else _renumbered
        return (*booked.values(), *(told(document, journal) for document in missing))

    async def _broken_off(
        self, journal: OwnJournal, documents: Sequence[Document], error: IsthmusError
    ) -> tuple[Outcome, ...]:
        """Something else than a refusal ended it. What may have taken effect, or may still, is uncertain."""
        told = error
        if error.next_step != "uncertain" and not await self._removed(journal):
            told = Uncertain(f"{error.message} {_still_stands(journal)}", code=error.code)
        return tuple(outcome_of(document.key, told) for document in documents)

    async def _removed(self, journal: OwnJournal) -> bool:
        for wait in _REMOVE_WAITS:
            if wait:
                await self._clock.sleep(wait)
            try:
                await journal.remove()
            except IsthmusError:
                continue
            return True
        return False


def _parse_all(operations: Sequence[Operation]) -> tuple[list[Document], list[Outcome]]:
    documents: dict[str, Document] = {}
    refused: list[Outcome] = []
    for operation in operations:
        try:
            document = parse(operation)
        except Reject as refusal:
            refused.append(outcome_of(operation.key, refusal))
            continue
        if document.number in documents:
            twice = Reject(
                f"two documents of one delivery have the number {document.number}.",
                code="number_taken",
                field="number",
                value=document.number,
            )
            refused.append(outcome_of(operation.key, twice))
            continue
        documents[document.number] = document
    return list(documents.values()), refused


def _whole(
    documents: Sequence[Document], lines: Sequence[Placed], held: dict[int, Present], *, dressed: bool = True
) -> list[Document]:
    """The documents all of whose lines the journal holds as wanted."""
    broken = {
        line.document.number
        for line in lines
        if (present := held.get(line.number)) is None
        or not present.holds(line)
        or (dressed and not present.wears(line.line.dimensions))
    }
    return [document for document in documents if document.number not in broken]


def _dimension_count(document: Document) -> int:
    return sum(len(line.dimensions) for line in document.lines)


def _still_stands(journal: OwnJournal) -> str:
    return f"Journal {journal.code} may still stand; the next attempt removes it first."


def _not_made(document: Document, journal: OwnJournal, error: IsthmusError) -> Outcome:
    if error.code == "Internal_EntityWithSameKeyExists":
        # Our own code is taken: an earlier call of this very delivery got further than we know.
        taken = Uncertain(f"journal {journal.code} of this delivery exists already.", code="journal_exists")
        return outcome_of(document.key, taken)
    return outcome_of(document.key, error)


def _left_for_a_person(document: Document, journal: OwnJournal) -> Outcome:
    return Outcome(
        key=document.key,
        result="saved",
        native_id=journal.id,
        number=document.number,
        code="left_in_journal",
        text=f"in journal {journal.code}, not posted: this connection leaves posting to a person.",
        mend=f"Post journal {journal.code} on page General Journals.",
    )


def _queued(document: Document, journal: OwnJournal) -> Outcome:
    return Outcome(
        key=document.key,
        result="saved",
        native_id=journal.id,
        number=document.number,
        code="posting_queued",
        text=f"accepted, not booked yet: journal {journal.code} waits for the job queue.",
        mend="Page Job Queue Entries shows it; Post with Job Queue is set on page General Ledger Setup.",
    )


def _renumbered(document: Document, journal: OwnJournal) -> Outcome:
    return Outcome(
        key=document.key,
        result="saved",
        number=document.number,
        code="renumbered",
        text=f"posted, but not under number {document.number}: journal {journal.code} took a posting number series.",
        mend="Empty Posting No. Series on the journal template (page General Journal Templates), then link the entry.",
    )
