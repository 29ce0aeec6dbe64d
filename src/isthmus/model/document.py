"""YAML with positions: every error can name file and line. Numbers with a point become Decimal, never float."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import yaml
from msgspec import Struct

from isthmus.errors import ConfigurationError

Path = tuple[str | int, ...]


class Document(Struct, frozen=True):
    """A parsed YAML text. `lines` gives the line (from 1) of each key or element by its path."""

    file: str
    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int | None:
        """The line of the nearest known ancestor of `path`."""
        for end in range(len(path), -1, -1):
            if (line := self.lines.get(path[:end])) is not None:
                return line
        return None

    def error(self, path: Path, message: str, hint: str = "") -> ConfigurationError:
        """An error that points at `path` in this file."""
        return ConfigurationError(message, hint=hint, file=self.file, line=self.line(path))


def parse_document(text: str, file: str) -> Document:
    """Parse one YAML document. Raises ConfigurationError with line for bad YAML and for a key that stands twice."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ConfigurationError(
            f"not valid YAML: {error.problem or 'cannot be read'}", file=file, line=mark.line + 1 if mark else None
        ) from None
    except yaml.YAMLError:
        raise ConfigurationError("not valid YAML: it holds characters YAML does not allow", file=file) from None
    lines: dict[Path, int] = {}
    data = _value(node, (), lines, file) if node is not None else {}
    return Document(file, data, lines)


def _value(node: yaml.Node, path: Path, lines: dict[Path, int], file: str) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                raise ConfigurationError(f"{key!r} stands twice", file=file, line=key_node.start_mark.line + 1)
            lines[(*path, key)] = key_node.start_mark.line + 1
            result[key] = _value(value_node, (*path, key), lines, file)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, index), lines, file) for index, item in enumerate(node.value)]
    return _scalar(node, file)


def _scalar(node: yaml.Node, file: str) -> Any:
    kind, text = node.tag.rpartition(":")[2], str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in {"true", "yes", "on"}
    if kind == "int":
        try:
            number = int(text)
        except ValueError:
            return text
        # 02370, 0o17, 1_000 and 12:30:00 stay text: an account number keeps its zeros, nobody means octal here
        return number if str(number) == text.removeprefix("+") else text
    if kind == "float":
        try:
            return Decimal(text)
        except InvalidOperation:
            raise ConfigurationError(f"{text!r} is not a number", file=file, line=node.start_mark.line + 1) from None
    return text  # timestamps too: dates are parsed where a date is expected
