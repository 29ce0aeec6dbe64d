"""What the lines of documents have in common: units, amounts, the ERP's answer."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from isthmus.sandbox.cafm.entity import Field
from isthmus.sandbox.cafm.kinds import Reading, Record, Text, rounded, shown
from isthmus.sandbox.cafm.stock_levels import factor

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.world import World

#: How a document shows what the ERP made of it; writable in every status.
EXTERNAL = (
    Field("externalNumber", Text(50)),
    Field("externalStatus", Text(30)),
    Field("externalMessage", Text(500)),
)
EXTERNAL_NAMES = frozenset({"externalId", *(field.name for field in EXTERNAL)})


def default_unit(world: World, line: Record) -> None:
    """A line of an item that names no unit is in the item's base unit."""
    if line["unit"] is None and line["itemId"] is not None:
        line["unit"] = world.tables["items"].rows[line["itemId"]]["baseUnit"]


def check_unit(reading: Reading, line: Record, at: str, *, quantity: str = "quantity") -> None:
    """The item must know the unit, and the unit so many decimals."""
    world, unit = reading.world, line["unit"]
    if unit is None:
        return
    if line.get("itemId") is not None and factor(world, line["itemId"], unit) is None:
        item = world.tables["items"].rows[line["itemId"]]["code"]
        reading.wrong("unit_not_convertible", f"{at}unit", f"item {item} has no factor for the unit {unit!r}.")
    row = world.tables["units"].by_code(unit)
    number = Decimal(line[quantity] or 0)
    if row is not None and number != rounded(number, row["decimals"]):
        text = f"{number.normalize():f} has more decimals than the {row['decimals']} of unit {unit}."
        reading.wrong("too_many_decimals", f"{at}{quantity}", text)


def amount(world: World, currency: str | None, *factors: Any) -> str | None:
    """The product, rounded to the decimals of the currency; None when a factor is not known."""
    if any(one is None for one in factors):
        return None
    product = Decimal(1)
    for one in factors:
        product *= Decimal(one)
    row = world.tables["currencies"].by_code(currency or world.settings.base_currency)
    return shown(rounded(product, row["decimals"] if row is not None else 2), 2)
