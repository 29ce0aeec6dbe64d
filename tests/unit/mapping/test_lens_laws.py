"""Laws of lenses, over lenses and records that nobody thought of."""

from __future__ import annotations

import string
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.mapping.compiler import compile_lens
from isthmus.mapping.context import LensContext, NativeInfo
from isthmus.mapping.lens import Lens
from isthmus.mapping.tables import LookupTable
from isthmus.model.document import parse_document
from isthmus.model.entity import EntityType, Field
from isthmus.model.spelling import spell
from isthmus.model.state import encode_state

WORD = st.text(string.ascii_letters + string.digits + "äß-.", min_size=1, max_size=12)
NUMBER = st.decimals(min_value=-(10**9), max_value=10**9, places=2, allow_nan=False).map(spell)
DAY = st.dates(date(1, 1, 2)).map(spell)
TIME = st.datetimes(datetime(1971, 1, 1), datetime(9990, 1, 1), timezones=st.just(UTC)).map(spell)  # noqa: DTZ001
STATUSES = LookupTable("statuses", {"10": "open", "20": "busy", "30": "gone"})
CONTEXT = LensContext({"statuses": STATUSES})

#: type of the field -> (values, rules that fit)
KINDS: dict[str, tuple[st.SearchStrategy[Any], list[dict[str, Any]]]] = {
    "text": (
        WORD,
        [
            {},
            {"via": "trim"},
            {"via": {"prefix": "X-"}},
            {"via": ["trim", {"suffix": "!"}]},
            {"via": "blank"},
            {"cut": True},
        ],
    ),
    "decimal": (
        NUMBER,
        [
            {},
            {"via": "cents"},
            {"via": {"decimal": "comma"}},
            {"via": {"decimal": {"mark": "comma", "grouping": True}}},
        ],
    ),
    "int": (st.integers(-(10**12), 10**12), [{}]),
    "bool": (
        st.booleans(),
        [{}, {"via": {"bool": {"yes": "Y", "no": "N"}}}, {"via": {"enum": {"1": True, "0": False}}}],
    ),
    "date": (
        DAY,
        [{}, {"via": "date"}, {"via": {"date": "%d/%m/%Y"}}, {"via": "blank_date"}, {"via": ["blank_date", "date"]}],
    ),
    "time": (TIME, [{}, {"via": "time"}, {"via": "unix_seconds"}, {"via": {"time": "%Y%m%dT%H%M%S.%f%z"}}]),
    "enum": (
        st.sampled_from(["open", "busy", "gone"]),
        [{}, {"lookup": "statuses"}, {"via": {"enum": {"O": "open", "B": "busy", "G": "gone"}}}, {"via": "bc_enum"}],
    ),
}


class _Any(msgspec.Struct):
    """No typed record is needed here."""


def _field(path: str, kind: str, **more: Any) -> Field:
    choices = ("open", "busy", "gone") if kind == "enum" else ()
    base = {"required": False, "nullable": True, "owner": "shared", "sensitivity": "plain", "key": False}
    return Field(path=path, type=kind, description=path, choices=choices, **{**base, **more})


@st.composite
def _level(draw: st.DrawFn, prefix: str) -> tuple[list[Field], dict[str, Any], st.SearchStrategy[Any]]:
    """Fields, their rules, and states of them. Each field may be absent, null or told."""
    fields, rules, values = [], {}, {}
    for index in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(sorted(KINDS)))
        strategy, choices = KINDS[kind]
        rule = draw(st.sampled_from(choices))
        name = f"{prefix}{index}"
        fields.append(_field(name, kind))
        rules[name] = {"at": f"N {name}", **rule}
        values[name] = strategy | st.none()
    return fields, rules, st.fixed_dictionaries({}, optional=values)


@st.composite
def lenses(draw: st.DrawFn) -> tuple[Lens, st.SearchStrategy[Any]]:
    """A generated lens (some with a list) and the states it can hold."""
    fields, rules, states = draw(_level("f"))
    if draw(st.booleans()):
        inner, inner_rules, elements = draw(_level("e"))
        inner.append(_field("key", "text", required=True, nullable=False, key=True))
        fields.append(_field("rows", "list", nullable=False, fields=tuple(inner)))
        rules["rows"] = {"each": "Rows", "key": "key", "fields": {**inner_rules, "key": {"at": "Key"}}}
        keyed = st.lists(st.tuples(WORD, elements), max_size=4, unique_by=lambda pair: pair[0]).map(
            lambda pairs: [{**element, "key": key} for key, element in pairs]
        )
        states = st.tuples(states, st.none() | keyed).map(
            lambda pair: pair[0] if pair[1] is None else {**pair[0], "rows": pair[1]}
        )
    entity = EntityType("thing", "company", _Any, "f0", "Thing", "", "", tuple(fields))
    text = yaml.safe_dump(
        {"entity": "thing", "native": "things", "fields": rules, "extra": ["custom"]}, sort_keys=False
    )
    infos = {f"N {name}": NativeInfo(f"N {name}") for name in rules} | {"Rows": NativeInfo("Rows", "list")}
    known = draw(st.booleans())
    lens = compile_lens(
        parse_document(text, "g.yaml"),
        entities={"thing": entity},
        tables={"statuses": STATUSES},
        two_way=True,
        native_fields={**infos, "custom": NativeInfo("custom")} if known else None,
    )
    return lens, states


