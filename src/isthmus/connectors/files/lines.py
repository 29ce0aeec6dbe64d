"""Lines of records that stand in a file of their own: found by the key of their record, wherever they stand in it.

Half a record is worse than none, because it would be ordered or booked: where one of its lines cannot be read, or
stands twice, the whole record is a problem. A line whose record cannot be told may be of the one before it or after it,
so both are; where the lines of a record do not stand together it may be of any, and nothing is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from isthmus.connectors.files.copies import Copies
from isthmus.connectors.files.groups import MOST_ROWS
from isthmus.connectors.files.identity import torn_family, version_of_rows
from isthmus.connectors.files.raw import Cell, spelled
from isthmus.connectors.files.rows import Row
from isthmus.errors import ConfigurationError

_NAMED = 3


class Naming(Struct, frozen=True):
    """How lines are told of.

    key   columns that tell the lines of one record apart; by: columns that name the record; place: where each stands
    file, head   what people call the file of the lines, and that of the records
    word, head_word   line, or row in Excel
    """

    key: tuple[str, ...]
    by: tuple[str, ...]
    place: Mapping[str, int]
    file: str
    head: str
    word: str
    head_word: str


class Lines:
    """All lines of a file, by the family of the record they are of.

    Args:
        rows: the rows of the file; their family is that of their record. Read once, at once.
        naming: how they are told of.
        only: families to keep, None for all. With some, nothing is said of lines of other records.

    Raises ConfigurationError when a line may be of any record, Retry when there is no room for the index.
    """

    def __init__(self, rows: Iterable[Row], naming: Naming, only: Collection[bytes] | None = None) -> None:
        self._naming, self._only = naming, only
        self._copies = Copies()
        #: lines that say which record they are of
        self.count = 0
        #: rows that `joined` gave though they are no record, once it came to its end
        self.orphans = 0
        #: lines of nobody, in a file without any other
        self._alone: list[Row] = []
        try:
            self._take(rows)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the index back. Safe to repeat."""
        self._copies.close()

    def part(self, row: Row) -> dict[str, Cell | int]:
        """A line as data: its columns."""
        return {name: row.cells[index] for name, index in self._naming.place.items()}

    def joined(self, heads: Iterable[Row]) -> Iterator[Row]:
        """Each record with its lines, and after them a problem for the lines of each record that is not there."""
        self._copies.forget()
        self.orphans = 0
        for head in heads:
            yield self._with_lines(head)
        if self._only is not None:
            return
        for lines in self._copies.unasked():
            self.orphans += 1
            yield self._orphan(lines)
        if self._alone:
            self.orphans += 1
            yield self._of_nobody()

    def _take(self, rows: Iterable[Row]) -> None:
        """Keep every line. Those that do not say which record they are of are kept with both neighbours."""
        before: bytes | None = None
        loose: list[Row] = []
        beside: list[tuple[bytes, Row]] = []
        first_loose, runs = None, 0
        for row in rows:
            if not row.keyed:
                loose.append(row)
                first_loose = first_loose or row
                continue
            self.count += 1
            beside += [(family, torn) for torn in loose for family in {before or row.family, row.family}]
            loose.clear()
            runs += before != row.family
            before = row.family
            self._keep(row, row.family)
        if before is None:
            self._alone = loose
        else:
            beside += [(before, torn) for torn in loose]
        if first_loose is not None and self._only is None and runs != self._copies.families():
            self._refuse(first_loose)
        for family, torn in beside:
            self._keep(torn, family)
        self._copies.close_index()

    def _keep(self, row: Row, family: bytes) -> None:
        if self._only is None or family in self._only:
            self._copies.add(row, family)

    def _refuse(self, row: Row) -> None:
        by = ", ".join(self._naming.by)
        raise ConfigurationError(
            f"{row.reason}, and the lines of one {by} do not stand together, so that it may be of any record.",
            code="line_unassigned",
            hint=f"Mend the line, sort the file by {by}, or make {by} its first column. Until then nothing is read.",
            file=self._naming.file,
            line=row.line,
        )

    def _with_lines(self, head: Row) -> Row:
        if not head.keyed:
            return head
        parts = self._copies.of(head.family)
        if head.problem:
            return head
        version = version_of_rows(head.version + b"".join(sorted(part.version for part in parts)))
        whole = head._replace(version=version)
        problem, mend = self._problem(parts)
        if problem:
            naming = self._naming
            return whole._replace(problem=f"{naming.head} {naming.head_word} {head.line}: {problem}.", mend=mend)
        return whole._replace(parts=tuple(parts))

    def _problem(self, parts: Sequence[Row]) -> tuple[str, str]:
        """What keeps lines from being the lines of one record, and how to mend it."""
        torn = [part for part in parts if part.problem]
        if torn:
            said = [self._of_torn(part) for part in torn[:_NAMED]]
            said += [f"{len(torn) - _NAMED} lines more"] if len(torn) > _NAMED else []
            return "; ".join(said), torn[0].mend
        naming = self._naming
        keys = [tuple(spelled(part.cells[naming.place[column]]) for column in naming.key) for part in parts]
        twice = next((key for key, count in Counter(keys).items() if count > 1), None)
        if twice is not None:
            where = self._span([part for part, key in zip(parts, keys, strict=True) if key == twice])
            mend = f"Keep one of them, or name under lines.key what tells them apart: {where}."
            return f"{', '.join(naming.key)} {', '.join(twice)} stands twice among its lines ({where})", mend
        if len(parts) > MOST_ROWS:
            mend = f"Name under lines.by the columns that tell records apart: {naming.file}."
            return f"{len(parts):,} lines of {naming.file}, more than {MOST_ROWS:,}", mend
        return "", ""

    def _of_torn(self, part: Row) -> str:
        where = self._span([part])
        return f"{where}: {part.reason}" if part.keyed else f"{where} may be one of its lines: {part.reason}"

    def _orphan(self, lines: Sequence[Row]) -> Row:
        """Lines whose record is not there: they would be of it, so that it appears in their place when it comes."""
        naming, place = self._naming, self._span(lines)
        named = next((line for line in lines if line.cells), None)
        key = [", ".join(naming.by)]
        key += [", ".join(spelled(named.cells[naming.place[column]]) for column in naming.by)] if named else []
        version = version_of_rows(b"orphan" + b"".join(sorted(line.version for line in lines)))
        problem = f"{place}: {' '.join(key)} has no row in {naming.head}."
        mend = f"Add the row to {naming.head}, or take the lines out: {place}."
        return self._told(lines, lines[0].family, version, problem, mend)

    def _of_nobody(self) -> Row:
        version = version_of_rows(b"".join(sorted(line.version for line in self._alone)))
        problem = f"{self._span(self._alone)}: {self._alone[0].reason}."
        return self._told(self._alone, torn_family("lines", version.hex()), version, problem, self._alone[0].mend)

    def _told(self, lines: Sequence[Row], family: bytes, version: bytes, problem: str, mend: str) -> Row:
        first = lines[0].line
        return Row(first, (), family, version, problem, mend, last=first, place=self._span(lines))

    def _span(self, lines: Sequence[Row]) -> str:
        naming, numbers = self._naming, [str(line.line) for line in lines]
        shown = ", ".join(numbers[:_NAMED]) + (f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else "")
        return f"{naming.file} {naming.word}{'s' if len(numbers) > 1 else ''} {shown}"
