"""docs/mapping.md says what the code does: converters, keys, codes, and examples that compile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from isthmus.mapping.compiler import compile_lens
from isthmus.mapping.converters.registry import CONVERTERS, build_converter
from isthmus.mapping.rules import RULE_KEYS, TOP_KEYS
from isthmus.model.document import parse_document

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
CONVERTER_ROWS = re.findall(r"^\| `(\w+)` \| [^|]+ \| `via: ([^`]+)` \|$", TEXT, re.MULTILINE)


def test_every_converter_is_documented_with_an_example() -> None:
    assert {name for name, _ in CONVERTER_ROWS} == set(CONVERTERS)


@pytest.mark.parametrize(("name", "example"), CONVERTER_ROWS, ids=[name for name, _ in CONVERTER_ROWS])
def test_examples_of_converters_are_well_formed(name: str, example: str) -> None:
    entry = parse_document(f"via: {example}", "example.yaml").data["via"]
    assert build_converter(entry)[0].split(" ")[0] == name


def test_every_key_of_a_rule_is_documented() -> None:
    for key in (*RULE_KEYS, *TOP_KEYS):
        assert re.search(rf"\b{key}:", TEXT), key


def test_every_code_is_documented() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE))
    said: set[str] = set()
    for path in (ROOT / "src" / "isthmus" / "mapping").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        said |= set(re.findall(r'(?:_report|problem|Problem|Finding)\(\s*(?:document, [^"]+?, )?"([a-z_]+)"', source))
        if path.name == "failure.py":
            said |= set(re.findall(r'code = "(\w+)"', source))
    assert len(said) > 20
    assert said <= documented


def test_the_example_mapping_and_its_overlay_compile() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    base, overlay = (parse_document(block, f"example{index}.yaml") for index, block in enumerate(blocks[:2]))
    lens = compile_lens(base, overlays=[overlay])
    native = {
        "OrderNo": "17",
        "LongText": "Swap bucket",
        "FinishedOn": "1.7.2004",
        "Machine": "EX-01",
        "Costs": [{"LineNo": 1, "Kind": "P", "Amount": "183,05", "Remark": "Bucket"}],
    }
    state = lens.read({**native, "Machine": None}).state
    assert state["completed_on"] == "2004-07-01"
    assert state["lines"] == [
        {"key": "1", "kind": "part", "source": "direct", "amount": "183.05", "description": "Bucket"}
    ]
