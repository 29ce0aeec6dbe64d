"""Both systems are read at the same moment: two edits of one record are merged one after the other, none is lost."""

from __future__ import annotations

import asyncio
from typing import Any

from isthmus.sync.merge import Policy
from isthmus.sync.run import run_turn

ROUNDS = 12


async def test_edits_seen_at_once_are_both_known(bench: Any) -> None:
    bench.policies["contact.phone"] = Policy("latest")
    bench.flow("vendor")
    bench.finance.add("vendor", "f1", number="V1", name="Norton", phone="0", tax=None, terms="", blocked="none")
    await bench.open(bench.pool)
    await bench.turns()
    for at in range(ROUNDS):
        bench.finance.edit("vendor", "f1", phone=f"finance {at}")
        bench.cafm.edit("vendor", "cafm-1", phone=f"cafm {at}")
        results = await asyncio.gather(*(run_turn(bench.world, name) for name in ("finance", "cafm")))
        assert [result.halted for result in results] == ["", ""]
        bench.clock.advance(61)
        await bench.turns(2)
        phones = {bench.finance.rows["vendor"]["f1"]["phone"], bench.cafm.rows["vendor"]["cafm-1"]["phone"]}
        assert len(phones) == 1
        [(told,)] = await bench.ask("select count(*) from audit where what = 'field won'")
        assert told == at + 1, "one of the two gave way, and the audit says so"
