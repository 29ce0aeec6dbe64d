"""Where effects may happen, and what money and waiting may not pass through."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from architecture.tree import modules

#: packages that compute and do nothing else
PURE = {"errors", "model", "mapping", "controls"}
EFFECTS = {
    "asyncio", "aiohttp", "fileinput", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib",
    "psycopg", "random", "requests", "secrets", "select", "shutil", "signal", "socket", "sqlalchemy", "ssl",
    "structlog", "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
EFFECT_CALLS = {"open", "input", "print", "exec", "eval", "__import__"}
EFFECT_METHODS = {
    "read_text", "read_bytes", "write_text", "write_bytes", "unlink", "mkdir", "now", "utcnow", "today", "sleep",
}  # fmt: skip

#: file -> why a float is right there. Never for an amount, a quantity, a rate or a price.
FLOATS: Mapping[str, str] = {
    "src/isthmus/connectors/_http/session.py": "Retry-After: seconds to wait",
    "src/isthmus/connectors/dynamics/business_central/errors.py": "Retry-After: seconds to wait",
    "src/isthmus/connectors/files/drop.py": "seconds until a file counts as written",
    "src/isthmus/connectors/files/source.py": "seconds until a file counts as written",
    "src/isthmus/sandbox/cafm/system.py": "seconds the simulator's clock is off",
    "src/isthmus/sandbox/clock.py": "a moment of the simulator's clock",
    "src/isthmus/sandbox/dev_door.py": "seconds the simulator's clock is moved by",
    "src/isthmus/sandbox/state.py": "seconds the simulator's clock is off",
}
#: file -> why blocking the thread is right there
SLEEPS: Mapping[str, str] = {
    "src/isthmus/ledger/cluster.py": "the embedded server starts and stops before and after any event loop",
    "src/isthmus/ledger/embedded.py": "the embedded server starts and stops before and after any event loop",
    "src/isthmus/sandbox/server.py": "tests without an event loop wait for the thread that serves",
}
#: statements, not words: a message to people may well begin with "Select"
SQL = re.compile(
    r"\b(?:(?:select|SELECT)\s[^.]*?\s(?:from|FROM)\s+\w|(?:insert into|INSERT INTO)\s|(?:delete from|DELETE FROM)\s"
    r"|(?:update|UPDATE)\s+\w+\s+(?:set|SET)\s|(?:create|alter|drop|CREATE|ALTER|DROP)\s+(?:table|index|TABLE|INDEX)\s"
    r"|(?:select|SELECT)\s+(?:pg_|count\())",
)


def effects(root: Path) -> Iterator[str]:
    """I/O, clocks and chance in a package that must be pure."""
    for module in modules(root):
        if module.package not in PURE:
            continue
        for node in ast.walk(module.tree):
            for name in _modules_named(node):
                if name.split(".")[0] in EFFECTS:
                    yield module.at(node, f"{module.package} is pure and may not import {name}")
            called = _called(node)
            if called in EFFECT_CALLS or (called.rpartition(".")[2] in EFFECT_METHODS and "." in called):
                yield module.at(node, f"{module.package} is pure and may not call {called}()")


def sql_outside_ledger(root: Path) -> Iterator[str]:
    """SQL in a string anywhere but in the ledger; docstrings are prose."""
    for module in modules(root):
        if module.package == "ledger":
            continue
        prose = set(_docstrings(module.tree))
        for node in ast.walk(module.tree):
            text = node.value if isinstance(node, ast.Constant) and node not in prose else None
            if isinstance(text, str) and SQL.search(text):
                yield module.at(node, "SQL lives in isthmus.ledger only")


def floats(root: Path, allowed: Mapping[str, str] = FLOATS) -> Iterator[str]:
    """`float(...)` outside the list of places with a reason."""
    for module in modules(root):
        if module.place in allowed:
            continue
        for node in ast.walk(module.tree):
            if _called(node) == "float":
                yield module.at(node, "float(...) loses cents; if it is no amount, give a reason in FLOATS")


def blocking_sleeps(root: Path, allowed: Mapping[str, str] = SLEEPS) -> Iterator[str]:
    """`time.sleep` in any spelling."""
    for module in modules(root):
        if module.place in allowed:
            continue
        for node in ast.walk(module.tree):
            bare = isinstance(node, ast.ImportFrom) and node.module == "time"
            if _called(node) == "time.sleep" or (bare and any(alias.name == "sleep" for alias in node.names)):
                yield module.at(node, "time.sleep stops every connection; wait on the contract's clock")


def swallowed_errors(root: Path) -> Iterator[str]:
    """A handler for everything that does nothing."""
    for module in modules(root, "src/isthmus", "tests"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler):
                swallowed = _catches_all(node.type) and all(map(_idle, node.body))
            else:
                swallowed = _called(node).endswith("suppress") and any(map(_catches_all, getattr(node, "args", ())))
            if swallowed:
                yield module.at(node, "every error is swallowed here; say which one, and why it may be")


def _catches_all(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(map(_catches_all, kind.elts))
    return kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"})


def _idle(step: ast.stmt) -> bool:
    comment = isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant)
    return comment or isinstance(step, ast.Pass | ast.Continue)


def _modules_named(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


def _called(node: ast.AST) -> str:
    """`time.sleep` of a call `time.sleep(...)`; `.read_text` where the object is an expression; else empty."""
    if not isinstance(node, ast.Call):
        return ""
    target = node.func
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        return f"{target.value.id if isinstance(target.value, ast.Name) else ''}.{target.attr}"
    return ""


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            for step in body:
                if isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant):
                    yield step.value
