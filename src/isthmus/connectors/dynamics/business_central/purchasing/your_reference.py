"""The mark of an order in its field Your Reference, where page 50 is published (semantics.md §5, bc.md §18).

It finds an order whose vendor, day or comments somebody changed before we saw it. Without the page the comment alone
tells, which is enough while nobody touches the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from isthmus.connectors.dynamics.business_central.published import Published
from isthmus.errors import Halt, IsthmusError

_KIND, _FIELD = "purchase_order", "Your_Reference"


async def note_reference(published: Published, company: str, number: str, mark: str) -> str:
    """Write the mark; "" when it stands there, else why not. The order is made either way. Raises Halt."""
    if not published.has(_KIND) or not number:
        return ""
    try:
        key = {"Document_Type": "Order", "No": number}
        await published.change(company, _KIND, key, {_FIELD: mark}, etag="*")
    except Halt:
        raise
    except IsthmusError as error:
        return f"made; its field Your Reference could not be set: {error.message}"
    return ""


async def numbers_by_reference(published: Published, company: str, marks: Iterable[str]) -> Mapping[str, str]:
    """Order number -> mark of orders that carry one of these marks; none without the page."""
    if not published.has(_KIND):
        return {}
    wanted = set(marks)
    rows = await published.rows_by(company, _KIND, _FIELD, wanted)
    told = {str(row.data.get("No", "")): str(row.data.get(_FIELD, "")) for row in rows}
    return {number: mark for number, mark in told.items() if number and mark in wanted}