@settings(max_examples=200, deadline=None)
@given(lenses(), st.data())
def test_what_is_written_reads_back(made: tuple[Lens, st.SearchStrategy[Any]], data: st.DataObject) -> None:
    lens, states = made
    state = data.draw(states)
    writing = lens.write(state, CONTEXT)
    assert writing.findings == ()
    reading = lens.read(writing.native, CONTEXT)
    assert reading.findings == ()
    assert encode_state(reading.state) == encode_state(state)


@settings(max_examples=60, deadline=None)
@given(lenses(), st.data())
def test_unmapped_native_fields_are_left_alone(made: tuple[Lens, st.SearchStrategy[Any]], data: st.DataObject) -> None:
    lens, states = made
    shown = lens.write(data.draw(states), CONTEXT).native
    for row in shown.get("Rows", []):
        row["row id"] = "stays"
    current = {**shown, "etag": "stays", "N other": 5}
    state = data.draw(states)
    native = lens.write(state, CONTEXT, current=current).native
    assert set(native) <= set(lens.native_fields())
    kept = {row["Key"] for row in shown.get("Rows", [])}
    for row in native.get("Rows", []):
        assert ("row id" in row) == (row["Key"] in kept)
    merged = lens.read({**current, **native}, CONTEXT)
    assert merged.findings == ()
    for name, value in state.items():
        if name != "rows":
            assert merged.state[name] == value


NATIVE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=8) | DAY | TIME | NUMBER,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Key", "N e0", "N e1"]), inner, max_size=3)
    ),
    max_leaves=4,
)
NAMES = [f"N f{index}" for index in range(5)] + ["Rows", "custom"]


@settings(max_examples=300, deadline=None)
@given(lenses(), st.dictionaries(st.sampled_from(NAMES), NATIVE))
def test_any_native_data_gives_a_state_of_one_spelling_and_findings(
    made: tuple[Lens, st.SearchStrategy[Any]], native: dict[str, Any]
) -> None:
    lens, _ = made
    reading = lens.read(native, CONTEXT)
    _one_spelling(reading.state)
    for finding in reading.findings:
        assert finding.text
        assert finding.field
        assert finding.mend
    again = lens.read(lens.write(reading.state, CONTEXT, current=native).native, CONTEXT)
    if not reading.findings:
        assert encode_state(again.state) == encode_state(reading.state)


def _one_spelling(value: Any) -> None:
    assert not isinstance(value, float | Decimal)
    if isinstance(value, dict):
        for item in value.values():
            _one_spelling(item)
    elif isinstance(value, list):
        for item in value:
            _one_spelling(item)
    else:
        assert spell(value) == value


@settings(max_examples=60, deadline=None)
@given(lenses(), st.dictionaries(st.sampled_from(NAMES), NATIVE))
def test_explain_tells_what_read_does(made: tuple[Lens, st.SearchStrategy[Any]], native: dict[str, Any]) -> None:
    lens, _ = made
    reading = lens.read(native, CONTEXT)
    traces = {trace.path: trace for trace in lens.explain(native, CONTEXT)}
    for plan in lens.plans:
        trace = traces[plan.path]
        told = plan.path in reading.state or (plan.path == "extra.custom" and "extra" in reading.state)
        assert (trace.result is not None) == told
    told_by_explain = {finding for trace in traces.values() for finding in trace.findings}
    assert told_by_explain >= {finding for finding in reading.findings if "]." not in finding.field}


@settings(max_examples=60, deadline=None)
@given(lenses(), st.data())
def test_overlays_compose(made: tuple[Lens, st.SearchStrategy[Any]], data: st.DataObject) -> None:
    """Changing rules one by one by overlays is the same as writing the result down at once."""
    lens, _ = made
    rules = {
        plan.path: {**plan.rule.options} for plan in lens.plans if plan.kind == "at" and plan.path != "extra.custom"
    }
    moved = data.draw(st.lists(st.sampled_from(sorted(rules)), unique=True))
    dropped = data.draw(st.lists(st.sampled_from(sorted(rules)), unique=True))
    base = {"entity": lens.entity.name, "native": "things", "fields": rules}
    first = {"fields": {name: {**rules[name], "at": f"moved {name}"} for name in moved}}
    second = {"fields": dict.fromkeys(dropped)}
    merged = {name: first["fields"].get(name, rule) for name, rule in rules.items() if name not in dropped}

    def compiled(*documents: dict[str, Any]) -> Lens:
        parsed = [parse_document(yaml.safe_dump(d, sort_keys=False), f"d{i}.yaml") for i, d in enumerate(documents)]
        return compile_lens(
            parsed[0], overlays=parsed[1:], entities={"thing": lens.entity}, tables={"statuses": STATUSES}
        )

    layered, flat = compiled(base, first, second), compiled({**base, "fields": merged})
    assert layered.native_fields() == flat.native_fields()
    rows = [[(r.source, r.target, r.transformation, r.direction) for r in made.sheet()] for made in (layered, flat)]
    assert rows[0] == rows[1]
    assert all(plan.rule.file == ("d1.yaml" if plan.path in moved else "d0.yaml") for plan in layered.plans)
