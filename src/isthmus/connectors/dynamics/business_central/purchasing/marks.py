"""What we write into a purchase order for ourselves: comment lines with its mark, its number and keys of its lines.

An order of API v2.0 has no text of ours but its lines (bc.md §15). The first line of an order of ours is a comment:

    ISTHMUS IS-7Q2M4Z0V9K3XBT5C PO-1001

the mark of the operation that made it (by which a look-up finds it, semantics.md §5), then the number of operations.
A line is told by its place: the service's line numbers go in steps of 10,000, so line number 20000 is key 2, and what a
person puts between is 1.5. Keys of operations that are no such number stand in further comments, `place=key`:

    ISTHMUS LINES 1=2147483655 2=2147483656

All of them have line numbers below 10,000, stand before what is ordered, and are never changed, only added to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from urllib.parse import quote, unquote

from msgspec import Struct

#: Steps of the service's own line numbers (bc.md §15: blank -> last + 10,000).
STEP = 10_000
#: Longest text of a line (bc.json, purchaseOrderLines.description).
TEXT_LENGTH = 100
#: Line number of the comment with the mark; those with keys follow.
MARK_SEQUENCE = 1
#: Line numbers are 32 bits wide (bc.json, purchaseOrderLines.sequence).
_LAST_SEQUENCE = 2**31 - 1

_OURS = "ISTHMUS"
_KEYS = "LINES"
_TAKES_BACK = "TAKES BACK"
_MARK = re.compile(rf"{_OURS} (IS-[0-9A-Z]+)(?: (.*))?")
#: Everything printable but blanks, `=` and `%` stands in a key as it is.
_PLAIN = "!\"#$&'()*+,/:;<>?@[\\]^`{|}"


class Marks(Struct, frozen=True):
    """What an order's comments tell: mark and number ("" without), and keys of lines by line number."""

    mark: str = ""
    number: str = ""
    keys: Mapping[int, str] = MappingProxyType({})


def read_marks(comments: Iterable[tuple[int, str]]) -> Marks:
    """The marks among (line number, text) of an order's comment lines. Other comments are people's."""
    mark, number, keys = "", "", dict[int, str]()
    for sequence, text in sorted(comments):
        if sequence >= STEP:
            continue
        words = text.split()
        if words[:2] == [_OURS, _KEYS]:
            keys |= dict(_pairs(words[2:]))
        elif not mark and (found := _MARK.fullmatch(text.strip())):
            mark, number = found[1], (found[2] or "").strip()
    return Marks(mark, number, keys)


def mark_text(mark: str, number: str) -> str:
    """The first comment."""
    return f"{_OURS} {mark} {number}".rstrip()


def key_texts(keys: Mapping[int, str]) -> list[str]:
    """Comments for keys that are not places. Raises ValueError, holding the key, for one that fits into no comment."""
    head = f"{_OURS} {_KEYS}"
    texts: list[str] = []
    for sequence, key in keys.items():
        pair = f" {place_of(sequence)}={quote(key, safe=_PLAIN)}"
        if len(head) + len(pair) > TEXT_LENGTH:
            raise ValueError(key)
        if not texts or len(texts[-1]) + len(pair) > TEXT_LENGTH:
            texts.append(head)
        texts[-1] += pair
    return texts


def place_of(sequence: int) -> str:
    """Line number -> key: 20000 -> 2, 15000 -> 1.5."""
    return format((Decimal(sequence) / STEP).normalize(), "f")


def sequence_of(key: str) -> int | None:
    """Key -> line number, where the key is a place from 1 on, in its one spelling; else None."""
    try:
        scaled = Decimal(key) * STEP
        sequence = int(scaled)
    except (InvalidOperation, ValueError, OverflowError):
        return None
    fits = STEP <= sequence <= _LAST_SEQUENCE and sequence == scaled
    return sequence if fits and place_of(sequence) == key else None


def allot(keys: Sequence[str], taken: Iterable[int]) -> dict[str, int]:
    """Line numbers for keys of new lines, none of those taken: their own place, or the next free step behind all."""
    used = set(taken)
    found: dict[str, int] = {}
    for key in keys:
        own = sequence_of(key)
        if own is not None and own not in used:
            found[key] = own
            used.add(own)
    last = max(used, default=0) // STEP * STEP
    for key in keys:
        if key not in found:
            last += STEP
            found[key] = last
    return {key: found[key] for key in keys}


def free_below(taken: Iterable[int]) -> int:
    """The next free line number for a comment of ours."""
    return max((sequence for sequence in taken if sequence < STEP), default=MARK_SEQUENCE) + 1


def take_back_text(mark: str, sequence: int) -> str:
    """Text of a line of ours that takes back goods of another line."""
    return f"{_OURS} {mark} {_TAKES_BACK} {place_of(sequence)}"


def read_take_back(text: str) -> tuple[str, int] | None:
    """(mark, line number it takes back from) of such a text; None for every other."""
    found = _MARK.fullmatch(text.strip())
    if found is None or not (found[2] or "").startswith(f"{_TAKES_BACK} "):
        return None
    sequence = _sequence_at(found[2].removeprefix(f"{_TAKES_BACK} "))
    return None if sequence is None else (found[1], sequence)


def _pairs(words: Iterable[str]) -> Iterable[tuple[int, str]]:
    for word in words:
        place, mark, key = word.partition("=")
        sequence = _sequence_at(place)
        if mark and sequence is not None:
            yield sequence, unquote(key)


def _sequence_at(place: str) -> int | None:
    try:
        return int(Decimal(place) * STEP)
    except (InvalidOperation, ValueError, OverflowError):
        return None
