"""Lists in one answer, of any size: read element by element, memory stays flat."""

from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.connectors._http import json_items as splitting
from isthmus.connectors._http.decode import NotJson, decode
from isthmus.connectors._http.json_items import NoList, json_items
from isthmus.connectors.rest.connector import RestConnector
from isthmus.contract.records import ReadRequest
from isthmus.errors import Retry
from isthmus.testing.ways import nothing_known
from unit.connectors.rest.conftest import Bench

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100)
@given(items=st.lists(JSON, max_size=5), before=JSON, indent=st.sampled_from([None, 1]), chunk=st.integers(1, 40))
def test_the_elements_are_those_of_the_list(items: list[Any], before: Any, indent: int | None, chunk: int) -> None:
    whole = {"before": before, "data": {"x": before, "items": items, "z": 1}}
    size, splitting._CHUNK = splitting._CHUNK, chunk
    try:
        text = json.dumps(whole, indent=indent, ensure_ascii=chunk % 2 == 0).encode("utf-8", "surrogatepass")
        found = [json.loads(part) for part in json_items(io.BytesIO(text), "data.items")]
    finally:
        splitting._CHUNK = size
    assert found == items


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"data": {}}', NoList), ('{"other": []}', NoList), ('{"data": 5}', NoList), ("[", NotJson), ("", NotJson),
        ('{"data": [1, 2', NotJson), ('{"data": [{"a": "b', NotJson), ('{"data": [1 2]}', NotJson),
        ("<html>", NoList),
    ],
)  # fmt: skip
def test_what_is_no_list_is_told(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        list(json_items(io.BytesIO(text.encode()), "data" if text != "[" else ""))


def test_a_byte_order_mark_is_passed_over() -> None:
    assert [decode(part) for part in json_items(io.BytesIO(b"\xef\xbb\xbf [1.5, true]"), "")] == [decode(b"1.5"), True]


COUNT = 20_000


async def large(request: web.Request) -> web.StreamResponse:
    """Some seven megabytes, written as they come."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"data": [')
    for start in range(0, COUNT, 1000):
        rows = (f'{{"id": {n}, "name": "{"x" * 300} ünïcödé ✓ {n}"}}' for n in range(start, start + 1000))
        await response.write(((", " if start else "") + ", ".join(rows)).encode())
    await response.write(b"]}")
    return response


async def read_all(connector: RestConnector) -> int:
    """How many records there are; none is kept."""
    count, cursor, more = 0, None, True
    while more:
        page = await connector.read(ReadRequest(native="vendors", cursor=cursor), nothing_known)
        count, cursor, more = count + len(page.records), page.cursor, page.more
    return count


async def test_a_large_list_does_not_go_through_memory_as_a_whole(bench: Bench) -> None:
    connector = bench.connector(await bench.serve(large), vendor={"paging": {"style": "none", "items": "data"}})
    await connector.describe("vendors")  # what is loaded once does not count
    tracemalloc.start()
    try:
        assert await read_all(connector) == COUNT
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000
    assert connector.traffic.requests == 2


async def test_a_list_that_breaks_off_is_read_again_later(bench: Bench) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        return web.Response(text='[{"id": 1}, {"id": 2}', content_type="application/json")

    connector = bench.connector(await bench.serve(broken))
    with pytest.raises(Retry, match="not JSON, or not all of it came"):
        await read_all(connector)
