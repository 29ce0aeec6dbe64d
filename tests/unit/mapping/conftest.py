"""A made-up entity with a field of every type, and short ways to compile a mapping text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Struct

from isthmus.mapping.compiler import compile_lens
from isthmus.mapping.lens import Lens
from isthmus.mapping.problems import LensProblems
from isthmus.model.document import parse_document
from isthmus.model.entity import EntityType, Field


class _Machine(Struct):
    """Stands in for the typed record, which lenses do not need."""


def _field(path: str, kind: str, **more: Any) -> Field:
    settings = {
        "required": False,
        "nullable": True,
        "owner": "operations",
        "sensitivity": "plain",
        "key": False,
        **more,
    }
    return Field(path=path, type=kind, description=f"The {path}", **settings)


_ADDRESS = tuple(_field(name, "text") for name in ("line1", "line2", "city", "state", "postal_code", "country"))
_LINE = (
    _field("key", "text", required=True, nullable=False, key=True),
    _field("amount", "decimal"),
    _field("text", "text"),
    _field("on", "date"),
    _field("person", "text", sensitivity="personal"),
)
_FIELDS = (
    _field("number", "text", required=True, nullable=False, key=True),
    _field("name", "text"),
    _field("weight", "decimal"),
    _field("seats", "int"),
    _field("blocked", "bool"),
    _field("built_on", "date"),
    _field("seen_at", "time"),
    _field("status", "enum", choices=("open", "busy", "gone"), owner="finance"),
    _field("operator", "text", sensitivity="personal"),
    _field("address", "struct", fields=_ADDRESS),
    _field("tags", "list", nullable=False),
    _field("dimensions", "map", nullable=False),
    _field("location", "text"),
    _field("lines", "list", nullable=False, fields=_LINE),
    _field("extra", "map", nullable=False),
)
MACHINE = EntityType("machine", "company", _Machine, "number", "Machine", "", "", _FIELDS)
ENTITIES = {"machine": MACHINE}

Compile = Callable[..., Lens]


def compile_text(text: str, *overlays: str, **more: Any) -> Lens:
    """A lens of the made-up entity. Documents are called base.yaml, overlay1.yaml, overlay2.yaml ..."""
    documents = [parse_document(overlay, f"overlay{index}.yaml") for index, overlay in enumerate(overlays, 1)]
    return compile_lens(parse_document(text, "base.yaml"), overlays=documents, entities=ENTITIES, **more)


@pytest.fixture(name="compiled")
def compiled_fixture() -> Compile:
    """Compile fields given as text below a standard head: line 4 is the first rule."""

    def compile_fields(fields: str, *overlays: str, **more: Any) -> Lens:
        return compile_text(f"entity: machine\nnative: machines\nfields:\n{fields}\n", *overlays, **more)

    return compile_fields


@pytest.fixture(name="problems")
def problems_fixture(compiled: Compile) -> Callable[..., list[tuple[str, str, str]]]:
    """(code, file:line, text and suggestion) of every problem of a mapping."""

    def problems_of(fields: str, *overlays: str, **more: Any) -> list[tuple[str, str, str]]:
        with pytest.raises(LensProblems) as caught:
            compiled(fields, *overlays, **more)
        assert len(caught.value.findings) == len(caught.value.problems)
        return [(p.code, p.place, f"{p.text} | {p.suggestion}") for p in caught.value.problems]

    return problems_of


@pytest.fixture(name="machines")
def machines_fixture() -> dict[str, EntityType]:
    """The registry that holds the made-up entity only."""
    return ENTITIES
