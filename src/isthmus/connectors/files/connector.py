"""The connector over a folder of files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from isthmus.connectors.files.check import check_folder, check_set
from isthmus.connectors.files.config import FilesConfig, SetConfig
from isthmus.connectors.files.drop import DropReader
from isthmus.connectors.files.locate import locate
from isthmus.connectors.files.notes import Notes, ResultsPlace, results_place
from isthmus.connectors.files.rows import LINE, ORDINAL, ROW_ID
from isthmus.connectors.files.snapshot import SnapshotReader
from isthmus.connectors.files.source import Source, snapshot_source
from isthmus.contract.capabilities import Capabilities, EntitySupport
from isthmus.contract.clock import Clock
from isthmus.contract.connector import Connector, NativeField, Traffic
from isthmus.contract.operations import Operation, Outcome
from isthmus.contract.records import Known, NativeRecord, Page, ReadRequest
from isthmus.errors import ConfigurationError, Retry
from isthmus.model.finding import Finding

SYSTEM = "files"
_BATCH = 1000


def connect(config: FilesConfig, clock: Clock) -> Connector:
    """A connector over the folder of `config`. Opens nothing yet."""
    return FilesConnector(config, clock)


class _Set:
    """One set: its settings, its reader, and what the hub last offered to be asked."""

    def __init__(self, config: FilesConfig, name: str, clock: Clock) -> None:
        self.name = name
        self.config: SetConfig = config.sets[name]
        self.lock = asyncio.Lock()
        self.known: Known | None = None
        self.notes = Notes(config, name, clock)
        self._all = config
        self.reader: SnapshotReader | DropReader
        if self.config.mode == "drop":
            self.reader = DropReader(name, self.config, config.folder, clock)
        else:
            self.reader = SnapshotReader(self.snapshot(), clock)

    def snapshot(self) -> Source:
        return snapshot_source(self._all, self.name)

    def sources(self) -> list[Source]:
        """The files that are there. Raises Retry when the folder is not."""
        return self.reader.sources() if isinstance(self.reader, DropReader) else [self.snapshot()]


class FilesConnector:
    """Implements isthmus.contract.connector.Connector for files."""

    def __init__(self, config: FilesConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._sets = {name: _Set(config, name, clock) for name in config.sets}
        self._traffic = Traffic()

    @property
    def capabilities(self) -> Capabilities:
        entities = {one.entity: _support(name, one) for name, one in self._config.sets.items()}
        return Capabilities(system=SYSTEM, entities=entities)

    @property
    def traffic(self) -> Traffic:
        return self._traffic

    def results_place(self, native: str) -> ResultsPlace:
        """Where the results file of a set goes, or why it has no place."""
        return results_place(self._config, self._set(native).config)

    async def check(self) -> Sequence[Finding]:
        """Folder, files, headers, encoding of the first rows, place of the results: all findings at once."""
        findings = await asyncio.to_thread(check_folder, self._config)
        if any(finding.severity == "error" for finding in findings):
            return findings
        for name, one in self._config.sets.items():
            findings += await asyncio.to_thread(check_set, self._config, name, one)
        return findings

    async def fingerprint(self) -> Mapping[str, str]:
        """The folder and its sets."""
        folder = await asyncio.to_thread(self._config.folder.resolve)
        return {"folder": str(folder), "sets": ",".join(sorted(self._sets))}

    async def describe(self, native: str) -> Sequence[NativeField]:
        """The columns of the set's file (in drop mode: of the first one), all of them text, the row's identity, and of
        a grouped set the list of rows.

        Empty without a file.
        """
        one = self._set(native)
        try:
            columns, of_lines = await asyncio.to_thread(_columns, one)
        except Retry:
            return []
        if not columns:
            return []
        row_id = NativeField(name=ROW_ID, type="id", writable=False)
        return [*_texts(columns), row_id, *_list_of_rows(one.config, of_lines)]

    async def read(self, request: ReadRequest, known: Known) -> Page:
        """One page of a set. Safe to repeat.

        Raises Retry when a file is not there, is empty or moves, ConfigurationError when it does not fit its settings.
        """
        one = self._set(request.native)
        self._traffic.requests += 1
        async with one.lock:
            one.known = known
            return await one.reader.read(request, known)

    async def fetch(self, native: str, company: str, ids: Sequence[str]) -> Sequence[NativeRecord]:
        """Single rows by a pass over the file. Safe to repeat.

        Rows equal in the key are told apart through the `known` of the last read. A row that is no longer there comes
        back as deleted; in drop mode it is left out, as a file that was taken away deletes nothing.
        """
        one = self._set(native)
        self._traffic.requests += 1
        async with one.lock:
            found = await locate(await asyncio.to_thread(one.sources), ids, one.known)
        records = [found[native] for native in ids if native in found]
        if one.config.mode == "snapshot":
            records += [NativeRecord(id=native, deleted=True) for native in ids if native not in found]
        return records

    async def write(self, operations: Sequence[Operation]) -> AsyncIterator[Outcome]:
        """Notes into the results file of the operations' set."""
        for operation in operations:
            if operation.action != "note" or self._of(operation.entity) is None:
                yield Outcome(
                    key=operation.key,
                    result="reject",
                    code="unsupported",
                    text=f"{operation.action} of {operation.entity} cannot be done in files: results are noted only.",
                    mend="Mend the flow, or say results: true for the set.",
                )
        notes = [operation for operation in operations if operation.action == "note"]
        for start in range(0, len(notes), _BATCH):
            batch = notes[start : start + _BATCH]
            one = self._of(batch[0].entity)
            if one is None:
                continue
            self._traffic.writes += 1
            async with one.lock:
                outcomes = await one.notes.write(batch, one.sources)
            for outcome in outcomes:
                yield outcome

    async def look_up(self, operations: Sequence[Operation]) -> Mapping[str, Outcome]:
        """Notes that stand in the results file already, word for word."""
        one = self._of(operations[0].entity) if operations else None
        return await one.notes.look_up(operations) if one is not None else {}

    async def discard(self, operations: Sequence[Operation]) -> None:
        """Nothing: a note is there whole or not at all."""

    async def close(self) -> None:
        """Close open files. Safe to repeat."""
        for one in self._sets.values():
            one.reader.close()

    def _set(self, native: str) -> _Set:
        try:
            return self._sets[native]
        except KeyError:
            raise ConfigurationError(
                f"no set {native!r} in {self._config.folder}: there is {', '.join(self._sets)}.",
                hint="Mend the mapping.",
            ) from None

    def _of(self, entity: str) -> _Set | None:
        return next((one for one in self._sets.values() if one.config.entity == entity and one.config.results), None)


def _support(name: str, one: SetConfig) -> EntitySupport:
    return EntitySupport(
        native=name,
        changes="scan" if one.mode == "snapshot" else "append",
        sees_deletes=one.mode == "snapshot",
        actions=frozenset({"note"}) if one.results else frozenset(),
        idempotency="natural_key" if one.results else "none",
        batch=_BATCH if one.results else 1,
    )


def _texts(columns: Iterable[str]) -> list[NativeField]:
    return [NativeField(name=column, type="text", writable=False) for column in columns]


def _list_of_rows(one: SetConfig, columns: Sequence[str]) -> list[NativeField]:
    if not one.list_name:
        return []
    own = [NativeField(name=LINE, type="text", writable=False)]
    own += [NativeField(name=ORDINAL, type="int", writable=False)] if one.rows else []
    return [NativeField(name=one.list_name, type="list", writable=False, fields=(*_texts(columns), *own))]


def _columns(one: _Set) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Columns of the set's file, and of the rows that are in its records' list."""
    source = next(iter(one.sources()), None)
    if source is None:
        return (), ()
    with source.table() as table:
        columns = table.names
    if source.config.lines is None:
        return columns, columns
    with source.lines_table() as table:
        return columns, table.names
