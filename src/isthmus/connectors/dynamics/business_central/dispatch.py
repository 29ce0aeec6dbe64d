"""Which way each entity and action takes."""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.connectors.dynamics.business_central.journal_way import JournalWay
from isthmus.connectors.dynamics.business_central.ways import Site, Way
from isthmus.model.values import Action


def table_of_ways(site: Site) -> Mapping[tuple[str, Action], Way]:
    """(entity, action) -> way. What has no row is refused as not supported."""
    return {
        ("journal_entry", "post"): JournalWay(site),
    }
