"""`check` of what stands outside the standard API: published pages, the way stock moves, groups that postings need."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics.business_central.config import BusinessCentralConfig
from isthmus.connectors.dynamics.business_central.published import SERVICES, Published
from isthmus.errors import IsthmusError
from isthmus.model.finding import Finding

_PAGE = "page Web Services of Business Central"
#: Group of an item without which nothing can be posted with it -> which items need it (bc.md §13).
_GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "inventoryPostingGroupCode": "inventoryPostingGroupCode eq '' and type eq 'Inventory'",
        "generalProductPostingGroupCode": "generalProductPostingGroupCode eq ''",
    }
)
_SHOWN = 3


async def check_services(published: Published, config: BusinessCentralConfig) -> list[Finding]:
    """Pages that are named but not there, or lack what is used of them; and what goes without those not named."""
    named = [kind for kind in SERVICES if published.has(kind)]
    findings = _unused([kind for kind in SERVICES if not published.has(kind)])
    if not named:
        return findings
    try:
        metadata = await published.metadata()
    except IsthmusError as error:
        text = f"what is published as web services cannot be read: {error.message}"
        return [*findings, Finding(error.code, "error", text, field="services", mend=error.hint)]
    for kind in named:
        name, service = published.name(kind), SERVICES[kind]
        if name not in metadata.sets:
            findings.append(
                Finding(
                    "service_missing",
                    "error",
                    f"no web service {name} is published in this environment: {service.without}.",
                    field=f"services.{kind}",
                    value=name,
                    mend=f"Publish page {service.page} {service.title} under this name on {_PAGE}, or mend it here.",
                )
            )
            continue
        there = {field.name for field in metadata.describe(name)}
        lacking = [field for field in service.fields if field not in there]
        if lacking:
            findings.append(
                Finding(
                    "service_field_missing",
                    "error",
                    f"web service {name} has no {', '.join(lacking)}.",
                    field=f"services.{kind}",
                    value=name,
                    mend=f"It must be page {service.page} {service.title}; an extension may have renamed its fields.",
                )
            )
    return findings + _stock(published, config)


async def check_items(client: ODataClient, company: str, path: str) -> list[Finding]:
    """Items without a group that every posting needs. Vendors do not show theirs."""
    findings = []
    for field, condition in _GROUPS.items():
        options = {"$filter": condition, "$select": "id,number", "$orderby": "number", "$top": str(_SHOWN)}
        try:
            rows = await client.all(f"{path}/items", options)
        except IsthmusError:
            continue  # told by the check of the set itself, or a version that does not show the groups
        if rows:
            numbers = ", ".join(str(row.data.get("number", "")) for row in rows)
            findings.append(
                Finding(
                    "posting_group_missing",
                    "notice",
                    f"company {company} has items without {field}, e.g. {numbers}: nothing can be posted with them.",
                    field=field,
                    value=numbers,
                    mend="Fill it on page Items, or give new items a template on page Item Templates.",
                )
            )
    return findings


async def check_vendors(client: ODataClient, company: str, path: str) -> list[Finding]:
    """What of vendors cannot be seen, in a company that has some."""
    try:
        rows = await client.all(f"{path}/vendors", {"$select": "id", "$top": "1"})
    except IsthmusError:
        return []
    if not rows:
        return []
    return [
        Finding(
            "vendor_groups_unseen",
            "notice",
            f"posting groups of vendors cannot be seen from outside; in company {company} a new vendor has them only "
            "where a template gives them, and without them its documents are refused.",
            mend="Page Vendor Templates: one that applies to vendors made by the API.",
        )
    ]


def _unused(kinds: list[str]) -> list[Finding]:
    if not kinds:
        return []
    told = "; ".join(f"{kind} (page {SERVICES[kind].page}): {SERVICES[kind].without}" for kind in kinds)
    return [
        Finding(
            "services_unused",
            "notice",
            f"the connection names no web service for {told}.",
            field="services",
            mend=f"Where that is needed, publish the page on {_PAGE} and name it in `services`.",
        )
    ]


def _stock(published: Published, config: BusinessCentralConfig) -> list[Finding]:
    journals = {"item_journal": config.item_journal, "item_reclassification": config.reclassification_journal}
    used = [journal for kind, journal in journals.items() if published.has(kind)]
    if config.stock != "journal_saved" or not used:
        return []
    return [
        Finding(
            "stock_journal_unseen",
            "notice",
            f"whether journal {' and '.join(used)} exists shows only when a line is put there.",
            mend="Pages Item Journals and Item Reclass. Journals, Batch Name; Posting No. Series must be empty.",
        )
    ]
