"""docs/cli.md names every option of every command, and no other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from isthmus.cli.main import app

PAGE = Path(__file__).resolve().parents[3] / "docs" / "cli.md"
SHARED = {"--project", "--set", "--json", "--debug", "--help", "-h"}


def commands(command: Any, path: str = "isthmus") -> Iterator[tuple[str, set[str]]]:
    children = getattr(command, "commands", None)
    if children:
        for name, child in children.items():
            yield from commands(child, f"{path} {name}")
        return
    options = {
        option
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("-")
    }
    yield path, options - SHARED


def sections() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for part in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `--")]
        found[title.strip()] = set(re.findall(r"`(--[a-z-]+)`", " ".join(rows)))
    return found


def test_every_option_stands_in_the_section_of_its_command() -> None:
    told = sections()
    assert {path: told.get(path) for path, _ in commands(typer.main.get_command(app))} == dict(
        commands(typer.main.get_command(app))
    )


def test_each_command_is_told_once() -> None:
    titles = re.findall(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [title for title, times in Counter(titles).items() if times > 1] == []


def test_shared_options_stand_in_one_place() -> None:
    assert sections()["What all commands share"] == SHARED - {"--help", "-h"}
