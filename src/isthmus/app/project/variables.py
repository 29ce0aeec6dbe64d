"""`${name}` in isthmus.yaml: what it stands for, and where the value may come from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from isthmus.app.project.problems import Problems, dotted
from isthmus.app.project.spelling import suggestion
from isthmus.errors import ConfigurationError
from isthmus.model.document import Document
from isthmus.model.document import Path as Place

_USE = re.compile(r"\$\{([^{}]*)(\}?)")
#: ISTHMUS_HOME and the like mean something already.
_TAKEN = frozenset({"home", "project", "settle"})


def variable_of_environment(name: str) -> str:
    """`data` -> `ISTHMUS_DATA`."""
    return "ISTHMUS_" + name.replace("-", "_").upper()


def read_variables(
    document: Document,
    *,
    folder: Path,
    sets: Mapping[str, str],
    environ: Mapping[str, str],
    cwd: Path,
    problems: Problems,
) -> Mapping[str, str]:
    """The value of each variable of the project: --set wins over the environment, that over isthmus.yaml.

    A path of isthmus.yaml counts from the project folder, one given from outside from the current directory.
    """
    declared = document.data.get("variables") if isinstance(document.data, Mapping) else None
    names = declared if isinstance(declared, Mapping) else {}
    for name in sets:
        if name not in names:
            hint = suggestion(name, names, nothing="This project has no variables (isthmus.yaml, variables).")
            problems.add(ConfigurationError(f"--set {name}: there is no such variable:", hint=hint))
    values: dict[str, str] = {}
    for name, default in names.items():
        at: Place = ("variables", name)
        if name in _TAKEN:
            problems.add(document.error(at, f"a variable cannot be called {name!r}: ISTHMUS_{name.upper()} is taken."))
        is_text = isinstance(default, Mapping)
        start = default.get("text") if isinstance(default, Mapping) else default
        outside, origin = _from_outside(name, sets, environ)
        if outside is not None and is_text:
            values[name] = outside
        elif outside is not None:
            values[name] = _outside_path(name, outside, origin, cwd, problems)
        elif isinstance(start, str):
            values[name] = start if is_text else str(folder / Path(start).expanduser())
    return values


def _from_outside(name: str, sets: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str | None, str]:
    if name in sets:
        return sets[name], f"--set {name}={sets[name]}"
    key = variable_of_environment(name)
    return (environ[key], f"{key}={environ[key]}") if environ.get(key) else (None, "")


def _outside_path(name: str, value: str, origin: str, cwd: Path, problems: Problems) -> str:
    path = (cwd / Path(value).expanduser()).absolute()
    if not value.strip():
        problems.add(ConfigurationError(f"{origin} is empty: name a folder, such as --set {name}=../data."))
    elif not path.exists():
        problems.add(
            ConfigurationError(
                f"{origin}: there is no {path}.",
                hint=f"A path given with --set or {variable_of_environment(name)} counts from the current directory.",
            )
        )
    return str(path)


def expand(document: Document, values: Mapping[str, str], problems: Problems) -> Any:
    """The data of isthmus.yaml with every `${name}` replaced, except under `variables`."""

    def replace(text: str, at: Place) -> str:
        return _USE.sub(lambda use: _value(use, document, at, values, problems), text)

    data = document.data
    if not isinstance(data, Mapping):
        return data
    return {name: part if name == "variables" else _walk(part, (name,), replace) for name, part in data.items()}


def expand_text(text: str, document: Document, at: Place, values: Mapping[str, str], problems: Problems) -> str | None:
    """`text` with every `${name}` replaced, None after a problem."""
    here = Problems()
    found = _USE.sub(lambda use: _value(use, document, at, values, here), text)
    if here:
        problems.add(here.error())
        return None
    return found


def _value(use: re.Match[str], document: Document, at: Place, values: Mapping[str, str], problems: Problems) -> str:
    name = use[1].strip()
    if not use[2]:
        problems.add(document.error(at, f"{dotted(at)}: '${{{name}' has no closing brace."))
    elif name not in values:
        hint = suggestion(name, values, nothing="Give it a value in isthmus.yaml under variables.")
        problems.add(document.error(at, f"{dotted(at)}: there is no variable {name!r}:", hint=hint))
    return values.get(name, use[0])


def _walk(value: Any, at: Place, replace: Callable[[str, Place], str]) -> Any:
    if isinstance(value, str):
        return replace(value, at)
    if isinstance(value, Mapping):
        return {name: _walk(item, (*at, name), replace) for name, item in value.items()}
    if isinstance(value, list):
        return [_walk(item, (*at, index), replace) for index, item in enumerate(value)]
    return value
