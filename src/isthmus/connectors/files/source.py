"""What a set is read from: a file, or two that are read together because the lines of its records stand in the other.

Two files are one content: a change of either is a change, and what is read is never one file's new version with the
other's old one as long as both stood still.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct, structs

from isthmus.connectors.files.config import FilesConfig, SetConfig
from isthmus.connectors.files.lines import Lines, Naming
from isthmus.connectors.files.places import Stamp, digest, settled, stamp
from isthmus.connectors.files.table import Table, open_table
from isthmus.contract.clock import Clock
from isthmus.errors import Retry

#: settings that decide what a file's content means; when one changes, the file is read again
_MEANING = {
    "file",
    "mode",
    "key",
    "format",
    "encoding",
    "delimiter",
    "quote",
    "header",
    "sheet",
    "skip_rows",
    "rows",
    "same",
}


class Source(Struct, frozen=True):
    """A file of a set, and the file of its lines. `file` is what people call it: its path inside the folder."""

    name: str
    config: SetConfig
    path: Path
    file: str
    lines: Path | None = None

    def meaning(self) -> str:
        """Digest of the settings the content is read by."""
        # the name of the other setting is there only where it is used, so that other sets keep their digest
        wanted = _MEANING | ({"lines"} if self.config.lines is not None else set())
        text = self.config.model_dump_json(include=wanted)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def table(self, lines: Lines | None = None) -> AbstractContextManager[Table]:
        """Its file, open; with `lines` its rows are whole records. Raises as `open_table` does."""
        return open_table(self.name, self.path, self.file, self.config, lines)

    def lines_table(self) -> AbstractContextManager[Table]:
        """The file of its lines, open. Raises as `open_table` does, ValueError where it has none."""
        config = self.config.of_lines()
        return open_table(self.name, self.lines or self.path, config.file, config)

    def read_lines(self, only: Collection[bytes] | None = None) -> Lines | None:
        """The lines of its records, of those families or of all; None where they have none elsewhere.

        Raises Retry and ConfigurationError. The caller closes them.
        """
        config = self.config.lines
        if config is None:
            return None
        with self.table() as heads, self.lines_table() as table:
            naming = Naming(
                key=config.key,
                by=config.by,
                place=table.place,
                file=table.file,
                head=self.file,
                word=table.word,
                head_word=heads.word,
            )
            return Lines(table.each(), naming, only)

    @property
    def others(self) -> tuple[Path, ...]:
        """Files that are read together with it."""
        return (self.lines,) if self.lines is not None and self.lines != self.path else ()

    def stamp(self) -> Stamp:
        """What a look at its files tells. Raises as `places.stamp` does."""
        first = stamp(self.path)
        return structs.replace(first, beside=tuple(stamp(path) for path in self.others)) if self.others else first

    def unchanged(self, before: Stamp) -> None:
        """Raises Retry when a file is not the one that was opened any more."""
        if self.stamp() != before:
            raise Retry(
                f"{' or '.join(path.name for path in (self.path, *self.others))} changed while it was read.",
                code="file_changed",
                hint="It is read again from its beginning once it stands still.",
            )

    def digest(self) -> tuple[str, Stamp]:
        """Digest of the content (32 hex digits) and the stamp it belongs to.

        Raises Retry when a file changed while it was read.
        """
        if not self.others:
            return digest(self.path)
        before = self.stamp()
        parts = [digest(path)[0] for path in (self.path, *self.others)]
        self.unchanged(before)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32], before

    async def settled(self, clock: Clock) -> Stamp:
        """The stamp of files nobody has touched for as long as the set says. Raises Retry if one goes on moving."""
        first, *others = [
            await settled(path, float(self.config.settle_seconds), clock) for path in (self.path, *self.others)
        ]
        return structs.replace(first, beside=tuple(others)) if others else first


def snapshot_source(config: FilesConfig, name: str) -> Source:
    """What a snapshot set is read from."""
    one = config.sets[name]
    lines = config.folder / (one.lines.file or one.file) if one.lines is not None else None
    return Source(name, one, config.folder / one.file, one.file, lines)
