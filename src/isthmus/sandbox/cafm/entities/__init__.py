"""The entities of the CAFM, as docs/cafm-api.md lists them."""

from __future__ import annotations

from isthmus.sandbox.cafm.entities.assets import ASSETS, LOCATIONS
from isthmus.sandbox.cafm.entities.finance import (
    ACCOUNTS,
    CURRENCIES,
    DIMENSION_VALUES,
    DIMENSIONS,
    EXCHANGE_RATES,
    PAYMENT_TERMS,
)
from isthmus.sandbox.cafm.entities.items import ITEM_UNITS, ITEMS, UNITS
from isthmus.sandbox.cafm.entities.orders import PURCHASE_ORDERS
from isthmus.sandbox.cafm.entities.receipts import RECEIPTS
from isthmus.sandbox.cafm.entities.requisitions import REQUISITIONS
from isthmus.sandbox.cafm.entities.stock import STOCK_TRANSACTIONS
from isthmus.sandbox.cafm.entities.vendors import VENDORS
from isthmus.sandbox.cafm.entities.webhooks import WEBHOOKS
from isthmus.sandbox.cafm.entities.work_orders import WORK_ORDERS
from isthmus.sandbox.cafm.entity import Entity

#: By path, each after those it refers to: the order in which a seed is put in.
ENTITIES: dict[str, Entity] = {
    entity.name: entity
    for entity in (
        CURRENCIES,
        EXCHANGE_RATES,
        PAYMENT_TERMS,
        ACCOUNTS,
        DIMENSIONS,
        DIMENSION_VALUES,
        UNITS,
        LOCATIONS,
        VENDORS,
        ITEMS,
        ITEM_UNITS,
        ASSETS,
        WORK_ORDERS,
        REQUISITIONS,
        PURCHASE_ORDERS,
        RECEIPTS,
        STOCK_TRANSACTIONS,
        WEBHOOKS,
    )
}
