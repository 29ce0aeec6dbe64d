"""Records that take more than one call: incomplete lists, parts, joined fields, lists read with several queries."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from isthmus.contract.records import ReadRequest
from isthmus.testing.ways import nothing_known, read_stream
from unit.connectors.rest.conftest import Bench, answer, operation, write


class Orders:
    """Work orders whose costs stand elsewhere, and assets they refer to by id."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.orders = {number: {"id": number, "assetId": number % 2 + 1, "state": "open"} for number in (1, 2, 3)}

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(request.path_qs)
        match request.path.strip("/").split("/"):
            case ["orders"] if request.method == "POST":
                made = {"id": 9, **(await request.json())}
                return answer(made, 201)
            case ["orders"]:
                wanted = request.query.get("state")
                return answer([order for order in self.orders.values() if wanted in (None, order["state"])])
            case ["orders", number]:
                return answer({**self.orders[int(number)], "text": f"whole {number}"})
            case ["orders", number, "labour"]:
                return answer(
                    {"rows": [{"id": 1, "cost": 1250}]} if number != "3" else {}, 200 if number != "3" else 404
                )
            case ["orders", number, "parts"]:
                return answer([{"id": 1, "cost": 5}])
            case ["assets"]:
                return answer([{"id": int(one), "tag": f"A{one}"} for one in request.query["ids"].split(",")])
        return answer({}, 404)


COST = {"kind": "list", "fields": {"id": "id", "cost": {"kind": "money", "wire": "cents", "places": 2}}}


def over(**order: Any) -> dict[str, Any]:
    asset = {
        "native": "assets",
        "calls": {"list": {"path": "/assets"}},
        "filters": {"id": {"parameter": "ids", "most": 50, "separator": ","}},
    }
    work_order = {"native": "orders", "id": {"wire": "number"}, "changes": {"how": "scan"}, **order}
    work_order["calls"] = {"list": {"path": "/orders"}, "get": {"path": "/orders/{id}"}, **order.get("calls", {})}
    return {"entities": {"asset": asset, "work_order": work_order}}


async def test_an_incomplete_list_is_completed_record_by_record(bench: Bench) -> None:
    orders = Orders()
    listing = {"path": "/orders", "partial": True}
    connector = bench.connector(await bench.serve(orders), over(calls={"list": listing}))
    stream = await read_stream(connector, "orders", "")
    assert [record.data["text"] for record in stream.records] == ["whole 1", "whole 2", "whole 3"]
    assert len(orders.calls) == 4


async def test_lists_that_stand_elsewhere_belong_to_the_record_and_to_its_version(bench: Bench) -> None:
    orders = Orders()
    parts = {
        "labour": {"path": "/orders/{id}/labour", "items": "rows"},
        "parts": {"path": "/orders/{id}/parts"},
    }
    made = over(parts=parts, fields={"labour": COST, "parts": COST}, united={"costs": ["labour", "parts"]})
    connector = bench.connector(await bench.serve(orders), made)
    first, _, third = (await read_stream(connector, "orders", "")).records
    assert [(line["lineKey"], line["list"], str(line["cost"])) for line in first.data["costs"]] == [
        ("labour/1", "labour", "12.50"), ("parts/1", "parts", "0.05"),
    ]  # fmt: skip
    assert [line["list"] for line in third.data["costs"]] == ["parts"]
    (fetched,) = await connector.fetch("orders", "", ["1"])
    assert fetched.data["costs"] == first.data["costs"]
    names = {field.name: [inner.name for inner in field.fields] for field in await connector.describe("orders")}
    assert set(names["costs"]) >= {"id", "cost", "list", "lineKey"}


async def test_a_field_of_a_record_that_is_referred_to_by_id_is_joined(bench: Bench) -> None:
    orders = Orders()
    made = over(
        joins={"assetTag": {"by": "assetId", "set": "assets", "at": "tag"}},
        actions=["create"],
        calls={"create": {"method": "POST", "path": "/orders", "body": "{document}"}},
        key={"fields": ["id"]},
        filters={"id": {"parameter": "id"}},
        fields={"assetId": "id"},
    )
    connector = bench.connector(await bench.serve(orders), made)
    stream = await read_stream(connector, "orders", "")
    assert [record.data["assetTag"] for record in stream.records] == ["A2", "A1", "A2"]
    assert orders.calls.count("/assets?ids=2%2C1") == 1
    new = operation("create", {"assetId": "2"})
    (outcome,) = await write(connector, type(new)(key="k", entity="work_order", action="create", native=new.native))
    assert outcome.native is not None
    assert (outcome.native["assetTag"], outcome.native["assetId"]) == ("A2", "2")


async def test_a_list_that_shows_all_only_with_several_queries_is_read_with_each(bench: Bench) -> None:
    orders = Orders()
    orders.orders[2]["state"] = "cancelled"
    listing = {"path": "/orders", "variants": [{"state": "open"}, {"state": "cancelled"}]}
    made = over(calls={"list": listing}, filters={"state": {"parameter": "state"}})
    connector = bench.connector(await bench.serve(orders), made)
    stream = await read_stream(connector, "orders", "", limit=1)
    assert stream.ids == ["1", "3", "2"]
    assert [page.scan_done for page in stream.pages].count(True) == 1
    assert len({page.scan for page in stream.pages}) == 1
    page = await connector.read(ReadRequest(native="orders", equals={"id": ("2", "3")}), nothing_known)
    assert {record.id for record in page.records} == {"2", "3"}
