"""Calls as a profile declares them: address, headers and body filled in, every answer judged before anybody sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

from msgspec import Struct
from yarl import URL

from isthmus.connectors._http.decode import NotJson, decode, encode
from isthmus.connectors._http.session import HttpSession, Reply, show_place
from isthmus.connectors.rest.declared.calls import Call
from isthmus.connectors.rest.judging import Judge
from isthmus.connectors.rest.templates import (
    UNSET,
    Fill,
    Names,
    compiled,
    compiled_path,
    compiled_query,
    encoded_query,
    spelt,
)
from isthmus.contract.clock import Clock
from isthmus.errors import Halt, Retry, Uncertain

Query = Sequence[tuple[str, str]]


class ReadyCall(Struct, frozen=True):
    """A declared call, its templates compiled."""

    method: str
    path: Callable[[Names], str]
    query: Callable[[Names], list[tuple[str, str]]]
    headers: tuple[tuple[str, Fill], ...]
    body: Fill | None
    form: str

    def address(self, names: Names, more: Query = ()) -> str:
        """Path and query, below the system's address."""
        path = self.path(names)
        parameters = [*self.query(names), *more]
        if not parameters:
            return path
        return f"{path}{'&' if '?' in path else '?'}{encoded_query(parameters)}"

    def content(self, names: Names) -> Any:
        """The body before it is written, UNSET without one."""
        return UNSET if self.body is None else self.body(names)


def ready(call: Call) -> ReadyCall:
    """A declared call made ready."""
    return ReadyCall(
        call.method,
        compiled_path(call.path),
        compiled_query(call.query),
        tuple((name, compiled(value)) for name, value in call.headers.items()),
        compiled(call.body) if call.body is not None else None,
        call.form,
    )


class Answer(Struct, frozen=True):
    """A good answer: decoded body (None without one), headers with lower-case names."""

    body: Any
    headers: Mapping[str, str]


class RestClient:
    """Calls of one connection. `names` are the values every template may use."""

    def __init__(
        self,
        *,
        base: str,
        session: HttpSession,
        judge: Judge,
        clock: Clock,
        names: Mapping[str, Any],
        headers: Mapping[str, str],
        retry_after: str,
    ) -> None:
        self.base = base.rstrip("/")
        self.names = dict(names)
        self.judge = judge
        self._session = session
        self._clock = clock
        self._headers = {"Accept": "application/json", **headers}
        self._retry_after = retry_after.lower()
        self._origin = URL(self.base).origin()

    async def call(
        self, call: ReadyCall, names: Names, *, more: Query = (), writes: bool = False, weight: int = 1
    ) -> Answer:
        """One call. Raises what the answer means; a write is never sent a second time after an unknown outcome."""
        filled = {**self.names, **names}
        url = self.whole(call.address(filled, more))
        headers = {**self._headers, **_filled(call.headers, filled)}
        content = written(call.content(filled), call.form, headers)
        reply = await self._session.call(call.method, url, headers=headers, body=content, writes=writes, weight=weight)
        return self._judged(reply, url, writes=writes)

    async def follow(self, link: str) -> Answer:
        """The page behind a link of an answer. Raises Halt when it leads to another host: a key must not go there."""
        url = self.whole(link)
        if URL(url, encoded=True).origin() != self._origin:
            raise Halt(f"a link to the next page leads to another host: {show_place(url)}.", code="foreign_link")
        reply = await self._session.call("GET", url, headers=self._headers)
        return self._judged(reply, url, writes=False)

    async def download(self, call: ReadyCall, names: Names, into: BinaryIO, *, more: Query = ()) -> Mapping[str, str]:
        """One reading call whose body goes to `into`, whatever its size. Its headers."""
        filled = {**self.names, **names}
        url = self.whole(call.address(filled, more))
        headers = {**self._headers, **_filled(call.headers, filled)}
        content = written(call.content(filled), call.form, headers)
        reply = await self._session.call(call.method, url, headers=headers, body=content, into=into)
        if reply.status >= 300:
            self._judged(reply, url, writes=False)
        return reply.headers

    def whole(self, address: str) -> str:
        """A whole address: paths are below the system's, whole ones stay."""
        if address.startswith(("http://", "https://")):
            return address
        if address.startswith("/"):
            return self.base + address
        parts = urlsplit(self.base)  # `?page=2`: as a browser would take it
        return f"{parts.scheme}://{parts.netloc}{parts.path}/{address}"

    def _judged(self, reply: Reply, url: str, *, writes: bool) -> Answer:
        body, readable = _body(reply)
        after = reply.retry_after(self._clock.now(), self._retry_after)
        if (error := self.judge.error(reply.status, body, writes=writes, after=after)) is not None:
            raise error
        if not readable:
            text = f"{show_place(url)} answered something that is not JSON."
            raise Uncertain(text, code="not_json") if writes else Retry(text, code="not_json")
        return Answer(body, reply.headers)


def _filled(headers: tuple[tuple[str, Fill], ...], names: Names) -> dict[str, str]:
    found = {}
    for name, fill in headers:
        value = fill(names)
        if value is not UNSET and value is not None:
            found[name] = spelt(value).replace("\r", " ").replace("\n", " ")  # a header is one line
    return found


def written(content: Any, form: str, headers: dict[str, str]) -> bytes | None:
    """The body as bytes, its type put into `headers`; None without one."""
    if content is UNSET:
        return None
    if form == "form":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        pairs = [(name, spelt(value)) for name, value in dict(content).items() if value is not None]
        return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs).encode()
    headers["Content-Type"] = "application/json"
    return encode(content)


def _body(reply: Reply) -> tuple[Any, bool]:
    """The decoded body and whether it could be read."""
    if not reply.body.strip():
        return None, True
    try:
        return decode(reply.body), True
    except NotJson:
        return None, False


NOTHING: Mapping[str, Any] = MappingProxyType({})
