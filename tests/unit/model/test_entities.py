"""The registry of entities: complete, self-describing, and open to a new file that touches no other."""

from __future__ import annotations

import importlib
import sys
from typing import get_args

import pytest

import isthmus.model.entity as registry
from isthmus.model.entity import Sensitivity, Side, entities

ALL = sorted(entities().items())
NEW_ENTITY = '''
"""A new kind of record."""

from typing import Annotated

from isthmus.model.entity import Record, about, entity


@entity("warranty", scope="company", number="number", title="Warranty")
class Warranty(Record, frozen=True, kw_only=True):
    """A promise of the maker."""

    number: Annotated[str, about("Warranty number", key=True)]
'''


@pytest.fixture
def open_registry(monkeypatch, tmp_path):
    """A folder whose files join the package of entities; the registry of this process is left as it was."""
    package = importlib.import_module("isthmus.model.entities")
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    entities.cache_clear()
    yield tmp_path
    entities.cache_clear()
    sys.modules.pop("isthmus.model.entities.warranties", None)
    vars(package).pop("warranties", None)


def test_a_new_file_joins_without_touching_another(open_registry):
    (open_registry / "warranties.py").write_text(NEW_ENTITY)
    known = entities()
    assert set(known) == {name for name, _ in ALL} | {"warranty"}
    assert known["warranty"].parse({"number": "W1"}).number == "W1"
    assert known["warranty"].field("number").key


def test_a_name_is_taken_once(open_registry):
    assert entities()
    register = registry.entity("vendor_test", scope="company", number="number", title="x")
    register(entities()["asset"].struct)
    with pytest.raises(ValueError, match="'vendor_test' is defined twice"):
        register(entities()["asset"].struct)


def test_the_registry_cannot_be_changed_from_outside():
    with pytest.raises(TypeError):
        entities()["x"] = entities()["asset"]


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_every_field_is_described_owned_and_classified(name, kind):
    for path in kind.paths():
        field = kind.field(path)
        assert field.description, f"{name}.{path}"
        assert field.owner in get_args(Side), f"{name}.{path}"
        assert field.sensitivity in get_args(Sensitivity), f"{name}.{path}"
        if "." not in path or kind.field(path.rpartition(".")[0]).type == "list":
            assert field.description != field.path, f"{name}.{path} has no words of its own"


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_every_entity_says_how_it_is_called_and_added_up(name, kind):
    assert kind.title
    assert kind.struct.__doc__
    number = kind.field(kind.number)
    assert number is not None
    assert number.key
    assert number.required
    if kind.amount:
        assert kind.field(kind.amount).type == "decimal"
        assert not kind.currency or kind.field(kind.currency).type == "text"  # quantities have none


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_lists_merge_by_a_key_and_choices_are_listed(name, kind):
    for path in kind.paths():
        field = kind.field(path)
        if field.type == "list" and field.fields:
            assert [inner.path for inner in field.fields if inner.key], f"{name}.{path} has no key field"
        if field.type == "enum":
            assert field.choices, f"{name}.{path}"


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_records_are_frozen_and_refuse_unknown_types(name, kind):
    with pytest.raises(Exception, match=r"\$"):
        kind.parse({kind.number: ["not", "text"]})
    assert kind.struct.__struct_config__.frozen, name


def test_paths_name_list_elements_without_index():
    work_order = entities()["work_order"]
    assert work_order.field("lines.amount").type == "decimal"
    assert work_order.field("lines.employee").sensitivity == "personal"
    assert work_order.field("lines.nothing") is None
    assert work_order.field("nothing.amount") is None
    assert {"number", "lines", "lines.amount", "extra"} <= set(work_order.paths())
