"""Corrections: what is booked is never patched. A change becomes a counter document and a new one, both linked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from msgspec.structs import replace

from isthmus.controls.wording import correction_text
from isthmus.model.entities.journals import JournalEntry
from isthmus.model.finding import Finding
from isthmus.model.money import currency_digits

_Dimensions = frozenset[tuple[str, str]]


def counter_document(journal: JournalEntry, number: str, posting_date: date) -> JournalEntry:
    """The document that takes `journal` back: every line with the other sign, `corrects` = its number.

    The day of the event stays; the day of booking is given, because the original's period may be closed. Raises
    ValueError when `number` is the original's own: the target would take it for a repetition.
    """
    if number == journal.number:
        raise ValueError(f"a counter document needs a number of its own, not {number}")
    return replace(
        journal,
        number=number,
        posting_date=posting_date,
        description=correction_text(journal.number, journal.description),
        amount=-journal.amount,
        lines=tuple(replace(line, amount=-line.amount) for line in journal.lines),
        corrects=journal.number,
        booked_number=None,
    )


def booked_change(old: JournalEntry, new: JournalEntry) -> Finding | None:
    """A hold saying how `new` differs from what is booked as `old`; None when both have the same effect.

    Compared are the amounts per account and dimensions, the currency, and the day of the event. Not compared:
    texts, names of rules, the number, and the posting date, which moves by itself when a period closes.
    """
    changes = _changes(old, new)
    if not changes:
        return None
    return Finding(
        "already_booked",
        "hold",
        f"already booked as {old.booked_number or old.number}, change of {', '.join(changes)}",
        field="amount" if old.amount != new.amount else "lines",
        value=str(new.amount),
        mend="Use `correct` to book a counter document and a new one, or dismiss the change.",
    )


def _changes(old: JournalEntry, new: JournalEntry) -> list[str]:
    before, after = _effect(old), _effect(new)
    changes: list[str] = []
    if old.currency != new.currency:
        changes.append(f"currency {old.currency} -> {new.currency}")
    if old.amount != new.amount:
        changes.append(f"{_shown(old.amount, old.currency)} -> {_shown(new.amount, new.currency)}")
    if before != after:
        named = [*_accounts(before, after), *_dimensions(before, after)]
        if not named and old.amount == new.amount:
            named = _distribution(before, after, old.currency)
        changes += named
    if (day := old.document_date or old.posting_date) != (other := new.document_date or new.posting_date):
        changes.append(f"date {day} -> {other}")
    return changes


def _effect(journal: JournalEntry) -> dict[tuple[str, _Dimensions], Decimal]:
    """What a document adds to each account and dimension set."""
    totals: dict[tuple[str, _Dimensions], Decimal] = defaultdict(Decimal)
    for line in journal.lines:
        totals[line.account, frozenset(line.dimensions.items())] += line.amount
    return {place: amount for place, amount in totals.items() if amount}


_Effect = Mapping[tuple[str, _Dimensions], Decimal]


def _accounts(before: _Effect, after: _Effect) -> list[str]:
    left, right = {account for account, _ in before}, {account for account, _ in after}
    return [] if left == right else [f"account {_listed(left - right)} -> {_listed(right - left)}"]


def _dimensions(before: _Effect, after: _Effect) -> list[str]:
    left, right = _values(before), _values(after)
    return [
        f"{code} {_listed(left.get(code, set()) - right.get(code, set()))} -> "
        f"{_listed(right.get(code, set()) - left.get(code, set()))}"
        for code in sorted({*left, *right})
        if left.get(code) != right.get(code)
    ]


def _values(effect: _Effect) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for _, dimensions in effect:
        for code, value in dimensions:
            found[code].add(value)
    return found


def _distribution(before: _Effect, after: _Effect, currency: str) -> list[str]:
    """The same accounts, dimensions and sum, shared out differently."""
    changed = [place for place in {*before, *after} if before.get(place) != after.get(place)]
    nothing = Decimal(0)
    return sorted(
        " ".join([account, *(f"{code}={value}" for code, value in sorted(dimensions))])
        + f" {_shown(before.get((account, dimensions), nothing), currency)}"
        + f" -> {_shown(after.get((account, dimensions), nothing), currency)}"
        for account, dimensions in changed
    )


def _shown(amount: Decimal, currency: str) -> str:
    """At least the currency's decimals: 210 USD is shown as 210.00, 0.005 stays as it is."""
    exponent = amount.as_tuple().exponent
    places = -exponent if isinstance(exponent, int) else 0
    return f"{amount:.{max(currency_digits(currency), places)}f}"


def _listed(values: set[str]) -> str:
    return " and ".join(sorted(values)) or "(none)"
