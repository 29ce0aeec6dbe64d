"""docs/cafm-api.md and docs/cafm-sandbox.md say what the simulator does: fields, filters, statuses, codes, switches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from isthmus.sandbox.cafm.dev_api import DevApi
from isthmus.sandbox.cafm.dialect import KINDS
from isthmus.sandbox.cafm.entities import ENTITIES
from isthmus.sandbox.cafm.entity import SYSTEM, Entity, Field
from isthmus.sandbox.cafm.hook_faults import HookKind
from isthmus.sandbox.cafm.keys import Key
from isthmus.sandbox.cafm.seed import Head
from isthmus.sandbox.cafm.world import Switches

ROOT = Path(__file__).parents[4]
API = (ROOT / "docs" / "cafm-api.md").read_text("utf-8")
SANDBOX = (ROOT / "docs" / "cafm-sandbox.md").read_text("utf-8")
SOURCES = [path.read_text("utf-8") for path in (ROOT / "src/isthmus/sandbox/cafm").rglob("*.py")]
#: Whole sections of the page, by the entities their headings name.
SECTIONS = {
    name: body for body in re.split(r"^###? ", API, flags=re.M) for name in re.findall(r"\w+", body.split("\n")[0])
}
SECTIONS["webhooks"] = SECTIONS["Webhooks"]


def section(entity: Entity) -> str:
    return SECTIONS[entity.name]


def names(fields: tuple[Field, ...]) -> Iterator[str]:
    for field in fields:
        yield field.name
        yield from names((*field.members, *field.lines))


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=lambda one: one.name)
def test_fields_and_filters_are_documented(entity: Entity) -> None:
    text = section(entity)
    everywhere = {*SYSTEM, "externalId"}
    members = {"contact", "address"} & set(entity.by_name)
    shared = {name for name in names(entity.fields) if name in section(ENTITIES["vendors"]) and members}
    for name in set(names(entity.fields)) - everywhere - shared:
        assert f"`{name}`" in text or f'"{name}"' in text, name
    sentences = re.findall(r"[Ff]ilters?:? ([^.|]*)", text)
    told = {name for sentence in sentences for name in re.findall(r"`(\w+)`", sentence)}
    assert {*entity.filters, *entity.since} <= told


@pytest.mark.parametrize("entity", [one for one in ENTITIES.values() if one.statuses], ids=lambda one: one.name)
def test_ways_of_statuses_are_documented(entity: Entity) -> None:
    assert entity.statuses is not None
    told: set[tuple[str, str]] = set()
    text = section(entity)
    for start, ends in re.findall(r"(\w+) → ([\w, ()]+)", text):
        told |= {(start, end) for end in re.findall(r"\w+", re.sub(r"\([^)]*\)", "", ends))}
    for start, ends, by in re.findall(r"^\| ([\w, ]+) \| ([\w, ]+) \| `(\w+)` \|$", text, flags=re.M):
        if by == "status":
            told |= {(one, end) for one in start.split(", ") for end in ends.split(", ")}
    ways = {(start, end) for start, ends in entity.statuses.ways.items() for end in ends}
    assert {(start, end) for start, end in told if start in entity.statuses.ways} >= ways
    assert {
        (start, end) for start, end in told if end in entity.statuses.ways and start in entity.statuses.ways
    } <= ways


def test_codes_are_documented() -> None:
    code = r'"([a-z]+(?:_[a-z]+)*)"'
    said: set[str] = set()
    for text in SOURCES:
        said |= set(re.findall(rf"(?:wrong|Wrong|conflict|bad_request|unauthorized)\(\s*{code}", text))
        said |= set(re.findall(rf"Problem\(\s*\d+,\s*{code}", text))
    assert len(said) > 25
    table = API.split("| status | codes |")[1].split("\n\n")[0]
    assert said - set(re.findall(r"`(\w+)`", table)) == set()
    for told in re.findall(r"`([a-z_]+)`", re.sub(r"\(\+ [^)]*\)|with `\w+`", "", table)):
        assert any(f'"{told}"' in text for text in SOURCES), told


@pytest.mark.parametrize(
    "name",
    sorted(
        {*Switches.__struct_fields__, *Key.__struct_fields__, *KINDS, *get_args(HookKind)} | set(Head.__struct_fields__)
    ),
)
def test_what_can_be_set_is_documented(name: str) -> None:
    assert f"`{name}`" in SANDBOX or f"**{name}**" in SANDBOX or f"{name}:" in SANDBOX


def test_every_path_of_the_dev_api_is_documented() -> None:
    for name in dir(DevApi):
        method, _, path = name.partition("_")
        if method in {"get", "post", "delete"}:
            lines = [line for line in SANDBOX.splitlines() if f"`{path}" in line and method.upper() in line]
            assert lines, name


def test_the_example_of_a_signature_is_right() -> None:
    """With the secret the page names."""
    from isthmus.sandbox.cafm.sending import signature

    secret = re.search(r"secret `([^`]+)`", API)
    body = re.search(r'^(\{"deliveryId".*\})$', API, flags=re.M)
    told = re.search(r"X-Cafm-Signature: (\S+)", API)
    assert secret is not None
    assert body is not None
    assert told is not None
    assert signature(secret[1], body[1].encode()) == told[1]
