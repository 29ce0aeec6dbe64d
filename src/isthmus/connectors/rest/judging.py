"""The one table from an answer of the system to what it means: the profile's rules first, then what HTTP says.

Branches on status and code, never on the text. Unknown on a read: retry. Unknown on a write: uncertain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from isthmus.connectors.rest.declared.answers import Errors, Verdict
from isthmus.connectors.rest.places import getter, text_at
from isthmus.connectors.rest.templates import UNSET
from isthmus.errors import Halt, IsthmusError, Reject, Retry, SignInFailed, Stale, Uncertain

#: What HTTP itself says (RFC 9110, RFC 6585, RFC 4918): the first line with the status counts.
SHARED: tuple[tuple[frozenset[int], Verdict], ...] = (
    (frozenset({401, 403, 407}), "sign_in"),
    (frozenset({404, 410}), "gone"),
    (frozenset({412}), "stale"),
    (frozenset({423, 425, 429}), "retry"),
    (frozenset({400, 402, 405, 406, 409, 411, 413, 414, 415, 416, 417, 422, 428, 431, 501}), "reject"),
    (frozenset(range(300, 400)), "halt"),
)
_LONGEST_TEXT = 300
#: texts of a document shorter than this say nothing of anybody
_TELLING = 4
_WORDS: Mapping[Verdict, str] = {
    "sign_in": "does not accept the sign-in",
    "gone": "has no such record",
    "stale": "holds a newer version of the record",
    "exists": "has such a record already",
    "halt": "cannot be used as the profile says",
    "retry": "asks to try again later",
    "reject": "refuses the document",
    "uncertain": "did not say whether it is done",
    "unknown": "is in trouble",
}
_MENDS: Mapping[Verdict, str] = {
    "sign_in": "Check the key of the connection and what it may do in the system.",
    "halt": "Check `url` of the connection and the profile: `isthmus profile check`.",
}


class Gone(Reject):
    """The record does not exist any more."""

    code = "gone"


class Exists(Reject):
    """The key of a new record is taken. `existing` is the id of the record that has it, where the system tells."""

    code = "exists"
    existing: str = ""


class Judge:
    """Made from what a profile says of errors. `title` is what people call the system."""

    def __init__(self, errors: Errors, title: str) -> None:
        self._title = title
        self._rules = [
            (frozenset(rule.status), frozenset(rule.code), rule.batch, rule.means, rule.mend) for rule in errors.rules
        ]
        self._code, self._message = getter(errors.code), getter(errors.message)
        self._field, self._existing = getter(errors.field), getter(errors.existing)
        self._inside = getter(errors.inside) if errors.inside else None
        self._tells = bool(errors.code), bool(errors.message), bool(errors.field), bool(errors.existing)

    def failed(self, status: int, body: Any) -> bool:
        """Whether an answer is an error."""
        if not 200 <= status < 300:
            return True
        return self._inside is not None and self._inside(body) not in (UNSET, None, False, "", [])

    def error(
        self, status: int, body: Any, *, writes: bool, batch: bool = False, after: float | None = None
    ) -> IsthmusError | None:
        """The error an answer means; None when the call worked. `batch`: it is the answer to a part of a batch."""
        if not self.failed(status, body):
            return None
        code = text_at(body, self._code) if self._tells[0] else ""
        verdict, mend = self._verdict(status, code, batch=batch)
        if verdict == "unknown":
            verdict = "uncertain" if writes else "retry"
        message = text_at(body, self._message) if self._tells[1] else ""
        text = one_line(message) or f"{self._title} {_WORDS[verdict]} ({status})."
        field = text_at(body, self._field) if self._tells[2] else ""
        error = _error(verdict, text, code or f"http_{status}", mend or _MENDS.get(verdict, ""), field, after)
        if isinstance(error, Exists) and self._tells[3]:
            error.existing = text_at(body, self._existing)
        return error

    def _verdict(self, status: int, code: str, *, batch: bool) -> tuple[Verdict, str]:
        for statuses, codes, only, means, mend in self._rules:
            if (
                (not statuses or status in statuses)
                and (not codes or code in codes)
                and (only is None or only == batch)
            ):
                return means, mend
        if 200 <= status < 300:  # an error inside a good answer: what was asked is refused
            return "reject", ""
        return next((means for statuses, means in SHARED if status in statuses), "unknown"), ""


def _error(verdict: Verdict, text: str, code: str, mend: str, field: str, after: float | None) -> IsthmusError:
    if verdict == "retry":
        return Retry(text, code=code, hint=mend, after=after)
    if verdict == "stale":
        return Stale(text, code=code, hint=mend)
    if verdict == "gone":
        return Gone(text, hint=mend, field=field)
    if verdict == "exists":
        return Exists(text, code=code, hint=mend, field=field)
    if verdict == "reject":
        return Reject(text, code=code, hint=mend, field=field)
    kinds: dict[Verdict, type[IsthmusError]] = {"sign_in": SignInFailed, "halt": Halt}
    return kinds.get(verdict, Uncertain)(text, code=code, hint=mend)


def one_line(message: str) -> str:
    """The first line of a message, cut to a readable length."""
    lines = message.strip().splitlines()
    line = lines[0].strip() if lines else ""
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"


def without_values(text: str, document: Any, personal: Iterable[str] = ()) -> str:
    """`text` with the texts of the document blotted out, and with all that is personal.

    Numbers, dates and single words stay, because without them nobody knows what is meant.
    """
    hidden = {value for value in _texts(document) if any(map(str.isspace, value))} | set(personal)
    for value in sorted(hidden, key=len, reverse=True):
        if len(value) >= _TELLING:
            text = text.replace(value, "…")
    return text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
