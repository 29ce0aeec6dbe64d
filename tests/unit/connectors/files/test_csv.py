"""CSV as it is met: encodings, delimiters, quotes, torn rows, headers that do not fit."""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.errors import ConfigurationError

HEAD = "no,text,cost\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
async def test_encodings_and_line_ends(desk: Any, encoding: str, newline: str) -> None:
    desk.open(encoding=encoding)
    text = (HEAD + '1,Öl für Bär,"1,5"\n2,"zwei\nZeilen",3\n3,x,4\n').replace("\n", newline)
    desk.write(text, encoding=encoding)
    records = await desk.run()
    assert desk.cells(records[0]) == {"no": "1", "text": "Öl für Bär", "cost": "1,5"}
    assert records[1].data["text"] == f"zwei{newline}Zeilen"
    assert [record.origin for record in records] == [f"orders.csv line {line}" for line in (2, 3, 5)]


async def test_semicolons_and_decimal_commas_are_handed_on_as_they_stand(desk: Any) -> None:
    desk.open(delimiter=";", numbers={"decimal": ",", "group": "."})
    desk.write("no;text;cost\n1; padded ;1.234,50\n")
    (record,) = await desk.run()
    assert desk.cells(record) == {"no": "1", "text": " padded ", "cost": "1.234,50"}


async def test_tabs_own_quotes_and_no_quotes(desk: Any) -> None:
    desk.open(delimiter="tab", quote="'")
    desk.write("no\ttext\n1\t'a\tb'\n")
    assert (await desk.run())[0].data["text"] == "a\tb"
    desk.open(quote="")
    desk.write('no\ttext\n1\t"a\n')
    assert (await desk.run())[0].data["text"] == '"a'


async def test_a_byte_order_mark_is_no_part_of_the_first_column(desk: Any) -> None:
    desk.open(encoding="utf-8")
    desk.write("\ufeff" + HEAD + "1,a,1\n")
    assert (await desk.run())[0].data["no"] == "1"


async def test_another_byte_order_mark_than_declared_is_refused(desk: Any) -> None:
    desk.write(HEAD + "1,a,1\n", encoding="utf-16")
    with pytest.raises(ConfigurationError, match="begins with the mark of utf-16") as caught:
        await desk.run()
    assert caught.value.hint == "Set encoding: utf-16 for this set."


async def test_rows_above_the_header_and_named_columns(desk: Any) -> None:
    desk.open(skip_rows=2)
    desk.write("Report\n\n" + HEAD + "1,a,1\n")
    assert (await desk.run())[0].origin == "orders.csv line 4"
    desk.open(skip_rows=0, header=["no", "text"])
    desk.write("1,a\n")
    (record,) = await desk.run()
    assert (desk.cells(record), record.origin) == ({"no": "1", "text": "a"}, "orders.csv line 1")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (b"1,a", "2 cells where the header has 3, so too few"),
        (b"1,a,b,c", "4 cells where the header has 3, so too many"),
        (b'1,"a"b,c', "text follows a closing quote"),
        (b"1,\xff\xfe,c", "column text holds bytes that are not utf-8-sig"),
        (b"1,a\0b,c", "column text holds a NUL byte"),
        (b'1,"a,c', "a quote is opened and never closed"),
    ],
)
async def test_a_torn_row_is_told_and_the_others_go_on(desk: Any, row: bytes, said: str) -> None:
    desk.write(HEAD.encode() + b"7,before,1\n" + row + b"\n8,after,2\n9,last,3\n")
    records = await desk.run()
    assert [record.data.get("no") for record in records] == ["7", None, "8", "9"]
    torn = records[1]
    assert torn.problem == f"orders.csv line 3: {said}."
    assert torn.mend.endswith("orders.csv line 3.")
    assert torn.origin == "orders.csv line 3"
    before = torn.id
    desk.hub.forget()
    desk.write(HEAD.encode() + b"8,after,2\n9,last,3\n7,before,1\n" + row + b"\n")
    again = (await desk.run())[-1]
    assert (again.id, again.version, desk.hub.counts) == (before, torn.version, (0, 0, 0))


async def test_a_bad_cell_beside_a_readable_key_keeps_the_record(desk: Any) -> None:
    desk.write(HEAD + "1,fine,1\n")
    (fine,) = await desk.run()
    desk.write(HEAD.encode() + b"1,\xff,1\n")
    (bad,) = await desk.run()
    assert bad.problem
    assert (bad.id, desk.hub.gone) == (fine.id, [])


async def test_a_quote_never_closed_swallows_no_row_below(desk: Any) -> None:
    rows = "".join(f'{n},"quoted {n}",1\n' for n in range(50))
    desk.write(HEAD + '100,"open,1\n' + rows)
    records = await desk.run()
    assert [record.data["no"] for record in records if not record.problem] == [str(n) for n in range(50)]
    assert [record.origin for record in records if record.problem] == ["orders.csv line 2"]


async def test_an_open_quote_before_much_text_is_torn_too(desk: Any) -> None:
    desk.write(HEAD + '100,"open,1\n' + "".join(f"{n},{'x' * 100},1\n" for n in range(3000)))
    records = await desk.run(limit=5000)
    assert sum(bool(record.problem) for record in records) == 1
    assert len(records) == 3001


async def test_two_equal_torn_rows_are_two_records(desk: Any) -> None:
    desk.write(HEAD + "1,a\n1,a\n")
    assert len({record.id for record in await desk.run()}) == 2


async def test_a_torn_row_over_several_lines_names_them(desk: Any) -> None:
    desk.write(HEAD + '1,"a\nb"\n2,x,1\n')
    first, second = await desk.run()
    assert first.problem.startswith("orders.csv line 2 to 3: 2 cells")
    assert second.origin == "orders.csv line 4"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("no,cost,cost\n", "column 'cost' stands twice"),
        ("no,,cost\n", "column 2 of the header has no name"),
        ("Nr,text\n", "no column 'no'"),
        ("no;text\n", "Is the delimiter right?"),
        ('no,"text\n', "the header cannot be read"),
    ],
)
async def test_a_header_that_does_not_fit_halts(desk: Any, header: str, said: str) -> None:
    desk.write(header + "1,2,3\n")
    with pytest.raises(ConfigurationError) as caught:
        await desk.run()
    assert said in str(caught.value)
    assert caught.value.file == "orders.csv"


async def test_missing_columns_are_named_with_the_closest(desk: Any) -> None:
    desk.open(columns=["no", "Costs"])
    desk.write("no, Cost ,text\n1,2,3\n")
    with pytest.raises(ConfigurationError) as caught:
        await desk.run()
    assert "no column 'Costs' (closest is 'Cost'): the file has no, Cost, text." in str(caught.value)


async def test_one_endless_line_is_no_csv(desk: Any) -> None:
    desk.write(HEAD + "x" * 3_000_000)
    with pytest.raises(ConfigurationError, match="longer than"):
        await desk.run()


async def test_a_pipe_is_not_opened(desk: Any) -> None:
    import os

    os.mkfifo(desk.folder / "orders.csv")
    with pytest.raises(ConfigurationError, match="no plain file"):
        await desk.run()
