"""All problems of a project at once, each with file and line, in words for the person who wrote the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from isthmus.app.project.spelling import closest, suggestion
from isthmus.app.secrets import is_secret_name
from isthmus.errors import ConfigurationError
from isthmus.model.document import Document, Path

M = TypeVar("M", bound=BaseModel)
_LONGEST_VALUE = 60


class ProjectProblems(ConfigurationError):
    """One or more problems of a project. `problems` holds each; `file` and `line` are those of the first.

    `message` lists them without place, `str()` with it, one per line.
    """

    code = "project"

    def __init__(self, problems: Sequence[ConfigurationError]) -> None:
        first = problems[0]
        message = first.message if len(problems) == 1 else "; ".join(problem.message for problem in problems)
        super().__init__(message, hint=first.hint, file=first.file, line=first.line)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        lines = [f"{len(self.problems)} problems in this project:", *(str(problem) for problem in self.problems)]
        return "\n".join(lines)


class Problems:
    """Collects problems while files are read, so that a person sees all of them in one pass."""

    def __init__(self) -> None:
        self._found: list[ConfigurationError] = []

    def add(self, problem: ConfigurationError) -> None:
        """Remember one problem; those of a ProjectProblems are remembered one by one."""
        self._found.extend(problem.problems if isinstance(problem, ProjectProblems) else (problem,))

    def extend(self, problems: Iterable[ConfigurationError]) -> None:
        """Remember several."""
        for problem in problems:
            self.add(problem)

    def __bool__(self) -> bool:
        return bool(self._found)

    def error(self) -> ProjectProblems:
        """All of them as one error, in the order of file and line."""
        return ProjectProblems(sorted(self._found, key=lambda problem: (problem.file, problem.line or 0)))


def read_settings(
    model: type[M], data: Any, document: Document, at: Path = (), *, unfinished: bool = False
) -> tuple[M | None, tuple[ConfigurationError, ...]]:
    """`data` as `model`, or the problems it has; `at` is where `data` stands in `document`.

    `unfinished`: what is missing is no problem, because somebody fills it in later; None is returned then.
    """
    failure: ValidationError | None = None
    try:
        return model.model_validate(data), ()
    except ValidationError as error:
        failure = error
    # Outside the except block, so that no error carries the input of another one along as its context.
    details = failure.errors(include_url=False, include_input=True)
    if unfinished:
        details = [detail for detail in details if detail["type"] != "missing" and detail["loc"]]
    details = [detail for detail in details if not _misspelt(detail, details)]
    return None, tuple(_problem(model, detail, data, document, at) for detail in details)


def _misspelt(detail: Mapping[str, Any], details: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a missing setting is there under a wrong name, which is told already."""
    *above, name = detail["loc"] or ("",)
    return detail["type"] == "missing" and any(
        other["type"] == "extra_forbidden"
        and list(other["loc"][:-1]) == above
        and closest(str(other["loc"][-1]), [str(name)])
        for other in details
    )


def _problem(
    model: type[BaseModel], detail: Mapping[str, Any], data: Any, document: Document, at: Path
) -> ConfigurationError:
    path, kind = _place(detail["loc"], data), detail["type"]
    if kind == "extra_forbidden":
        name = str(detail["loc"][-1])
        return document.error(
            (*at, *path),
            f"unknown setting {name!r}{_inside((*at, *path[:-1]))}:",
            hint=suggestion(name, names_at(model, detail["loc"][:-1]), nothing="see docs/configuration.md."),
        )
    if kind == "missing":
        name = str(detail["loc"][-1])
        return document.error((*at, *path), f"setting {name!r} is missing{_inside((*at, *path))}.")
    shown = _shown((*at, *path), detail.get("input"))
    # A validator's own words may quote the value.
    text, hint = _words(kind, detail) if not _is_hidden((*at, *path)) else ("cannot be used.", "")
    return document.error((*at, *path), f"{dotted((*at, *path)) or 'this file'}{shown} {text}", hint=hint)


def _words(kind: str, detail: Mapping[str, Any]) -> tuple[str, str]:
    context: Mapping[str, Any] = detail.get("ctx") or {}
    if kind in {"literal_error", "enum"}:
        choices = [part.strip(" '") for part in str(context.get("expected", "")).replace(" or ", ",").split(",")]
        return "is not a choice here:", suggestion(str(detail.get("input")), choices)
    if kind == "value_error":
        return str(context.get("error", "cannot be used")), ""
    if kind == "string_type":
        return "must be text: put it in quotes, so that nothing of it is lost.", ""
    return _PLAIN.get(kind) or str(detail["msg"])[:1].lower() + str(detail["msg"])[1:], ""


_PLAIN: Mapping[str, str] = {
    "int_type": "must be a whole number.",
    "bool_type": "must be yes or no.",
    "tuple_type": "must be a list.",
    "mapping_type": "must be a map of names to values.",
    "dict_type": "must be a map of names to values.",
    "model_type": "must be a map of settings.",
    "model_attributes_type": "must be a map of settings.",
    "dict_attributes_type": "must be a map of settings.",
    "string_pattern_mismatch": "must be small letters, digits, - and _, starting with a letter or digit.",
    "too_short": "must not be empty.",
}


def dotted(path: Path) -> str:
    """A path for people: `connections.finance.companies`, `checks[2].field`."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _inside(path: Path) -> str:
    return f" in {dotted(path)}" if path else ""


def _shown(path: Path, value: Any) -> str:
    """`: 'value'` for plain values; nothing for what is big or secret."""
    if value is None or isinstance(value, Mapping | list | tuple) or _is_hidden(path):
        return ""
    text = str(value)
    return f": {text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + '…'!r}"


def _is_hidden(path: Path) -> bool:
    return any(is_secret_name(str(part)) for part in path)


def _place(loc: Sequence[str | int], data: Any) -> Path:
    """The part of a pydantic location that exists in the data: names of union members and validators are dropped."""
    path: list[str | int] = []
    for part in loc:
        known = part in data if isinstance(data, Mapping) else isinstance(data, list) and part in range(len(data))
        if known:
            data = data[part]
            path.append(part)
    return tuple(path)


def names_at(model: type[BaseModel], loc: Sequence[str | int]) -> tuple[str, ...]:
    """Names a project may write at a pydantic location below `model`."""
    found: list[Any] = [model]
    for part in loc:
        deeper = [inner for candidate in found for inner in _step(candidate, part)]
        found = deeper or found  # the name of a union member: stay where we are
    models = [candidate for annotation in found for candidate in _models(annotation)]
    return tuple(name for candidate in models for name in setting_names(candidate))


def setting_names(model: type[BaseModel]) -> tuple[str, ...]:
    """Names of the settings of a model as files write them."""
    return tuple(
        field.alias or name
        for name, field in model.model_fields.items()
        if not (isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("hidden"))
    )


def _step(annotation: Any, part: str | int) -> Iterator[Any]:
    for model in _models(annotation):
        if part in model.model_fields:
            yield model.model_fields[str(part)].annotation


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model an annotation can hold, through unions, containers and Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        if not isinstance(inner, str):
            yield from _models(inner)
