"""One HTTP session per connection: TLS, sign-in, budget, throttling, and the line between "never left" and "lost".

What leaves this module in an error is host and path at most: no query, no header, no body.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import BinaryIO, Protocol

import aiohttp
from msgspec import Struct
from yarl import URL

from isthmus.connectors._http.budget import Budget
from isthmus.contract.clock import Clock
from isthmus.contract.connector import Traffic
from isthmus.errors import ConfigurationError, IsthmusError, Retry, Uncertain, Unreachable

#: How often a throttled call is sent again here before the caller hears of it; a 429 is provably without effect.
_THROTTLE_ROUNDS = 5
#: First wait after a 429 without Retry-After; doubled each round. The header is not proven on 429 (bc.md §9 [?]).
_THROTTLE_WAIT = 5.0
_CONNECT_SECONDS = 15.0
_CHUNK = 1 << 16
#: A write waits longer than a read: what it belongs to is half done. One window of the budget.
_WRITE_PATIENCE = 300.0


class Reply(Struct, frozen=True):
    """An answer of the target: status, headers with lower-case names, body, cookies it sets."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: Mapping[str, str] = MappingProxyType({})

    def retry_after(self, now: datetime, header: str = "retry-after") -> float | None:
        """Seconds the target asked to wait: Retry-After (or a header of another name) as seconds or as a date."""
        text = self.headers.get(header, "").strip()
        if text.isdigit():
            return float(text)
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
        return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


class SignIn(Protocol):
    """Gives the authorization header. `rejected` is the header the target just refused, if it did."""

    async def header(self, rejected: str | None = None) -> str: ...


class Signer(Protocol):
    """Signs a call in its own way, for systems that want more than an authorization header."""

    async def sign(self, url: str, headers: dict[str, str], rejected: str | None = None) -> tuple[str, str]:
        """The address to call, and what proves the caller: given back as `rejected` when the target refuses it.

        Puts headers into `headers`. An empty proof cannot be renewed, so a refusal is final.
        """
        ...


class HttpSession:
    """Calls of one connection. Safe to share between tasks of one event loop."""

    def __init__(
        self,
        *,
        clock: Clock,
        budget: Budget,
        traffic: Traffic,
        call_timeout: float,
        ca: str | None = None,
        sign_in: SignIn | None = None,
        signer: Signer | None = None,
        patience: float = 60.0,
        retry_after: str = "retry-after",
        throttle_wait: float = _THROTTLE_WAIT,
        observe: Callable[[Reply], None] | None = None,
    ) -> None:
        """`retry_after`: header of a 429 that says how long to wait; `throttle_wait`: first wait where it does not,
        doubled each round. `observe` sees every answer."""
        self._clock = clock
        self._budget = budget
        self._traffic = traffic
        self._timeout = call_timeout
        self._tls = _tls(ca)
        self._sign_in = sign_in
        self._signer = signer
        self._retry_after = retry_after
        self._throttle_wait = throttle_wait
        self._observe = observe
        self._patience = patience
        self._http: aiohttp.ClientSession | None = None

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        body: bytes | None = None,
        writes: bool = False,
        weight: int = 1,
        into: BinaryIO | None = None,
    ) -> Reply:
        """One call. `url` is sent as it is (already encoded). A good answer's body goes to `into`, if that is given.

        A call answered with 429 is sent again after the pause asked for, a 401 once more with a fresh token: both are
        provably without effect. Raises Unreachable when the call never left, Uncertain when a write's answer was lost,
        Retry when a read's answer was lost or the wait is too long.
        """
        rejected: str | None = None
        rounds = 0
        patience = max(self._patience, _WRITE_PATIENCE) if writes else self._patience
        while True:
            sent = dict(headers)
            address, proof = await self._signed(url, sent, rejected)
            async with self._budget.slot(weight, patience=patience):
                reply = await self._send(method, address, sent, body, writes=writes, weight=weight, into=into)
            if self._observe is not None:
                self._observe(reply)
            if reply.status == 401 and proof and rejected is None:
                rejected = proof
                continue
            if reply.status == 429:
                self._traffic.throttled += 1
                wait = reply.retry_after(self._clock.now(), self._retry_after)
                self._budget.pause(self._throttle_wait * 2**rounds if wait is None else wait)
                rounds += 1
                if rounds < _THROTTLE_ROUNDS and self._budget.wait_for(weight) <= patience:
                    continue
            return reply

    async def close(self) -> None:
        """Close the session. Safe to repeat."""
        if self._http is not None:
            http, self._http = self._http, None
            await http.close()

    async def _signed(self, url: str, headers: dict[str, str], rejected: str | None) -> tuple[str, str]:
        if self._signer is not None:
            return await self._signer.sign(url, headers, rejected)
        if self._sign_in is None:
            return url, ""
        headers["Authorization"] = await self._sign_in.header(rejected)
        return url, headers["Authorization"]

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, writes: bool, weight: int,
        into: BinaryIO | None,
    ) -> Reply:  # fmt: skip
        place = show_place(url)
        self._traffic.requests += weight
        self._traffic.writes += writes
        try:
            async with self._open().request(
                method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as answer:
                content = b"" if into is not None and answer.status < 300 else await answer.read()
                if into is not None and answer.status < 300:
                    _begin(into)
                    async for chunk in answer.content.iter_chunked(_CHUNK):
                        _keep(into, chunk)
                lowered = {name.lower(): value for name, value in answer.headers.items()}
                cookies = {name: morsel.value for name, morsel in answer.cookies.items()} if answer.cookies else {}
                return Reply(answer.status, lowered, content, cookies)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _transport_error(error, place, writes=writes) from None

    def _open(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls, limit=0),
                timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=_CONNECT_SECONDS),
                trust_env=True,
                auto_decompress=True,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._http


def _begin(into: BinaryIO) -> None:
    into.seek(0)
    into.truncate()


def _keep(into: BinaryIO, chunk: bytes) -> None:
    try:
        into.write(chunk)
    except OSError as error:
        raise Retry(
            f"a large answer cannot be kept on disk ({error.strerror or 'unknown reason'}).",
            code="disk_full",
            hint="Make room in the folder for temporary files.",
        ) from None


def show_place(url: str) -> str:
    """Host and path of a URL: what an error may show. Query, user and fragment are cut."""
    parsed = URL(url, encoded=True)
    return f"{parsed.host or ''}{parsed.path}"


def _transport_error(error: BaseException, place: str, *, writes: bool) -> IsthmusError:
    """Connect failed = the call never left; anything later = the target may have acted on it."""
    reason = type(error).__name__
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return Unreachable(
            f"no secure connection to {place}: its certificate is not trusted ({reason}).",
            code="tls",
            hint="Give the certificate of its authority as `ca` of the connection.",
        )
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.ClientHttpProxyError):
        return Unreachable(f"cannot reach {place} ({reason}).")
    if isinstance(error, aiohttp.InvalidURL):
        return ConfigurationError(f"{place} is not an address that can be called.")
    timed_out = isinstance(error, TimeoutError | asyncio.TimeoutError)
    lost = "did not answer in time" if timed_out else f"cut the connection before it answered ({reason})"
    if writes:
        return Uncertain(f"{place} {lost}: the call may have taken effect.", code="timeout" if timed_out else "cut")
    return Retry(f"{place} {lost}.", code="timeout" if timed_out else "cut")


def _tls(ca: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca:
        try:
            context.load_verify_locations(cafile=ca)
        except (OSError, ssl.SSLError):
            raise ConfigurationError(
                f"the certificate file {ca!r} cannot be read.", hint="Mend `ca` of the connection: a PEM file."
            ) from None
    return context
