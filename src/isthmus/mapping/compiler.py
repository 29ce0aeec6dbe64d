"""`compile_lens`: mapping documents to a lens, with all problems at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isthmus.mapping.checks import LevelCompiler
from isthmus.mapping.context import NativeInfo
from isthmus.mapping.lens import Lens
from isthmus.mapping.problems import LensProblems, Problem, did_you_mean
from isthmus.mapping.rules import parse_rules
from isthmus.mapping.surroundings import Surroundings
from isthmus.mapping.tables import LookupTable
from isthmus.model.document import Document
from isthmus.model.entity import EntityType
from isthmus.model.entity import entities as known_entities


def compile_lens(
    document: Document,
    *,
    overlays: Sequence[Document] = (),
    entities: Mapping[str, EntityType] | None = None,
    native_fields: Mapping[str, NativeInfo] | None = None,
    tables: Mapping[str, LookupTable] | None = None,
    two_way: bool = False,
) -> Lens:
    """Compile a mapping document with its overlays (later ones win).

    Args:
        document: the base, as shipped with the connector or written for a project.
        overlays: documents of the same shape that add, replace or remove (null) rules and add `extra`.
        entities: canonical entities; the built-in ones unless given.
        native_fields: what the native side has, by name; None = not known, then natives are not checked.
        tables: lookup tables known now; None = not known. Tables of the LensContext win at run time.
        two_way: the flow writes back through this lens, so rules that cannot be inverted are problems.

    Raises LensProblems holding every problem found, each with file, line and suggestion.
    """
    registry = known_entities() if entities is None else entities
    source, problems = parse_rules(document, overlays, registry)
    entity = registry.get(source.entity)
    if entity is None:
        if source.entity:
            line = document.line(("entity",))
            text = f'there is no entity "{source.entity}"'
            hint = did_you_mean(source.entity, registry) or f"Known are {', '.join(registry)}."
            problems.append(Problem("unknown_entity", text, document.file, line, "", hint))
        raise LensProblems(problems)
    around = Surroundings(
        tables=tables,
        two_way=two_way and source.way == "both",
        way=source.way,
        problems=problems,
        file=document.file,
    )
    level = LevelCompiler(around, entity.fields, native_fields, name=entity.name)
    plans = level.compile(source.rules)
    level.check_keep(source.keep, document)
    if problems:
        raise LensProblems(problems)
    return Lens(entity, source.native, document.file, plans, source.keep)
