"""The files of a project folder: found, read as UTF-8, parsed, with a problem instead of an exception."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from isthmus.app.project.problems import Problems
from isthmus.errors import ConfigurationError
from isthmus.model.document import Document, parse_document

_YAML = (".yaml", ".yml")


def read_document(folder: Path, name: str, problems: Problems) -> Document | None:
    """The parsed YAML file `name` (relative to the project folder), None after a problem."""
    text = read_text(folder, name, problems)
    if text is None:
        return None
    try:
        document = parse_document(text, name)
    except ConfigurationError as error:
        problems.add(error)
        return None
    if not isinstance(document.data, Mapping):
        problems.add(document.error((), "must begin with a setting, `name: value`."))
        return None
    return document


def documents_in(folder: Path, part: str, problems: Problems) -> Iterator[Document]:
    """All YAML files of a folder of the project, in order of their names."""
    for path in sorted((folder / part).glob("**/*")):
        if path.suffix in _YAML and path.is_file():
            document = read_document(folder, path.relative_to(folder).as_posix(), problems)
            if document is not None:
                yield document


def read_text(folder: Path, name: str, problems: Problems) -> str | None:
    """The text of a file of the project, None after a problem."""
    path = folder / name
    reason = ""
    try:
        # A byte order mark, as Windows editors write it, is no part of the text.
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        reason = f"is not there: looked for {path}."
    except UnicodeDecodeError:
        reason = "is not UTF-8 text: save it as UTF-8."
    except OSError as error:
        reason = f"cannot be read: {error.strerror or 'unknown reason'}."
    problems.add(ConfigurationError(reason, file=name))
    return None
