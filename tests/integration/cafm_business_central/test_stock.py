"""Stock moved in the CAFM: journals that wait for a person, and what an adjustment cannot say."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from integration.cafm_business_central.bench import Site

Make = Callable[..., Site]
FLOWS = ("units-of-measure", "items", "item-units", "locations", "dimensions", "dimension-values")
WAY = "stock: journal_saved"


@pytest.fixture
def site(make_site: Make) -> Site:
    site = make_site(*FLOWS, "stock-transactions")
    site.without_documents()
    return site


def issue(site: Site, item: str, quantity: str, **more: Any) -> str:
    """A person takes parts from the store. Its number."""
    body = {"type": "issue", "itemId": item, "quantity": quantity, "locationId": "STORE", **more}
    return str(site.act("POST", "/stockTransactions", body, user="ben")["number"])


def in_store(site: Site, item: str) -> Decimal:
    """What finance counts of an item in the main store."""
    return Decimal(site.finance.stock()["items"][item]["STORE"])


async def test_journals_are_left_to_a_person_and_close_when_they_are_posted(site: Site) -> None:
    await site.run()
    boxes, pieces = issue(site, "1000", "1", unit="BOX"), issue(site, "1001", "2")
    await site.run()
    assert {site.last(number).state for number in (boxes, pieces)} == {"saved"}
    assert site.finance.stock()["unposted_lines"] == 2
    assert (in_store(site, "1000"), in_store(site, "1001")) == (40, 25)
    site.finance.post_item_journal(batch="ISTHMUS")
    assert (in_store(site, "1000"), in_store(site, "1001")) == (30, 23), "a box is ten pieces"
    site.finance.advance(3600)
    await site.run()
    assert {site.last(number).state for number in (boxes, pieces)} == {"done"}
    assert site.finance.stock()["unposted_lines"] == 0
    told = site.of_cafm("stockTransactions", boxes)
    assert told["externalStatus"] == "posted"


async def test_a_unit_without_factor_is_told_and_nothing_moves(site: Site) -> None:
    """The CAFM counts filters in boxes of 6, finance does not know such a box."""
    site.seed["items"][1]["units"] = {"BOX": 6}
    await site.run()
    number = issue(site, "1001", "1", unit="BOX")
    await site.run()
    row = site.last(number)
    assert (row.state, row.code) == ("dead", "factor_missing")
    assert "BOX" in row.reason
    assert site.finance.stock()["unposted_lines"] == 0


async def test_an_adjustment_takes_no_place_and_no_day(site: Site) -> None:
    site.edit("isthmus.yaml", WAY, "stock: adjust")
    await site.run()
    number = issue(site, "1000", "1")
    await site.run()
    row = site.last(number)
    assert (row.state, row.code) == ("dead", "adjust_impossible")
    assert site.finance.stock()["unposted_lines"] == 0
