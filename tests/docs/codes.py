"""Codes of findings, errors and outcomes: those the code can say, and those docs/findings.md explains."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from docs.pages import read_page

CODE = re.compile(r"[a-z][a-z0-9_]*")
#: in the ledger a state may change by SQL alone
SQL_CODE = re.compile(r"\bcode = '([a-z][a-z0-9_]*)'")


def used_codes(root: Path) -> dict[str, str]:
    """Code -> one place that says it. The sandbox speaks the codes of other products and is left out.

    Counted: `code=` of any call, the first argument of `Finding`, the attribute `code` of a class, each as a literal, a
    choice of literals or a constant of ours; and literals in SQL of the ledger.
    """
    trees = dict(_trees(root))
    constants = {name: value for tree in trees.values() for name, value in _constants(tree)}
    found: dict[str, str] = {}
    for place, tree in trees.items():
        for node in ast.walk(tree):
            for value in _code_values(node):
                for code in _literals(value, constants):
                    found.setdefault(code, f"{place}:{value.lineno}")
            if (
                place.startswith("src/isthmus/ledger/")
                and isinstance(node, ast.Constant)
                and isinstance(node.value, str)
            ):
                for code in SQL_CODE.findall(node.value):
                    found.setdefault(code, f"{place}:{node.lineno}")
    return found


def literals(root: Path) -> set[str]:
    """Every string constant of the source, the sandbox left out."""
    nodes = (node for _, tree in _trees(root) for node in ast.walk(tree))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def documented_codes(root: Path) -> set[str]:
    """Codes in the first column of the tables of docs/findings.md that has `code` as its head."""
    codes: set[str] = set()
    inside = False
    for _, line in read_page(root, root / "docs" / "findings.md").prose:
        if not line.startswith("|"):
            inside = False
            continue
        first = line.strip("|").split("|")[0].strip()
        inside = inside or first == "code"
        if inside:
            codes.update(re.findall(r"`([a-z][a-z0-9_]*)`", first))
    return codes


def _trees(root: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((root / "src" / "isthmus").rglob("*.py")):
        place = path.relative_to(root).as_posix()
        if not place.startswith("src/isthmus/sandbox/"):
            yield place, ast.parse(path.read_text(encoding="utf-8"), place)


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        value = getattr(node, "value", None)
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            yield from ((target.id, value.value) for target in targets if isinstance(target, ast.Name))


def _code_values(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        yield from (keyword.value for keyword in node.keywords if keyword.arg == "code")
        if isinstance(node.func, ast.Name) and node.func.id == "Finding" and node.args:
            yield node.args[0]
    elif isinstance(node, ast.ClassDef):
        for step in node.body:
            targets = step.targets if isinstance(step, ast.Assign) else [getattr(step, "target", None)]
            value = getattr(step, "value", None)
            if isinstance(value, ast.expr) and any(isinstance(t, ast.Name) and t.id == "code" for t in targets):
                yield value


def _literals(value: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and CODE.fullmatch(value.value):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _literals(value.body, constants)
        yield from _literals(value.orelse, constants)
    elif isinstance(value, ast.BoolOp):
        for part in value.values:
            yield from _literals(part, constants)
    elif isinstance(value, ast.Name | ast.Attribute):
        name = value.id if isinstance(value, ast.Name) else value.attr
        if name.isupper() and CODE.fullmatch(constants.get(name, "")):
            yield constants[name]
