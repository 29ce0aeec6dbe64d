"""From changes of rows to notifications: the delay, the merging, the `collection` (bc.md section 11)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from isthmus.sandbox.business_central.entity import EntitySet
from isthmus.sandbox.business_central.environment import Environment
from isthmus.sandbox.business_central.registry import entity_sets
from isthmus.sandbox.business_central.tables import Row, Table, Values
from isthmus.sandbox.business_central.webhooks.book import Change, Notice, Pending, Post, Subscription
from isthmus.sandbox.clock import stamp

#: Agenda entries: the first notifications of an address, a POST once more, the end of a subscription.
DUE, AGAIN, EXPIRES = "webhooks_due", "webhooks_again", "webhooks_expire"
#: What the filter of a `collection` reaches back before the first change.
_EARLIER = 0.05
_STAMP = "lastModifiedDateTime"


def at(seconds: float) -> str:
    """Sandbox seconds as Business Central writes a moment."""
    return stamp(datetime.fromtimestamp(seconds, UTC))


# watching


def rewatch(environment: Environment) -> None:
    """Watch the tables that subscriptions are about, and no other."""
    for company in environment.companies.values():
        for table in company.tables.values():
            table.watch = None
    for subscription in environment.webhooks.subscriptions.values():
        for table, heads in _tables(environment, subscription):
            table.watch = functools.partial(_noticed, environment, subscription.company, subscription.set_name, heads)


def forget(environment: Environment, set_name: str) -> None:
    """Lose subscriptions without a word: those of a set, or all."""
    book = environment.webhooks
    if book.drop([one.id for one in book.subscriptions.values() if set_name in {"", one.set_name}]):
        rewatch(environment)


def _tables(environment: Environment, subscription: Subscription) -> Iterator[tuple[Table, bool]]:
    """The tables a subscription is about, and whether their rows are the lines of a document."""
    company = environment.companies[subscription.company]
    sets = entity_sets()
    entity_set = sets[subscription.set_name]
    if entity_set.name in company.tables:
        yield company.tables[entity_set.name], False
    for name in _lines(entity_set):
        if name in company.tables:
            yield company.tables[name], True


@functools.cache
def _lines(entity_set: EntitySet) -> tuple[str, ...]:
    """Sets of lines whose changes notify their header: those that name it as their document."""
    sets = entity_sets()
    return tuple(n.target for n in entity_set.navigations if n.many and "documentId" in sets[n.target].by_name)


def _noticed(
    environment: Environment,
    company: str,
    set_name: str,
    of_line: bool,
    kind: str,
    row: Row,
    values: Values,
    hidden: Values,
) -> Callable[[], None]:
    if kind == "updated" and _same(row.values, values) and row.hidden == hidden:
        return lambda: None  # a null update: no field was changed
    key = str(row.values["documentId"]) if of_line else row.id
    change = Change(company, set_name, "updated" if of_line else kind, key, environment.clock.seconds())
    environment.webhooks.changes.append(change)

    def undo() -> None:
        change.undone = True

    return undo


def _same(one: Values, other: Values) -> bool:
    return all(other.get(name) == value for name, value in one.items() if name != _STAMP)


def notice_setup(environment: Environment, company: str) -> None:
    """General Ledger Setup has no table of rows: a switch of it tells of itself."""
    if environment.webhooks.subscriptions:
        key = environment.companies[company].seeded_id("generalLedgerSetup")
        change = Change(company, "generalLedgerSetup", "updated", key, environment.clock.seconds())
        environment.webhooks.changes.append(change)


# collecting


def collect(environment: Environment) -> bool:
    """Put what was changed, and not taken back, before those who want to know. Whether there was anything."""
    book = environment.webhooks
    changes, book.changes = book.changes, []
    for change in changes:
        if change.undone:
            continue
        for one in book.subscriptions.values():
            if (one.company, one.set_name) == (change.company, change.set_name):
                _remember(environment, one, change)
    return bool(changes)


def _remember(environment: Environment, subscription: Subscription, change: Change) -> None:
    book = environment.webhooks
    pending = book.pending.setdefault(subscription.id, {})
    known = pending.get((change.kind, change.row_id))
    if known is not None:
        known.last = change.at
        return
    pending[change.kind, change.row_id] = Pending(change.kind, change.row_id, change.at, change.at)
    if subscription.notification_url not in book.planned:
        book.planned.add(subscription.notification_url)
        delay = change.at + environment.switches.notification_delay - environment.clock.seconds()
        environment.agenda.add(delay, DUE, {"url": subscription.notification_url})


# what is due


def due(environment: Environment, payload: dict[str, Any]) -> None:
    """The time of an address has come: all its subscriptions leave in one POST."""
    book, url = environment.webhooks, str(payload["url"])
    book.planned.discard(url)
    notices: list[Notice] = []
    for subscription in book.subscriptions.values():
        if subscription.notification_url == url and (pending := book.pending.pop(subscription.id, None)):
            notices += _notices(environment, subscription, list(pending.values()))
    if notices:
        book.ready.append(book.post(url, notices, environment.clock.seconds()))


def again(environment: Environment, payload: dict[str, Any]) -> None:
    """A POST is tried once more, with what is left of its subscriptions."""
    book = environment.webhooks
    post = book.posts.get(int(payload["post"]))
    if post is None:
        return
    post.notices = [notice for notice in post.notices if notice.subscription in book.subscriptions]
    if not post.notices:
        del book.posts[post.id]
        return
    post.at = environment.clock.seconds()
    book.ready.append(post)


def expire(environment: Environment, payload: dict[str, Any]) -> None:
    """The end of a subscription that was not renewed meanwhile."""
    found = environment.webhooks.subscriptions.get(str(payload["subscription"]))
    if found is not None and found.expires <= environment.clock.seconds() and environment.webhooks.drop([found.id]):
        rewatch(environment)


def _notices(environment: Environment, subscription: Subscription, pending: list[Pending]) -> list[Notice]:
    resource = f"api/v2.0/companies({subscription.company})/{subscription.set_name}"
    if len(pending) <= environment.switches.max_notifications:
        return [_notice(subscription, f"{resource}({one.row_id})", one.kind, one.last) for one in pending]
    if _STAMP in entity_sets()[subscription.set_name].by_name:
        first = at(min(one.first for one in pending) - _EARLIER)
        resource += f"?$filter={_STAMP}%20gt%20{first}"
    return [_notice(subscription, f"/{resource}", "collection", max(one.last for one in pending))]


def _notice(subscription: Subscription, resource: str, kind: str, last: float) -> Notice:
    body = {
        "subscriptionId": subscription.id,
        "clientState": subscription.client_state,
        "expirationDateTime": at(subscription.expires),
        "resource": resource,
        "changeType": kind,
        "lastModifiedDateTime": at(last),
    }
    return Notice(subscription.id, body)


def scheduled(agenda: list[Mapping[str, Any]]) -> frozenset[int]:
    """The POSTs that a saved agenda sends again."""
    return frozenset(int(entry["payload"]["post"]) for entry in agenda if entry["kind"] == AGAIN)


def reschedule(environment: Environment, post: Post) -> bool:
    """A POST that was not taken comes again after its pause. False when it was the last try (bc.md section 11)."""
    if post.attempt > 5:
        return False
    pause = {3: 600, 4: 6_000, 5: 60_000}.get(post.attempt, 60)
    post.attempt += 1
    environment.agenda.add(post.at + pause - environment.clock.seconds(), AGAIN, {"post": post.id})
    return True
