"""The OData 4 wire format as the Dynamics family speaks it: addresses, literals, pages, batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from msgspec import Struct

#: Most operations of one $batch (bc.md §7).
BATCH_LIMIT = 100


def literal(value: str | bool | int | Decimal | date | datetime) -> str:
    """A value as a `$filter` literal. Text is quoted, quotes in it doubled; dates and numbers stand bare."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


def any_of(field: str, literals: Iterable[str]) -> str:
    """`field eq a or field eq b …`: `or` is allowed on one field only, and `in` needs a schema version (bc.md §4)."""
    return "(" + " or ".join(f"{field} eq {item}" for item in literals) + ")"


def address(root: str, path: str, options: Mapping[str, str] = MappingProxyType({})) -> str:
    """`root/path?options`, percent-encoded. `path` is taken as written: keys in it are GUIDs."""
    query = "&".join(f"{name}={quote(value, safe='(),:$')}" for name, value in options.items() if value)
    return f"{root}/{path}" + (f"?{query}" if query else "")


def chunks(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Slices of at most `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


class Row(Struct, frozen=True):
    """An entity of an answer: its data without annotations, and its etag."""

    data: Mapping[str, Any]
    etag: str | None


def row(entity: Mapping[str, Any]) -> Row:
    """Split an entity into data and etag; annotations (`@odata…`) are dropped, in nested entities as well."""
    return Row(_strip(entity), entity.get("@odata.etag"))


def _strip(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _strip(item) for name, item in value.items() if "@" not in name}
    if isinstance(value, list):
        return [_strip(item) for item in value]
    return value


def rows(answer: Any) -> tuple[list[Row], str | None]:
    """Entities and next link of an answer; a single entity counts as a page of one."""
    if not isinstance(answer, Mapping):
        return [], None
    if isinstance(answer.get("value"), list):
        return [row(item) for item in answer["value"]], answer.get("@odata.nextLink")
    return [row(answer)], None


class Part(Struct, frozen=True, kw_only=True):
    """One request inside a $batch. `path` is relative to the service root."""

    method: str
    path: str
    body: Any = None
    etag: str = ""


class PartReply(Struct, frozen=True, kw_only=True):
    """The answer to one part. `status` 0: the batch answer holds nothing for it."""

    status: int
    headers: Mapping[str, str] = MappingProxyType({})
    body: Any = None


def encode_batch(parts: Sequence[Part]) -> dict[str, Any]:
    """The JSON body of a $batch. Raises ValueError beyond BATCH_LIMIT."""
    if len(parts) > BATCH_LIMIT:
        raise ValueError(f"a batch takes {BATCH_LIMIT} requests at most, not {len(parts)}")
    return {"requests": [_encode_part(index, part) for index, part in enumerate(parts)]}


def _encode_part(index: int, part: Part) -> dict[str, Any]:
    headers = {"Accept": "application/json"}
    request: dict[str, Any] = {"id": str(index), "method": part.method, "url": part.path, "headers": headers}
    if part.body is not None:
        headers["Content-Type"] = "application/json"
        request["body"] = part.body
    if part.etag:
        headers["If-Match"] = part.etag
    return request


def decode_batch(answer: Any, count: int) -> list[PartReply]:
    """The answers in the order of the requests, matched by id: servers may answer in any order, or leave some out."""
    replies = [PartReply(status=0) for _ in range(count)]
    responses = answer.get("responses") if isinstance(answer, Mapping) else None
    for item in responses if isinstance(responses, list) else []:
        place = str(item.get("id"))
        if not place.isdigit() or int(place) >= count:
            continue
        headers = {str(name).lower(): str(value) for name, value in (item.get("headers") or {}).items()}
        replies[int(place)] = PartReply(status=int(item.get("status") or 0), headers=headers, body=item.get("body"))
    return replies
