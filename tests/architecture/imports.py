"""Who may import whom. Imports inside functions and under TYPE_CHECKING count: a hidden cycle is a cycle.

The same directions stand as import-linter contracts in pyproject.toml, which also follow imports over several steps.
This table is literal: a reviewer reads the whole order on one page, and a new package is refused until it has a row.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from architecture.tree import PACKAGE, Module, modules

LOW = {"errors", "model"}
#: package -> packages of ours it may import
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "model": {"errors"},
    "mapping": LOW,
    "controls": LOW,
    "contract": LOW,
    "connectors": LOW | {"contract"},
    "ledger": LOW | {"contract"},
    "sync": LOW | {"mapping", "controls", "contract", "ledger"},
    "insight": LOW | {"mapping", "controls", "contract", "ledger"},
    "app": LOW | {"mapping", "controls", "contract", "connectors", "ledger", "sync", "insight"},
    # thin twins over app; they name the values they show, and never a connector
    "console": LOW | {"contract", "ledger", "sync", "insight", "app"},
    "cli": LOW | {"contract", "ledger", "sync", "insight", "app", "sandbox"},
    "sandbox": set(),
    "testing": LOW | {"mapping", "controls", "contract", "connectors", "ledger", "sync", "insight", "app", "sandbox"},
}
#: folders of connectors that several systems share; every other folder is a system of its own
SHARED = {"_http", "dynamics"}


def imported(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Each import of ours: its node and the dotted name it asks for."""
    package = module.name if module.place.endswith("/__init__.py") else module.name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names if alias.name.split(".")[0] == PACKAGE)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            if base.split(".")[0] == PACKAGE:
                # `from isthmus import x` asks for the root whatever x is
                yield node, base


def wrong_directions(root: Path) -> Iterator[str]:
    """Imports the table does not allow, packages without a row, and imports of the root."""
    for module in modules(root):
        package = module.package
        if module.name == PACKAGE:
            yield from (module.at(node, f"the root imports {name}") for node, name in imported(module))
            continue
        if package not in ALLOWED:
            yield f"{module.place}:1: package {package} has no row in tests/architecture/imports.py"
            continue
        for node, name in imported(module):
            target = name.split(".")[1] if "." in name else ""
            if not target:
                yield module.at(node, "imports the root package; import from the module that defines it")
            elif target != package and target not in ALLOWED[package]:
                yield module.at(node, f"{package} may not import {name}")


def systems_that_meet(root: Path) -> Iterator[str]:
    """A system's connector that imports another system's; a shared folder that imports a system's."""
    for module in modules(root):
        system = _system(module.name)
        if system is None:
            continue
        for node, name in imported(module):
            other = _system(name)
            if other is not None and other != system and not (other[-1].startswith("_") or other[-1] in SHARED):
                yield module.at(node, f"connector {'.'.join(system)} may not import {name}")


def _system(name: str) -> tuple[str, ...] | None:
    """The system a connector module belongs to: `("files",)`, `("dynamics", "business_central")`, or None."""
    parts = name.split(".")[1:]
    if len(parts) < 2 or parts[0] != "connectors":
        return None
    return tuple(parts[1:3]) if parts[1] == "dynamics" and len(parts) > 2 else (parts[1],)
