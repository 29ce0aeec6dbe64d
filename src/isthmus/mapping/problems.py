"""What the compiler has to say about a mapping: all of it at once, each with file, line and a proposal."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from isthmus.errors import ConfigurationError
from isthmus.model.finding import Finding


class Problem(Struct, frozen=True):
    """One fault of a mapping document.

    code        stable: unknown_field, unknown_native, one_way, type_mismatch ... (docs/mapping.md lists all)
    text        what is wrong, for people
    file, line  where the rule stands (line from 1)
    path        canonical path the rule is for, "" for the document itself
    suggestion  what to write instead
    """

    code: str
    text: str
    file: str
    line: int | None
    path: str = ""
    suggestion: str = ""

    @property
    def place(self) -> str:
        """`mappings/vendor.yaml:12`"""
        return place(self.file, self.line)

    def finding(self) -> Finding:
        """The same as a finding, for lists that show findings of every kind."""
        mend = f"{self.place}: {self.suggestion}" if self.suggestion else self.place
        return Finding(self.code, "error", self.text, field=self.path, mend=mend)

    def __str__(self) -> str:
        return f"{self.place}: {self.text}. {self.suggestion}".rstrip()


class LensProblems(ConfigurationError):
    """A mapping cannot be compiled. `problems` holds every fault found, `findings` the same as findings."""

    code = "mapping"

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        listed = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{count} in the mapping:\n{listed}", file=first.file, line=first.line)
        self.problems = tuple(problems)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One finding per problem, `mend` beginning with file and line."""
        return tuple(problem.finding() for problem in self.problems)


def place(file: str, line: int | None) -> str:
    """File and line as editors open them."""
    return f"{file}:{line}" if line is not None else file


def plain_name(name: str) -> str:
    """A name without case, blanks and punctuation: what is left when people spell the same thing differently."""
    return re.sub(r"[\W_]+", "", name).casefold()


def likeness(left: str, right: str) -> float:
    """How alike two names are, 0 to 1. Names that share their words in part count as alike too."""
    one, two = plain_name(left), plain_name(right)
    if not one or not two:
        return 0.0
    if one == two:
        return 1.0
    ratio = difflib.SequenceMatcher(None, one, two).ratio()
    shared = _words(left) & _words(right)
    if shared:
        ratio = max(ratio, 0.5 + 0.4 * len(shared) / max(len(_words(left) | _words(right)), 1))
    return ratio


def closest(name: str, names: Iterable[str], *, least: float = 0.6) -> str | None:
    """The most similar of `names`, or None when none is similar enough."""
    scored = sorted(((likeness(name, other), other) for other in names), key=lambda pair: (-pair[0], pair[1]))
    return scored[0][1] if scored and scored[0][0] >= least else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """`Did you mean "x"?` or "" when nothing is close."""
    best = closest(name, names)
    return f'Did you mean "{best}"?' if best else ""


def _words(name: str) -> set[str]:
    parts = re.findall(r"[A-Z]?[a-zäöüß]+|[A-Z]+(?![a-zäöüß])|\d+", name)
    return {part.casefold() for part in parts}
