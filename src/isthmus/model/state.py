"""States in bytes: one canonical encoding, so that equal states are equal text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from isthmus.model.entity import State

_ENCODER = msgspec.json.Encoder(decimal_format="string", order="sorted")
_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def encode_state(state: State) -> str:
    """Canonical JSON text: sorted keys, Decimals as strings. Equal states give equal text."""
    return _ENCODER.encode(state).decode()


def decode_state(text: str | bytes) -> State:
    """The state in a text made by `encode_state`."""
    return _DECODER.decode(text)
