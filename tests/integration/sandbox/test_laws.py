"""Laws that no batch of journals may break: the books balance, a journal posts wholly or not at all."""

from __future__ import annotations

import http.client
import itertools
import json
import ssl
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from isthmus.sandbox.server import Sandbox

TENANT = "0f6d8c52-6f0e-4b55-9e3b-3c1d1b0f7a10"
NAMES = itertools.count(1)


class Caller:
    """One connection, kept open; answers are decoded with Decimals."""

    def __init__(self, box: Sandbox, principal: dict[str, str]) -> None:
        context = ssl.create_default_context(cafile=str(box.ca))
        self.box = box
        self.connection = http.client.HTTPSConnection(box.url.removeprefix("https://"), context=context)
        form = {
            "grant_type": "client_credentials",
            "client_id": principal["client_id"],
            "client_secret": principal["secret"],
            "scope": "https://api.businesscentral.dynamics.com/.default",
        }
        self.headers: dict[str, str] = {}
        token = self.send("POST", f"/{TENANT}/oauth2/v2.0/token", urlencode(form))["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}
        self.company = box.state()["companies"][0]["id"]

    def send(self, method: str, path: str, body: str, **headers: str) -> Any:
        self.connection.request(method, path, body, self.headers | headers)
        return json.loads(self.connection.getresponse().read(), parse_float=Decimal, parse_int=Decimal)

    def batch(self, parts: list[dict[str, Any]], *, snapshot: bool) -> list[dict[str, Any]]:
        headers = {"Isolation": "snapshot"} if snapshot else {}
        numbered = [{"id": str(at), "headers": {}, **part} for at, part in enumerate(parts)]
        body = json.dumps({"requests": numbered}, default=str)
        answer = self.send("POST", f"/v2.0/{TENANT}/Sandbox/api/v2.0/$batch", body, **headers)
        return list(answer["responses"])


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    data = {
        "tenant": TENANT,
        "environment": "Sandbox",
        "principals": [{"client_id": "11111111-0000-4000-8000-000000000001", "secret": "s"}],
        "switches": {"requests_per_window": 1_000_000},
        "companies": [
            {
                "name": "CRONUS",
                "dimensions": [{"code": "DEPARTMENT", "values": ["ADM", "PROD"]}],
                "accounts": [
                    {"number": "2920"},
                    {"number": "5410", "direct_posting": False},
                    {"number": "8430", "dimensions": {"DEPARTMENT": "code_mandatory"}},
                    {"number": "8450"},
                    {"number": "8600", "blocked": True},
                ],
            }
        ],
    }
    with Sandbox(data, home=tmp_path_factory.mktemp("laws")) as box:
        found = Caller(box, data["principals"][0])  # type: ignore[index]
        yield found
        found.connection.close()


LINES = st.fixed_dictionaries(
    {
        "accountNumber": st.sampled_from(["2920", "8450", "8450", "8430", "5410", "8600", "9999"]),
        "amount": st.sampled_from(["10", "-10", "0.005", "-0.005", "0.01", "-0.01", "3.335", "-3.335", "0"]),
        "documentNumber": st.sampled_from(["A", "B", ""]),
        "postingDate": st.sampled_from(["2026-01-01", "2026-01-02"]),
    },
    optional={
        "balancingAccountNumber": st.sampled_from(["2920", "8450"]),
        "dimensionSetLines": st.just([{"code": "DEPARTMENT", "valueCode": "ADM"}]),
    },
)
# Half of the lines come in pairs that balance, or hardly anything would ever be posted.
PAIRS = st.builds(
    lambda amount, document: [
        {"accountNumber": "8450", "amount": amount, "documentNumber": document, "postingDate": "2026-01-01"},
        {"accountNumber": "2920", "amount": f"-{amount}", "documentNumber": document, "postingDate": "2026-01-01"},
    ],
    st.sampled_from(["1", "2.5", "0.015"]),
    st.sampled_from(["A", "B"]),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    chunks=st.lists(st.one_of(PAIRS, PAIRS, LINES.map(lambda line: [line])), min_size=1, max_size=5),
    snapshot=st.booleans(),
    again=st.booleans(),
)
def test_books_balance_and_journals_post_wholly(
    caller: Caller, chunks: list[list[dict[str, Any]]], snapshot: bool, again: bool
) -> None:
    run = f"R{next(NAMES)}"
    lines = [line | {"documentNumber": f"{run}{line['documentNumber']}"} for chunk in chunks for line in chunk]
    made = caller.batch(
        [{"method": "POST", "url": f"companies({caller.company})/journals", "body": {"code": run}}], snapshot=False
    )
    journal = f"companies({caller.company})/journals({made[0]['body']['id']})"
    parts = [{"method": "POST", "url": f"{journal}/journalLines", "body": line} for line in lines]
    parts += [{"method": "POST", "url": f"{journal}/Microsoft.NAV.post", "body": {}}] * (1 + again)
    before = caller.box.books()
    answers = caller.batch(parts, snapshot=snapshot)
    after = caller.box.books()

    event(f"posted: {any(answer['status'] == 204 for answer in answers)}")
    posted = sum(answer["status"] == 204 for answer in answers)
    accepted = [answer["body"] for answer in answers if answer["status"] == 201]
    entries = after["entries"] - before["entries"]
    assert Decimal(after["balance"]) == 0
    for document in {line["documentNumber"] for line in lines}:
        by_date: dict[str, Decimal] = {}
        for entry in caller.box.document(document)["entries"]:
            by_date[entry["date"]] = by_date.get(entry["date"], Decimal(0)) + Decimal(entry["amount"])
        assert set(by_date.values()) <= {Decimal(0)}
    if posted:
        assert posted == 1  # a second post finds nothing
        sides = [(bool(line["accountNumber"]), bool(line["balancingAccountNumber"])) for line in accepted]
        assert entries == sum(one + two for one, two in sides)
        assert after["unposted_lines"] == before["unposted_lines"]
    else:
        assert entries == 0
        kept = 0 if snapshot and any(answer["status"] >= 400 for answer in answers) else len(accepted)
        assert after["unposted_lines"] == before["unposted_lines"] + kept
