"""Who a row is. Files have no identity, so rows equal in the key share a **family** and get ordinals in it.

Where several rows make one record, a family has one record, and rows of its key that stand apart are told as problems:
nobody can say which of them the record is, and half of it must not be taken for the whole.

Which row gets which ordinal is settled by best alignment with what the hub holds (semantics.md §1): equal content
first, then the rest in order of appearance, then new ordinals. With n rows, k known ids and m equal contents this gives
min(n, k) - m changed, max(0, n - k) new and max(0, k - n) gone, and no assignment gives less.

Law the resume of a scan rests on: when the assignments of the first rows of a file are already in what the hub holds,
aligning again gives every later row the same ordinal as before.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from isthmus.connectors.files.raw import Cell, spelled

_FAMILY_BYTES = 10
_VERSION_BYTES = 16
_APART = ".apart"


def family_of(scope: str, key: Sequence[Cell]) -> bytes:
    """Digest of the key within a scope (the set, in drop mode also the file). A number and its text are the same key.

    NUL separates: a cell that holds one never comes here but through `torn_family`.
    """
    return _digest(_joined(["row", scope, *key], spelled))[:_FAMILY_BYTES]


def torn_family(scope: str, text: str) -> bytes:
    """Digest of a row that has no readable key: by its content, so that the same torn row stays the same record."""
    return _digest(f"torn\0{scope}\0{text}")[:_FAMILY_BYTES]


def version_of(cells: Sequence[Cell]) -> bytes:
    """Digest of a row's whole content, cells in an order that does not depend on the order of columns.

    Here a number and its text differ: equal versions mean equal data.
    """
    return _digest(_joined(cells, _tagged))[:_VERSION_BYTES]


def version_of_rows(versions: bytes) -> bytes:
    """Digest of a record of several rows, by the digest of their versions in order."""
    return hashlib.sha256(b"rows\0" + versions).digest()[:_VERSION_BYTES]


def apart_version(version: bytes) -> bytes:
    """Version of a record that is a problem only because other rows of its key stand apart: mended, it is a change."""
    return hashlib.sha256(b"apart\0" + version).digest()[:_VERSION_BYTES]


def _joined(cells: Sequence[Cell], as_text: Callable[[Cell], str]) -> str:
    try:
        return "\0".join(cast("Sequence[str]", cells))  # all of a CSV file, a million times
    except TypeError:
        return "\0".join([as_text(cell) for cell in cells])


def _tagged(cell: Cell) -> str:
    return cell if isinstance(cell, str) else f"\1{type(cell).__name__}:{spelled(cell)}"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def short(digest: bytes) -> int:
    """The first 8 bytes as a number: what the index keeps. Two of 1,000,000 meet once in 37 million files."""
    return int.from_bytes(digest[:8], "big")


def native_id(family: str, ordinal: int) -> str:
    return f"{family}#{ordinal}"


def family_in(native: str) -> str:
    """The family of a native id: of the key, also for rows of it that stand apart."""
    return native.rpartition("#")[0].removesuffix(_APART)


def apart_family(family: str) -> str:
    """The family of groups that stand apart from the record of their key."""
    return family + _APART


def _ordinal(native: str) -> int:
    tail = native.rpartition("#")[2]
    return int(tail) if tail.isascii() and tail.isdigit() else 0


def align(rows: Sequence[int], known: Mapping[str, str | None]) -> list[int]:
    """An ordinal for each row of one family.

    Args:
        rows: `short` versions of the family's rows in file order.
        known: native id -> version the hub holds. An id without version is one whose row is gone: it is taken up again
            only when no living id is left, so that a file that comes back does not become new events.
    """
    living: defaultdict[int, list[int]] = defaultdict(list)
    rest: list[int] = []
    gone: list[int] = []
    for ordinal, version in sorted((_ordinal(native), version) for native, version in known.items()):
        if ordinal < 1:
            continue
        if version is None:
            gone.append(ordinal)
        elif (number := _short_text(version)) is None:
            rest.append(ordinal)
        else:
            living[number].append(ordinal)
    result = [0] * len(rows)
    for ordinals in living.values():
        ordinals.reverse()
    for index, row in enumerate(rows):
        if ordinals := living.get(row, []):
            result[index] = ordinals.pop()
    rest.extend(ordinal for ordinals in living.values() for ordinal in ordinals)
    free = [*sorted(gone, reverse=True), *sorted(rest, reverse=True)]
    following = max((_ordinal(native) for native in known), default=0)
    for index, ordinal in enumerate(result):
        if ordinal:
            continue
        if free:
            result[index] = free.pop()
        else:
            following += 1
            result[index] = following
    return result


def align_groups(groups: Sequence[int], known: Mapping[str, str | None], apart: Mapping[str, str | None]) -> list[int]:
    """An ordinal for each group of rows of one key, in file order: 1 where nothing is doubtful.

    With several groups, the one the hub holds unchanged as the record stays it (1). Without one, the first stands for
    the record and is a problem (-1). All others are problems beside it (-2, -3, …), each a record of its own, so that
    they stay the same problems.

    Args:
        groups: `short` versions of the groups.
        known: native id -> version the hub holds of the key.
        apart: the same of its groups that stood apart.
    """
    if len(groups) == 1:
        return [1]
    held = {_short_text(version) for version in known.values() if version is not None}
    whole = next((index for index, group in enumerate(groups) if group in held), None)
    main = 0 if whole is None else whole
    others = align([group for index, group in enumerate(groups) if index != main], apart)
    result = [-1 - ordinal for ordinal in others]
    result.insert(main, -1 if whole is None else 1)
    return result


def _short_text(version: str) -> int | None:
    try:
        return short(bytes.fromhex(version))
    except ValueError:
        return None
