"""The example as a command runs it: its own copy, a ledger, and the simulated Business Central with the same data."""

from __future__ import annotations

import os
import shutil
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from integration.adventureworks.bench import EXAMPLE, Files
from integration.work_order_costs.bench import Mine
from isthmus.model.state import decode_state
from isthmus.sandbox import seed
from isthmus.sandbox.server import Sandbox

COMPANY = "BIKE WORKS"


class Shop(Mine):
    """`folder` is the folder of the files, the test's own."""

    def __init__(self, place: Path, url: str) -> None:
        super().__init__(place, url)
        shutil.rmtree(self.project)
        shutil.copytree(EXAMPLE, self.project, ignore=shutil.ignore_patterns("*.results.csv", ".isthmus"))
        self.folder = self.project / "sample" / "adventureworks"
        self.files = Files(self.folder)

    @property
    def environ(self) -> dict[str, str]:
        return super().environ | {"ISTHMUS_DATA": str(self.folder.parent)}

    @property
    def box(self) -> Sandbox:
        """The simulator, its seed read with the project's variables as the command does it."""
        if self._box is None:
            source = self.project / "sandbox.yaml"
            whole = seed.read(source, {"data": str(self.folder.parent)})
            self._box = Sandbox(whole, home=self.home / "sandbox" / "finance").start()
        return self._box

    def change(self, name: str, old: str, new: str) -> None:
        """Change one place of a file. It counts as settled."""
        path = self.folder / name
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{name}: {old!r} stands there {text.count(old)} times"
        path.write_text(text.replace(old, new), "utf-8")
        settled = time.time() - 5
        os.utime(path, (settled, settled))

    def order(self, number: str) -> dict[str, Any]:
        """What Business Central holds of an order of ours: number, lines, receipts."""
        [(base,)] = self.ask(
            """select l.base from link l join record r on r.id = l.record_id
                where l.connection = 'finance' and r.entity = 'purchase_order' and r.number = %s""",
            number,
        )
        return dict(self.box.purchase(decode_state(base)["booked_number"], COMPANY))

    def received(self, number: str) -> dict[str, Decimal]:
        """Item -> received of an order, what was taken back included, in Business Central's own count."""
        found: dict[str, Decimal] = {}
        for line in self.order(number)["lines"]:
            if line["item"]:
                found[line["item"]] = found.get(line["item"], Decimal(0)) + Decimal(line["received"])
        return found
