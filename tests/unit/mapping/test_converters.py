"""Converters by example: what comes in, what comes out, what is refused and with which words."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from isthmus.mapping.converters.base import BadOptions
from isthmus.mapping.converters.registry import UnknownConverter, build_converter
from isthmus.mapping.failure import BadValue


@pytest.mark.parametrize(
    ("entry", "native", "value"),
    [
        ("trim", "  pump ", "pump"),
        ("upper", "v-1", "V-1"),
        ("title", "o'neil AND sons", "O'neil And Sons"),
        ("phone", "(555) 010-2030 ext. 12", "5550102030x12"),
        ("phone", "0049 30 1234", "+49301234"),
        ("phone", "+49 (0)30 1234", "+49301234"),
        ({"phone": {"country": "1"}}, "555 010 2030", "+15550102030"),
        ({"prefix": "WO-"}, "WO-17", "17"),
        ({"split": ";"}, "a;b", ["a", "b"]),
        ({"date": "%d.%m.%Y"}, "4.7.2004", date(2004, 7, 4)),
        ({"date": "%Y-%m-%d %H:%M:%S"}, "2011-04-30 00:00:00", date(2011, 4, 30)),
        ({"date": "%d-%b-%Y"}, "02-MAR-2024", date(2024, 3, 2)),
        ({"date": "%Y%m%d"}, 20040701, date(2004, 7, 1)),
        ({"time": {"zone": "Europe/Berlin"}}, "2026-07-01T10:00:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ({"local_date": "America/Chicago"}, "2026-01-01T03:00:00Z", date(2025, 12, 31)),
        ("unix_seconds", 1_700_000_000, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("unix_millis", "1700000000250", datetime(2023, 11, 14, 22, 13, 20, 250_000, tzinfo=UTC)),
        ("days", "30", "30D"),
        ("blank_date", "0001-01-01", None),
        ("blank_date", "0001-01-01T00:00:00Z", None),
        ("cents", 18305, Decimal("183.05")),
        ({"decimal": {"mark": "comma", "grouping": True}}, "-1.234.567,80", Decimal("-1234567.80")),
        ({"scale": 1000}, Decimal("1.5"), Decimal(1500)),
        ("hours_from_seconds", 5400, Decimal("1.5")),
        ({"bool": {"yes": ["x", "y"], "no": ""}}, "X", True),
        ({"bool": {"yes": 1, "no": 0}}, 0, False),
        ({"enum": {"Draft": "open"}}, "Draft", "open"),
        ("bc_enum", "G_x002F_L_x0020_Account", "G/L Account"),
        ("bc_enum", "_x0020_", None),
        ("bc_enum", "_x0031__x0020_day", "1 day"),
        (
            {"guid": {"form": "braces"}},
            "{6F9619FF-8B86-D011-B42D-00CF4FC964FF}",
            "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
        ),
        ("blank_guid", "00000000-0000-0000-0000-000000000000", None),
        ({"unit": {"HUR": "hour"}}, "PAL", "uom:PAL"),
        (
            "address",
            "12 Main St\nSpringfield, IL 62701\nUS",
            {
                "line1": "12 Main St",
                "line2": None,
                "city": "Springfield",
                "state": "IL",
                "postal_code": "62701",
                "country": "US",
            },
        ),
    ],
)
def test_reads(entry: Any, native: Any, value: Any) -> None:
    assert build_converter(entry)[1].read(native) == value


@pytest.mark.parametrize(
    ("entry", "value", "native"),
    [
        ("bc_enum", "Positive Adjmt.", "Positive_x0020_Adjmt_x002E_"),
        ("bc_enum", "Non-Inventory", "Non_x002D_Inventory"),
        ("bc_enum", None, "_x0020_"),
        ({"bc_enum": "none"}, "none", "_x0020_"),
        ("blank_date", None, "0001-01-01"),
        ("blank_guid", None, "00000000-0000-0000-0000-000000000000"),
        ("cents", Decimal("183.05"), 18305),
        ({"decimal": {"mark": "comma", "grouping": True, "places": 2}}, Decimal("1234.5"), "1.234,50"),
        ({"decimal": "comma"}, Decimal("-0.5"), "-0,5"),
        ({"bool": {"yes": 1, "no": 0}}, False, 0),
        ({"time": {"zone": "Europe/Berlin"}}, datetime(2026, 7, 1, 8, tzinfo=UTC), "2026-07-01T10:00:00"),
        ("time", datetime(2026, 7, 1, 8, tzinfo=UTC), "2026-07-01T08:00:00Z"),
        ({"date": "%d-%b-%Y"}, date(2024, 3, 2), "02-Mar-2024"),
    ],
)
def test_writes(entry: Any, value: Any, native: Any) -> None:
    assert build_converter(entry)[1].write(value) == native


@pytest.mark.parametrize(
    ("entry", "native", "expected"),
    [
        ("phone", "call me", "a phone number"),
        ({"prefix": "WO-"}, "17", 'begins with "WO-"'),
        ({"date": "%d.%m.%Y"}, "31.02.2004", "%d.%m.%Y"),
        ({"date": "%d.%m.%Y"}, "2004-07-01", "%d.%m.%Y"),
        ({"date": "%Y-%m-%d %H:%M:%S"}, "2011-04-30 08:00:00", "midnight"),
        ("time", "2026-07-01T10:00:00", "names no zone"),
        ({"time": {"zone": "Europe/Berlin"}}, "2026-03-29T02:30:00", "a time that exists"),
        ("cents", Decimal("1.5"), "whole number"),
        ({"decimal": "comma"}, "1.234,5", "1234,5"),
        ({"decimal": {"mark": "comma", "grouping": True}}, "12.34,5", "1.234,5"),
        ({"bool": {"yes": "Y", "no": "N"}}, "maybe", "one of"),
        ({"enum": {"Draft": "open"}}, "Closed", "one of 'Draft'"),
        ("guid", "6f9619ff", "a GUID"),
        ("guid", "{6f9619ff-8b86-d011-b42d-00cf4fc964ff", "a GUID"),
        ("address", "just one line", "an address of the form"),
        ("address", "1 High St\nLondon, Greater London SW1A 1AA", "can be told apart"),
        ("unix_seconds", 10**13, "since 1970"),
    ],
)
def test_refuses_to_read(entry: Any, native: Any, expected: str) -> None:
    with pytest.raises(BadValue) as caught:
        build_converter(entry)[1].read(native)
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("cents", Decimal("1.005")),
        ({"scale": 3}, Decimal(1)),
        ({"date": "%y-%m-%d"}, date(1950, 1, 1)),
        ({"split": ";"}, ["a;b"]),
        ({"unit": {"EA": "each"}}, "hour"),
        ({"unit": {"EA": "each"}}, "uom:EA"),
        ("address", {"line1": "x\ny", "city": "Springfield", "state": "IL", "postal_code": "1"}),
        ({"address": {"lines": ["{line1}"]}}, {"line1": "x", "city": "Springfield"}),
    ],
)
def test_refuses_to_write_what_would_read_back_differently(entry: Any, value: Any) -> None:
    with pytest.raises(BadValue):
        build_converter(entry)[1].write(value)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"date": "%d.%q"}, "'%q' is not known"),
        ({"date": "%d.%m"}, "lacks year"),
        ({"date": "%Y-%m-%d %Y"}, "stands twice"),
        ({"time": "%Y-%m-%d %I:%M %z"}, "%I needs %p"),
        ({"time": "%Y-%m-%d %H:%M"}, "has no %z"),
        ({"time": {"zone": "Mars/Base"}}, "is not known"),
        ("local_date", "needs the zone"),
        ({"bool": {"yes": "Y"}}, "needs no"),
        ({"bool": {"yes": "Y", "no": "Y"}}, "differ"),
        ({"bool": {"yes": True, "no": False}}, "need quotes"),
        ({"enum": {}}, "needs its pairs"),
        ({"scale": 0}, "other than zero"),
        ({"cents": {"digits": 99}}, "from 0 to 8"),
        ({"decimal": "dot"}, "comma, point"),
        ({"trim": 1}, "takes no options"),
        ({"date": {"fromat": "%Y"}}, "no option 'fromat'"),
        ({"address": {"lines": ["nothing"]}}, "needs places"),
        ({"unit": {"EA": "piece"}}, "is not a unit"),
        (["a", "b"], "a converter is a name"),
    ],
)
def test_senseless_options_are_explained(entry: Any, message: str) -> None:
    with pytest.raises(BadOptions, match=None) as caught:
        build_converter(entry)
    assert message in str(caught.value)


def test_an_unknown_converter_names_the_closest() -> None:
    with pytest.raises(UnknownConverter) as caught:
        build_converter("trimm")
    assert caught.value.suggestion == 'Did you mean "trim"?'


def test_many_to_one_words_say_why_they_are_one_way() -> None:
    _, converter = build_converter({"enum": {"Draft": "open", "New": "open"}})
    assert "'open'" in converter.one_way
    assert converter.write("open") == "Draft"


def test_days_of_a_formula_are_written_as_far_as_it_tells_days() -> None:
    days = build_converter({"days": {"other": "null"}})[1]
    assert [days.write(text) for text in ("30D", "2W", "CM+1M", "")] == [30, 14, None, None]
    with pytest.raises(BadValue):
        build_converter("days")[1].write("CM+1M")
