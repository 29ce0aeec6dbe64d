"""From wire answer to decision: the whole policy of this connector on one page (bc.md §6, §9).

Rows are tried from the top; the first whose status and code fit decides. Status and `error.code` count, the localised
text never does. Nothing fits: retry a read, call a write uncertain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from isthmus.errors import (
    ConfigurationError,
    Halt,
    IsthmusError,
    Reject,
    Retry,
    SignInFailed,
    Stale,
    Uncertain,
)

Decision = Literal["retry", "stale", "reject", "uncertain", "sign_in", "halt", "configuration"]


class Rule(Struct, frozen=True):
    """One row. Empty statuses or codes fit any. `read` and `write`: the decision for each kind of call.

    `name` replaces the service's own code where that says too little; `says` and `mend` replace its text.
    """

    statuses: tuple[int, ...]
    codes: tuple[str, ...]
    read: Decision
    write: Decision
    name: str = ""
    says: str = ""
    mend: str = ""


_APPLICATION = "Page Microsoft Entra Applications in Business Central: state Enabled, permission sets assigned."

TABLE: tuple[Rule, ...] = (
    Rule((), ("Application_TooManyRequests",), "retry", "retry", "throttled", "Business Central asks to slow down."),
    Rule((429,), (), "retry", "retry", "throttled", "Business Central asks to slow down."),
    Rule(
        (),
        ("Authentication_InvalidCredentials",),
        "sign_in",
        "sign_in",
        "",
        "Business Central refuses the application.",
        _APPLICATION,
    ),
    Rule((401,), (), "sign_in", "sign_in", "unauthorized", "Business Central refuses the application.", _APPLICATION),
    Rule(
        (403,),
        (),
        "sign_in",
        "sign_in",
        "forbidden",
        "the application lacks a right in Business Central.",
        "Assign the permission sets of docs/business-central.md on page Microsoft Entra Applications.",
    ),
    Rule(
        (),
        ("Internal_CompanyNotFound",),
        "configuration",
        "configuration",
        "company_missing",
        "the company does not exist in this environment.",
        "Check `companies` of the connection.",
    ),
    Rule((409, 412), ("Request_EntityChanged",), "stale", "stale"),
    Rule((412,), (), "stale", "stale"),
    Rule((), ("BadRequest_InvalidToken",), "stale", "stale"),
    # A lock, not staleness: the other transaction must end first (bc.md §6, observed).
    Rule((409,), ("Internal_ServerError",), "retry", "retry", "locked", "the record is locked by another session."),
    Rule((400, 409), ("Internal_EntityWithSameKeyExists",), "reject", "reject"),
    Rule((404,), ("Internal_RecordNotFound",), "reject", "reject", "not_found"),
    # Sets vanish for a moment when an app is published (bc.md §19); nothing was carried out.
    Rule((404,), ("BadRequest_NotFound", "BadRequest_ResourceNotFound"), "retry", "retry"),
    Rule((404,), (), "reject", "reject", "not_found", "the record does not exist."),
    Rule((400,), ("Internal_ServerError",), "retry", "uncertain"),
    Rule((400,), (), "reject", "reject"),
    Rule((405, 413, 415, 501), (), "reject", "reject"),
    Rule((408, 504), (), "retry", "uncertain", "timeout", "Business Central did not finish in time."),
    Rule((502, 503), (), "retry", "uncertain", "unavailable", "Business Central is not available."),
    Rule((301, 302, 303, 307, 308), (), "halt", "halt", "redirected", "the address leads elsewhere.", "Mend `url`."),
)

_CORRELATION = re.compile(r"\s*Correlation\s?Id:.*", re.IGNORECASE | re.DOTALL)
_LONGEST_TEXT = 300


def judge(status: int, headers: Mapping[str, str], body: Any, writes: bool) -> IsthmusError | None:
    """The error an answer means; None when the call worked."""
    if 200 <= status < 300:
        return None
    code, message = wire_error(body)
    for rule in TABLE:
        if (not rule.statuses or status in rule.statuses) and (not rule.codes or code in rule.codes):
            decision = rule.write if writes else rule.read
            text = rule.says or message or f"Business Central answered {status}."
            after = _seconds(headers.get("retry-after"))
            return _error(decision, text, rule.name or code or f"http_{status}", rule.mend, after)
    text = f"Business Central answered {status}."
    return _error("uncertain" if writes else "retry", text, code or f"http_{status}", "", None)


def wire_error(body: Any) -> tuple[str, str]:
    """Code and text of an error answer. The text is one line for people, without correlation id."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return "", ""
    return str(error.get("code") or ""), clean(str(error.get("message") or ""))


def clean(message: str) -> str:
    """The first line of a message without `CorrelationId: …`, cut to a readable length."""
    text = _CORRELATION.sub("", message).strip()
    line = text.splitlines()[0].strip() if text else ""
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"


def _error(decision: Decision, text: str, code: str, mend: str, after: float | None) -> IsthmusError:
    if decision == "retry":
        return Retry(text, code=code, hint=mend, after=after)
    kinds: dict[str, type[IsthmusError]] = {
        "stale": Stale,
        "reject": Reject,
        "uncertain": Uncertain,
        "sign_in": SignInFailed,
        "configuration": ConfigurationError,
        "halt": Halt,
    }
    return kinds[decision](text, code=code, hint=mend)


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.strip().isdigit() else None
