"""One root of all errors. Each says what the runner must do next, so that delivery needs no knowledge of any system.

`next_step` is one of:
  retry      nothing happened at the target; the same call may be sent again later
  reject     the target (or a check of ours) refuses this document; a person must mend something; others go on
  uncertain  the call may have taken effect; look it up before anything is sent again
  halt       nothing of this connection can work now (sign-in, configuration); pause and tell a person

Texts are for people: field, value, where to mend it. They never carry a payload or a secret.
"""

from __future__ import annotations

from typing import Literal

NextStep = Literal["retry", "reject", "uncertain", "halt"]


class IsthmusError(Exception):
    """Root. `code` is stable and documented; `hint` says where and how to mend the cause."""

    next_step: NextStep = "halt"
    code: str = "isthmus"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class Retry(IsthmusError):
    """Provably without effect at the target. `after` is the wait in seconds the target asked for, if it did."""

    next_step: NextStep = "retry"
    code = "retry"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "", after: float | None = None) -> None:
        super().__init__(message, code=code, hint=hint)
        self.after = after


class Stale(Retry):
    """The etag is outdated: re-read, admit, merge, write again."""

    code = "stale"


class Unreachable(Retry):
    """The connection could not be made at all: the call never left."""

    code = "unreachable"


class Reject(IsthmusError):
    """Refused for good until somebody mends the cause."""

    next_step: NextStep = "reject"
    code = "reject"

    def __init__(
        self, message: str, *, code: str | None = None, hint: str = "", field: str = "", value: str = ""
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.field = field
        self.value = value


class Uncertain(IsthmusError):
    """The answer was lost or is not to be trusted: the effect may exist."""

    next_step: NextStep = "uncertain"
    code = "uncertain"


class Halt(IsthmusError):
    """The whole connection stands still until a person acts."""

    next_step: NextStep = "halt"
    code = "halt"


class SignInFailed(Halt):
    """The identity provider or the system refuses our credentials or their rights."""

    code = "sign_in"


class ConfigurationError(Halt):
    """The project says something that cannot work. `file` and `line` point at it where known (line counts from 1)."""

    code = "configuration"

    def __init__(
        self, message: str, *, code: str | None = None, hint: str = "", file: str = "", line: int | None = None
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.file = file
        self.line = line

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        return place + super().__str__()


class HomeBusy(Halt):
    """Another process serves this home."""

    code = "home_busy"


class StorageFailed(Halt):
    """The ledger or the disk below it cannot take more: full disk, lost database."""

    code = "storage"


class FenceLost(Halt):
    """Another worker acts for this connection by now; what this turn still held was given up, nothing commits."""

    code = "fence"
