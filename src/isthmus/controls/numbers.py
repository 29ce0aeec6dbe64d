"""Document numbers made from the business event, so that the same event always asks for the same document."""

from __future__ import annotations

from hashlib import sha256

#: Crockford's base 32: no I, L, O, U, so that a number read aloud or typed from paper stays the same number.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHARACTERS = 16  # of 5 bits: 80 bits; among a million documents a clash has a chance of about 4e-13
_LONGEST = 20  # a Business Central document number (bc.md §14)


def document_number(event_key: str, prefix: str = "IS") -> str:
    """The document number of an event, such as `IS-7Q2M4Z0V9K3XBT5C`: at most 20 upper-case characters.

    Equal keys give equal numbers, always and everywhere. Raises ValueError for a prefix that is not one to three
    upper-case ASCII letters or digits.
    """
    room = _LONGEST - _CHARACTERS - 1
    if not (1 <= len(prefix) <= room and prefix.isascii() and prefix.isalnum() and prefix == prefix.upper()):
        raise ValueError(f"prefix {prefix!r} must be 1 to {room} upper-case letters or digits")
    bits = int.from_bytes(sha256(event_key.encode()).digest(), "big") >> (256 - 5 * _CHARACTERS)
    characters = [_ALPHABET[(bits >> (5 * place)) & 31] for place in reversed(range(_CHARACTERS))]
    return f"{prefix}-{''.join(characters)}"
