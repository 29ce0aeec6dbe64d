"""Every report of the compiler, with file, line and what to write instead. Line 4 is the first rule."""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.mapping.compiler import compile_lens
from isthmus.mapping.context import NativeInfo
from isthmus.mapping.problems import LensProblems
from isthmus.mapping.tables import LookupTable
from isthmus.model.document import parse_document

NATIVES = {
    name: NativeInfo(name, kind)
    for name, kind in {
        "Nr": "text",
        "DisplayName": "text",
        "Weight": "decimal",
        "Built": "date",
        "Seen": "time",
        "Count": "int",
        "Flag": "bool",
        "rows": "list",
        "rows.Line": "int",
        "rows.Cost": "decimal",
    }.items()
}
TABLES = {
    "statuses": LookupTable("statuses", {"1": "open", "2": "busy"}),
    "many": LookupTable("many", {"1": "open", "2": "open"}),
}


@pytest.mark.parametrize(
    ("rule", "code", "said"),
    [
        ("nmae: Nr", "unknown_field", 'no field "nmae" | Did you mean "name"?'),
        ("address.town: Nr", "unknown_field", 'no field "address.town"'),
        ("lines.amount: Nr", "unknown_field", 'no field "lines.amount"'),
        ("name: {at: displayname}", "unknown_native", 'Did you mean "DisplayName"? No rule uses it yet.'),
        ("name: {at: Name}", "unknown_native", 'Did you mean "DisplayName"?'),
        ("name: {at: DisplayName, via: trimm}", "unknown_converter", 'Did you mean "trim"?'),
        ("built_on: {at: Built, via: {date: '%d'}}", "converter", "lacks year, month or day"),
        ("status: {at: Nr, lookup: status}", "unknown_table", 'Did you mean "statuses"?'),
        (
            "name: {formula: 'uper(DisplayName)'}",
            "formula",
            'column 1: there is no function "uper" | Did you mean "upper"?',
        ),
        (
            "name: {formula: 'upper(DisplyName)'}",
            "formula",
            'column 7: there is no field "DisplyName" | Did you mean "DisplayName"?',
        ),
        ("name: {formula: 'upper('}", "formula", "column 7: the end stands where"),
        ("weight: {formula: 'Built'}", "type_mismatch", '"weight" is a number, but a date would come in'),
        ("weight: Built", "type_mismatch", '"weight" is a number, but a date would come in'),
        ("built_on: Seen", "type_mismatch", "via: {local_date:"),
        ("seen_at: Built", "type_mismatch", "A day has no moment"),
        ("blocked: Count", "type_mismatch", "via: {bool: {yes: 1, no: 0}}"),
        ("name: {at: Flag, via: upper}", "type_mismatch", "takes a text, here comes true or false"),
        ("tags: DisplayName", "type_mismatch", "each:"),
        ("address: DisplayName", "type_mismatch", "via: address"),
        ("name: {at: DisplayName, when: 'Count + 1'}", "formula", "true or false is needed"),
        ("status: {value: broken}", "type_mismatch", '"broken", but it needs one of open, busy, gone'),
        ("seats: {at: Count, default: many}", "type_mismatch", "default of"),
        ("status: {at: Nr, lookup: statuses, missing: guess}", "form", "finding, default, null, keep"),
        ("status: {at: Nr, lookup: statuses, missing: default}", "form", "gives no default"),
        ("status: {at: Nr, missing: keep}", "form", "needs a lookup"),
        ("name: {at: DisplayName, vai: trim}", "unknown_key", 'Did you mean "via"?'),
        ("name: {via: trim}", "form", "exactly one of at, value, join, formula, each"),
        ("name: {at: DisplayName, value: x}", "form", "says at and value"),
        ("name: {value: x, via: trim}", "form", '"via" cannot stand beside "value"'),
        ("name: {join: [DisplayName]}", "form", "at least two"),
        ("name: {join: [DisplayName, Nr], with: ''}", "form", "must not be empty"),
        ("name: {at: DisplayName, way: up}", "form", "read, write, both"),
        ("name: {at: DisplayName, max: none}", "form", "number of characters"),
        ("name: No", "form", "need quotes"),
        ("name: {at: No}", "form", "put the name in quotes"),
        ("name: {each: rows, key: x}", "type_mismatch", "not a list of records"),
        ("lines: {at: rows}", "each_missing", "Use `each:`"),
        ("lines: {each: rows, fields: {key: Line, amount: Cost}}", "each_without_key", "Add `key: key`."),
        ("lines: {each: rows, key: kye, fields: {key: Line}}", "unknown_field", 'Did you mean "key"?'),
        ("lines: {each: rows, key: text, fields: {key: Line}}", "each_without_key", "Add a rule for text."),
        ("lines: {each: rows, key: key, fields: {key: Lyne}}", "unknown_native", 'Did you mean "Line"?'),
        ("lines: {each: rows, key: key, fields: {key: Line, on: Cost}}", "type_mismatch", '"lines.on" is a date'),
        (
            "lines: {each: rows, key: key, fields: {amount: Cost}}",
            "required_unmapped",
            '"lines.key" (The key) must be mapped',
        ),
        (
            "address: {at: Nr, via: address}\n  address.city: DisplayName",
            "duplicate_target",
            "The other rule stands at base.yaml:5",
        ),
    ],
)
def test_a_rule_that_cannot_work_is_reported_with_line_and_remedy(
    problems: Any, rule: str, code: str, said: str
) -> None:
    found = problems(f"  number: Nr\n  {rule}", native_fields=NATIVES, tables=TABLES)
    assert code in [problem[0] for problem in found]
    _, place, text = next(problem for problem in found if problem[0] == code)
    assert place == ("base.yaml:6" if code == "duplicate_target" else "base.yaml:5")
    assert said in text


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("name: {formula: 'upper(Nr)'}", "a formula has no inverse"),
        ("status: {at: Nr2, lookup: many}", 'lookup table many gives "open" for 1, 2'),
        ("status: {at: S, via: {enum: {A: open, B: open}}}", "several native words give 'open'"),
        ("built_on: {at: T, via: {local_date: Asia/Tokyo}}", "no time of day"),
    ],
)
def test_a_one_way_rule_in_a_two_way_flow_is_reported(problems: Any, compiled: Any, rule: str, said: str) -> None:
    rules = f"  number: Nr\n  {rule}"
    ((code, place, text),) = problems(rules, tables=TABLES, two_way=True)
    assert (code, place) == ("one_way", "base.yaml:5")
    assert said in text
    assert "way: read" in text
    compiled(rules, tables=TABLES)
    compiled(f"{rules[:-1]}, way: read}}", tables=TABLES, two_way=True)


