"""Steps of a rule: converters, lookup and reference, in reading order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from isthmus.mapping.context import LensContext
from isthmus.mapping.converters.base import Converter
from isthmus.mapping.failure import LookupMissing, ReferenceMissing
from isthmus.mapping.plain import text_of
from isthmus.mapping.plan import Step
from isthmus.mapping.tables import LookupTable, table_text

MISSING = ("finding", "default", "null", "keep")


def converter_step(label: str, converter: Converter) -> Step:
    """A converter as a step; None passes by unless the converter has a word for it."""
    read, write = converter.read, converter.write
    return Step(
        label,
        lambda value, _: read(value),
        lambda value, _: write(value),
        nulls=converter.nulls,
        lossy=converter.lossy,
    )


def lookup_step(
    name: str, missing: str, default: Any, compiled: Mapping[str, LookupTable], *, two_way: bool, masked: bool
) -> Step:
    """Key -> value of a lookup table; tables of the context win over those known when compiling."""

    def table_of(context: LensContext) -> LookupTable:
        table = context.tables.get(name) or compiled.get(name)
        if table is None:
            raise LookupMissing(f"there is no lookup table {name}", mend=f"Create lookup table {name}.")
        return table

    def read(value: Any, context: LensContext) -> Any:
        found = table_of(context).get(value)
        if found is not None:
            return found
        if value == "":
            return value
        if missing == "keep":
            return value
        if missing != "finding":
            return default if missing == "default" else None
        row = "a row" if masked else f'a row "{table_text(value)}"'
        raise LookupMissing(f"lookup table {name} has no row for it", mend=f"Add {row} to lookup table {name}.")

    def write(value: Any, context: LensContext) -> Any:
        table = table_of(context)
        text = table_text(value)
        key = table.key(text)
        if key is not None and two_way and text in table.repeated:
            keys = ", ".join(table.repeated[text])
            raise LookupMissing(
                f"lookup table {name} gives it for several keys ({keys})",
                mend=f"Leave one row with that value in lookup table {name}, or map the field one way.",
            )
        if key is not None:
            return key
        if value == "" or missing == "keep":
            return value
        wanted = "that value" if masked else f'the value "{text}"'
        raise LookupMissing(
            f"lookup table {name} has no row with this value", mend=f"Add a row with {wanted} to lookup table {name}."
        )

    return Step(f"lookup {name}", read, write)


def ref_step(entity: str, *, masked: bool) -> Step:
    """Native id <-> number of the record it points to."""

    def named(number: str) -> str:
        return f"{entity}" if masked else f'{entity} "{number}"'

    def read(value: Any, context: LensContext) -> Any:
        native_id = text_of(value)
        if native_id == "":
            return None
        number = context.refs.number(entity, native_id) if context.refs is not None else None
        if number is None:
            raise ReferenceMissing(
                f"{named(native_id)}, an id that is not linked yet",
                mend=f"It goes on by itself when that {entity} has been read; check that a flow reads {entity}.",
            )
        return number

    def write(value: Any, context: LensContext) -> Any:
        number = text_of(value)
        if number == "":
            return None
        native_id = context.refs.native_id(entity, number) if context.refs is not None else None
        if native_id is None:
            raise ReferenceMissing(
                f"{named(number)}, which is not linked in the target yet",
                mend=f"It goes on by itself when that {entity} is delivered or linked.",
            )
        return native_id

    return Step(f"ref {entity}", read, write)


Chain = Callable[[Any, LensContext], Any]


def reading_chain(steps: tuple[Step, ...]) -> Chain | None:
    """All reads in order, stopping at None; None for no steps."""
    if not steps:
        return None
    if len(steps) == 1:
        return steps[0].read
    reads = tuple(step.read for step in steps)

    def run(value: Any, context: LensContext) -> Any:
        for read in reads:
            if value is None:
                return None
            value = read(value, context)
        return value

    return run


def writing_chain(steps: tuple[Step, ...]) -> Chain:
    """All writes in reverse order; None is shown to steps with a word for it only."""
    writes = tuple((step.write, step.nulls) for step in reversed(steps))

    def run(value: Any, context: LensContext) -> Any:
        for write, nulls in writes:
            if value is not None or nulls:
                value = write(value, context)
        return value

    return run
