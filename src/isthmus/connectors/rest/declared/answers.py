"""What answers mean, and how much the system bears."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from isthmus.connectors.rest.declared.base import Duration, Many, Place, Proven

#: retry: without effect, may be sent again; uncertain: may have taken effect; reject: refused, a person mends it;
#: stale: another version; exists: the key is taken; gone: no such record any more; halt, sign_in: nothing works now;
#: unknown: retry on a read, uncertain on a write
Verdict = Literal["retry", "uncertain", "reject", "stale", "exists", "gone", "halt", "sign_in", "unknown"]


class Rule(Proven):
    """What an answer means. The first rule that fits counts, before those every system shares."""

    status: Many[int] = Field(default=(), description="HTTP statuses; empty: any")
    code: Many[str] = Field(default=(), description="Codes of the error; empty: any")
    means: Verdict = Field(
        description="`retry`, `uncertain`, `reject`, `stale`, `exists` (the key is taken), `gone`, `halt`, `sign_in`, "
        "or `unknown` (retry on a read, uncertain on a write)"
    )
    mend: str = Field(default="", description="What a person is told to do")
    batch: bool | None = Field(
        default=None, description="Only for an operation inside a batch (true) or only for a call of its own (false)"
    )


class Errors(Proven):
    """Where an answer says what is wrong, and what it means."""

    code: Place = Field(default="", description="Where the code of an error stands")
    message: Place = Field(default="", description="Where its text for people stands")
    field: Place = Field(default="", description="Where the name of the wrong field stands")
    existing: Place = Field(default="", description="Where the id of the record stands that has the key already")
    inside: Place = Field(
        default="", description="Something at this place makes a good answer an error, for systems that say 200 to all"
    )
    rules: Many[Rule] = Field(default=(), description="What answers mean, first rule first")


class Limits(Proven):
    """How much the system bears."""

    requests: int | None = Field(default=None, ge=1, description="Calls in a window; empty: no limit is known")
    window: Duration = Field(default=timedelta(seconds=60), description="Length of the window")
    concurrency: int = Field(default=4, ge=1, le=100, description="Calls at once")
    remaining: str = Field(default="", description="Header that says how many calls are left")
    reset: str = Field(default="", description="Header that says when there are more")
    reset_is: Literal["seconds", "unix_seconds"] = Field(
        default="seconds", description="That header holds seconds to wait, or the moment since 1970"
    )
    retry_after: str = Field(default="Retry-After", description="Header of a 429 that says how long to wait")
    pause: Duration = Field(
        default=timedelta(seconds=5), description="First wait after a 429 without that header; doubled each time"
    )
