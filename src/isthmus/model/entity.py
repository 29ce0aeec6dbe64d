"""What an entity is, and the registry of all entities.

An entity is a frozen msgspec Struct whose fields are annotated with `about(...)`. Its **state** is the JSON form of a
record: a dict of plain values (Decimal as string, dates and times in ISO form), where an absent field means "not told",
null "known to be nothing" and "" "empty". States are what lenses read, bases hold and merges compare; the typed record
is made from a state where a step needs it.

A new entity is one new file in `isthmus.model.entities` with an `@entity` class; nothing else changes.
"""

from __future__ import annotations

import importlib
import pkgutil
import types
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from isthmus.model.spelling import spell
from isthmus.model.values import ScopeKind, aware_utc

State = dict[str, Any]
Side = Literal["finance", "operations", "shared"]
Sensitivity = Literal["plain", "personal", "secret"]
R = TypeVar("R", bound=Struct)


def about(
    description: str, *, owner: Side = "operations", sensitivity: Sensitivity = "plain", key: bool = False
) -> Meta:
    """Field metadata: what it is, who owns it unless the project says otherwise, how careful to be. `key`: list key."""
    return Meta(description=description, extra={"owner": owner, "sensitivity": sensitivity, "key": key})


class Field(Struct, frozen=True):
    """One field of an entity as other packages see it.

    `type` is one of text, decimal, int, bool, date, time, enum, list, struct, map.
    """

    path: str
    type: str
    required: bool
    nullable: bool
    description: str
    owner: Side
    sensitivity: Sensitivity
    key: bool
    choices: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()


class EntityType(Struct, frozen=True):
    """A kind of canonical record: name, scope, struct, and its number field (what people call it by)."""

    name: str
    scope: ScopeKind
    struct: type[Struct]
    number: str
    title: str
    #: path of the amount that totals and reconcile add up, "" when the entity has none
    amount: str
    currency: str
    fields: tuple[Field, ...]

    def field(self, path: str) -> Field | None:
        """The field at a dotted path; list elements are addressed without index: `lines.amount`."""
        found: Field | None = None
        fields = self.fields
        for part in path.split("."):
            found = next((field for field in fields if field.path == part), None)
            if found is None:
                return None
            fields = found.fields
        return found

    def paths(self) -> Iterator[str]:
        """All dotted paths, depth first."""
        yield from _paths(self.fields, "")

    def parse(self, state: Mapping[str, Any]) -> Struct:
        """The typed record of a state. Raises msgspec.ValidationError naming the path that does not fit."""
        return msgspec.convert(state, self.struct, strict=False)


def dump(record: Struct) -> State:
    """The state of a typed record: fields at their default are left out, values in the one spelling of `spell`."""
    plain = msgspec.to_builtins(record, builtin_types=(Decimal, date, datetime))
    return cast("State", _spelled(plain))


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _spelled(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(item) for item in value]
    return spell(value)


_REGISTRY: dict[str, EntityType] = {}


def entity(
    name: str, *, scope: ScopeKind, number: str, title: str, amount: str = "", currency: str = ""
) -> Callable[[type[R]], type[R]]:
    """Register the decorated Struct as entity `name`. Raises ValueError if the name is taken."""

    def register(struct: type[R]) -> type[R]:
        if name in _REGISTRY:
            raise ValueError(f"entity {name!r} is defined twice")
        _REGISTRY[name] = EntityType(name, scope, struct, number, title, amount, currency, _describe(struct))
        return struct

    return register


@cache
def entities() -> Mapping[str, EntityType]:
    """All entities by name, read from the modules of `isthmus.model.entities`."""
    package = importlib.import_module("isthmus.model.entities")
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
    return types.MappingProxyType(dict(sorted(_REGISTRY.items())))


class Record(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all entities and of their lines: refuses times without a zone and numbers that are float."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, datetime):
                aware_utc(value, name)
            elif isinstance(value, float):
                raise TypeError(f"{name} must be a Decimal, not float")


def _paths(fields: tuple[Field, ...], prefix: str) -> Iterator[str]:
    for field in fields:
        yield prefix + field.path
        yield from _paths(field.fields, f"{prefix}{field.path}.")


def _describe(struct: type[Struct], above: Meta | None = None) -> tuple[Field, ...]:
    """`above`: what is said of the field these are parts of; it holds for parts that say nothing themselves."""
    described = []
    hints = cast("msgspec.inspect.StructType", msgspec.inspect.type_info(struct))
    raw = _annotations(struct)
    for info in hints.fields:
        meta = next((m for m in raw.get(info.name, ()) if isinstance(m, Meta)), None)
        if meta is None:
            said = (above.extra or {}) if above is not None else {}
            meta = Meta(description=info.name, extra={**said, "key": False})
        extra = meta.extra or {}
        kind, nullable, choices, inner = _kind(info.type)
        described.append(
            Field(
                path=info.encode_name,
                type=kind,
                required=info.required,
                nullable=nullable,
                description=meta.description or "",
                owner=extra.get("owner", "operations"),
                sensitivity=extra.get("sensitivity", "plain"),
                key=extra.get("key", False),
                choices=choices,
                fields=_describe(inner, meta) if inner is not None else (),
            )
        )
    return tuple(described)


def _annotations(struct: type[Struct]) -> dict[str, tuple[Any, ...]]:

    hints = get_type_hints(struct, include_extras=True)
    return {name: _metadata(hint) for name, hint in hints.items()}


def _metadata(hint: Any) -> tuple[Any, ...]:
    found = tuple(getattr(hint, "__metadata__", ()))
    if not found and get_origin(hint) in {Union, types.UnionType}:
        for arg in get_args(hint):
            found += tuple(getattr(arg, "__metadata__", ()))
    return found


_PLAIN: tuple[tuple[type, str], ...] = (
    (msgspec.inspect.StrType, "text"),
    (msgspec.inspect.DecimalType, "decimal"),
    (msgspec.inspect.BoolType, "bool"),
    (msgspec.inspect.IntType, "int"),
    (msgspec.inspect.DateTimeType, "time"),
    (msgspec.inspect.DateType, "date"),
)


def _kind(info: Any) -> tuple[str, bool, tuple[str, ...], type[Struct] | None]:
    """(type name, nullable, enum choices, struct of nested fields)."""
    inspect = msgspec.inspect
    if isinstance(info, inspect.Metadata):
        return _kind(info.type)
    if isinstance(info, inspect.UnionType):
        rest = [t for t in info.types if not isinstance(t, inspect.NoneType)]
        kind, _, choices, inner = _kind(rest[0])
        return kind, len(rest) < len(info.types), choices, inner
    if isinstance(info, inspect.StructType):
        return "struct", False, (), info.cls
    if isinstance(info, inspect.VarTupleType | inspect.ListType):
        _, _, _, inner = _kind(info.item_type)
        return "list", False, (), inner
    if isinstance(info, inspect.LiteralType):
        return "enum", False, tuple(str(v) for v in info.values), None
    if isinstance(info, inspect.DictType):
        return "map", False, (), None
    for cls, name in _PLAIN:
        if isinstance(info, cls):
            return name, False, (), None
    raise TypeError(f"entity fields cannot be {info!r}")


#: The plain Python types a state value may be converted to.
PLAIN_TYPES: Mapping[str, type] = types.MappingProxyType(
    {"text": str, "decimal": Decimal, "int": int, "bool": bool, "date": date, "time": datetime}
)
