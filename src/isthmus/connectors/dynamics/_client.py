"""Calls of an OData service: every answer is judged by the connector's own table before anybody sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from yarl import URL

from isthmus.connectors._http.budget import Budget
from isthmus.connectors._http.decode import NotJson, decode, encode
from isthmus.connectors._http.session import HttpSession, Reply, show_place
from isthmus.connectors.dynamics._odata import (
    BATCH_LIMIT,
    Part,
    PartReply,
    Row,
    address,
    chunks,
    decode_batch,
    encode_batch,
    rows,
)
from isthmus.contract.clock import Clock
from isthmus.errors import Halt, IsthmusError, Reject, Retry, Uncertain

#: (status, headers, decoded body or None, writes) -> the error it means, None when the call worked.
Judge = Callable[[int, Mapping[str, str], Any, bool], IsthmusError | None]

_PARTS_THROTTLED_ROUNDS = 4
_PARTS_THROTTLED_WAIT = 5.0


def guid(value: str) -> str:
    """`value` if it is a GUID, in its usual spelling; nothing else may stand in a path. Raises Reject."""
    try:
        return str(UUID(value))
    except ValueError:
        raise Reject("the record's id is not a GUID.", code="bad_id", field="id", value=value[:40]) from None


class ODataClient:
    """One service root. `each` part of a batch counts against the budget, or the batch counts as one call."""

    def __init__(
        self, *, root: str, session: HttpSession, budget: Budget, clock: Clock, judge: Judge, each: bool = True
    ) -> None:
        self._root = root
        self._session = session
        self._budget = budget
        self._clock = clock
        self._judge = judge
        self._each = each

    async def get(self, path: str, options: Mapping[str, str] = MappingProxyType({})) -> Any:
        """The decoded answer of a GET."""
        return await self._call("GET", address(self._root, path, options))

    async def text(self, path: str) -> bytes:
        """The raw answer of a GET (metadata)."""
        url = address(self._root, path)
        reply = await self._session.call("GET", url, headers={"Accept": "application/xml"})
        if (error := self._judge(reply.status, reply.headers, _body(reply), False)) is not None:
            raise error
        return reply.body

    async def page(
        self, path: str, options: Mapping[str, str] = MappingProxyType({}), *, size: int | None = None
    ) -> tuple[list[Row], str | None]:
        """One page of a set, and the link of the next."""
        return rows(await self._call("GET", address(self._root, path, options), headers=_page_size(size)))

    async def follow(self, link: str, *, size: int | None = None) -> tuple[list[Row], str | None]:
        """The page behind a next link, verbatim (bc.md §5). Raises Halt when it points at another host: a token must
        not travel there."""
        return rows(await self._call("GET", self._own_link(link), headers=_page_size(size)))

    async def all(self, path: str, options: Mapping[str, str] = MappingProxyType({})) -> list[Row]:
        """A whole (small) set, all pages."""
        found, link = await self.page(path, options)
        while link:
            more, link = await self.follow(link)
            found += more
        return found

    async def entities(self, path: str, options: Mapping[str, str] = MappingProxyType({})) -> list[Mapping[str, Any]]:
        """A whole (small) set, all pages, as it was answered: with the etags of what is nested in each entity."""
        answer = await self.get(path, options)
        found: list[Mapping[str, Any]] = []
        while isinstance(answer, Mapping):
            found += [item for item in answer.get("value") or () if isinstance(item, Mapping)]
            link = answer.get("@odata.nextLink")
            answer = await self._call("GET", self._own_link(link)) if link else None
        return found

    async def send(self, method: str, path: str, body: Any = None, *, etag: str = "") -> Any:
        """A writing call. Its answer decoded, None when it has no content."""
        headers = {"If-Match": etag} if etag else {}
        return await self._call(method, address(self._root, path), body=body, headers=headers, writes=True)

    async def batch(self, parts: Sequence[Part], *, writes: bool = True) -> list[PartReply]:
        """Parts in as many batches as needed, each part its own transaction (no snapshot), judged by `verdict`.

        Throttled parts are sent again here: they had no effect. Raises when a whole batch failed; what an earlier batch
        of the same call did stays done.
        """
        replies: list[PartReply] = []
        for group in chunks(parts, BATCH_LIMIT):
            replies += await self._one_batch(group, writes=writes)
        return replies

    def weight(self, parts: int) -> int:
        """What so many parts of batches take from the budget."""
        return parts if self._each else -(-parts // BATCH_LIMIT)

    def verdict(self, reply: PartReply, *, writes: bool = True) -> IsthmusError | None:
        """What the answer to one part means. A part without answer may have been carried out."""
        if reply.status == 0:
            if writes:
                return Uncertain("the batch answer says nothing of one of its requests.", code="part_unanswered")
            return Retry("the batch answer says nothing of one of its requests.", code="part_unanswered")
        return self._judge(reply.status, reply.headers, reply.body, writes)

    def _own_link(self, link: str) -> str:
        if URL(link, encoded=True).origin() != URL(self._root).origin():
            raise Halt(f"a next link points at another host: {show_place(link)}.", code="foreign_link")
        return link

    async def _one_batch(self, parts: Sequence[Part], *, writes: bool) -> list[PartReply]:
        replies = [PartReply(status=429) for _ in parts]
        open_parts = list(range(len(parts)))
        for round_number in range(_PARTS_THROTTLED_ROUNDS):
            answer = await self._call(
                "POST",
                f"{self._root}/$batch",
                body=encode_batch([parts[index] for index in open_parts]),
                # Without it a server may stop at the first failed part (OData 4.01; bc.md §7 [?]).
                headers={"Prefer": "odata.continue-on-error"},
                writes=writes,
                weight=self.weight(len(open_parts)),
            )
            for index, reply in zip(open_parts, decode_batch(answer, len(open_parts)), strict=True):
                replies[index] = reply
            open_parts = [index for index in open_parts if replies[index].status == 429]
            if not open_parts:
                break
            waits = [Reply(429, replies[index].headers, b"").retry_after(self._clock.now()) for index in open_parts]
            told = [wait for wait in waits if wait is not None]
            self._budget.pause(max(told) if told else _PARTS_THROTTLED_WAIT * 2**round_number)
        return replies

    async def _call(
        self,
        method: str,
        url: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        writes: bool = False,
        weight: int = 1,
    ) -> Any:
        sent = {"Accept": "application/json", **headers}
        content = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            content = encode(body)
        reply = await self._session.call(method, url, headers=sent, body=content, writes=writes, weight=weight)
        answer = _body(reply)
        if (error := self._judge(reply.status, reply.headers, answer, writes)) is not None:
            if isinstance(error, Retry) and error.after is None:
                error.after = reply.retry_after(self._clock.now())
            raise error
        if answer is None and reply.body:
            return self._not_json(url, writes=writes)
        return answer

    @staticmethod
    def _not_json(url: str, *, writes: bool) -> None:
        text = f"{show_place(url)} answered something that is not JSON."
        raise Uncertain(text, code="not_json") if writes else Retry(text, code="not_json")


def _page_size(size: int | None) -> Mapping[str, str]:
    return {"Prefer": f"odata.maxpagesize={size}"} if size else {}


def _body(reply: Reply) -> Any:
    try:
        return decode(reply.body) if reply.body else None
    except NotJson:
        return None
