"""Docs are a test target: every finding of controls is explained, and the examples of the docs work."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from isthmus.controls import rules
from isthmus.controls.rule_checks import coverage
from isthmus.controls.rule_reading import parse_rules
from isthmus.model.document import parse_document

ROOT = Path(__file__).parents[3]
SOURCES = sorted(Path(rules.__file__).parent.glob("*.py"))
ROW = re.compile(r"\| `(?P<code>[a-z_]+)`(?: †)? \| (?P<severity>[a-z ]+) \| (?P<meaning>.+) \| (?P<mend>.+) \|")


def documented() -> dict[str, str]:
    rows = [match for line in (ROOT / "docs/findings.md").read_text().splitlines() if (match := ROW.fullmatch(line))]
    codes = [row["code"] for row in rows]
    assert len(codes) == len(set(codes)), "a code stands twice"
    return {row["code"]: row["severity"] for row in rows}


def made() -> list[tuple[str, str]]:
    """(code, severity) of every Finding made in the package; a severity that is not written out is as declared."""
    found = []
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
                code, severity = node.args[:2]
                assert isinstance(code, ast.Constant), f"{source.name}:{node.lineno} makes up its code"
                found.append((code.value, severity.value if isinstance(severity, ast.Constant) else "as declared"))
    return found


def test_every_finding_of_controls_is_documented_with_its_severity():
    known = documented()
    findings = made()
    assert len(findings) > 20
    assert {code: severity for code, severity in findings if known.get(code) != severity} == {}


def example() -> str:
    return re.search(r"```yaml\n(.*?)```", (ROOT / "docs/posting-rules.md").read_text(), re.DOTALL)[1]


def test_the_example_of_the_docs_is_read_and_covers_every_source():
    table = parse_rules(parse_document(example(), "rules/maintenance.yaml"))
    assert len(table.rows) == 6
    assert coverage(table) == ()


@pytest.mark.parametrize("words", [rules.CONDITIONS, rules.COST_SOURCES])
def test_every_condition_and_source_is_explained(words):
    text = (ROOT / "docs/posting-rules.md").read_text()
    assert [word for word in words if f"`{word}`" not in text] == []
