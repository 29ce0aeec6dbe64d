"""The books of one company as a control needs them: currency, open days, chart, dimension values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from isthmus.model.entities.ledger_accounts import Account
from isthmus.model.money import currency_digits, known_currency


class Book(Struct, frozen=True, kw_only=True):
    """What is known of a company's books at this moment.

    `accounts` by number and `dimension_values` as "DIMENSION/CODE"; None means not read yet, so not checked, while an
    empty one means there are none. No day in `posting_from` / `posting_to` means open in that direction; both are
    inclusive. `places` are the decimals of an amount, None for the currency's own.

    Raises ValueError for an unknown currency or time zone.
    """

    company: str
    currency: str
    time_zone: str
    posting_from: date | None = None
    posting_to: date | None = None
    accounts: Mapping[str, Account] | None = None
    dimension_values: frozenset[str] | None = None
    places: int | None = None

    def __post_init__(self) -> None:
        if not known_currency(self.currency):
            raise ValueError(f"company {self.company}: unknown currency {self.currency!r}, expected ISO 4217")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(
                f"company {self.company}: unknown time zone {self.time_zone!r}, expected a name such as Europe/Berlin"
            ) from None

    @property
    def amount_places(self) -> int:
        """Decimals every booked amount is rounded to."""
        return currency_digits(self.currency) if self.places is None else self.places

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.time_zone)

    def open_on(self, day: date) -> bool:
        """Whether the company's set-up allows posting on `day`. Users may be allowed more or less in the target."""
        after_start = self.posting_from is None or day >= self.posting_from
        return after_start and (self.posting_to is None or day <= self.posting_to)
