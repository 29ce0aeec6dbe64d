"""read(write(x)) = x for every converter, with values as they are read; and nothing but BadValue on dirty input."""

from __future__ import annotations

import string
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.mapping.converters.registry import CONVERTERS, build_converter
from isthmus.mapping.failure import BadValue
from isthmus.mapping.plain import plain_state
from isthmus.model.quantity import BUILT_IN_UNITS

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
WORD = st.text(string.ascii_letters + string.digits + " äßé-/.&", min_size=1, max_size=20)
SPELLED = WORD.filter(lambda text: text == text.strip())
AMOUNT = st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=4)
CENT = st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents).scaleb(-2))
DAY = st.dates(date(1, 1, 2), date(9999, 12, 30))
SECOND = st.datetimes(datetime(1970, 1, 2), datetime(9998, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - naive bounds
    lambda moment: moment.replace(microsecond=0)
)
MILLI = st.builds(lambda moment, ms: moment + timedelta(milliseconds=ms), SECOND, st.integers(0, 999))
MICRO = st.builds(lambda moment, us: moment + timedelta(microseconds=us), SECOND, st.integers(0, 999_999))
GUID = st.uuids().map(str)
BERLIN = ZoneInfo("Europe/Berlin")
UNREPEATED = SECOND.filter(lambda moment: moment.astimezone(BERLIN).fold == 0)
PART = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
ADDRESS = st.fixed_dictionaries(
    {
        "line1": PART,
        "line2": st.none() | PART,
        "city": PART,
        "state": PART,
        "postal_code": PART,
        "country": st.none() | PART,
    }
)

#: (via entry, canonical values as they are read). Each kind stands here at least once: a test below holds that.
LAWS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    ("trim", SPELLED),
    ("upper", TEXT.map(str.upper).filter(lambda text: text == text.upper())),
    ("lower", TEXT.map(str.lower).filter(lambda text: text == text.lower())),
    ("title", SPELLED.map(build_converter("title")[1].read)),
    ("phone", st.from_regex(r"\+[0-9]{6,12}(x[0-9]{1,4})?", fullmatch=True)),
    ({"phone": {"country": "49"}}, st.from_regex(r"\+49[1-9][0-9]{5,10}", fullmatch=True)),
    ({"prefix": "WO-"}, TEXT),
    ({"suffix": " km"}, TEXT),
    ({"split": ";"}, st.lists(SPELLED, max_size=5)),
    ({"join": "|"}, st.lists(SPELLED, max_size=5).map("|".join)),
    ("blank", st.none() | WORD),
    ("date", DAY),
    ({"date": "%d.%m.%Y"}, DAY),
    ({"date": "%m/%d/%Y %H:%M:%S"}, DAY),
    ({"date": "%d-%b-%Y"}, DAY),
    ({"date": "%B %d, %Y"}, DAY),
    ({"date": "%Y%m%d"}, DAY),
    ({"date": "%y-%m-%d"}, st.dates(date(1969, 1, 1), date(2068, 12, 31))),
    ("time", MICRO),
    ({"time": "%Y-%m-%dT%H:%M:%S.%f%z"}, MICRO),
    ({"time": {"format": "%d.%m.%Y %I:%M:%S %p", "zone": "Asia/Tokyo"}}, SECOND),
    ({"time": {"zone": "Europe/Berlin"}}, UNREPEATED),
    ("unix_seconds", MICRO),
    ("unix_millis", MICRO),
    ("days", st.integers(0, 9999).map("{}D".format)),
    ("blank_date", st.none() | DAY.map(date.isoformat)),
    ("cents", CENT),
    ({"cents": {"digits": 3}}, CENT),
    ({"decimal": "comma"}, AMOUNT),
    ({"decimal": {"mark": "comma", "grouping": True}}, AMOUNT),
    ({"decimal": {"mark": "point", "grouping": True, "places": 2}}, CENT),
    ({"scale": 1000}, st.integers(-(10**9), 10**9).map(lambda count: Decimal(count * 1000))),
    ({"scale": Decimal("0.001")}, AMOUNT),
    ("hours_from_seconds", st.integers(0, 10**8).map(lambda count: Decimal(count).scaleb(-2))),
    ({"bool": {"yes": ["Y", "J"], "no": ["N"]}}, st.booleans()),
    (
        {"enum": {"Draft": "open", "Open": "in_progress", "": "cancelled"}},
        st.sampled_from(["open", "in_progress", "cancelled"]),
    ),
    ({"enum": {"1": True, "0": False, "-": None}}, st.sampled_from([True, False, None])),
    ("bc_enum", TEXT.filter(lambda text: text.strip() != "")),
    ({"bc_enum": {"blank": "none"}}, st.sampled_from(["none", "Payment", "G/L Account", "1 day", "a_x0020_b"])),
    ("guid", GUID),
    ({"guid": {"form": "braces"}}, GUID),
    ({"guid": {"form": "plain"}}, GUID),
    ("blank_guid", st.none() | GUID.filter(lambda guid: uuid.UUID(guid).int != 0)),
    ({"unit": {"EA": "each", "HUR": "hour"}}, st.sampled_from(["each", "hour", "uom:BOX", "uom:m"])),
    ("address", ADDRESS),
    (
        {"address": {"lines": ["{line1}", "{postal_code} {city}", "{country}?"]}},
        ADDRESS.map(lambda parts: {name: parts[name] for name in ("line1", "postal_code", "city", "country")}),
    ),
]


