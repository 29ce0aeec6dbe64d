"""What must be known of a whole file before its first row gets an identity: which families repeat in it.

Kept in arrays of 8-byte digests: a million rows take some 20 MB, and their text is never held.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

from isthmus.connectors.files.identity import align, align_groups, short
from isthmus.connectors.files.rows import Row


class FamilyIndex:
    """Families and versions of all rows by row number (from 0), and the ordinals given so far.

    `grouped`: a row is a group of rows that are one record (identity.align_groups).
    """

    def __init__(self, rows: Iterable[Row], *, grouped: bool = False) -> None:
        self._grouped = grouped
        self._families = array("Q")
        self._versions = array("Q")
        families, versions = self._families.append, self._versions.append
        for row in rows:
            families(short(row.family))
            versions(short(row.version))
        self._ordinals = array("i", bytes(4 * len(self._families)))
        self._repeats = self._find_repeats()

    def __len__(self) -> int:
        return len(self._families)

    def ordinal(self, number: int) -> int:
        """The row's ordinal in its family, 0 while it has none, negative where groups of its key stand apart."""
        return self._ordinals[number]

    def stands_apart(self, number: int) -> bool:
        """Whether the family of a group has other groups too."""
        return self._grouped and len(self._rows_of(number)) > 1

    def assign(self, number: int, known: Mapping[str, str | None], apart: Mapping[str, str | None]) -> None:
        """Give ordinals to all rows of the family of row `number`, by what the hub holds of that family."""
        rows = self._rows_of(number)
        versions = [self._versions[row] for row in rows]
        ordinals = align_groups(versions, known, apart) if self._grouped else align(versions, known)
        for row, ordinal in zip(rows, ordinals, strict=True):
            self._ordinals[row] = ordinal

    def _rows_of(self, number: int) -> Sequence[int]:
        family = self._families[number]
        start = bisect_left(self._repeats, family, key=self._families.__getitem__)
        end = bisect_right(self._repeats, family, lo=start, key=self._families.__getitem__)
        return self._repeats[start:end] or (number,)

    def _find_repeats(self) -> array[int]:
        """Numbers of rows whose family has other rows too, by family and then in file order."""
        repeated: set[int] = set()
        last = -1
        for family in sorted(self._families):
            if family == last:
                repeated.add(family)
            last = family
        rows = [number for number, family in enumerate(self._families) if family in repeated] if repeated else []
        rows.sort(key=self._families.__getitem__)
        return array("Q", rows)
