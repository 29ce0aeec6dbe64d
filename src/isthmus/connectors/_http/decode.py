"""Wire JSON: numbers with a point become Decimal, never float, and go out as plain numbers."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
#: what a number with an exponent looks like; a text may look like it, which costs time and nothing else
_EXPONENT = re.compile(rb"[0-9]E[+-]?[0-9]")
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class NotJson(ValueError):
    """The text is not JSON. Carries nothing of the text."""

    def __init__(self) -> None:
        super().__init__("the answer is not JSON")


def decode(body: bytes) -> Any:
    """Decode JSON text. Raises NotJson, which never quotes the text."""
    try:
        return _DECODER.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise NotJson from None


def encode(value: Any) -> bytes:
    """Encode to JSON text; a Decimal becomes a number, without exponent down to a millionth."""
    text = _ENCODER.encode(value)
    return _ENCODER.encode(_plain(value)) if _EXPONENT.search(text) else text


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return Decimal(format(value, "f"))
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
