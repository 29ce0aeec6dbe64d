"""Notifications of Business Central: who may send them, what they name, whatever else they hold (bc.md §11)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.connectors.dynamics.business_central.webhooks import handshake, hints
from isthmus.contract.webhooks import Hint, Wanted
from isthmus.errors import Reject

ACCOUNTS = Wanted(native="accounts", company="CRONUS", state="state-of-accounts")
VENDORS = Wanted(native="vendors", company="Zweite Gesellschaft", state="state-of-vendors")
WANTED = (ACCOUNTS, VENDORS)
KEY = "26814998-936a-401c-81c1-0e848a64971d"


def body(*entries: dict[str, Any]) -> bytes:
    plain = {
        "subscriptionId": "s1",
        "clientState": ACCOUNTS.state,
        "expirationDateTime": "2018-10-29T07:52:31Z",
        "resource": f"api/v2.0/companies(b18aed47-c385-49d2-b954-dbdf8ad71780)/accounts({KEY})",
        "changeType": "updated",
        "lastModifiedDateTime": "2018-10-26T12:54:20.467Z",
    }
    return msgspec.json.encode({"value": [plain | entry for entry in entries]})


def names(found: Any) -> list[tuple[str, str, str]]:
    return [(hint.native, hint.company, hint.gone) for hint in found]


@pytest.mark.parametrize("kind", ["created", "updated", "something new"])
def test_a_change_names_its_set(kind: str) -> None:
    assert names(hints(body({"changeType": kind}), WANTED)) == [("accounts", "CRONUS", "")]


@pytest.mark.parametrize(
    "prefix", ["", "api/v2.0/", "/api/v2.0/", "https://api.businesscentral.dynamics.com/v2.0/t/Production/api/v2.0/"]
)
def test_a_deletion_names_its_record(prefix: str) -> None:
    sent = body({"changeType": "deleted", "resource": f"{prefix}companies(b18aed47)/accounts({KEY})"})
    assert names(hints(sent, WANTED)) == [("accounts", "CRONUS", KEY)]


def test_a_collection_names_its_set() -> None:
    resource = "/api/v2.0/companies(b18aed47)/accounts?$filter=lastModifiedDateTime%20gt%202018-10-15T11:00:00Z"
    sent = body({"changeType": "collection", "resource": resource})
    assert names(hints(sent, WANTED)) == [("accounts", "CRONUS", "")]


def test_entries_of_several_subscriptions_and_of_strangers() -> None:
    sent = body({}, {"clientState": VENDORS.state}, {"clientState": "a guess"}, {"clientState": ""})
    assert names(hints(sent, WANTED)) == [("accounts", "CRONUS", ""), ("vendors", "Zweite Gesellschaft", "")]


def test_strangers_alone_are_refused() -> None:
    with pytest.raises(Reject) as caught:
        hints(body({"clientState": "a guess"}, {"clientState": ""}), WANTED)
    assert caught.value.code == "unknown_sender"
    assert ACCOUNTS.state not in str(caught.value)


def test_the_same_notification_has_the_same_key_and_no_other_has() -> None:
    first, again, later = (
        hints(body(entry), WANTED) for entry in ({}, {"expirationDateTime": "x"}, {"lastModifiedDateTime": "later"})
    )
    assert first == again != later
    assert isinstance(first, list)
    assert all(isinstance(hint, Hint) and hint.key for hint in first)


@given(st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(msgspec.json.encode))
def test_what_is_no_notification_means_everything(sent: bytes) -> None:
    assert hints(sent, WANTED) is None


def test_an_empty_notification_names_nothing() -> None:
    assert hints(b'{"value":[]}', WANTED) == []


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"validationToken": "abc"}, "abc"),
        ({"validationToken": ""}, None),
        ({"validationtoken": "abc"}, None),
        ({}, None),
        ({"validationToken": "x" * 5_000}, None),
    ],
)
def test_the_handshake(query: dict[str, str], answer: str | None) -> None:
    assert handshake(query) == answer
