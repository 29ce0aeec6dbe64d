"""The Python files of a tree as the checks see them. Each check takes the root, so a planted tree can be checked."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "isthmus"


@dataclass(frozen=True)
class Module:
    """One file: `place` is its path below the root with slashes, `name` its dotted name (empty outside src)."""

    place: str
    name: str
    lines: int
    tree: ast.Module

    @property
    def package(self) -> str:
        """The package below isthmus it belongs to; `errors` for errors.py, empty for the root."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else ""

    def at(self, node: ast.AST, problem: str) -> str:
        """A complaint that points at a line."""
        return f"{self.place}:{getattr(node, 'lineno', 1)}: {problem}"


def modules(root: Path, *folders: str) -> Iterator[Module]:
    """Parsed files of the folders (default: src/isthmus), in order of their path."""
    for folder in folders or (f"src/{PACKAGE}",):
        for path in sorted((root / folder).rglob("*.py")):
            yield _read(root, path, path.stat().st_mtime_ns)


@cache
def _read(root: Path, path: Path, _changed: int) -> Module:
    text = path.read_text(encoding="utf-8")
    place = path.relative_to(root).as_posix()
    name = ""
    if place.startswith("src/"):
        name = place.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return Module(place, name, text.count("\n"), ast.parse(text, place))


def plant(root: Path, place: str, text: str) -> Path:
    """Write a file of a planted tree."""
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return root
