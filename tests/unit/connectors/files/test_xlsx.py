"""Excel workbooks: numbers from the XML's text, dates by format, and workbooks that mean harm."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from isthmus.connectors.files.cell_values import format_kind, moment, number
from isthmus.errors import ConfigurationError

FORMATS = (
    '<numFmts><numFmt numFmtId="164" formatCode="dd\\.mm\\.yyyy"/>'
    '<numFmt numFmtId="165" formatCode="#,##0.00 &quot;days&quot;"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>'
    '<xf numFmtId="164"/><xf numFmtId="22"/><xf numFmtId="165"/></cellXfs>'
)


def cells(*xml: str) -> str:
    return f"<row>{''.join(xml)}</row>"


@pytest.fixture
def book(desk: Any, make_workbook: Callable[..., Path]) -> Callable[..., Path]:
    desk.open(file="orders.xlsx", format="xlsx")
    return lambda *sheets, **more: make_workbook(desk.folder / "orders.xlsx", *sheets, **more)


async def test_cells_of_all_kinds(desk: Any, book: Any, make_rows: Any) -> None:
    row = cells(
        '<c t="s"><v>1</v></c>',
        "<c><v>183.05000000000001</v></c>",
        '<c s="2"><v>45000</v></c>',
        '<c s="3"><v>45000.5</v></c>',
        '<c t="b"><v>1</v></c>',
        '<c t="str"><f>A1&amp;"x"</f><v>cached</v></c>',
        '<c s="4"><v>1E3</v></c>',
    )
    head = make_rows(["no", "cost", "day", "at", "flag", "formula", "span", "left out"])
    strings = ["<t>other</t>", '<r><t>rich </t></r><r><t>A&amp;B_x000D_</t></r><rPh sb="0" eb="1"><t>ka</t></rPh>']
    book({"Data": head + row}, strings=strings, styles=FORMATS)
    (record,) = await desk.run()
    assert desk.cells(record) == {
        "no": "rich A&B\r",
        "cost": Decimal("183.05"),
        "day": "2023-03-15",
        "at": "2023-03-15T12:00:00",
        "flag": True,
        "formula": "cached",
        "span": Decimal(1000),
        "left out": "",
    }
    assert record.origin == "orders.xlsx row 2"


async def test_rows_and_cells_stand_where_their_references_say(desk: Any, book: Any) -> None:
    book(
        {
            "S": '<row r="3"><c r="A3" t="str"><v>no</v></c><c r="C3" t="str"><v>text</v></c></row>'
            '<row r="5"/><row r="7"><c r="C7" t="str"><v>x</v></c></row>'
            '<row r="9"><c r="A9"><v>1</v></c><c r="B9" t="str"><v>?</v></c></row>'
        }
    )
    first, second = await desk.run()
    assert (desk.cells(first), first.origin) == ({"no": "", "text": "x"}, "orders.xlsx row 7")
    assert "column 2 has content and no name in the header" in second.problem


async def test_errors_and_formulas_without_value_are_problems_of_the_record(
    desk: Any, book: Any, make_rows: Any
) -> None:
    head = make_rows(["no", "cost"])
    book({"S": head + cells("<c><v>1</v></c>", "<c><v>5</v></c>")})
    (fine,) = await desk.run()
    for cell, said in (('<c t="e"><v>#N/A</v></c>', "holds #N/A"), ("<c><f>A1</f></c>", "formula without its value")):
        book({"S": head + cells("<c><v>1</v></c>", cell)})
        (record,) = await desk.run()
        assert f"column cost holds {said.removeprefix('holds ')}" in record.problem or said in record.problem
        assert record.id == fine.id


async def test_a_number_and_its_text_are_the_same_key_but_other_data(desk: Any, book: Any, make_rows: Any) -> None:
    head = make_rows(["no", "text"])
    book({"S": head + cells("<c><v>7</v></c>", '<c t="str"><v>a</v></c>')})
    await desk.run()
    desk.hub.forget()
    book({"S": head + cells('<c t="str"><v>7</v></c>', '<c t="str"><v>a</v></c>')})
    await desk.run()
    assert desk.hub.counts == (0, 1, 0)


async def test_the_sheet_is_named_where_there_are_several(desk: Any, book: Any, make_rows: Any) -> None:
    book({"A": make_rows(["no"], ["1"]), "B & C": make_rows(["title"], ["no"], ["2"])})
    with pytest.raises(ConfigurationError, match="several sheets: A, B & C"):
        await desk.run()
    desk.open(sheet="D")
    with pytest.raises(ConfigurationError, match="no sheet 'D': the workbook has A, B & C"):
        await desk.run()
    desk.open(sheet="B & C", skip_rows=1)
    (record,) = await desk.run()
    assert (desk.cells(record), record.origin) == ({"no": "2"}, "orders.xlsx sheet B & C row 3")


async def test_days_from_1904(desk: Any, book: Any, make_rows: Any) -> None:
    head = make_rows(["no", "day"])
    book({"S": head + cells("<c><v>1</v></c>", '<c s="1"><v>0</v></c>')}, styles=FORMATS, date1904=True)
    assert (await desk.run())[0].data["day"] == "1904-01-01"


@pytest.mark.parametrize(
    ("serial", "kind", "text"),
    [
        ("1", "date", "1900-01-01"),
        ("59", "date", "1900-02-28"),
        ("61", "date", "1900-03-01"),
        ("2958465", "date", "9999-12-31"),
        ("45000.25", "date", "2023-03-15T06:00:00"),
        ("0.75", "time", "18:00:00"),
        ("45000.999999999", "datetime", "2023-03-16T00:00:00"),
        ("45000.00000116", "datetime", "2023-03-15T00:00:00.100"),
    ],
)
def test_serial_days(serial: str, kind: str, text: str) -> None:
    assert moment(Decimal(serial), kind, since_1904=False) == text


@pytest.mark.parametrize("serial", ["60", "-1", "2958466"])
def test_days_that_never_were(serial: str) -> None:
    with pytest.raises(ValueError, match="day"):
        moment(Decimal(serial), "date", since_1904=False)


@pytest.mark.parametrize(
    ("number_format", "code", "kind"),
    [
        (14, None, "date"),
        (22, None, "datetime"),
        (21, None, "time"),
        (46, None, ""),
        (2, None, ""),
        (164, "yyyy-mm-dd", "date"),
        (164, "[$-407]d. mmmm yyyy;@", "date"),
        (164, "mmm", "date"),
        (164, "h:mm AM/PM", "time"),
        (164, "dd/mm/yyyy hh:mm", "datetime"),
        (164, "[h]:mm:ss", ""),
        (164, '0.00 "days"', ""),
        (164, "[Red]0.00", ""),
        (164, "0\\d", ""),
        (164, "General", ""),
    ],
)
def test_number_formats(number_format: int, code: str | None, kind: str) -> None:
    assert format_kind(number_format, code) == kind


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("183.05000000000001", "183.05"),
        ("0.1", "0.1"),
        ("1E+3", "1000"),
        ("-2.9999999999999998E-4", "-0.0003"),
        ("123456789012345678", "123456789012346000"),
        ("0.30000000000000004", "0.3"),
    ],
)
def test_fifteen_digits(text: str, value: str) -> None:
    assert str(number(text)) == value


@pytest.mark.parametrize("text", ["NaN", "Infinity", "x", "1e999999999", "1e-99999"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        number(text)


async def test_entities_are_refused(desk: Any, book: Any) -> None:
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">]><worksheet><sheetData/></worksheet>'
    path = book({"S": ""})
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, laughs if "worksheets" in name else content)
    with pytest.raises(ConfigurationError, match="document type"):
        await desk.run()


async def test_a_zip_bomb_is_refused_before_it_is_unpacked(desk: Any, book: Any, make_rows: Any) -> None:
    book({"S": make_rows(["no"], ["1"])}, extra={"xl/media/x.bin": b"\0" * (80 << 20)})
    with pytest.raises(ConfigurationError, match="more than is read"):
        await desk.run()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0" + b"x" * 600, "encrypted or an old .xls"),
        (b"no,text\n", "no readable"),
        (b"", "no readable"),
    ],
)
async def test_what_is_no_workbook(desk: Any, content: bytes, said: str) -> None:
    desk.open(file="orders.xlsx", format="xlsx")
    desk.write(content, "orders.xlsx")
    with pytest.raises(ConfigurationError, match=said):
        await desk.run()


async def test_a_damaged_workbook(desk: Any, book: Any, make_rows: Any) -> None:
    path = book({"S": make_rows(["no"], *([str(n)] for n in range(500)))})
    content = bytearray(path.read_bytes())
    start = content.index(b"s0.xml") + 6
    content[start + 40 : start + 80] = b"\xff" * 40
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"no readable|can be read"):
        await desk.run()


async def test_workbook_pages_go_on_after_a_restart(desk: Any, book: Any, make_rows: Any) -> None:
    book({"S": make_rows(["no", "text"], *([str(n % 4), f"t{n}"] for n in range(20)))})
    for _ in range(4):
        page = await desk.page(limit=6)
        desk.open()
    assert (page.scan_done, desk.hub.counts) == (True, (20, 0, 0))
