"""`check`: what is published, what is missing, and what works without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isthmus.contract.connector import Connector
from isthmus.model.finding import Finding

if TYPE_CHECKING:
    from integration.business_central.stockroom import Stockroom


async def check(connector: Connector) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for finding in await connector.check():
        found.setdefault(finding.code, []).append(finding)
    assert connector.traffic.writes == 0
    return found


def services(**changes: Any) -> dict[str, str]:
    from integration.business_central.stockroom import SERVICES

    return SERVICES | changes


async def test_everything_published_is_nothing_wrong(stockroom: Stockroom) -> None:
    found = await check(stockroom.connector())
    assert [finding for told in found.values() for finding in told if finding.severity == "error"] == []
    assert "stock_journal_unseen" in found


async def test_a_page_that_is_not_there_or_is_another_is_named(stockroom: Stockroom) -> None:
    named = services(item_units="Units", item_card="DimensionValues")
    found = await check(stockroom.connector(services=named))
    (missing,) = found["service_missing"]
    assert (missing.severity, missing.field, missing.value) == ("error", "services.item_units", "Units")
    assert "page 5404" in missing.mend
    (other,) = found["service_field_missing"]
    assert other.field == "services.item_card"
    assert "No, Reorder_Point, Safety_Stock_Quantity" in other.text


async def test_what_works_without_the_pages_is_told_in_one_notice(stockroom: Stockroom) -> None:
    found = await check(stockroom.connector(services={}))
    (notice,) = found["services_unused"]
    assert notice.severity == "notice"
    for page in ("page 30", "page 5404", "page 537", "page 40", "page 393"):
        assert page in notice.text
    assert "service_missing" not in found


async def test_items_that_cannot_be_posted_are_named(stockroom: Stockroom) -> None:
    found = await check(stockroom.connector())
    (group,) = found["posting_group_missing"]
    assert (group.field, group.value) == ("generalProductPostingGroupCode", "1003")
    assert "vendor_groups_unseen" in found


async def test_rights_to_master_data_are_a_notice_where_costs_are_booked_without(stockroom: Stockroom) -> None:
    clerk = {
        "client_id": "22222222-0000-4000-8000-000000000001",
        "secret": "s",
        "permissions": ["accounts:read", "dimensions:read", "generalLedgerEntries:read"],
    }
    stockroom.box.seed({"principals": [clerk]})
    connector = stockroom.connector(client_id=clerk["client_id"], secret="s", services={})
    told = {finding.value: finding.severity for finding in (await check(connector))["set_unreadable"]}
    assert (told["vendors"], told["currencies"]) == ("notice", "error")
