"""Refusals of the CAFM, as docs/cafm-api.md lists them under Errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from isthmus.sandbox.wire import Response

JSON = {"content-type": "application/json; charset=utf-8"}


class Detail(msgspec.Struct, frozen=True):
    """What is wrong with one field."""

    code: str
    message: str
    field: str | None


class Problem(Exception):
    """An operation that was not done. `more` goes into the error beside code, message and field."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        *,
        more: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.field = status, code, field
        self.more, self.headers = dict(more or {}), dict(headers or {})

    def response(self) -> Response:
        """The answer that says so."""
        error = {"code": self.code, "message": str(self), "field": self.field, **self.more}
        return Response(self.status, {"error": error}, {**JSON, **self.headers})


def wrong_fields(details: list[Detail]) -> Problem:
    """422 of everything wrong with the fields, in the order it was found. A taken code is 409 and stands alone."""
    first = details[0]
    return Problem(422, first.code, first.message, first.field, more={"details": details})


def bad_request(code: str, message: str, field: str | None = None) -> Problem:
    return Problem(400, code, message, field)


def conflict(code: str, message: str, field: str | None = None, **more: Any) -> Problem:
    return Problem(409, code, message, field, more=more)


def not_found(what: str) -> Problem:
    return Problem(404, "not_found", f"There is no {what}.")


def unauthorized(code: str) -> Problem:
    texts = {
        "key_missing": "Send your API key as Authorization: Bearer KEY.",
        "key_unknown": "This API key is unknown.",
        "key_expired": "This API key has expired.",
    }
    return Problem(401, code, texts[code], headers={"www-authenticate": "Bearer"})


def forbidden(permission: str) -> Problem:
    return Problem(403, "forbidden", "This API key may not do this.", more={"permission": permission})


def rate_limited(seconds: int) -> Problem:
    text = f"Too many calls. Try again in {seconds} s."
    return Problem(429, "rate_limited", text, headers={"retry-after": str(seconds)})
