"""Lists that come in one answer: kept on disk while they are read, page by page, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from isthmus.connectors._http.decode import NotJson, decode
from isthmus.connectors._http.json_items import NoList, json_items
from isthmus.connectors.rest.client import RestClient
from isthmus.connectors.rest.facts import Facts, Listing
from isthmus.connectors.rest.pages import Ask, Sheet, Spot, clock_of, no_list
from isthmus.contract.clock import Clock
from isthmus.errors import Retry

#: An answer up to this size is kept in memory.
_IN_MEMORY = 1 << 20


class _Kept:
    """One answer that is being read."""

    def __init__(self, name: str, file: BinaryIO, items: Iterator[bytes], now: int | None) -> None:
        self.name = name
        self.file = file
        self.items = items
        self.now = now
        self.at = 0


class WholeLists:
    """Answers under way, at most one per set. Another process that goes on with one asks for the list anew."""

    def __init__(self, client: RestClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    async def read(self, facts: Facts, listing: Listing, ask: Ask, spot: Spot, want: int) -> Sheet:
        """The next `want` records behind `spot`. Where the list has changed meanwhile it slips."""
        kept = self._kept.get(facts.native)
        if kept is None or not spot.token or kept.name != spot.token or kept.at != spot.at:
            self._drop(facts.native)
            kept = await self._ask(facts, listing, ask, spot)
            if kept is None:
                return Sheet((), None, slipped=True)
        items, ended = self._some(listing, kept, want)
        if ended:
            self._drop(facts.native)
            return Sheet(items, None, now=kept.now)
        anchor = facts.id(items[-1]) if items else spot.anchor
        return Sheet(items, Spot(at=kept.at, token=kept.name, anchor=anchor), now=kept.now)

    async def all(self, listing: Listing, ask: Ask) -> Iterator[dict[str, Any]]:
        """The whole list, one record after the other; its file is closed with the last one."""
        file = _file()
        await self._client.download(listing.call, ask.names, file, more=ask.more)
        return self._decoded(listing, file)

    def close(self) -> None:
        """Forget all answers. Safe to repeat."""
        for native in list(self._kept):
            self._drop(native)

    async def _ask(self, facts: Facts, listing: Listing, ask: Ask, spot: Spot) -> _Kept | None:
        """A new answer, read up to `spot`; None when that is no longer where it was."""
        file = _file()
        headers = await self._client.download(listing.call, ask.names, file, more=ask.more)
        file.seek(0)
        kept = _Kept(self._clock.now().isoformat(), file, json_items(file, listing.items_at), clock_of(headers))
        last: dict[str, Any] = {}
        if spot.at:
            passed, _ = self._some(listing, kept, spot.at)
            last = passed[-1] if passed else {}
        if spot.at and (kept.at != spot.at or facts.id(last) != spot.anchor):
            file.close()
            return None
        self._kept[facts.native] = kept
        return kept

    def _some(self, listing: Listing, kept: _Kept, want: int) -> tuple[tuple[dict[str, Any], ...], bool]:
        """The next records, and whether the list has ended."""
        found: list[dict[str, Any]] = []
        while len(found) < want:
            item = _next(listing, kept.items)
            if item is None:
                return tuple(found), True
            found.append(item)
            kept.at += 1
        return tuple(found), False

    def _decoded(self, listing: Listing, file: BinaryIO) -> Iterator[dict[str, Any]]:
        with file:
            file.seek(0)
            items = json_items(file, listing.items_at)
            while (item := _next(listing, items)) is not None:
                yield item

    def _drop(self, native: str) -> None:
        kept = self._kept.pop(native, None)
        if kept is not None:
            kept.file.close()


def _file() -> BinaryIO:
    file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed when its list was read to the end
    return cast("BinaryIO", file)


def _next(listing: Listing, items: Iterator[bytes]) -> dict[str, Any] | None:
    try:
        text = next(items, None)
        value = decode(text) if text is not None else None
    except NoList:
        raise no_list(listing.items_at) from None
    except NotJson:
        raise Retry("the list that was sent is not JSON, or not all of it came.", code="not_json") from None
    if text is not None and not isinstance(value, dict):
        raise no_list(listing.items_at)
    return value
