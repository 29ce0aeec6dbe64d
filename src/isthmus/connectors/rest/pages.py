"""One page of a list: asked for, found in the answer, and where the next one begins."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from msgspec import Struct

from isthmus.connectors.rest.client import Answer, Query, RestClient
from isthmus.connectors.rest.declared.paging import (
    CursorPaging,
    LinkPaging,
    OffsetPaging,
    PagePaging,
    SpringPaging,
)
from isthmus.connectors.rest.facts import Listing
from isthmus.connectors.rest.moments import milliseconds
from isthmus.connectors.rest.places import getter
from isthmus.connectors.rest.templates import UNSET
from isthmus.errors import Reject


class Spot(Struct, frozen=True):
    """Where in a list a page begins: see `Cursor` for the fields."""

    at: int = 0
    size: int = 0
    token: str = ""
    anchor: str = ""


class Ask(Struct, frozen=True):
    """What a list is asked for: values of the call's names, and query parameters besides."""

    names: Mapping[str, Any] = {}
    more: Query = ()


class Sheet(Struct, frozen=True):
    """One page.

    items    its records as they are on the wire
    after    where the next page begins, None when there is none
    total    records of the whole list, where the answer tells
    now      the system's time in milliseconds, where the answer tells
    slipped  the page does not begin where the last one ended: records moved
    """

    items: tuple[dict[str, Any], ...]
    after: Spot | None
    total: int | None = None
    now: int | None = None
    slipped: bool = False


async def read_sheet(client: RestClient, listing: Listing, ask: Ask, spot: Spot, want: int) -> Sheet:
    """One page of at most `want` records. Raises Reject where the answer holds no list."""
    paging = listing.paging
    want = max(1, min(want, paging.most))
    if isinstance(paging, PagePaging | SpringPaging):
        return await _numbered(client, listing, paging, ask, spot, want)
    if isinstance(paging, OffsetPaging):
        return await _skipped(client, listing, paging, ask, spot, want)
    if isinstance(paging, LinkPaging) and spot.token:
        answer = await client.follow(spot.token)
    else:
        filled = {**ask.names, "limit": want, **({"cursor": spot.token} if spot.token else {})}
        answer = await client.call(listing.call, filled, more=ask.more)
    items = _items(listing, answer.body)
    return Sheet(items, _next(listing, answer, spot, len(items)), now=clock_of(answer.headers))


async def _numbered(
    client: RestClient, listing: Listing, paging: PagePaging | SpringPaging, ask: Ask, spot: Spot, want: int
) -> Sheet:
    first = paging.first if isinstance(paging, PagePaging) else 0
    size = spot.size or want
    answer = await client.call(listing.call, {**ask.names, "page": first + spot.at, "limit": size}, more=ask.more)
    items = _items(listing, answer.body)
    pages, total = _count(answer.body, paging.pages), _count(answer.body, paging.total)
    ends = getter(paging.last)(answer.body) if isinstance(paging, SpringPaging) else UNSET
    if isinstance(ends, bool):
        there_is_more = not ends
    elif pages is not None:
        there_is_more = spot.at + 1 < pages
    elif total is not None:
        there_is_more = (spot.at + 1) * size < total
    else:
        there_is_more = len(items) >= size
    after = Spot(at=spot.at + 1, size=size) if there_is_more and items else None
    return Sheet(items, after, total, clock_of(answer.headers))


async def _skipped(
    client: RestClient, listing: Listing, paging: OffsetPaging, ask: Ask, spot: Spot, want: int
) -> Sheet:
    """The last record of the page before is asked for again: when it is not there, records have moved."""
    overlap = 1 if spot.anchor and paging.most > 1 else 0
    limit = min(want + overlap, paging.most)
    filled = {**ask.names, "offset": spot.at - overlap, "limit": limit}
    answer = await client.call(listing.call, filled, more=ask.more)
    items = _items(listing, answer.body)
    total = _count(answer.body, paging.total)
    passed = spot.at - overlap + len(items)
    there_is_more = passed < total if total is not None else len(items) >= limit
    after = Spot(at=passed, anchor=listing.id(items[-1])) if there_is_more and items else None
    if overlap:
        slipped = not items or listing.id(items[0]) != spot.anchor
        return Sheet(items[1:], after, total, clock_of(answer.headers), slipped)
    return Sheet(items, after, total, clock_of(answer.headers))


def _next(listing: Listing, answer: Answer, spot: Spot, count: int) -> Spot | None:
    paging = listing.paging
    token: Any = None
    if isinstance(paging, CursorPaging):
        token = getter(paging.cursor)(answer.body)
        if paging.more is not None and getter(paging.more)(answer.body) is False:
            token = None
    elif isinstance(paging, LinkPaging):
        found = getter(paging.next)(answer.body) if paging.next is not None else _link(answer.headers)
        token = found
    if not isinstance(token, str | int) or isinstance(token, bool) or token in ("", spot.token):
        return None
    return Spot(at=spot.at + count, token=str(token))


def _link(headers: Mapping[str, str]) -> str | None:
    """The address of `Link: <address>; rel="next"` (RFC 8288)."""
    for part in headers.get("link", "").split(","):
        address, _, rest = part.partition(";")
        if 'rel="next"' in rest.replace("'", '"') or "rel=next" in rest:
            return address.strip().strip("<>")
    return None


def _items(listing: Listing, body: Any) -> tuple[dict[str, Any], ...]:
    found = listing.items(body)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise no_list(listing.items_at)
    return tuple(found)


def no_list(place: str) -> Reject:
    """The answer holds no list of records where the profile says."""
    return Reject(
        f"the answer holds no list of records{f' at {place}' if place else ''}.",
        code="no_list",
        field=place,
        hint="Compare the profile with the system: `isthmus profile check`.",
    )


def _count(body: Any, place: str | None) -> int | None:
    found = getter(place)(body) if place else None
    if isinstance(found, str) and found.isdigit():
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def clock_of(headers: Mapping[str, str]) -> int | None:
    """The time of the system that an answer tells in its header Date, in milliseconds."""
    try:
        return milliseconds(parsedate_to_datetime(headers.get("date", "")))
    except (TypeError, ValueError):
        return None
