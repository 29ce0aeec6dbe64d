"""All converters by name, and the reading of a `via:` entry."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any

from isthmus.mapping.converters import addresses, codes, numbers, times, words
from isthmus.mapping.converters.base import BadOptions, Converter, Kind
from isthmus.mapping.problems import did_you_mean

#: Every converter. Adding one means a Kind in one of the family files, its docs and its law test.
CONVERTERS: Mapping[str, Kind] = types.MappingProxyType(
    {kind.name: kind for family in (words, numbers, times, codes, addresses) for kind in family.KINDS}
)


class UnknownConverter(BadOptions):
    """There is no converter of that name. `suggestion` names the closest one."""

    def __init__(self, name: str) -> None:
        super().__init__(f'there is no converter "{name}"')
        self.suggestion = did_you_mean(name, CONVERTERS)


def build_converter(entry: Any) -> tuple[str, Converter]:
    """(label, converter) of one `via:` entry: a name, or a mapping of one name to its options. Raises BadOptions."""
    if isinstance(entry, str):
        name, given = entry, None
    elif isinstance(entry, Mapping) and len(entry) == 1:
        name, given = next(iter(entry.items()))
    else:
        raise BadOptions('a converter is a name ("trim") or one name with options ({date: "%Y-%m-%d"})')
    kind = CONVERTERS.get(name)
    if kind is None:
        raise UnknownConverter(str(name))
    options = _options(kind, given)
    label = name if given is None else f"{name} {_shown(given)}"
    return label, kind.build(options)


def _options(kind: Kind, given: Any) -> Mapping[str, Any]:
    if given is None:
        options: Mapping[str, Any] = {}
    elif isinstance(given, Mapping):
        options = given
    elif kind.short:
        options = {kind.short: given}
    else:
        raise BadOptions(
            f"{kind.name} takes {'its options as a mapping' if kind.options or kind.open else 'no options'}"
        )
    if not kind.open and (unknown := [name for name in options if name not in kind.options]):
        known = ", ".join(kind.options) or "none"
        raise BadOptions(f"{kind.name} has no option {unknown[0]!r}; it has: {known}")
    if missing := [name for name in kind.required if name not in options]:
        raise BadOptions(f"{kind.name} needs {' and '.join(missing)}")
    return options


def _shown(given: Any) -> str:
    if isinstance(given, Mapping):
        return "{" + ", ".join(f"{name}: {_shown(value)}" for name, value in given.items()) + "}"
    if isinstance(given, list):
        return "[" + ", ".join(_shown(value) for value in given) + "]"
    return str(given)
