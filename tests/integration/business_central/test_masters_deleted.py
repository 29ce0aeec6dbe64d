"""Deleted records: nothing tells of them (bc.md §12), so everything is read once a day as a scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from isthmus.contract.connector import Connector
from isthmus.testing.ways import Stream, read_stream

if TYPE_CHECKING:
    from integration.business_central.stockroom import Stockroom

HOUR = 3600


async def read(connector: Connector, native: str, cursor: str | None = None, limit: int = 3) -> Stream:
    return await read_stream(connector, native, "CRONUS", cursor=cursor, limit=limit)


async def later(stockroom: Stockroom, hours: float) -> None:
    await stockroom.clock.sleep(hours * HOUR)


@pytest.mark.parametrize("native", ["vendors", "items", "unitsOfMeasure", "paymentTerms", "locations", "accounts"])
async def test_a_deleted_record_is_missing_from_the_next_sweep(stockroom: Stockroom, native: str) -> None:
    stockroom.seed(
        vendors=[{"number": f"V{i}", "name": f"Vendor {i}"} for i in range(5)],
        locations=[{"code": f"L{i}"} for i in range(5)],
        payment_terms=[{"code": f"T{i}", "due": "1D"} for i in range(5)],
        units_of_measure=[{"code": f"U{i}"} for i in range(5)],
    )
    connector = stockroom.connector()
    first = await read(connector, native)
    gone = first.records[1]
    stockroom.box.remove(native, str(gone.data.get("number") or gone.data.get("code")), "CRONUS")
    await later(stockroom, 23)
    second = await read(connector, native, first.cursor)
    assert not any(page.scan for page in second.pages)
    await later(stockroom, 2)
    sweep = await read(connector, native, second.cursor)
    assert {page.scan for page in sweep.pages} != {""}
    assert [page.scan_done for page in sweep.pages] == [False] * (len(sweep.pages) - 1) + [True]
    assert set(first.ids) - set(sweep.ids) == {gone.id}
    after = await read(connector, native, sweep.cursor)
    assert (after.ids, {page.scan for page in after.pages}) == ([], {""})


async def test_records_made_during_a_sweep_are_not_passed_by(stockroom: Stockroom) -> None:
    stockroom.seed(vendors=[{"number": f"V{i}", "name": f"Vendor {i}"} for i in range(8)])
    connector = stockroom.connector()
    first = await read(connector, "vendors")
    await later(stockroom, 25)
    page = await stockroom.read(connector, "vendors", cursor=first.cursor, limit=3)
    assert page.scan
    assert not page.scan_done
    made = stockroom.op("vendor", "v", {"number": "00001", "displayName": "Made meanwhile"})
    native_id = (await stockroom.write(connector, made))["v"].native_id
    stockroom.box.edit("vendors", str(first.records[-1].data["number"]), "CRONUS", displayName="Edited meanwhile")
    rest = await read(connector, "vendors", page.cursor)
    seen = {record.id for record in page.records} | set(rest.ids)
    assert seen == {*first.ids, native_id}
    assert {other.scan for other in rest.pages} == {page.scan}


async def test_a_sweep_leaves_what_changes_are_found_by_as_it_was(stockroom: Stockroom) -> None:
    connector = stockroom.connector()
    first = await read(connector, "vendors")
    await later(stockroom, 25)
    sweep = await read(connector, "vendors", first.cursor)
    stockroom.box.edit("vendors", "10000", "CRONUS", displayName="Edited")
    after = await read(connector, "vendors", sweep.cursor)
    assert [record.data["displayName"] for record in after.records] == ["Edited"]


async def test_how_often_is_a_setting(stockroom: Stockroom) -> None:
    connector = stockroom.connector(sweep_hours=1)
    first = await read(connector, "vendors")
    await later(stockroom, 1.1)
    assert (await read(connector, "vendors", first.cursor)).pages[-1].scan_done
