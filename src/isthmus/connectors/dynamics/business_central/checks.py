"""`check`: everything that can be known before work starts, told at once. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from isthmus.connectors.dynamics._client import ODataClient
from isthmus.connectors.dynamics._edmx import Metadata
from isthmus.connectors.dynamics.business_central.companies import Companies
from isthmus.connectors.dynamics.business_central.config import BusinessCentralConfig
from isthmus.connectors.dynamics.business_central.entities import ESSENTIAL, SETS
from isthmus.connectors.dynamics.business_central.published import Published
from isthmus.connectors.dynamics.business_central.service_checks import check_items, check_services, check_vendors
from isthmus.errors import IsthmusError
from isthmus.model.finding import Finding, Severity

#: What each missing set takes away.
_NEEDED: Mapping[str, str] = {name: f"{name} cannot be read" for name in SETS} | {
    "journals": "journal entries cannot be delivered",
    "journalLines": "journal entries cannot be delivered",
    "dimensionSetLines": "journal entries cannot carry dimensions",
}


async def check_connection(
    client: ODataClient, published: Published, companies: Companies, metadata: Metadata, config: BusinessCentralConfig
) -> list[Finding]:
    """Findings on companies, sets and rights of a service that could be reached and signed in to."""
    present = await companies.present()
    findings = [_no_company(name, present) for name in config.companies if name not in present]
    findings += [
        Finding(
            "set_missing",
            _severity(name),
            f"this environment has no set {name}: {effect}.",
            value=name,
            mend="Its version is too old, or the application lacks the right to see it.",
        )
        for name, effect in _NEEDED.items()
        if metadata.sets and name not in metadata.sets
    ]
    for company, company_id in (await companies.used()).items():
        path = f"companies({company_id})"
        for name in SETS:
            if not metadata.sets or name in metadata.sets:
                findings += await _unreadable(client, path, company, name)
        findings += await check_items(client, company, path) + await check_vendors(client, company, path)
    return findings + await check_services(published, config) + _not_visible(config)


def unusable(error: IsthmusError) -> Finding:
    """The finding of an error that ends the check."""
    return Finding(error.code, "error", error.message, mend=error.hint)


async def _unreadable(client: ODataClient, path: str, company: str, name: str) -> Sequence[Finding]:
    try:
        await client.get(f"{path}/{name}", {"$top": "1"})
    except IsthmusError as error:
        return [_cannot_read(company, name, error)]
    return []


def _severity(name: str) -> Severity:
    """Costs are booked without master data of operations; whoever keeps those in step reads the notice."""
    return "notice" if name in SETS and name not in ESSENTIAL else "error"


def _cannot_read(company: str, name: str, error: IsthmusError) -> Finding:
    return Finding(
        "set_unreadable",
        _severity(name),
        f"{name} of company {company} cannot be read: {error.message}",
        value=name,
        mend=error.hint or "Assign a permission set that reads it on page Microsoft Entra Applications.",
    )


def _no_company(name: str, present: Mapping[str, str]) -> Finding:
    return Finding(
        "company_missing",
        "error",
        f"company {name!r} does not exist in this environment (it has: {', '.join(sorted(present)) or 'none'}).",
        field="companies",
        value=name,
        mend="Mend `companies` of the connection.",
    )


def _not_visible(config: BusinessCentralConfig) -> list[Finding]:
    if config.posting == "save":
        return []
    return [
        Finding(
            "journal_rights_untested",
            "notice",
            "whether the application may make and post journals shows only when it does.",
            mend="Permission sets needed: docs/business-central.md.",
        ),
        Finding(
            "posting_series_unseen",
            "notice",
            "a posting number series on the journal template would renumber documents; it cannot be seen from outside.",
            mend="Page General Journal Templates: Posting No. Series of the first general template must be empty.",
        ),
    ]
