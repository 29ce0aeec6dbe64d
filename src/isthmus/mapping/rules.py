"""Mapping documents as rules: what stands where, overlays laid over the base. Nothing is checked for meaning here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from isthmus.mapping.problems import Problem, did_you_mean, place
from isthmus.model.document import Document, Path
from isthmus.model.entity import EntityType

#: What a field rule may say.
RULE_KEYS = (
    "at", "value", "join", "with", "formula", "each", "key", "fields", "keep",
    "via", "lookup", "missing", "default", "ref", "when", "cut", "max", "type", "way", "note",
)  # fmt: skip
TOP_KEYS = ("entity", "native", "number", "fields", "extra", "keep", "way", "note")
WAYS = ("read", "write", "both")


class Rule(Struct, frozen=True, kw_only=True):
    """One field rule and where it stands. `parts` is the canonical path within its level, `path` the whole one."""

    parts: tuple[str, ...]
    path: str
    options: Mapping[str, Any]
    file: str
    line: int | None
    sub: tuple[Rule, ...] = ()

    @property
    def place(self) -> str:
        """`mappings/vendor.yaml:12`"""
        return place(self.file, self.line)

    def problem(self, code: str, text: str, suggestion: str = "") -> Problem:
        """A problem of this rule."""
        return Problem(code, text, self.file, self.line, self.path, suggestion)


class Source(Struct, frozen=True, kw_only=True):
    """A lens as written, overlays applied."""

    entity: str
    native: str
    way: str
    rules: tuple[Rule, ...]
    keep: tuple[str, ...]
    file: str
    note: str = ""


Level = dict[tuple[str, ...], Rule]


def parse_rules(
    document: Document, overlays: Sequence[Document], entities: Mapping[str, EntityType]
) -> tuple[Source, list[Problem]]:
    """The rules of a document with its overlays, and what is wrong with its form."""
    reader = _Reader(entities)
    reader.take(document, overlay=False)
    for overlay in overlays:
        reader.take(overlay, overlay=True)
    source = Source(
        entity=reader.entity,
        native=reader.native,
        way=reader.way,
        rules=tuple(reader.level.values()),
        keep=tuple(dict.fromkeys(reader.keep)),
        file=document.file,
        note=reader.note,
    )
    return source, reader.problems


class _Reader:
    def __init__(self, entities: Mapping[str, EntityType]) -> None:
        self.entities = entities
        self.entity = ""
        self.native = ""
        self.way = "both"
        self.note = ""
        self.level: Level = {}
        self.keep: list[str] = []
        self.problems: list[Problem] = []

    def take(self, document: Document, *, overlay: bool) -> None:
        data = document.data
        if not isinstance(data, dict):
            self._report(document, (), "form", "a mapping document is a mapping of entity, native, fields")
            return
        for name in data:
            if name not in TOP_KEYS:
                hint = did_you_mean(name, TOP_KEYS) or f"A mapping document holds {', '.join(TOP_KEYS)}."
                self._report(document, (name,), "unknown_key", f'"{name}" means nothing here', hint)
        self._head(document, data, overlay=overlay)
        fields = data.get("fields")
        if not isinstance(fields, dict | None):
            self._report(document, ("fields",), "form", "fields must be a mapping of canonical field -> rule")
        elif fields:
            self._fields(document, fields, ("fields",), "", self.level)
        self._number(document, data)
        self._extra(document, data.get("extra"))
        self.keep += _names(data.get("keep"))

    def _head(self, document: Document, data: dict[str, Any], *, overlay: bool) -> None:
        entity = str(data.get("entity") or "")
        if overlay and entity and entity != self.entity:
            text = f'this overlay is for "{entity}", the mapping it changes is for "{self.entity}"'
            self._report(document, ("entity",), "form", text)
        elif not overlay:
            self.entity = entity
        if not entity and not overlay:
            self._report(document, (), "form", "the mapping does not say which entity it is for", "Add `entity: ...`.")
        self.native = str(data.get("native") or self.native)
        if not self.native and not overlay:
            self._report(document, (), "form", "the mapping does not name the native set", "Add `native: ...`.")
        self.way = str(data.get("way") or self.way)
        if self.way not in WAYS:
            self._report(document, ("way",), "form", f'way is "{self.way}", it must be read, write or both')
        self.note = str(data.get("note") or self.note)

    def _number(self, document: Document, data: dict[str, Any]) -> None:
        """`number:` at the top is the rule of whatever field the entity is numbered by."""
        if "number" not in data:
            return
        entity = self.entities.get(self.entity)
        name = entity.number if entity is not None else "number"
        if name in (data.get("fields") or {}):
            line = document.line(("fields", name))
            hint = f"The other rule stands at {place(document.file, line)}: keep one."
            text = f'"{name}" is mapped twice: it is the number of {self.entity}'
            self._report(document, ("number",), "duplicate_target", text, hint, name)
            return
        self._fields(document, {name: data["number"]}, (), "", self.level, at_top="number")

    def _fields(
        self, document: Document, fields: dict[str, Any], at: Path, prefix: str, level: Level, *, at_top: str = ""
    ) -> None:
        for name, data in fields.items():
            parts = tuple(name.split("."))
            where = (*at, at_top or name)
            if data is None:
                self._remove(document, where, parts, level)
                continue
            known = level.get(parts)
            if known is not None and isinstance(data, dict) and _extends(known, data):
                level[parts] = self._extended(document, where, known, data)
                continue
            rule = self._rule(document, where, parts, f"{prefix}{name}", data)
            if rule is not None:
                level[parts] = rule

    def _remove(self, document: Document, where: Path, parts: tuple[str, ...], level: Level) -> None:
        if level.pop(parts, None) is None:
            names = [".".join(other) for other in level]
            name = ".".join(parts)
            self._report(
                document, where, "nothing_to_remove", f'there is no rule "{name}" to remove', did_you_mean(name, names)
            )

    def _rule(self, document: Document, where: Path, parts: tuple[str, ...], path: str, data: Any) -> Rule | None:
        if isinstance(data, str):
            data = {"at": data}
        if not isinstance(data, dict):
            hint = "Write {at: NativeField} or {value: constant}; names such as No, Yes or 2024 need quotes."
            self._report(document, where, "form", f'the rule of "{path}" must be a mapping', hint, path)
            return None
        self._known_keys(document, where, path, data)
        inner: Level = {}
        if isinstance(data.get("fields"), dict):
            self._fields(document, data["fields"], (*where, "fields"), f"{path}.", inner)
        return Rule(
            parts=parts,
            path=path,
            options={name: value for name, value in data.items() if name != "fields"},
            file=document.file,
            line=document.line(where),
            sub=tuple(inner.values()),
        )

    def _known_keys(self, document: Document, where: Path, path: str, data: dict[str, Any]) -> None:
        for name in data:
            if name not in RULE_KEYS:
                hint = did_you_mean(name, RULE_KEYS) or f"A rule may say {', '.join(RULE_KEYS)}."
                text = f'"{name}" means nothing in the rule of "{path}"'
                self._report(document, (*where, name), "unknown_key", text, hint, path)

    def _extended(self, document: Document, where: Path, known: Rule, data: dict[str, Any]) -> Rule:
        """A list rule of the base with element rules added, replaced or removed one by one."""
        self._known_keys(document, where, known.path, data)
        inner: Level = {rule.parts: rule for rule in known.sub}
        self._fields(document, data.get("fields") or {}, (*where, "fields"), f"{known.path}.", inner)
        options = {**known.options, **{name: value for name, value in data.items() if name != "fields"}}
        return Rule(
            parts=known.parts,
            path=known.path,
            options=options,
            file=known.file,
            line=known.line,
            sub=tuple(inner.values()),
        )

    def _extra(self, document: Document, extra: Any) -> None:
        if extra is None:
            return
        if not isinstance(extra, list):
            self._report(document, ("extra",), "form", "extra must be a list of native field names")
            return
        for index, item in enumerate(extra):
            entry = {"at": item} if isinstance(item, str) else item
            where = ("extra", index)
            if not isinstance(entry, dict) or not isinstance(entry.get("at"), str):
                hint = "Write - warrantyCode or - {at: warrantyCode, name: warranty, type: text}."
                self._report(document, where, "form", "an entry of extra is a native field name", hint)
                continue
            name = str(entry.get("name", entry["at"]))
            options = {key: value for key, value in entry.items() if key != "name"}
            rule = self._rule(document, where, ("extra", name), f"extra.{name}", options)
            if rule is not None:
                self.level[rule.parts] = rule

    def _report(
        self, document: Document, where: Path, code: str, text: str, suggestion: str = "", path: str = ""
    ) -> None:
        self.problems.append(Problem(code, text, document.file, document.line(where), path, suggestion))


def _extends(known: Rule, data: dict[str, Any]) -> bool:
    """An overlay that gives only fields (or key, keep) of a list goes on with the list the base describes."""
    return "each" in known.options and "each" not in data and not {"at", "value", "formula", "join"} & set(data)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        yield from (str(name) for name in value)
    elif isinstance(value, str):
        yield value
