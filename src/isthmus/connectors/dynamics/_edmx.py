"""Reading `$metadata`: which sets a service has and which fields they hold.

The parser knows no document types and no entities: a metadata document has none, and one that has is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.parsers import expat

from msgspec import Struct

from isthmus.contract.connector import NativeField, NativeType
from isthmus.errors import Retry

_TYPES: Mapping[str, NativeType] = {
    "Edm.String": "text",
    "Edm.Decimal": "decimal",
    "Edm.Double": "decimal",
    "Edm.Int16": "int",
    "Edm.Int32": "int",
    "Edm.Int64": "int",
    "Edm.Boolean": "bool",
    "Edm.Date": "date",
    "Edm.DateTimeOffset": "time",
    "Edm.Guid": "id",
}


class Metadata(Struct, frozen=True):
    """Sets -> name of their type; types -> their fields; types -> navigation name and type of what it leads to."""

    sets: Mapping[str, str]
    fields: Mapping[str, tuple[NativeField, ...]]
    parts: Mapping[str, Mapping[str, str]]

    def describe(self, entity_set: str) -> tuple[NativeField, ...]:
        """Fields of a set, with the collections it contains as lists; empty for a set that does not exist."""
        name = self.sets.get(entity_set)
        if name is None:
            return ()
        lists = tuple(
            NativeField(name=part, type="list", fields=self.fields.get(target, ()))
            for part, target in self.parts.get(name, {}).items()
        )
        return self.fields.get(name, ()) + lists


def parse_metadata(text: bytes) -> Metadata:
    """Parse an EDMX document. Raises Retry when it is not one (a gateway's page, a torn answer)."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, _DoctypeFound):
        raise Retry("the metadata of the service cannot be read.", code="metadata") from None
    return Metadata(reader.sets, {name: tuple(fields) for name, fields in reader.fields.items()}, reader.parts)


class _DoctypeFound(ValueError):
    pass


def _refuse_doctype(*_: object) -> None:
    raise _DoctypeFound


class _Reader:
    def __init__(self) -> None:
        self.sets: dict[str, str] = {}
        self.fields: dict[str, list[NativeField]] = {}
        self.parts: dict[str, dict[str, str]] = {}
        self._type = ""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if name in {"EntityType", "ComplexType"}:
            self._type = attributes.get("Name", "")
            self.fields.setdefault(self._type, [])
        elif name == "Property" and self._type:
            self.fields[self._type].append(_field(attributes))
        elif name == "NavigationProperty" and self._type:
            target = attributes.get("Type", "")
            if target.startswith("Collection("):
                self.parts.setdefault(self._type, {})[attributes.get("Name", "")] = _short(target[11:-1])
        elif name == "EntitySet":
            self.sets[attributes.get("Name", "")] = _short(attributes.get("EntityType", ""))

    def end(self, tag: str) -> None:
        if tag.rpartition(" ")[2] in {"EntityType", "ComplexType"}:
            self._type = ""


def _short(qualified: str) -> str:
    return qualified.rpartition(".")[2]


def _field(attributes: Mapping[str, str]) -> NativeField:
    kind = attributes.get("Type", "")
    length = attributes.get("MaxLength", "")
    fallback: NativeType = "unknown" if kind.startswith("Edm.") else "enum"
    return NativeField(
        name=attributes.get("Name", ""),
        type=_TYPES.get(kind, fallback),
        max_length=int(length) if length.isdigit() else None,
    )
