"""What goes wrong with notifications on request: lost, repeated, out of order, late (docs/sandbox.md)."""

from __future__ import annotations

from isthmus.sandbox.business_central.environment import Environment
from isthmus.sandbox.business_central.webhooks.book import Notice, Post
from isthmus.sandbox.business_central.webhooks.noticing import AGAIN
from isthmus.sandbox.faults import Fault, Faults
from isthmus.sandbox.wire import Request


def spoil(environment: Environment, faults: Faults, post: Post) -> list[Post]:
    """The POSTs that leave instead of this one. Each is spoilt once: what comes again or late leaves as it is."""
    if post.spoilt:
        return [post]
    book = environment.webhooks
    plain: list[Notice] = []
    behind: list[Notice] = []
    late: dict[float, list[Notice]] = {}
    twice: list[Notice] = []
    for notice in post.notices:
        fault = _fault(faults, notice)
        kind = fault.kind if fault is not None else ""
        if kind == "webhook_lost":
            continue
        if fault is not None and kind == "webhook_delayed":
            late.setdefault(fault.seconds, []).append(notice)
        elif kind == "webhook_reordered":
            behind.insert(0, notice)
        else:
            plain.append(notice)
            if kind == "webhook_repeated":
                twice.append(notice)
    for seconds, notices in late.items():
        later = book.post(post.url, notices, post.at + seconds, spoilt=True)
        environment.agenda.add(post.at + seconds - environment.clock.seconds(), AGAIN, {"post": later.id})
    post.notices, post.spoilt = plain + behind, True
    found = [post] if post.notices else []
    if not found:
        del book.posts[post.id]
    if twice:
        # the same POST again; where only some of it is repeated, those in one of their own
        again = twice if len(twice) < len(post.notices) else list(post.notices)
        found.append(book.post(post.url, again, post.at, spoilt=True))
    return found


def _fault(faults: Faults, notice: Notice) -> Fault | None:
    path = str(notice.body["resource"]).partition("?")[0].partition("api/v2.0/")[2]
    return faults.of_notification(Request("NOTIFY", path), path)
