"""The mapping sheet: every rule as a row that a person can check without reading YAML."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from isthmus.mapping.explaining import source_of, transformation
from isthmus.mapping.plan import Plan


class SheetRow(Struct, frozen=True):
    """One row of the mapping sheet.

    source          native field or fields, `list.field` within elements
    target          canonical path
    transformation  converters, lookup, default, formula, condition
    direction       `both`, `read` or `write`, with the reason where one way only
    ownership       side that owns the field unless the project says otherwise: finance, operations, shared
    type            canonical type
    sensitivity     plain, personal or secret
    description     what the field means
    place           file and line of the rule
    """

    source: str
    target: str
    transformation: str
    direction: str
    ownership: str
    type: str
    required: bool
    sensitivity: str
    description: str
    place: str


#: Column names of the sheet, in order.
COLUMNS = SheetRow.__struct_fields__


def sheet(plans: tuple[Plan, ...]) -> tuple[SheetRow, ...]:
    """Rows of all rules, list elements below their list."""
    return tuple(_rows(plans, ""))


def _rows(plans: tuple[Plan, ...], prefix: str) -> Iterator[SheetRow]:
    for plan in plans:
        yield SheetRow(
            source=source_of(plan) if plan.kind in {"formula", "value"} else _source(plan, prefix),
            target=plan.path,
            transformation=transformation(plan),
            direction=_direction(plan),
            ownership=plan.field.owner,
            type=plan.field.type,
            required=plan.field.required,
            sensitivity=plan.field.sensitivity,
            description=str(plan.rule.options.get("note") or plan.field.description),
            place=plan.rule.place,
        )
        inner = prefix if plan.natives == ("self",) else f"{prefix}{plan.natives[0]}." if plan.natives else prefix
        yield from _rows(plan.sub, inner)


def _source(plan: Plan, prefix: str) -> str:
    if plan.natives == ("self",):
        return source_of(plan)
    return " + ".join(prefix + name for name in plan.natives)


def _direction(plan: Plan) -> str:
    if plan.reads and plan.writes:
        return f"both ({plan.one_way})" if plan.one_way else "both"
    if plan.writes:
        return "write"
    return f"read ({plan.one_way})" if plan.one_way else "read"
