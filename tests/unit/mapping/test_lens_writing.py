"""State -> native, by example."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from isthmus.mapping.context import LensContext, NativeInfo
from isthmus.mapping.tables import LookupTable


class NoLinks:
    """Nothing is linked."""

    def number(self, entity: str, native_id: str) -> str | None:
        return None

    def native_id(self, entity: str, number: str) -> str | None:
        return None


def test_values_are_written_typed_and_only_what_is_told(compiled: Any) -> None:
    lens = compiled("  number: Nr\n  weight: W\n  seats: S\n  built_on: B\n  seen_at: T\n  blocked: X\n  name: N")
    state = {"number": "1", "weight": "1.5", "seats": 2, "built_on": "2004-07-01", "seen_at": "2026-01-31T08:00:00Z"}
    assert lens.write(state).native == {
        "Nr": "1",
        "W": Decimal("1.5"),
        "S": 2,
        "B": "2004-07-01",
        "T": "2026-01-31T08:00:00Z",
    }


def test_the_type_of_the_native_field_is_respected(compiled: Any) -> None:
    infos = {n: NativeInfo(n, t) for n, t in (("Nr", "int"), ("W", "text"), ("B", "text"))}
    lens = compiled(
        "  number: Nr\n  weight: W\n  blocked: {at: B, via: {enum: {Y: true, N: false}}}", native_fields=infos
    )
    assert lens.write({"number": "17", "weight": "1.50", "blocked": True}).native == {"Nr": 17, "W": "1.5", "B": "Y"}
    (finding,) = lens.write({"number": "A17"}).findings
    assert (finding.code, finding.field) == ("bad_value", "number")
    assert finding.text == 'number holds "A17", but Nr needs a whole number.'


def test_constants_formulas_and_read_only_fields_are_not_written(compiled: Any) -> None:
    infos = {"Nr": NativeInfo("Nr", writable=False), "N": NativeInfo("N")}
    lens = compiled(
        "  number: Nr\n  name: {at: N, way: read}\n  status: {value: open}\n  location: {formula: 'N'}",
        native_fields=infos,
    )
    assert lens.write({"number": "1", "name": "x", "status": "busy", "location": "y"}).native == {}


def test_text_that_is_too_long_is_a_finding_unless_it_may_be_cut(compiled: Any) -> None:
    infos = {"Nr": NativeInfo("Nr", max_length=3), "N": NativeInfo("N", max_length=4)}
    lens = compiled("  number: Nr\n  name: {at: N, cut: true}", native_fields=infos)
    writing = lens.write({"number": "12345", "name": "Big pump"})
    assert writing.native == {"N": "Big"}
    (finding,) = writing.findings
    assert (finding.code, finding.field, finding.value) == ("too_long", "number", "12345")
    assert "Nr takes 3 characters and it has 5" in finding.text


def test_a_limit_can_be_declared_where_no_metadata_tell(compiled: Any) -> None:
    lens = compiled("  number: {at: Nr, max: 3}")
    assert lens.write({"number": "1234"}).findings[0].code == "too_long"


def test_lookups_are_written_backwards(compiled: Any) -> None:
    table = LookupTable("t", {"10": "open", "20": "busy"})
    lens = compiled("  number: Nr\n  status: {at: S, lookup: t}", tables={"t": table}, two_way=True)
    assert lens.write({"number": "1", "status": "busy"}).native == {"Nr": "1", "S": "20"}
    (finding,) = lens.write({"status": "gone"}).findings
    assert finding.code == "lookup_missing"
    assert finding.mend == 'Add a row with the value "gone" to lookup table t.'


def test_a_table_that_became_ambiguous_since_is_not_guessed(compiled: Any) -> None:
    lens = compiled(
        "  number: Nr\n  status: {at: S, lookup: t}", tables={"t": LookupTable("t", {"1": "open"})}, two_way=True
    )
    now = LensContext({"t": LookupTable("t", {"1": "open", "2": "open"})})
    assert lens.write({"status": "open"}, now).findings[0].code == "lookup_missing"


def test_a_missing_reference_waits_and_names_entity_and_number(compiled: Any) -> None:
    lens = compiled("  number: Nr\n  location: {at: locationId, ref: location}")
    writing = lens.write({"number": "1", "location": "HQ"}, LensContext(refs=NoLinks()))
    assert writing.native == {"Nr": "1"}
    (finding,) = writing.findings
    assert (finding.code, finding.severity, finding.value) == ("reference_missing", "wait", "HQ")
    assert 'location "HQ"' in finding.text


def test_join_is_split_on_write(compiled: Any) -> None:
    lens = compiled("  number: Nr\n  name: {join: [First, Last], with: ' '}")
    assert lens.write({"name": "Ada King Lovelace"}).native == {"First": "Ada", "Last": "King Lovelace"}
    assert lens.write({"name": "Cher"}).native == {"First": "Cher", "Last": ""}
    assert lens.write({"name": None}).native == {"First": None, "Last": None}


def test_a_condition_that_would_not_hold_afterwards_writes_nothing(compiled: Any) -> None:
    lens = compiled("""  number: Nr\n  name: {at: N, when: 'Kind = "A"'}""")
    assert lens.write({"name": "x"}, current={"Kind": "A"}).native == {"N": "x"}
    assert lens.write({"name": "x"}, current={"Kind": "B"}).native == {}


def test_nested_objects_keep_what_is_not_mapped(compiled: Any) -> None:
    lens = compiled("  number: Nr\n  address.city: {at: place.city}")
    current = {"place": {"city": "Bern", "zip": "3000"}}
    assert lens.write({"address": {"city": "Basel"}}, current=current).native == {
        "place": {"city": "Basel", "zip": "3000"}
    }
    assert current["place"]["city"] == "Bern"
    assert lens.write({"address": None}).native == {"place": {"city": None}}


LINES = "  number: Nr\n  lines:\n    each: rows\n    key: key\n    fields:\n      key: Line\n      amount: Cost"


def test_list_elements_keep_their_unmapped_fields_by_key(compiled: Any) -> None:
    lens = compiled(LINES)
    current = {"Nr": "1", "rows": [{"Line": "1", "Cost": 1, "id": "a"}, {"Line": "2", "Cost": 2, "id": "b"}]}
    state = {"number": "1", "lines": [{"key": "2", "amount": "5"}, {"key": "3", "amount": "7"}]}
    assert lens.write(state, current=current).native["rows"] == [
        {"Line": "2", "Cost": Decimal(5), "id": "b"},
        {"Line": "3", "Cost": Decimal(7)},
    ]


def test_read_only_fields_of_elements_stay_out_unless_kept(compiled: Any) -> None:
    infos = {
        "Nr": NativeInfo("Nr"),
        "rows": NativeInfo("rows", "list"),
        "rows.Line": NativeInfo("Line"),
        "rows.Cost": NativeInfo("Cost"),
        "rows.id": NativeInfo("id", writable=False),
        "rows.net": NativeInfo("net", writable=False),
    }
    lens = compiled(LINES.replace("    key: key", "    key: key\n    keep: [id]"), native_fields=infos)
    current = {"rows": [{"Line": "1", "Cost": 1, "id": "a", "net": 9}]}
    writing = lens.write({"lines": [{"key": "1", "amount": "2"}]}, current=current)
    assert writing.native["rows"] == [{"Line": "1", "Cost": Decimal(2), "id": "a"}]


def test_a_flat_row_takes_one_element_only(compiled: Any) -> None:
    lens = compiled("  number: Nr\n  lines:\n    each: self\n    fields:\n      key: {value: x}\n      amount: Cost")
    assert lens.write({"number": "1", "lines": [{"key": "x", "amount": "3"}]}).native == {"Nr": "1", "Cost": Decimal(3)}
    two = lens.write({"lines": [{"key": "x"}, {"key": "y"}]})
    assert [finding.code for finding in two.findings] == ["too_many_elements"]


def test_custom_fields_travel_both_ways_without_code(compiled: Any) -> None:
    lens = compiled("  number: Nr\nextra: [warrantyCode, {at: u_rate, name: rate, type: decimal}]")
    native = {"Nr": "1", "warrantyCode": Decimal("5.0"), "u_rate": Decimal("1.50")}
    state = lens.read(native).state
    assert state["extra"] == {"warrantyCode": "5", "rate": "1.5"}
    assert lens.write(state, current=native).native == {"Nr": "1", "warrantyCode": 5, "u_rate": Decimal("1.5")}
    assert lens.write(state).native["warrantyCode"] == "5"


def test_a_state_that_is_not_well_formed_is_a_finding(compiled: Any) -> None:
    lens = compiled(LINES + "\n  weight: W\n  built_on: B\n  tags: T")
    writing = lens.write({"weight": "heavy", "built_on": "soon", "lines": "none", "number": 5.5})
    assert {finding.field for finding in writing.findings} == {"weight", "built_on", "lines", "number"}


def test_findings_of_list_elements_name_the_element(compiled: Any) -> None:
    (finding,) = compiled(LINES).write({"lines": [{"key": "1", "amount": "x"}]}).findings
    assert finding.field == "lines[0].amount"
