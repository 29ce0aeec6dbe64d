"""On which day a document is booked: the company's time zone, its open days, the flow's cut-over."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from isthmus.controls.book import Book
from isthmus.model.finding import Finding
from isthmus.model.values import aware_utc

#: What happens when the day is closed already: hold = a person decides; first_open = book on the first open day and
#: keep the document date; reject = the document cannot go.
PeriodPolicy = Literal["hold", "first_open", "reject"]


def event_day(moment: datetime | None, day: date | None, book: Book) -> date | None:
    """The local day of an event in the company's time zone; `day` where the source knows no time, None without both.

    The moment wins over the day: the source's own day may be that of another time zone.
    """
    if moment is not None:
        return aware_utc(moment).astimezone(book.zone).date()
    return day


def posting_date(
    moment: datetime | None, day: date | None, book: Book, policy: PeriodPolicy = "hold"
) -> tuple[date | None, tuple[Finding, ...]]:
    """The day to book an event on, and what is to be said about it. None only with the finding `date_missing`.

    A closed day is answered by `policy`. The first open day is `posting_from`; a day after `posting_to` is held under
    every policy, because booking it earlier would put the cost into a period before it happened.
    """
    event = event_day(moment, day, book)
    if event is None:
        return None, (
            Finding(
                "date_missing",
                "error",
                "there is neither a moment nor a day of completion, so no posting date",
                field="completed_at",
                mend="Complete the record in its system with a date, or map completed_on to another date.",
            ),
        )
    if book.open_on(event):
        return event, ()
    if book.posting_from is not None and event < book.posting_from:
        return _too_early(event, book.posting_from, book, policy)
    return event, (_closed_hold(event, book, "is not open yet"),)


def before_cut_over(day: date, cut_over: date | None) -> Finding | None:
    """A skip for an event older than the flow's cut-over day; an event on that day is posted. None: go on."""
    if cut_over is None or day >= cut_over:
        return None
    return Finding(
        "before_cut_over",
        "skip",
        f"{day} is before the cut-over {cut_over}: the old system booked it",
        value=str(day),
        mend="A backfill with `post: yes` books it all the same, after `plan` showed the sum.",
    )


def _too_early(event: date, first: date, book: Book, policy: PeriodPolicy) -> tuple[date, tuple[Finding, ...]]:
    if policy == "first_open" and book.open_on(first):
        moved = Finding(
            "posting_date_moved",
            "notice",
            f"{event} is closed in {book.company}; booked on {first}, document date stays {event}",
            field="posting_date",
            value=str(event),
        )
        return first, (moved,)
    if policy == "reject":
        refused = Finding(
            "period_refused",
            "error",
            f"{event} is closed in {book.company}: open {_span(book)}",
            field="posting_date",
            value=str(event),
            mend=_reopen(book),
        )
        return event, (refused,)
    return event, (_closed_hold(event, book, "is closed"),)


def _closed_hold(event: date, book: Book, how: str) -> Finding:
    return Finding(
        "period_closed",
        "hold",
        f"{event} {how} in {book.company}: open {_span(book)}",
        field="posting_date",
        value=str(event),
        mend=_reopen(book),
    )


def _span(book: Book) -> str:
    if book.posting_from is None:
        return f"until {book.posting_to}"
    return f"from {book.posting_from}" if book.posting_to is None else f"{book.posting_from} to {book.posting_to}"


def _reopen(book: Book) -> str:
    return f"Open the day in the general ledger set-up of {book.company} (allow posting from / to), then release."
