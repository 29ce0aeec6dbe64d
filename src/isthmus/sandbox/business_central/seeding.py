"""Putting seeded records into a company: again and again with the same result, by their natural key."""

from __future__ import annotations

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.fields import NO_TIME, Options, member
from isthmus.sandbox.business_central.registry import entity_sets
from isthmus.sandbox.business_central.tables import Row, Transaction, Values


def put(company: Company, tx: Transaction, set_name: str, values: Values, hidden: Values | None = None) -> Row:
    """Insert a record of a set, or change the one that has its key already. `values` needs the key; what it leaves out
    is blank. The id follows from the key. A record put into a company that lives already counts as changed now.
    """
    table = company.tables[set_name]
    key = table.storage.unique[0]
    found = table.one(key, *(values[name] for name in key))
    whole = {**entity_sets()[set_name].blank, **values}
    whole["id"] = found.id if found is not None else company.seeded_id(set_name, *(str(values[name]) for name in key))
    if "lastModifiedDateTime" in whole:
        whole["lastModifiedDateTime"] = tx.stamp or NO_TIME
    if found is None:
        return table.insert(tx, Row(whole, dict(hidden or {})))
    return table.update(tx, found, whole, hidden)


def member_of(options: Options, name: str) -> str:
    """An option of a seed file as the API writes it; small letters and `_` for a blank are taken too. Raises
    ValueError.
    """
    for known in options.names:
        if known.lower() in {name.lower(), name.lower().replace("_", " ")}:
            return member(known)
    raise ValueError(f"{name!r} is no {options.name}; use one of {', '.join(options.names)}")
