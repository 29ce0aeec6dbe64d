"""A desk to work at: a folder with files, a hub that remembers what it was told, and a workbook maker."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest

from isthmus.connectors.files.config import FilesConfig
from isthmus.connectors.files.connector import FilesConnector
from isthmus.contract.clock import DrivenClock
from isthmus.contract.records import NativeRecord, Page, ReadRequest


class Hub:
    """What the hub holds of one stream; commits pages as the core does."""

    def __init__(self) -> None:
        self.records: dict[str, NativeRecord] = {}
        self.new: list[str] = []
        self.changed: list[str] = []
        self.gone: list[str] = []
        self._scan, self._seen = "", set[str]()

    async def known(self, families: Sequence[str]) -> Mapping[str, Mapping[str, str | None]]:
        wanted = {family: dict[str, str | None]() for family in families}
        for record in self.records.values():
            if record.family in wanted:
                wanted[record.family][record.id] = record.version
        return wanted

    def commit(self, page: Page) -> None:
        if page.scan != self._scan:
            self._scan, self._seen = page.scan, set()
        for record in page.records:
            before = self.records.get(record.id)
            if before is None:
                self.new.append(record.id)
            elif before.version != record.version:
                self.changed.append(record.id)
            self.records[record.id] = record
            assert record.id not in self._seen or not page.scan, "an id twice in one scan"
            self._seen.add(record.id)
        if page.scan_done:
            for native in [native for native in self.records if native not in self._seen]:
                self.gone.append(native)
                del self.records[native]

    def forget(self) -> None:
        """Start counting anew."""
        self.new, self.changed, self.gone = [], [], []

    @property
    def counts(self) -> tuple[int, int, int]:
        return len(self.new), len(self.changed), len(self.gone)


def cells(record: NativeRecord) -> dict[str, Any]:
    """The columns of the file, without the identity we add."""
    return {name: value for name, value in record.data.items() if name != "_row_id"}


class Desk:
    """A folder, its settings and a connector. `orders` is the set unless a test names others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cells = cells
        self.clock = DrivenClock(datetime(2090, 1, 1, tzinfo=UTC))  # long after any file was written
        self.hub = Hub()
        self.cursor: str | None = None
        self.settings: dict[str, Any] = {}
        self.top: dict[str, Any] = {}
        self.connector: FilesConnector
        self.open()

    def open(self, *, top: dict[str, Any] | None = None, **settings: Any) -> FilesConnector:
        """A new connector, as after a restart; settings stay."""
        self.settings |= settings
        self.top |= top or {}
        one = {"file": "orders.csv", "entity": "work_order", "key": ["no"], **self.settings}
        config = FilesConfig.model_validate({"folder": str(self.folder), "sets": {"orders": one}, **self.top})
        self.connector = FilesConnector(config, self.clock)
        return self.connector

    def write(self, content: str | bytes, name: str = "orders.csv", encoding: str = "utf-8") -> Path:
        path = self.folder / name
        new = path.with_name(f".{name}.new")  # as a careful writer does, so that every version is a file of its own
        new.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        new.replace(path)
        return path

    async def page(self, **request: Any) -> Page:
        """One page, committed."""
        page = await self.connector.read(
            ReadRequest(native="orders", cursor=self.cursor, **{"limit": 1000, **request}), self.hub.known
        )
        self.hub.commit(page)
        self.cursor = page.cursor
        return page

    async def run(self, **request: Any) -> list[NativeRecord]:
        """All pages until there is nothing more."""
        records: list[NativeRecord] = []
        while True:
            page = await self.page(**request)
            records += page.records
            if not page.more:
                return records


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    folder = tmp_path / "in"
    folder.mkdir()
    return Desk(folder)


@pytest.fixture
def new_desk(tmp_path: Path) -> Callable[[], Desk]:
    """Desks with folders of their own."""
    count = iter(range(1_000_000))

    def make() -> Desk:
        folder = tmp_path / f"in{next(count)}"
        folder.mkdir()
        return Desk(folder)

    return make


TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(
    path: Path,
    sheets: Mapping[str, str],
    *,
    strings: Sequence[str] = (),
    styles: str = "",
    date1904: bool = False,
    extra: Mapping[str, bytes] | None = None,
) -> Path:
    """A minimal workbook. `sheets`: name -> XML of the rows; `strings`: XML of each <si>; `styles`: XML inside."""
    names = list(sheets)
    relations = "".join(
        f'<Relationship Id="r{i}" Type="{TYPES}/worksheet" Target="worksheets/s{i}.xml"/>' for i in range(len(names))
    )
    relations += f'<Relationship Id="rs" Type="{TYPES}/sharedStrings" Target="sharedStrings.xml"/>'
    relations += f'<Relationship Id="rt" Type="{TYPES}/styles" Target="/xl/styles.xml"/>'
    listed = "".join(f'<sheet name={quoteattr(name)} sheetId="{i + 1}" r:id="r{i}"/>' for i, name in enumerate(names))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "xl/workbook.xml",
            f'<?xml version="1.0"?><workbook xmlns="{MAIN}" xmlns:r="{TYPES}">'
            f'<workbookPr date1904="{int(date1904)}"/><sheets>{listed}</sheets></workbook>',
        )
        book.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="urn:r">{relations}</Relationships>')
        book.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{"".join(f"<si>{s}</si>" for s in strings)}</sst>')
        book.writestr("xl/styles.xml", f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>')
        for i, rows in enumerate(sheets.values()):
            sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
            book.writestr(f"xl/worksheets/s{i}.xml", sheet)
        for name, content in (extra or {}).items():
            book.writestr(name, content)
    return path


def text_rows(*rows: Sequence[str]) -> str:
    """Rows of inline text."""
    cells = ["".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row) for row in rows]
    return "".join(f"<row>{row}</row>" for row in cells)


@pytest.fixture
def make_workbook() -> Callable[..., Path]:
    return workbook


@pytest.fixture
def make_rows() -> Callable[..., str]:
    return text_rows
