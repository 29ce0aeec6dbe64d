"""What reaches the terminal: money, tables, and nothing that steers it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from isthmus.cli.output import money, plain, say, table, write_json


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("17506068.13", "USD", "17,506,068.13 USD"),
        ("-212.4", "USD", "-212.40 USD"),
        (Decimal("1000"), "JPY", "1,000 JPY"),
        ("1.5", "KWD", "1.500 KWD"),
        ("0.005", "USD", "0.005 USD"),
        ("1E+3", "USD", "1,000.00 USD"),
        ("12", "", "12.00"),
        (None, "USD", ""),
        ("", "USD", ""),
    ],
)
def test_money_has_separators_and_the_places_of_its_currency(
    amount: Decimal | str | None, currency: str, shown: str
) -> None:
    assert money(amount, currency) == shown


def test_json_keeps_cents_order_and_zone(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"b": Decimal("0.10"), "a": datetime(2026, 1, 2, tzinfo=UTC), "text": "Zürich"})
    line = capsys.readouterr().out
    assert line == '{"b":"0.10","a":"2026-01-02T00:00:00Z","text":"Zürich"}\n'
    assert list(json.loads(line)) == ["b", "a", "text"]


def test_text_from_outside_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("pump \x1b[2J failed\x07 [red]not markup[/red]")
    table(["a"], [["\x1b]0;title\x07x"]])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "[red]not markup[/red]" in out
    assert plain("two\nlines") == "two\nlines"


def test_tables_in_a_pipe_are_plain_whole_and_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 300
    table(["name", "amount"], [["first", "1.00"], [long, "1,000.00"]], right=(1,))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert long in lines[2]
    assert lines[1].rstrip().endswith("    1.00")


def test_no_colour_where_nobody_asked_for_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    table(["state"], [["dead"]], states=0)
    say("trouble", style="red", error=True)
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert shown.err == "trouble\n"
