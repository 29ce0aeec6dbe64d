"""Which other records a state or a native record refers to: asked for at once, before a lens runs over a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from isthmus.mapping.plain import text_of
from isthmus.mapping.plan import ABSENT, Plan, get_native, get_state

#: (entity, number) of a state, (entity, native id) of a native record.
Pair = tuple[str, str]
Getter = Callable[[Mapping[str, Any]], Any]


class Finder(Struct, frozen=True):
    """Finds the references of one level of a lens, and of the lists below it."""

    direct: tuple[tuple[str, Getter], ...]
    lists: tuple[tuple[Getter, Finder], ...]

    def find(self, data: Mapping[str, Any]) -> Iterator[Pair]:
        """All references in `data`; empty ones are none."""
        for entity, get in self.direct:
            value = get(data)
            if value is not ABSENT and value is not None and (text := text_of(value)):
                yield entity, text
        for get, finder in self.lists:
            rows = get(data)
            if isinstance(rows, list | tuple):
                for row in rows:
                    if isinstance(row, Mapping):
                        yield from finder.find(row)

    def entities(self) -> frozenset[str]:
        """Entities it finds references to."""
        own = frozenset(entity for entity, _ in self.direct)
        return own.union(*(finder.entities() for _, finder in self.lists))

    def __bool__(self) -> bool:
        return bool(self.direct or self.lists)


def in_states(plans: Sequence[Plan]) -> Finder:
    """Finds (entity, number) in what a lens writes."""
    return _finder(plans, lambda plan: plan.writes, lambda plan: _of_state(plan.parts))


def in_natives(plans: Sequence[Plan]) -> Finder:
    """Finds (entity, native id) in what a lens reads."""
    return _finder(plans, lambda plan: plan.reads, _of_native)


def _finder(plans: Sequence[Plan], wanted: Callable[[Plan], bool], getter: Callable[[Plan], Getter]) -> Finder:
    taken = [plan for plan in plans if wanted(plan)]
    direct = tuple((str(plan.rule.options["ref"]), getter(plan)) for plan in taken if "ref" in plan.rule.options)
    lists = tuple(
        (getter(plan), finder)
        for plan in taken
        if plan.kind == "each" and (finder := _finder(plan.sub, wanted, getter))
    )
    return Finder(direct, lists)


def _of_state(parts: tuple[str, ...]) -> Getter:
    return lambda state: get_state(state, parts)


def _of_native(plan: Plan) -> Getter:
    if plan.natives == ("self",):
        return lambda data: [data]
    return get_native(plan.natives[0])