def _name(entry: Any) -> str:
    return entry if isinstance(entry, str) else next(iter(entry))


def test_every_two_way_converter_has_a_law() -> None:
    assert {_name(entry) for entry, _ in LAWS} == set(CONVERTERS) - {"local_date"}


@pytest.mark.parametrize(("entry", "values"), LAWS, ids=[str(entry) for entry, _ in LAWS])
def test_what_is_written_reads_back(entry: Any, values: st.SearchStrategy[Any]) -> None:
    _, converter = build_converter(entry)

    @settings(max_examples=60, deadline=None)
    @given(values)
    def law(value: Any) -> None:
        if value is None and not converter.nulls:
            return
        native = converter.write(value)
        assert not isinstance(native, float)
        back = converter.read(native) if native is not None else None
        assert back == value
        assert converter.write(back) == native

    law()


DIRTY = st.one_of(
    st.none().map(lambda _: ""),
    st.text(max_size=12),
    st.text(string.digits + "+-.,:/ TZeE", max_size=25),
    st.integers(),
    st.decimals(),
    st.booleans(),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.floats(),
)


@pytest.mark.parametrize("entry", [entry for entry, _ in LAWS] + [{"local_date": "Asia/Tokyo"}], ids=str)
def test_dirty_input_is_a_bad_value_or_a_value_and_never_a_float(entry: Any) -> None:
    _, converter = build_converter(entry)

    @settings(max_examples=60, deadline=None)
    @given(DIRTY)
    def law(value: Any) -> None:
        for convert in (converter.read, converter.write):
            if convert is converter.write and converter.read_only:
                continue
            try:
                result = convert(value)
            except BadValue:
                continue
            if not isinstance(value, float):
                assert not isinstance(result, float)

    law()


@pytest.mark.parametrize("entry", ["trim", "upper", "lower", "title", "phone", "guid"])
def test_a_spelling_is_read_once_and_then_stays(entry: str) -> None:
    """Lossy converters forget once: what was read is a fixed point of writing and reading."""
    _, converter = build_converter(entry)

    @settings(max_examples=60, deadline=None)
    @given(TEXT | GUID | st.from_regex(r"[0-9() +]{4,14}", fullmatch=True))
    def law(value: str) -> None:
        try:
            first = converter.read(value)
        except BadValue:
            return
        if first is not None:
            assert converter.read(converter.write(first)) == first

    law()


def test_units_of_the_model_are_known_to_the_unit_converter() -> None:
    for unit in BUILT_IN_UNITS:
        _, converter = build_converter({"unit": {"X": unit}})
        assert converter.read("X") == unit


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(st.none() | st.booleans() | st.text(max_size=4) | AMOUNT, lambda inner: st.lists(inner, max_size=3))
)
def test_custom_values_have_one_spelling(value: Any) -> None:
    once = plain_state(value)
    assert plain_state(once) == once
