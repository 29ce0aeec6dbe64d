"""What travels: a request and a response without any web framework in them, and exact JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)

JSON_HEADERS = {"content-type": "application/json; odata.metadata=minimal", "odata-version": "4.0"}


class Cut(Exception):
    """The connection is to be cut without an answer."""


class Request(msgspec.Struct):
    """One call, top-level or a part of a batch. Plain data, so that a late commit can be saved and executed later.

    `path` is decoded, `query` is not; header names are lower case; `body` is the raw text, or for a part of a batch
    `payload` is the already decoded JSON.
    """

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}
    body: bytes = b""
    payload: Any = None
    client_id: str = ""
    #: Scheme and host the caller used, for the absolute addresses in answers.
    origin: str = ""
    part_id: str | None = None
    depends_on: list[str] = []
    #: The notification address that has just shaken hands for this request.
    greeted: str = ""


class Response(msgspec.Struct):
    """One answer. `body` is JSON data, or bytes to be sent as they are, or None for an empty answer."""

    status: int
    body: Any = None
    headers: dict[str, str] = {}

    def encoded(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else to_json(self.body)


def to_json(value: Any) -> bytes:
    """JSON with Decimals as numbers, digit by digit as they are."""
    return _ENCODER.encode(value)


def from_json(raw: bytes) -> Any:
    """JSON with Decimals instead of floats. Raises msgspec.DecodeError on anything else than JSON."""
    return _DECODER.decode(raw)
