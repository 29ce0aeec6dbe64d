"""A baseline for whole_path.py: rows straight into journals of Business Central, in the way such scripts are written.

No ledger, no identity of rows, no checks, no look-up: a journal of 50 documents, lines and dimensions by batch, post,
next. A journal whose posting gives no answer is made and posted once more.

    naive.py LIST URL CA
"""

from __future__ import annotations

import asyncio
import csv
import ssl
import sys
from collections.abc import Sequence
from itertools import count
from typing import Any, TypeVar

import aiohttp

TENANT = "2b7e1c58-4a0d-4c3f-8f0e-6d9a35c1e274"
CLIENT = "6f1c2f5e-0d5b-4c0e-9a53-5a3f6d1c7a10"
SECRET = "only-for-the-simulator"
ACCOUNTS = {"PM01": "8410", "PM02": "8420", "PM04": "8440", "PM05": "8450", "PM06": "8460"}
CENTRES = {"A": "PIT-NORTH", "B": "PIT-NORTH", "C": "PIT-SOUTH", "D": "PIT-SOUTH", "E": "STOCKPILE"}
_DOCUMENTS = 50
_PARTS = 100
T = TypeVar("T")


def batched(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Slices of `size`."""
    return [items[start : start + size] for start in range(0, len(items), size)]


class Service:
    """Calls of one company, signed in."""

    def __init__(self, session: aiohttp.ClientSession, root: str, token: str) -> None:
        self._session = session
        self._root = root
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call."""
        async with self._session.request(method, self._root + path, json=body, headers=self._headers) as answer:
            answer.raise_for_status()
            return await answer.json() if answer.content_length else None

    async def batch(self, parts: Sequence[tuple[str, Any]]) -> list[Any]:
        """POSTs by the hundred, the bodies of their answers."""
        bodies = []
        for some in batched(parts, _PARTS):
            requests = [
                {
                    "id": str(i),
                    "method": "POST",
                    "url": path,
                    "headers": {"Content-Type": "application/json"},
                    "body": b,
                }
                for i, (path, b) in enumerate(some)
            ]
            answer = await self.call("POST", "$batch", {"requests": requests})
            bodies += [one["body"] for one in sorted(answer["responses"], key=lambda one: int(one["id"]))]
        return bodies


async def post_all(orders: str, url: str, ca: str) -> None:
    """Everything in the list."""
    with open(orders, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if float(row["Cost"])]
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=ca))
    async with aiohttp.ClientSession(connector=connector) as session:
        form = {
            "grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET,
            "scope": "https://api.businesscentral.dynamics.com/.default",
        }  # fmt: skip
        async with session.post(f"{url}/{TENANT}/oauth2/v2.0/token", data=form) as answer:
            token = (await answer.json())["access_token"]
        service = Service(session, f"{url}/v2.0/{TENANT}/sandbox/api/v2.0/", token)
        companies = await service.call("GET", "companies")
        company = f"companies({companies['value'][0]['id']})"
        numbers = count(1)
        for number, some in enumerate(batched(rows, _DOCUMENTS)):
            await post_journal(service, company, f"N{number:05}", [(next(numbers), row) for row in some])


async def post_journal(service: Service, company: str, code: str, rows: Sequence[tuple[int, dict[str, str]]]) -> None:
    """One journal: made, filled, posted; once more as a whole when posting it fails."""
    for again in ("", "B"):
        made = await service.call("POST", f"{company}/journals", {"code": code + again, "displayName": code})
        journal = f"{company}/journals({made['id']})"
        lines = [line for number, row in rows for line in lines_of(number, row)]
        kept = await service.batch([(f"{journal}/journalLines", line) for line in lines])
        dimensions = [
            (f"{journal}/journalLines({line['id']})/dimensionSetLines", {"code": name, "valueCode": value})
            for line, (_, row) in zip(kept[::2], rows, strict=True)
            for name, value in (("ASSET", row["Asset"]), ("COSTCENTRE", CENTRES[row["Asset"]]))
        ]
        await service.batch(dimensions)
        try:
            await service.call("POST", f"{journal}/Microsoft.NAV.post")
        except aiohttp.ClientError:
            continue
        return


def lines_of(number: int, row: dict[str, str]) -> list[dict[str, Any]]:
    """Debit and credit of a row."""
    common = {
        "documentNumber": f"N-{number:07}", "postingDate": row["BscStartDate"], "description": row["OriginalShorttext"],
    }  # fmt: skip
    cost = float(row["Cost"])
    return [
        common | {"accountNumber": ACCOUNTS[row["PMType"]], "amount": cost},
        common | {"accountNumber": "2910", "amount": -cost},
    ]


if __name__ == "__main__":
    asyncio.run(post_all(*sys.argv[1:]))
