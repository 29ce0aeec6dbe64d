"""YAML with positions: every value knows its line, numbers stay exact, nothing is read twice."""

from __future__ import annotations

from decimal import Decimal

import pytest

from isthmus.errors import ConfigurationError
from isthmus.model.document import parse_document

TEXT = """\
name: costs
rows:
  - account: "08450"
    limit: 0.05

  - {account: 8450, on: 2026-01-31}
"""


def test_every_key_and_element_knows_its_line():
    document = parse_document(TEXT, "rules/a.yaml")
    assert document.lines["rows",] == 2
    assert document.lines["rows", 0, "limit"] == 4
    assert document.lines["rows", 1, "on"] == 6
    assert document.line(("rows", 1, "missing")) == 6
    assert document.line(("nothing",)) == 1


def test_numbers_are_exact_and_dates_stay_text():
    rows = parse_document(TEXT, "a").data["rows"]
    assert rows[0] == {"account": "08450", "limit": Decimal("0.05")}
    assert rows[1] == {"account": 8450, "on": "2026-01-31"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.10", Decimal("1.10")),
        ("08450", "08450"),
        ("0x1F", "0x1F"),
        ("12:30:00", "12:30:00"),
        ("1e3", "1e3"),
        ("yes", True),
        ("Off", False),
        ("~", None),
        ('"yes"', "yes"),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
    ],
)
def test_scalars(text, value):
    assert parse_document(f"a: {text}", "f").data == {"a": value}


@pytest.mark.parametrize(("text", "value"), [("02370", "02370"), ("1_000", "1_000")])
def test_a_number_nobody_writes_so_stays_text(text, value):
    assert parse_document(f"a: {text}", "f").data == {"a": value}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\na: 2", 2, "'a' stands twice"),
        ("a: 1\nb: [1, 2", 2, "not valid YAML"),
        ("a: 1\n\tb: 2", 2, "not valid YAML"),
        ("a: .nan", None, "not valid YAML|is not a number"),
        ("a: \x00", None, "characters YAML does not allow"),
    ],
)
def test_what_cannot_be_read_says_where(text, line, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse_document(text, "rules/a.yaml")
    assert caught.value.file == "rules/a.yaml"
    assert line is None or caught.value.line == line


def test_an_empty_text_is_no_keys():
    assert parse_document("", "f").data == {}
    assert parse_document("# nothing", "f").data == {}


def test_an_error_points_into_the_file():
    error = parse_document(TEXT, "rules/a.yaml").error(("rows", 1, "account"), "no such account", "Add it.")
    assert str(error) == "rules/a.yaml:6: no such account Add it."
    assert error.next_step == "halt"
