"""What the documents name exists: objects, files, make targets, commands."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from docs import names
from docs.pages import ROOT, read_page

CLI = "isthmus.cli.main"
needs_cli = pytest.mark.skipif(
    importlib.util.find_spec(CLI) is None or not (ROOT / "docs" / "cli.md").exists(),
    reason="the command line or its page is not there yet",
)


@pytest.mark.parametrize(
    "check", [names.unknown_objects, names.unknown_files, names.unknown_targets], ids=lambda check: check.__name__
)
def test_what_the_documents_name_exists(check: Callable[[Path], Iterator[str]]) -> None:
    assert list(check(ROOT)) == []


@pytest.mark.parametrize(
    ("check", "text", "complaint"),
    [
        (names.unknown_objects, "`isthmus.model.money.Coin`", "isthmus.model.money.Coin does not exist"),
        (names.unknown_objects, "`isthmus.modal.money`", "isthmus.modal.money does not exist"),
        (names.unknown_objects, "`isthmus.errors.Retry.gone()`", "isthmus.errors.Retry.gone() does not exist"),
        (names.unknown_files, "`docs/nowhere.md`", "docs/nowhere.md does not exist"),
        (names.unknown_targets, "```\n$ make deploy  # now\n```", "make deploy is no target"),
    ],
)
def test_a_name_of_nothing_is_seen(
    tmp_path: Path, check: Callable[[Path], Iterator[str]], text: str, complaint: str
) -> None:
    (tmp_path / "Makefile").write_text("demo: setup ## Show it\n", encoding="utf-8")
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert [line.split(": ", 1)[1] for line in check(tmp_path)] == [complaint]


def test_names_that_exist_pass(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("demo: setup ## Show it\n", encoding="utf-8")
    text = "`isthmus.model.money.Money` `isthmus.errors.Retry.code` `isthmus.contract` `isthmus.yaml` `make demo`\n"
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert not [*names.unknown_objects(tmp_path), *names.unknown_targets(tmp_path)]


def test_the_two_commands_are_targets() -> None:
    assert {"demo", "test"} <= names.make_targets(ROOT)


def test_the_readme_tells_the_two_commands() -> None:
    lines = {line for _, line in read_page(ROOT, ROOT / "README.md").commands()}
    assert {"make demo", "make test"} <= lines


def _known() -> list[tuple[str, ...]]:
    import typer

    return list(names.command_paths(typer.main.get_command(importlib.import_module(CLI).app)))


@needs_cli
def test_every_command_has_its_heading_and_every_heading_its_command() -> None:
    headings = read_page(ROOT, ROOT / "docs" / "cli.md").headings()
    told = {tuple(heading.split()[1:]) for heading in headings if heading.startswith("isthmus ")}
    assert told == set(_known())


@needs_cli
def test_the_documents_use_commands_that_exist() -> None:
    assert list(names.unknown_commands(ROOT, _known())) == []


@needs_cli
def test_every_option_is_documented() -> None:
    import typer

    command = typer.main.get_command(importlib.import_module(CLI).app)
    assert list(names.undocumented_options(ROOT, names.options(command))) == []


def test_an_option_without_words_is_seen(tmp_path: Path) -> None:
    @click.group()
    def group() -> None: ...

    @group.command()
    @click.option("--items")
    @click.option("--deliver/--no-deliver")
    @click.option("--old", hidden=True)
    def plan(items: str, deliver: bool, old: str) -> None: ...

    known = list(names.options(group))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "cli.md").write_text("`plan --items N` or\n```\nplan --deliver\n```\n", encoding="utf-8")
    assert known == ["--items", "--deliver", "--no-deliver"]
    assert list(names.undocumented_options(tmp_path, known)) == ["--no-deliver"]


def test_a_command_nobody_knows_is_seen(tmp_path: Path) -> None:
    @click.group()
    def group() -> None: ...

    @group.group()
    def flow() -> None: ...

    @flow.command()
    def check() -> None: ...

    @group.command()
    def plan() -> None: ...

    known = list(names.command_paths(group))
    assert known == [("flow", "check"), ("plan",)]
    text = "`isthmus plan` `isthmus flow` `isthmus flow check --all`\n```\n.venv/bin/isthmus plans --x\n```\n"
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert list(names.unknown_commands(tmp_path, known)) == ["README.md:3: isthmus plans is no command"]
