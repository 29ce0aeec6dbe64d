"""JSON `$batch`: many requests in one call, with and without `Isolation: snapshot` (bc.md section 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import msgspec

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.tables import Transaction
from isthmus.sandbox.wire import JSON_HEADERS, Request, Response, from_json

Perform = Callable[[Request, int, Transaction], Response]


class Part(msgspec.Struct):
    """One request of a batch as the caller wrote it."""

    method: str
    url: str
    id: str | None = None
    headers: dict[str, str] = {}
    body: Any = None
    dependsOn: list[str] = []
    atomicityGroup: str | None = None


class _Envelope(msgspec.Struct):
    requests: list[Part]


class CutAfter(Exception):
    """The connection is to be cut now, in the middle of a batch."""


def read(request: Request, limit: int) -> list[Request]:
    """The parts of a batch as requests. Raises Refusal."""
    try:
        parts = msgspec.convert(from_json(request.body), _Envelope).requests
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise errors.bad_request("Invalid Request Body") from None
    if len(parts) > limit:
        text = f"A maximum number of '{limit}' query operations and change sets are allowed in a batch message."
        raise Refusal(500, "Internal_ServerError", text)
    groups = [part.atomicityGroup for part in parts if part.atomicityGroup]
    if len(groups) != len(set(groups)):
        # One live report for multipart change sets (microsoft/AL issue 5553); that it holds for JSON groups is assumed.
        text = (
            "Multiple requests within the same change set are not supported by Microsoft Dynamics 365 Business Central "
            "OData web services."
        )
        raise Refusal(500, "Internal_ServerError", text)
    return [_request(part, request) for part in parts]


def _request(part: Part, outer: Request) -> Request:
    path, _, query = part.url.partition("?")
    if "/api/v2.0/" in path:
        path = path.partition("/api/v2.0/")[2]
    path = unquote(path)
    headers = {name.lower(): value for name, value in part.headers.items()}
    body = part.body if part.body is not None else {}
    return Request(
        part.method.upper(), path, query, headers, b"", body, outer.client_id, outer.origin, part.id, part.dependsOn
    )


def run(parts: list[Request], outer: Request, perform: Perform, *, cut_after: int | None = None) -> Response:
    """Execute parts in order. `perform` runs one within a transaction and raises nothing but what kills the batch.

    With snapshot: one transaction; it stops at the first refusal and everything since the last commit is taken back,
    while the answers given so far stay as they are. Without: each part alone, a failed one stops nothing (assumed
    there).
    """
    snapshot = outer.headers.get("isolation", outer.headers.get("odata-isolation", "")).lower() == "snapshot"
    answers: list[dict[str, Any]] = []
    failed: set[str] = set()
    tx = Transaction()
    try:
        for index, part in enumerate(parts[:cut_after]):
            answer = _refused_dependency(part, failed) or perform(part, index, tx)
            answers.append(_answered(part, answer))
            if answer.status < 400:
                if not snapshot:
                    tx.commit()
                continue
            failed.add(part.part_id or "")
            tx.rollback()
            if snapshot:
                break
    except Refusal:
        tx.rollback()
        raise
    if cut_after is not None and len(answers) == cut_after < len(parts):
        tx.rollback()
        raise CutAfter
    tx.commit()
    return Response(200, {"responses": answers}, JSON_HEADERS)


def _refused_dependency(part: Request, failed: set[str]) -> Response | None:
    """424 for a part whose dependency failed: OData's rule, assumed for Business Central."""
    if failed.isdisjoint(part.depends_on):
        return None
    return Refusal(424, "BadRequest", "The request depends on a request that failed.").response()


def _answered(part: Request, answer: Response) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": part.part_id, "status": answer.status, "headers": answer.headers}
    if answer.body is not None:
        shown["body"] = answer.body.decode() if isinstance(answer.body, bytes) else answer.body
    return shown
