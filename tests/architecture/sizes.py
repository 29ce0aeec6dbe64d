"""How long files and functions may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from architecture.tree import modules

SMELL, FILE_LIMIT, FUNCTION_LIMIT = 400, 600, 60
FOLDERS = ("src/isthmus", "tests")


def long_files(root: Path, limit: int = FILE_LIMIT) -> Iterator[str]:
    """Files above the limit."""
    for module in modules(root, *FOLDERS):
        if module.lines > limit:
            yield f"{module.place}: {module.lines} lines, at most {limit}"


def long_functions(root: Path, limit: int = FUNCTION_LIMIT) -> Iterator[str]:
    """Functions above the limit, docstring and signature counted."""
    for module in modules(root, *FOLDERS):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > limit:
                    yield module.at(node, f"{node.name} has {length} lines, at most {limit}")
