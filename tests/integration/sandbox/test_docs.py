"""docs/sandbox.md names everything that can be set, seeded, asked and broken."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from isthmus.sandbox import faults, seed
from isthmus.sandbox.business_central.company import Setup
from isthmus.sandbox.business_central.environment import Switches
from isthmus.sandbox.business_central.registry import all_areas
from isthmus.sandbox.dev_api import DevApi
from isthmus.sandbox.principals import Principal
from isthmus.sandbox.server import Sandbox, SandboxProcess

TEXT = (Path(__file__).parents[3] / "docs/sandbox.md").read_text("utf-8")


def properties(kind: object) -> set[str]:
    """Field names of a struct, or of the struct in a list or dict."""
    found = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    return {name for one in found for name in one.__struct_fields__}


SECTIONS = {name: kind for area in all_areas() for name, (kind, _) in area.seeds.items()}
SWITCHES = {name: kind for area in all_areas() for name, (kind, _) in area.switches.items()}
NAMES = (
    set(get_args(faults.Kind))
    | properties(faults.Fault) - {"kind"}
    | properties(faults.Match)
    | properties(Switches)
    | properties(Setup)
    | properties(Principal)
    | set(SECTIONS)
    | set(SWITCHES)
    | {name for kind in (*SECTIONS.values(), *SWITCHES.values()) for name in properties(kind)}
)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_name_is_documented(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_every_path_of_the_dev_api_is_documented() -> None:
    methods = ("get_", "post_", "delete_")
    for name in dir(DevApi):
        if name.startswith(methods):
            method, _, path = name.partition("_")
            lines = [line for line in TEXT.splitlines() if f"`{path}" in line and method.upper() in line]
            assert lines, name


def test_both_doors_have_the_documented_methods() -> None:
    start = TEXT.index("have the same methods: ")
    for name in TEXT[start : TEXT.index("\n\n", start)].split("`")[1::2]:
        assert callable(getattr(Sandbox, name))
        assert callable(getattr(SandboxProcess, name))


def test_the_seed_of_the_documentation_works(tmp_path: Path) -> None:
    block = TEXT.split("## Seed")[1].split("```yaml\n")[1].split("```")[0]
    path = tmp_path / "seed.yaml"
    path.write_text(block, "utf-8")
    with Sandbox(path, home=tmp_path / "home") as box:
        assert box.state()["companies"][0]["rows"]["accounts"] == 3
    assert seed.read(path)["companies"][0]["accounts"][0]["number"] == "1000"
