"""Which way each entity and action takes."""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.connectors.dynamics.business_central.dimension_value_ways import DimensionValueWay
from isthmus.connectors.dynamics.business_central.item_unit_ways import ItemUnitWay
from isthmus.connectors.dynamics.business_central.journal_way import JournalWay
from isthmus.connectors.dynamics.business_central.master_create import CreateWay
from isthmus.connectors.dynamics.business_central.master_facts import MASTERS
from isthmus.connectors.dynamics.business_central.master_update import UpdateWay
from isthmus.connectors.dynamics.business_central.ways import Site, Way
from isthmus.model.values import Action


def table_of_ways(site: Site) -> Mapping[tuple[str, Action], Way]:
    """(entity, action) -> way. What has no row is refused as not supported."""
    masters: dict[tuple[str, Action], Way] = {}
    for entity, master in MASTERS.items():
        masters[entity, "create"] = CreateWay(site, master, numbered=entity not in site.config.assigned_numbers)
        masters[entity, "update"] = UpdateWay(site, master)
    units, values = ItemUnitWay(site), DimensionValueWay(site)
    return {
        **masters,
        ("item_unit", "create"): units,
        ("item_unit", "update"): units,
        ("dimension_value", "create"): values,
        ("dimension_value", "update"): values,
        ("journal_entry", "post"): JournalWay(site),
    }
