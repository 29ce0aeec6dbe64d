"""Reading declared controls from YAML: all problems are gathered with file, line and suggestion, then told at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from isthmus.errors import ConfigurationError
from isthmus.model.document import Document, Path

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def suggest(word: str, known: Iterable[str]) -> str:
    """A hint for an unknown word: the nearest known one, else all of them."""
    words = sorted(known)
    near = get_close_matches(word, words, n=1) or get_close_matches(word.lower(), words, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known: {', '.join(words)}."


class Reading:
    """One pass over a document. Every `read_*` notes a problem and returns None where the value does not fit."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[ConfigurationError] = []

    def problem(self, path: Path, message: str, hint: str = "") -> None:
        """Note that `path` cannot stand as it is."""
        self.problems.append(self.document.error(path, f"{message}." if hint else message, hint))

    def finish(self) -> None:
        """Raise ConfigurationError with every problem in order of lines; nothing happens when there is none."""
        if not self.problems:
            return
        ordered = sorted(self.problems, key=lambda error: error.line or 0)
        if len(ordered) == 1:
            raise ordered[0]
        listed = "\n".join(f"  {error}" for error in ordered)
        raise ConfigurationError(f"{len(ordered)} problems:\n{listed}", file=self.document.file, line=ordered[0].line)

    def keys(self, path: Path, value: Any, known: Iterable[str]) -> dict[str, Any]:
        """`value` as a mapping with known keys only; {} when it is none."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.problem(path, f"expected keys here, not {value!r}", f"Known: {', '.join(sorted(known))}.")
            return {}
        for key in value:
            if key not in known:
                self.problem((*path, key), f"{key!r} is not known here", suggest(key, known))
        return {key: item for key, item in value.items() if key in known}

    def sequence(self, path: Path, value: Any, of: str) -> list[Any]:
        """`value` as a list; [] when it is none."""
        if not isinstance(value, list):
            self.problem(path, f"expected a list of {of}, each beginning with a dash")
            return []
        return value

    def code(self, path: Path, value: Any, what: str) -> str | None:
        """A code of finance or operations as text. A whole number is taken as its digits.

        YAML reads NO as false and 1.10 as a number, so these must stand in quotes.
        """
        if isinstance(value, bool | Decimal):
            self.problem(path, f"{what} is read as {_kind(value)}, not as text", "Put it in quotes.")
            return None
        text = str(value).strip() if isinstance(value, str | int) else ""
        if not text:
            self.problem(path, f"{what} is empty" if value in (None, "") else f"{what} must be one value")
            return None
        return text

    def day(self, path: Path, value: Any) -> date | None:
        """A date as YYYY-MM-DD; None stands for no date."""
        if value is None:
            return None
        if isinstance(value, str) and _ISO_DATE.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                self.problem(path, f"{value} is not a day of the calendar")
                return None
        self.problem(path, f"{value!r} is not a date", "Write it as YYYY-MM-DD.")
        return None

    def number(self, path: Path, value: Any, what: str) -> Decimal | None:
        """A number."""
        if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
            return Decimal(value)
        self.problem(path, f"{what} must be a number, not {value!r}")
        return None

    def flag(self, path: Path, value: Any, what: str) -> bool:
        """true or false; absent is false."""
        if value is None or isinstance(value, bool):
            return bool(value)
        self.problem(path, f"{what} must be true or false, not {value!r}")
        return False


def _kind(value: bool | Decimal) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else f"the number {value}"
