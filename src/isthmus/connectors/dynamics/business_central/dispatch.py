"""Which way each entity and action takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from isthmus.connectors.dynamics.business_central.journal_way import JournalWay
from isthmus.connectors.dynamics.business_central.masters.create import CreateWay
from isthmus.connectors.dynamics.business_central.masters.dimension_values import DimensionValueWay
from isthmus.connectors.dynamics.business_central.masters.facts import MASTERS
from isthmus.connectors.dynamics.business_central.masters.item_units import ItemUnitWay
from isthmus.connectors.dynamics.business_central.masters.update import UpdateWay
from isthmus.connectors.dynamics.business_central.purchasing.order_amendment import PurchaseOrderChange
from isthmus.connectors.dynamics.business_central.purchasing.order_creation import PurchaseOrderCreation
from isthmus.connectors.dynamics.business_central.purchasing.receipts import ReceiptWay
from isthmus.connectors.dynamics.business_central.stock.action import StockActionWay
from isthmus.connectors.dynamics.business_central.stock.adjust import StockAdjustWay
from isthmus.connectors.dynamics.business_central.stock.journal import StockJournalWay
from isthmus.connectors.dynamics.business_central.ways import Site, Way
from isthmus.model.values import Action

_STOCK_WAYS: Mapping[str, Callable[[Site], Way]] = {
    "journal_saved": StockJournalWay,
    "adjust": StockAdjustWay,
    "custom_action": StockActionWay,
}


def table_of_ways(site: Site) -> Mapping[tuple[str, Action], Way]:
    """(entity, action) -> way. What has no row is refused as not supported."""
    masters: dict[tuple[str, Action], Way] = {}
    for entity, master in MASTERS.items():
        masters[entity, "create"] = CreateWay(site, master, numbered=entity not in site.config.assigned_numbers)
        masters[entity, "update"] = UpdateWay(site, master)
    units, values = ItemUnitWay(site), DimensionValueWay(site)
    order_change = PurchaseOrderChange(site)
    return {
        **masters,
        ("item_unit", "create"): units,
        ("item_unit", "update"): units,
        ("dimension_value", "create"): values,
        ("dimension_value", "update"): values,
        ("inventory_transaction", "post"): _STOCK_WAYS[site.config.stock](site),
        ("journal_entry", "post"): JournalWay(site),
        ("purchase_order", "create"): PurchaseOrderCreation(site),
        ("purchase_order", "update"): order_change,
        ("purchase_order", "delete"): order_change,
        ("receipt", "post"): ReceiptWay(site),
    }
