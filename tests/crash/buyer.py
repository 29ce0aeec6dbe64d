"""A bicycle maker with orders made up for a test, and what the simulated Business Central holds of them.

What is there is read over plain HTTP, with nothing of the connector in between.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import ssl
import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from integration.adventureworks.bench import EXAMPLE, Files
from integration.work_order_costs.bench import Mine
from isthmus.sandbox import seed as seeds
from isthmus.sandbox.server import Sandbox

COMPANY = "BIKE WORKS"
HEADS, DETAILS = "PurchaseOrderHeader.csv", "PurchaseOrderDetail.csv"


class Buyer(Mine):
    """`folder`: the folder of the files, its own copy unless `data` says where others stand."""

    def __init__(self, place: Path, url: str | None = None, data: Path | None = None) -> None:
        super().__init__(place, url)
        shutil.rmtree(self.project)
        shutil.copytree(EXAMPLE, self.project, ignore=shutil.ignore_patterns("*.results.csv", ".isthmus"))
        if data is not None:
            shutil.copytree(data / "adventureworks", place / "published" / "adventureworks")
        self.folder = (place / "published" if data is not None else self.project / "sample") / "adventureworks"

    @property
    def environ(self) -> dict[str, str]:
        return super().environ | {"ISTHMUS_DATA": str(self.folder.parent)}

    @property
    def files(self) -> Files:
        return Files(self.folder)

    @property
    def box(self) -> Sandbox:
        """The simulator, its seed read with the project's variables as the command does it."""
        if self._box is None:
            whole = seeds.read(self.project / "sandbox.yaml", {"data": str(self.folder.parent)})
            self._box = Sandbox(whole, home=self.home / "sandbox" / "finance").start()
        return self._box

    def order_goods(self, number: int, seed: int) -> None:
        """So many orders, most sent, some pending, some rejected; goods came in full, short, some refused, or not."""
        draw = random.Random(seed)
        heads, lines = [self._header(HEADS)], [self._header(DETAILS)]
        for order in range(1, number + 1):
            status = draw.choices("1234", (10, 15, 10, 65))[0]
            month = draw.randint(1, 6)
            day = f"2014-{month:02}-{draw.randint(1, 12):02} 00:00:00"
            came = f"2014-{month:02}-{draw.randint(13, 28):02} 00:00:00"
            vendor = draw.choice(["2001", "2002", "2003", "2004"])
            heads.append(f"{order},1,{status},300,{vendor},1,{day},{came},0,0,0,0,{came}")
            nothing = draw.random() < 0.1
            for _ in range(draw.randint(2, 4)):
                lines.append(_line(draw, order, len(lines), came, nothing=nothing))
        self._write(HEADS, heads)
        self._write(DETAILS, lines)

    def change(self, name: str, old: str, new: str) -> None:
        """Change one place of a file."""
        text = (self.folder / name).read_text("utf-8")
        assert text.count(old) == 1, f"{name}: {old!r} stands there {text.count(old)} times"
        self._write(name, text.replace(old, new).splitlines())

    def _header(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8").splitlines()[0]

    def _write(self, name: str, lines: Sequence[str]) -> None:
        """It counts as settled."""
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n", "utf-8")
        settled = time.time() - 5
        os.utime(path, (settled, settled))

    def shown(self, name: str, lines: str = "") -> list[dict[str, Any]]:
        """Every record of a set of Business Central, with its lines, as anybody with rights gets it."""
        seed = yaml.safe_load((self.project / "sandbox.yaml").read_text("utf-8"))
        principal = seed["principals"][0]
        connection = http.client.HTTPSConnection(
            self.box.url.removeprefix("https://"), context=ssl.create_default_context(cafile=str(self.box.ca))
        )
        form = {
            "grant_type": "client_credentials", "client_id": principal["client_id"],
            "client_secret": principal["secret"], "scope": "https://api.businesscentral.dynamics.com/.default",
        }  # fmt: skip
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"/{seed['tenant']}/oauth2/v2.0/token", urlencode(form), kind)
        token = json.loads(connection.getresponse().read())["access_token"]
        path = f"/v2.0/{seed['tenant']}/{seed['environment']}/api/v2.0"

        def rows(url: str) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = []
            while url:
                connection.request("GET", quote(url, safe="/?&=$()',%:"), headers={"Authorization": f"Bearer {token}"})
                body = json.loads(connection.getresponse().read(), parse_float=Decimal)
                found += body["value"]
                url = str(body.get("@odata.nextLink", "")).removeprefix(self.box.url)
            return found

        try:
            [company] = rows(f"{path}/companies")
            return rows(f"{path}/companies({company['id']})/{name}" + (f"?$expand={lines}" if lines else ""))
        finally:
            connection.close()


def _line(draw: random.Random, order: int, key: int, came: str, *, nothing: bool) -> str:
    quantity = draw.randint(1, 60) * 10
    price = Decimal(draw.randint(1, 900_000)) / 10_000
    received = 0 if nothing else draw.choices((quantity, quantity * 3 // 10, 0), (6, 3, 1))[0]
    refused = received // 5 if draw.random() < 0.2 else 0
    item = draw.choice(["501", "502", "503", "504", "505", "506"])
    return (
        f"{order},{key},{came},{quantity},{item},{price},{quantity * price},{received}.00,{refused}.00,"
        f"{received - refused}.00,{came}"
    )
