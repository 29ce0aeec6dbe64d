"""Faults as this API shows them."""

from __future__ import annotations

from isthmus.sandbox.cafm.problems import Problem, conflict, forbidden, rate_limited, unauthorized
from isthmus.sandbox.faults import Fault
from isthmus.sandbox.wire import Response

_GATEWAY_TEXTS = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
#: Of the faults there are, those a CAFM can have.
KINDS = frozenset(
    {
        "status",
        "latency",
        "lose_before",
        "lose_after",
        "late_commit",
        "cut_mid_batch",
        "expired_token",
        "entity_changed_409",
    }
)


def named(path: str) -> tuple[str, str]:
    """Entity and action a path below the base names."""
    parts = [*path.strip("/").split("/"), "", ""]
    return parts[0], parts[2].lower()


def answer(fault: Fault) -> Response:
    """What a fault says instead of doing anything. A gateway's answer is no JSON."""
    wait = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    if fault.kind == "entity_changed_409":
        return conflict("stale_version", "The record was changed meanwhile; read it again.").response()
    if fault.code in _GATEWAY_TEXTS:
        return Response(fault.code, _GATEWAY_TEXTS[fault.code].encode(), {"content-type": "text/plain", **wait})
    if fault.code == 429:
        found = rate_limited(fault.retry_after or 1).response()
        if fault.retry_after is None:
            del found.headers["retry-after"]
        return found
    problems: dict[int, Problem] = {401: unauthorized("key_expired"), 403: forbidden("*:read")}
    if fault.code in problems:
        return problems[fault.code].response()
    return Problem(fault.code, "internal_error", "Something went wrong.", headers=wait).response()
