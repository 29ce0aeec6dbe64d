"""Names in the documents that must exist: objects of ours, files, commands, make targets."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from docs.pages import pages, read_page

OBJECT = re.compile(r"isthmus(?:\.\w+)+(?:\(\))?")
#: `isthmus.yaml` is a file
SUFFIXES = {"yaml", "yml", "toml", "log", "db"}
FILE = re.compile(r"(?:src|tests|docs|requirements|benchmarks|examples|\.ci)/[\w./-]*")
OPTION = re.compile(r"--[a-z][a-z-]*")
TARGET = re.compile(r"^make(?:\s+[A-Z]+=\S+)*\s+([a-z][a-z-]*)")


def unknown_objects(root: Path) -> Iterator[str]:
    """`isthmus.…` in backticks that cannot be imported."""
    for page in pages(root):
        for number, code in page.codes():
            if OBJECT.fullmatch(code) and code.rpartition(".")[2] not in SUFFIXES and not resolves(code.rstrip("()")):
                yield f"{page.place}:{number}: {code} does not exist"


def resolves(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute of one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        module_name = ".".join(parts[:end])
        try:
            found = importlib.util.find_spec(module_name)
        except ModuleNotFoundError:
            continue
        if found is not None:
            target: Any = importlib.import_module(module_name)
            for part in parts[end:]:
                if part in getattr(target, "__annotations__", {}):
                    return part == parts[-1]
                if not hasattr(target, part):
                    return False
                target = getattr(target, part)
            return True
    return False


def unknown_files(root: Path) -> Iterator[str]:
    """Files and folders of the repository in backticks that are not there."""
    for page in pages(root):
        for number, code in page.codes():
            if FILE.fullmatch(code) and not (root / code).exists():
                yield f"{page.place}:{number}: {code} does not exist"


def make_targets(root: Path) -> set[str]:
    """Targets the Makefile explains in its help."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):.*## ", text, re.MULTILINE))


def unknown_targets(root: Path) -> Iterator[str]:
    """`make x` in backticks or fences where the Makefile has no x."""
    targets = make_targets(root)
    for page in pages(root):
        for number, line in page.commands():
            match = TARGET.match(line)
            if match and match[1] not in targets:
                yield f"{page.place}:{number}: make {match[1]} is no target"


def command_paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of the visible commands of a Click tree, leaves only: `("flow", "check")`."""
    children = getattr(command, "commands", None)
    if not children:
        yield path
        return
    for name, child in children.items():
        if not child.hidden:
            yield from command_paths(child, (*path, name))


def unknown_commands(root: Path, known: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """`isthmus …` in backticks or fences that the command line does not know."""
    for page in pages(root):
        for number, line in page.commands():
            words = line.removeprefix(".venv/bin/").split()
            if len(words) < 2 or words[0] != "isthmus":
                continue
            path = tuple(word for word in words[1:] if re.fullmatch(r"[a-z][a-z-]*", word))
            first = words[1]
            if re.fullmatch(r"[a-z][a-z-]*", first) and not any(
                path[: len(command)] == command or command[: len(path)] == path for command in known
            ):
                yield f"{page.place}:{number}: isthmus {' '.join(path)} is no command"


def options(command: Any) -> Iterator[str]:
    """Long names of all visible options of a Click tree, of the negative form too."""
    for child in getattr(command, "commands", {}).values():
        if not child.hidden:
            yield from options(child)
    for parameter in command.params:
        if parameter.param_type_name == "option" and not parameter.hidden:
            yield from (name for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("--"))


def undocumented_options(root: Path, known: Iterable[str]) -> Iterator[str]:
    """Options that docs/cli.md names nowhere in backticks or fences."""
    told = {word for _, line in read_page(root, root / "docs" / "cli.md").commands() for word in OPTION.findall(line)}
    yield from sorted(set(known) - told)
