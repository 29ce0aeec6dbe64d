"""Why a master record was refused: read from the facts, not from the error's text, which is localised (bc.md §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from isthmus.connectors.dynamics._client import guid
from isthmus.connectors.dynamics._odata import literal
from isthmus.connectors.dynamics.business_central.masters.facts import Master, Reference
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.connectors.dynamics.business_central.ways import Place, Site
from isthmus.contract.operations import Operation, Outcome
from isthmus.errors import Halt, IsthmusError, Reject

#: What a TestField or an Error of the application answers with (bc.md §9); a refused number is one of them (§13).
_DIALOG = "Application_DialogException"


class Refusals:
    """Explains refusals in one environment."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def explain(
        self, place: Place, master: Master, operation: Operation, body: Mapping[str, Any], told: IsthmusError
    ) -> Outcome:
        """The outcome of one refused record: by facts, else in the service's words."""
        if not isinstance(told, Reject):
            return outcome_of(operation.key, told)
        try:
            found = await self._too_long(master, body) or await self._unknown(place, master, body)
        except Halt:
            raise
        except IsthmusError:
            found = None  # the refusal itself is known; only its explanation is poorer
        found = found or _of_its_number(place, master, operation, body, told)
        if found is None:
            mend = f"Mend it on page {master.page} in company {place.name}, or correct the mapping."
            return structs.replace(outcome_of(operation.key, told), mend=told.hint or mend)
        return outcome_of(operation.key, found)

    async def _too_long(self, master: Master, body: Mapping[str, Any]) -> Reject | None:
        for field in await self._site.describe(master.native):
            value = body.get(field.name)
            if field.max_length and isinstance(value, str) and len(value) > field.max_length:
                return Reject(
                    f"{field.name} takes {field.max_length} characters and it has {len(value)}.",
                    code="too_long",
                    field=field.name,
                    hint="Shorten it, or say `cut: true` in the mapping.",
                )
        return None

    async def _unknown(self, place: Place, master: Master, body: Mapping[str, Any]) -> Reject | None:
        for name, reference in master.references.items():
            value = str(body.get(name) or "")
            if value and not await exists(self._site, place, reference, value):
                return unknown(name, value, reference, place)
        return None


async def exists(site: Site, place: Place, reference: Reference, value: str) -> bool:
    """Whether a field names something that is there."""
    if reference.set == "currencies" and value == await site.companies.currency(place.name):
        return True  # the company's own currency is no record: it is kept as blank (bc.md §4)
    wanted = guid(value) if reference.by == "id" else literal(value.upper())
    options = {"$filter": f"{reference.by} eq {wanted}", "$select": "id", "$top": "1"}
    return bool(await site.client.all(f"{place.path}/{reference.set}", options))


def unknown(field: str, value: str, reference: Reference, place: Place) -> Reject:
    """The refusal of a field that names nothing that is there."""
    return Reject(
        f"{field} {value} does not exist.",
        code="reference_unknown",
        field=field,
        value=value,
        hint=f"Create it on page {reference.page} in company {place.name}, or correct the record.",
    )


def _of_its_number(
    place: Place, master: Master, operation: Operation, body: Mapping[str, Any], told: Reject
) -> Reject | None:
    """Nothing else explains it, and a number was given where the company assigns numbers: by elimination."""
    number = str(body.get(master.number) or "")
    if operation.action != "create" or not number or not master.series or told.code != _DIALOG:
        return None
    return Reject(
        f"it cannot be made as number {number}: {told.message}",
        code="number_refused",
        field=master.number,
        value=number,
        hint=f"Company {place.name}: the number series of page {master.series} must allow Manual Nos. "
        "(page No. Series); or let Business Central assign the numbers: "
        f"`assigned_numbers: [{operation.entity}]` of the connection.",
    )
