"""Batches: many operations in one call, each for itself (docs/cafm-api.md, Batch)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from isthmus.sandbox.cafm.problems import JSON, Problem, bad_request
from isthmus.sandbox.wire import Cut, Request, Response

MOST = 100
_KEYS = frozenset({"id", "method", "path", "body", "ifMatch"})


def read(request: Request) -> list[Request]:
    """The operations of a batch as requests. Raises Problem when the batch itself is wrong."""
    payload = request.payload
    operations = payload.get("operations") if isinstance(payload, Mapping) else None
    if not isinstance(operations, list) or not all(isinstance(one, Mapping) for one in operations):
        raise bad_request("invalid_parameter", "operations: a batch takes a list of objects.", "operations")
    if not 1 <= len(operations) <= MOST:
        text = f"operations: a batch takes 1 to {MOST} operations, not {len(operations)}."
        raise bad_request("invalid_parameter", text, "operations")
    return [_part(request, one, f"operations[{at}]") for at, one in enumerate(operations)]


def _part(request: Request, given: Mapping[str, Any], at: str) -> Request:
    unknown = set(given) - _KEYS
    if unknown:
        raise bad_request("unknown_field", f"{at}.{min(unknown)}: there is no such field.", at)
    path, method = given.get("path"), given.get("method")
    if not isinstance(path, str) or not path.startswith("/") or not isinstance(method, str):
        raise bad_request("invalid_parameter", f"{at}: an operation takes method and path.", at)
    name, _, query = path.partition("?")
    return Request(
        method.upper(),
        name,
        query,
        {"if-match": str(given["ifMatch"])} if given.get("ifMatch") is not None else {},
        payload=given.get("body"),
        client_id=request.client_id,
        origin=request.origin,
        part_id=str(given.get("id", "")),
    )


def run(parts: list[Request], perform: Callable[[Request, int], Response], cut_after: int | None) -> Response:
    """Do them in order. Raises Cut after so many when a fault says so."""
    results = []
    for index, part in enumerate(parts):
        if index == cut_after:
            raise Cut
        response = _refused(part) or perform(part, index)
        body = response.body.decode() if isinstance(response.body, bytes) else response.body
        results.append({"id": part.part_id, "status": response.status, "body": body})
    if cut_after is not None:
        raise Cut
    return Response(200, {"data": {"results": results}}, JSON)


def _refused(part: Request) -> Response | None:
    entity = part.path.strip("/").partition("/")[0]
    if entity not in {"batch", "webhooks"}:
        return None
    problem: Problem = bad_request("invalid_parameter", f"path: {part.path} cannot be part of a batch.", "path")
    return problem.response()
