"""Outcomes made of errors."""

from __future__ import annotations

from isthmus.contract.operations import Outcome, Result
from isthmus.errors import IsthmusError, Reject, Retry, Stale


def outcome_of(key: str, error: IsthmusError) -> Outcome:
    """The outcome of one operation that ended in `error`."""
    result: Result = "stale" if isinstance(error, Stale) else error.next_step
    return Outcome(
        key=key,
        result=result,
        code=error.code,
        text=error.message,
        mend=error.hint,
        field=error.field if isinstance(error, Reject) else "",
        value=error.value if isinstance(error, Reject) else "",
        after=error.after if isinstance(error, Retry) else None,
    )
