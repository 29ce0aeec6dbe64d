"""What a live system does differently than its profile says: lists, pages, filters, ids, fields. Reads only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from msgspec import Struct

from isthmus.connectors.rest.client import RestClient
from isthmus.connectors.rest.declared.entities import Filtered
from isthmus.connectors.rest.declared.paging import NoPaging
from isthmus.connectors.rest.details import Details
from isthmus.connectors.rest.facts import Facts, Listing
from isthmus.connectors.rest.field_comparison import compare_fields
from isthmus.connectors.rest.narrow import Narrow
from isthmus.connectors.rest.pages import Ask, Sheet, Spot, read_sheet
from isthmus.contract.records import NativeRecord, ReadRequest
from isthmus.errors import Halt, IsthmusError, Reject, Retry
from isthmus.model.finding import Finding, Severity

_FEW = 2
#: An id no record has: of the longest number JSON holds exactly, less one.
_NOBODY = "9007199254740990"


class Seen(Struct, frozen=True):
    """One fact of a profile as the live system shows it. `finding` is None where it is as declared.

    part   in the words of `assumptions`: "call `list`", "paging", "field `name`"
    """

    entity: str
    part: str
    finding: Finding | None = None
    assumed: bool = False


class Comparison:
    """Compares the sets of one connection with its profile."""

    def __init__(self, client: RestClient, narrow: Narrow, details: Details) -> None:
        self._client = client
        self._narrow = narrow
        self._details = details

    async def compare(self, facts: Facts) -> AsyncIterator[Seen]:
        """Every fact of an entity that can be seen without writing. Raises Halt or Retry when nothing can be."""
        listing = facts.listing
        if listing is None:
            return
        try:
            sample = await self._sample(facts, listing)
        except (Halt, Retry):
            raise
        except IsthmusError as error:
            yield _seen(facts, "call `list`", Finding(error.code, "error", error.message, mend=error.hint))
            return
        yield _seen(facts, "call `list`")
        for seen in self._paging(facts, listing, sample):
            yield seen
        if not sample.items:
            text = f"{facts.native} holds no record: nothing more can be compared."
            yield _seen(facts, "fields", _finding("profile_untested", "notice", text, facts.native))
            return
        raw = list(sample.items)
        for part, finding in compare_fields(facts, raw):
            yield _seen(facts, part, finding)
        records = await self._details.records(facts, [dict(item) for item in raw])
        async for seen in self._single(facts, records):
            yield seen
        async for seen in self._filters(facts, records):
            yield seen
        async for seen in self._changes(facts, listing, records):
            yield seen

    async def _sample(self, facts: Facts, listing: Listing) -> Sheet:
        ask = Ask({"set": facts.native})
        if isinstance(listing.paging, NoPaging):
            records = await self._narrow.raw(facts, 50)
            return Sheet(tuple(records), None)
        return await read_sheet(self._client, listing, ask, Spot(), listing.paging.most)

    def _paging(self, facts: Facts, listing: Listing, sample: Sheet) -> Iterator[Seen]:
        paging = listing.paging
        if isinstance(paging, NoPaging):
            return
        finding = None
        total, pages = getattr(paging, "total", None), getattr(paging, "pages", None)
        if len(sample.items) > paging.most:
            text = f"{facts.native} shows {len(sample.items)} records where {paging.most} were asked for."
            finding = _finding("profile_paging", "error", text, "most")
        elif total is not None and sample.total is None:
            text = f"{facts.native} does not tell at {total} how many records there are."
            finding = _finding("profile_paging", "error", text, str(total))
        elif sample.total is not None and sample.after is None and len(sample.items) < sample.total and pages is None:
            text = f"{facts.native} tells of {sample.total} records and shows {len(sample.items)} without a next page."
            finding = _finding("profile_paging", "error", text, "style")
        yield _seen(facts, "paging", finding)

    async def _single(self, facts: Facts, records: Sequence[NativeRecord]) -> AsyncIterator[Seen]:
        if facts.get is None and not facts.id_filter:
            return
        wanted = records[0]
        part = f"filter `{facts.id_filter}`" if facts.id_filter else "call `get`"
        try:
            found = (await self._narrow.fetch(facts, [wanted.id], ""))[0]
            nobody = (await self._narrow.fetch(facts, [_NOBODY], ""))[0]
        except Reject as error:
            yield _seen(facts, part, Finding(error.code, "error", error.message, mend=error.hint))
            return
        finding = None
        if found.deleted or found.id != wanted.id:
            text = f"{facts.native} {wanted.id} stands in the list and is not found by its id."
            finding = _finding("profile_status", "error", text, "id")
        elif found.version != wanted.version:
            text = f"{facts.native} {wanted.id} shows one version in the list and another by itself."
            finding = _finding("profile_version", "error", text, "version")
        elif not nobody.deleted:
            text = f"{facts.native} finds a record for an id that nobody has."
            finding = _finding("profile_status", "error", text, "id")
        yield _seen(facts, part, finding)

    async def _filters(self, facts: Facts, records: Sequence[NativeRecord]) -> AsyncIterator[Seen]:
        for field in facts.asked:
            sample = next((one for one in records if isinstance(one.data.get(field), str)), None)
            if field == facts.id_filter or sample is None:
                continue
            value = str(sample.data[field])
            request = ReadRequest(native=facts.native, limit=_FEW)
            try:
                found = await self._narrow.by(facts, field, [value], request)
            except Reject as error:
                yield _seen(facts, f"filter `{field}`", Finding(error.code, "error", error.message, mend=error.hint))
                continue
            others = [one for one in found if str(one.data.get(field)).casefold() != value.casefold()]
            text = ""
            if others:
                text = f"{facts.native} shows records with another {field} than the one asked for."
            elif sample.id not in {one.id for one in found}:
                text = f"{facts.native} {sample.id} is not found by its {field}."
            finding = _finding("profile_filter", "error", text, field) if text else None
            yield _seen(facts, f"filter `{field}`", finding)

    async def _changes(self, facts: Facts, listing: Listing, records: Sequence[NativeRecord]) -> AsyncIterator[Seen]:
        changes = facts.whole.changes
        if not isinstance(changes, Filtered) or facts.form is None:
            return
        times = [one.modified_at for one in records if one.modified_at is not None]
        if not times:
            text = f"no record of {facts.native} tells at {changes.at} when it was changed."
            yield _seen(facts, "change detection", _finding("profile_changes", "error", text, changes.at))
            return
        last = max(times)
        later = await self._since(facts, listing, facts.form.write(last + timedelta(days=2)))
        at_last = await self._since(facts, listing, facts.form.write(last))
        text = ""
        if any(one.modified_at is not None and one.modified_at <= last for one in later):
            text = f"{facts.native} shows older records than the time asked from: the parameter does nothing."
        elif changes.inclusive and not any(one.modified_at == last for one in at_last) and facts.form.step == 1:
            text = f"{facts.native} does not show the record changed at the very time asked from: it is not inclusive."
        elif changes.sorted and (order := [one.modified_at for one in at_last if one.modified_at]) != sorted(order):
            text = f"{facts.native} does not show the oldest change first."
        finding = _finding("profile_changes", "error", text, changes.at) if text else None
        yield _seen(facts, "change detection", finding)

    async def _since(self, facts: Facts, listing: Listing, since: Any) -> list[NativeRecord]:
        names: Mapping[str, Any] = {"set": facts.native, "since": since}
        ask = Ask(names, listing.streams({**self._client.names, **names}))
        if isinstance(listing.paging, NoPaging):
            return []
        sheet = await read_sheet(self._client, listing, ask, Spot(), 50)
        return await self._details.records(facts, sheet.items)


def _seen(facts: Facts, part: str, finding: Finding | None = None) -> Seen:
    return Seen(facts.entity, part, finding, part in facts.assumed or facts.assumed == ("everything",))


def _finding(code: str, severity: Severity, text: str, field: str) -> Finding:
    return Finding(code, severity, text, field=field, mend="Mend the profile, or tell whoever looks after the system.")
