"""Every way of cutting a list into pages, over HTTP: complete, without doubles, and when records move meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aiohttp import web

from isthmus.contract.records import ReadRequest
from isthmus.errors import Halt, Reject
from isthmus.testing.ways import nothing_known, read_stream
from unit.connectors.rest.conftest import Bench, answer

Query = Mapping[str, str]


class Shelf:
    """A list of records, served in pages of every style. `calls` keeps the queries."""

    def __init__(self, count: int) -> None:
        self.rows = [{"id": number, "code": f"V{number}"} for number in range(1, count + 1)]
        self.calls: list[dict[str, str]] = []
        self.before: Callable[[int], None] = lambda call: None

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        self.calls.append(query)
        self.before(len(self.calls))
        return getattr(self, f"_{request.path.strip('/')}")(request, query)  # type: ignore[no-any-return]

    def _page(self, request: web.Request, query: Query) -> web.Response:
        page, size = int(query["page"]), int(query["size"])
        rows = self.rows[(page - 1) * size : page * size]
        pages = -(-len(self.rows) // size)
        return answer({"data": {"items": rows, "totalPages": pages}, "total": len(self.rows)})

    def _offset(self, request: web.Request, query: Query) -> web.Response:
        start, size = int(query["offset"]), int(query["limit"])
        return answer({"items": self.rows[start : start + size], "total": len(self.rows)})

    def _cursor(self, request: web.Request, query: Query) -> web.Response:
        start, size = int(query.get("cursor", "0")), int(query["limit"])
        after = start + size
        return answer({"items": self.rows[start:after], "next": str(after) if after < len(self.rows) else None})

    def _link(self, request: web.Request, query: Query) -> web.Response:
        start, size = int(query.get("from", "0")), int(query.get("limit", "7"))
        after = f"{request.url.with_query(None)}?from={start + size}&limit={size}"
        more = start + size < len(self.rows)
        return answer({"items": self.rows[start : start + size], "links": {"next": after if more else None}})

    def _header(self, request: web.Request, query: Query) -> web.Response:
        start, size = int(query.get("from", "0")), int(query.get("limit", "7"))
        more = start + size < len(self.rows)
        link = f'</header?from=0>; rel="first", </header?from={start + size}&limit={size}>; rel="next"'
        return answer(self.rows[start : start + size], **({"Link": link} if more else {}))

    def _spring(self, request: web.Request, query: Query) -> web.Response:
        page, size = int(query["page"]), int(query["size"])
        rows = self.rows[page * size : (page + 1) * size]
        pages = -(-len(self.rows) // size)
        told = {"totalPages": pages, "totalElements": len(self.rows), "last": page + 1 >= pages}
        return answer({"content": rows, **told})

    def _none(self, request: web.Request, query: Query) -> web.Response:
        return answer({"data": {"items": self.rows}})


STYLES: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "page": (
        {"path": "/page", "query": {"page": "{page}", "size": "{limit}"}},
        {"style": "page", "items": "data.items", "pages": "data.totalPages", "total": "total", "most": 9},
    ),
    "offset": (
        {"path": "/offset", "query": {"offset": "{offset}", "limit": "{limit}"}},
        {"style": "offset", "items": "items", "total": "total", "most": 9},
    ),
    "cursor": (
        {"path": "/cursor", "query": {"cursor": "{cursor}", "limit": "{limit}"}},
        {"style": "cursor", "items": "items", "cursor": "next", "most": 9},
    ),
    "link": (
        {"path": "/link", "query": {"limit": "{limit}"}},
        {"style": "link", "items": "items", "next": "links.next", "most": 9},
    ),
    "link in a header": ({"path": "/header", "query": {"limit": "{limit}"}}, {"style": "link", "most": 9}),
    "spring": ({"path": "/spring", "query": {"page": "{page}", "size": "{limit}"}}, {"style": "spring", "most": 9}),
    "none": ({"path": "/none"}, {"style": "none", "items": "data.items"}),
}


def vendor(style: str) -> dict[str, Any]:
    listing, paging = STYLES[style]
    return {"calls": {"list": listing}, "paging": paging}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("limit", [1, 4, 500])
async def test_every_record_comes_once(bench: Bench, style: str, limit: int) -> None:
    shelf = Shelf(23)
    connector = bench.connector(await bench.serve(shelf), vendor=vendor(style))
    stream = await read_stream(connector, "vendors", "", limit=limit)
    assert stream.ids == [str(row["id"]) for row in shelf.rows]
    assert [page.scan_done for page in stream.pages] == [False] * (len(stream.pages) - 1) + [True]
    assert all(len(page.records) <= max(limit, 1) for page in stream.pages)


@pytest.mark.parametrize("style", STYLES)
async def test_another_process_goes_on_with_other_page_sizes(bench: Bench, style: str) -> None:
    shelf = Shelf(23)
    url = await bench.serve(shelf)
    first = await bench.connector(url, vendor=vendor(style)).read(ReadRequest(native="vendors", limit=5), nothing_known)
    rest = await read_stream(bench.connector(url, vendor=vendor(style)), "vendors", "", cursor=first.cursor, limit=8)
    assert [one.id for one in first.records] + rest.ids == [str(row["id"]) for row in shelf.rows]


@pytest.mark.parametrize("style", STYLES)
async def test_an_empty_list_is_a_scan_that_ends(bench: Bench, style: str) -> None:
    connector = bench.connector(await bench.serve(Shelf(0)), vendor=vendor(style))
    page = await connector.read(ReadRequest(native="vendors"), nothing_known)
    assert (page.records, page.more, page.scan_done) == ((), False, True)


@pytest.mark.parametrize("style", ["page", "offset", "spring"])
async def test_a_record_that_goes_away_between_pages_hides_no_other(bench: Bench, style: str) -> None:
    shelf = Shelf(23)
    shelf.before = lambda call: shelf.rows.pop(0) and None if call == 2 else None
    connector = bench.connector(await bench.serve(shelf), vendor=vendor(style))
    stream = await read_stream(connector, "vendors", "", limit=5)
    assert {str(row["id"]) for row in shelf.rows} <= set(stream.ids)
    assert len({page.scan for page in stream.pages}) == 1


async def test_a_list_in_one_answer_that_changes_while_it_is_read_by_another_process_begins_anew(bench: Bench) -> None:
    shelf = Shelf(23)
    url = await bench.serve(shelf)
    first = await bench.connector(url, vendor=vendor("none")).read(
        ReadRequest(native="vendors", limit=5), nothing_known
    )
    shelf.rows.pop(0)
    rest = await read_stream(bench.connector(url, vendor=vendor("none")), "vendors", "", cursor=first.cursor, limit=5)
    assert rest.ids == [str(row["id"]) for row in shelf.rows]


async def test_a_token_that_is_no_longer_accepted_starts_again(bench: Bench) -> None:
    shelf = Shelf(20)

    async def forgetful(request: web.Request) -> web.StreamResponse:
        if request.query.get("cursor") and len(shelf.calls) == 2:
            shelf.calls.append({})
            return answer({"error": "unknown cursor"}, 400)
        return await shelf(request)

    connector = bench.connector(await bench.serve(forgetful), vendor=vendor("cursor"))
    stream = await read_stream(connector, "vendors", "", limit=6)
    assert set(stream.ids) == {str(row["id"]) for row in shelf.rows}


async def test_a_link_to_another_host_is_not_followed(bench: Bench) -> None:
    async def sly(request: web.Request) -> web.StreamResponse:
        return answer({"items": [{"id": 1}], "links": {"next": "http://elsewhere.example/steal?key=1"}})

    connector = bench.connector(await bench.serve(sly), vendor=vendor("link"))
    with pytest.raises(Halt, match=r"another host: elsewhere\.example/steal") as caught:
        await read_stream(connector, "vendors", "")
    assert "key=1" not in str(caught.value)


async def test_an_answer_without_a_list_is_told_with_its_place(bench: Bench) -> None:
    async def other(request: web.Request) -> web.StreamResponse:
        return answer({"records": []})

    connector = bench.connector(await bench.serve(other), vendor=vendor("page"))
    with pytest.raises(Reject, match=r"no list of records at data\.items"):
        await read_stream(connector, "vendors", "")


async def test_a_record_without_an_id_is_shown_to_a_person(bench: Bench) -> None:
    async def nameless(request: web.Request) -> web.StreamResponse:
        return answer({"data": {"items": [{"id": 1}, {"code": "V2"}]}})

    connector = bench.connector(await bench.serve(nameless), vendor=vendor("none"))
    stream = await read_stream(connector, "vendors", "")
    assert [bool(record.problem) for record in stream.records] == [False, True]
    assert "has no id" in stream.records[1].problem