def test_two_rules_must_not_write_one_native_field(problems: Any, compiled: Any) -> None:
    ((code, place, text),) = problems("  number: Nr\n  name: Nr", two_way=True)
    assert (code, place) == ("duplicate_native", "base.yaml:5")
    assert "way: read" in text
    compiled("  number: Nr\n  name: {at: Nr, way: read}", two_way=True)


def test_everything_is_told_at_once(problems: Any) -> None:
    found = problems("  nmae: A\n  weight: {at: B, via: nope}\n  status: {value: x}\n  name: {formula: '1 +'}")
    assert [(code, place) for code, place, _ in found] == [
        ("unknown_field", "base.yaml:4"),
        ("unknown_converter", "base.yaml:5"),
        ("type_mismatch", "base.yaml:6"),
        ("formula", "base.yaml:7"),
        ("required_unmapped", "base.yaml:1"),
    ]


def test_a_lens_that_only_writes_needs_no_required_fields(compiled: Any) -> None:
    lens = compiled("  name: N\nway: write")
    assert lens.read({"N": "x"}).state == {}
    assert lens.write({"name": "x"}).native == {"N": "x"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("entity: machien\nnative: m", 'Did you mean "machine"?'),
        ("native: m", "which entity it is for"),
        ("entity: machine\nfields: {number: Nr}", "does not name the native set"),
        ("entity: machine\nnative: m\nfeilds: {number: Nr}", 'Did you mean "fields"?'),
        ("entity: machine\nnative: m\nfields: [number]", "fields must be a mapping"),
        ("entity: machine\nnative: m\nfields: {number: Nr}\nway: up", "read, write or both"),
        ("entity: machine\nnative: m\nfields: {number: Nr}\nextra: yes", "extra must be a list"),
        ("entity: machine\nnative: m\nfields: {number: Nr}\nextra: [{name: x}]", "native field name"),
        ("entity: machine\nnative: m\nnumber: Nr\nfields: {number: Nr}", "mapped twice"),
        ("- a", "a mapping document is a mapping"),
    ],
)
def test_faults_of_the_document_itself(machines: Any, text: str, said: str) -> None:
    with pytest.raises(LensProblems) as caught:
        compile_lens(parse_document(text, "m.yaml"), entities=machines)
    assert said in str(caught.value)
    assert all(problem.file == "m.yaml" for problem in caught.value.problems)


def test_kept_and_custom_native_fields_are_checked_too(problems: Any) -> None:
    found = problems("  number: Nr\nkeep: [Wieght]\nextra: [Colour]", native_fields=NATIVES)
    assert [(code, place) for code, place, _ in found] == [
        ("unknown_native", "base.yaml:6"),
        ("unknown_native", "base.yaml:5"),
    ]


def test_the_message_lists_every_problem_as_file_and_line(compiled: Any) -> None:
    with pytest.raises(LensProblems) as caught:
        compiled("  nmae: A")
    assert str(caught.value).startswith("base.yaml:4: 2 problems in the mapping:\n")
    assert '  base.yaml:4: machine has no field "nmae". Did you mean "name"?' in str(caught.value)
    finding = caught.value.findings[0]
    assert (finding.code, finding.severity, finding.field) == ("unknown_field", "error", "nmae")
    assert finding.mend == 'base.yaml:4: Did you mean "name"?'
