"""What people do in Business Central itself: post saved item journal lines, edit, rename or delete a record. Nothing of
it can be reached through the imitated API.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from isthmus.sandbox.business_central.areas.item_journals import post_batch
from isthmus.sandbox.business_central.areas.item_ledger import stock
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import EntitySet
from isthmus.sandbox.business_central.environment import Call, Rights
from isthmus.sandbox.business_central.tables import Row, Transaction, Values
from isthmus.sandbox.clock import stamp
from isthmus.sandbox.world import World


class PostItems(msgspec.Struct, forbid_unknown_fields=True):
    """Post a batch of an item journal or an item reclassification journal."""

    template: str = "ITEM"
    batch: str = "DEFAULT"


class Edit(msgspec.Struct, forbid_unknown_fields=True):
    """Change fields of a record, found by its number or code (or its id). `values` names properties of the set, or what
    the sandbox keeps of the record beside them, such as `purchasing_blocked` of an item.
    """

    set: str
    key: str
    values: dict[str, Any]


class Remove(msgspec.Struct, forbid_unknown_fields=True):
    """Delete a record, found by its number or code (or its id)."""

    set: str
    key: str


def post_items(world: World, company: Company, given: PostItems) -> dict[str, Any]:
    """What was posted. Raises Refusal when Business Central would refuse the batch; then nothing is posted."""
    tx = Transaction(stamp(world.clock.now()))
    try:
        found = post_batch(company, tx, given.template, given.batch, tx.stamp)
    except BaseException:
        tx.rollback()
        raise
    tx.commit()
    world.touched = True
    return found


def edit(world: World, company: Company, given: Edit) -> dict[str, Any]:
    """The record after the change, with what is kept beside its properties. A new number or code renames it, and what
    refers to it follows. Raises Refusal as the API does for the same change, ValueError for a record or field that is
    not there.
    """
    entity_set, row = _found(world, company, given.set, given.key)
    call = outside_call(world, company, "PATCH")
    plain = {name: value for name, value in given.values.items() if name in entity_set.by_name}
    hidden = {name: value for name, value in given.values.items() if name not in plain}
    try:
        values, _ = entity_set.read_body(call, plain)
        kept = {name: _hidden_value(entity_set, row, name, value) for name, value in hidden.items()}
        changed = entity_set.change(call, row, values)
        if kept:
            modified = "lastModifiedDateTime" in changed.values
            stamped = {"lastModifiedDateTime": call.stamp} if modified else {}
            entity_set.table(call).update(call.tx, changed, stamped, kept)
    except BaseException:
        call.tx.rollback()
        raise
    call.tx.commit()
    world.touched = True
    return {**changed.hidden, **changed.values}


def remove(world: World, company: Company, given: Remove) -> dict[str, Any]:
    """The id of the record that is gone. Raises as `edit` does."""
    entity_set, row = _found(world, company, given.set, given.key)
    call = outside_call(world, company, "DELETE")
    try:
        entity_set.remove(call, row)
    except BaseException:
        call.tx.rollback()
        raise
    call.tx.commit()
    world.touched = True
    return {"id": row.id}


def inventory(company: Company) -> dict[str, Any]:
    """Stock by item and location as text, straight from the item ledger; its cost by item; saved journal lines."""
    costs: dict[str, Decimal] = {}
    for entry in company.tables["itemLedgerEntries"]:
        number = entry.values["itemNumber"]
        costs[number] = costs.get(number, Decimal(0)) + entry.values["costAmountActual"]
    return {
        "company": company.name,
        "entries": len(company.tables["itemLedgerEntries"]),
        "unposted_lines": len(company.tables["itemJournalLines"]),
        "items": {
            number: {place: str(quantity) for place, quantity in sorted(places.items()) if quantity}
            for number, places in sorted(stock(company).items())
        },
        "costs": {number: str(cost) for number, cost in sorted(costs.items())},
    }


def outside_call(world: World, company: Company, method: str) -> Call:
    """A call by nobody in particular, outside the API."""
    now = stamp(world.clock.now())
    return Call(world.environment, Rights(), Transaction(now), method, {}, {}, "", now, chosen=company)


def _found(world: World, company: Company, set_name: str, key: str) -> tuple[EntitySet, Row]:
    entity_set = world.service.sets.get(set_name)
    if entity_set is None or entity_set.storage is None:
        raise ValueError(f"there is no set {set_name!r} with records of its own")
    table = company.tables[set_name]
    first = table.storage.unique[0]
    row = table.rows.get(key.lower()) or (table.one(first, key.strip().upper()) if len(first) == 1 else None)
    if row is None:
        by = "id" if len(first) > 1 else f"{first[0]} or id"
        raise ValueError(f"company {company.name!r} has no record {key!r} in {set_name}, by {by}")
    return entity_set, row


def _hidden_value(entity_set: EntitySet, row: Row, name: str, value: Any) -> Any:
    """A value of the same kind as the one it replaces."""
    kept: Values = row.hidden
    if name not in kept:
        known = ", ".join(sorted({*entity_set.by_name, *kept}))
        raise ValueError(f"{entity_set.name} have no field {name!r}; there are {known}")
    try:
        return msgspec.convert(value, type(kept[name]), strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(f"{entity_set.name}, {name}: {error}") from None


def services(world: World, given: Mapping[str, Any]) -> dict[str, int]:
    """Publish pages under names, withdraw those with null. Raises ValueError; what stands before it holds."""
    for name, page in given.items():
        world.publish(name, None if page is None else int(page))
    return world.environment.published
