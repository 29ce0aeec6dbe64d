"""What people say of records that may be the same: coupled, uncoupled, merged, gone through."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from isthmus.app import matching
from isthmus.errors import ConfigurationError

RULES = (("number",), ("name",))


def vendor(number: str, name: str, **more: Any) -> dict[str, Any]:
    return {"number": number, "name": name, "phone": "1", "tax": None, "terms": "", "blocked": "none"} | more


@pytest.fixture
async def met(bench: Any) -> Any:
    bench.flow("vendor", match=RULES, create=False)
    bench.finance.add("vendor", "f1", **vendor("V1", "Norton"))
    bench.finance.add("vendor", "f2", **vendor("V2", "Fabrikam"))
    bench.finance.add("vendor", "f3", **vendor("V3", "Adatum"))
    bench.cafm.add("vendor", "c1", **vendor("901", "Nortom"))
    bench.cafm.add("vendor", "c2", **vendor("902", "Fabrikam"))
    bench.cafm.add("vendor", "c2b", **vendor("903", "Fabrikam"))
    await bench.open(bench.pool)
    await bench.turns(4)
    bench.runtime = SimpleNamespace(world=bench.world)
    bench.kept = matching.keep_flow(bench.world, "vendors")
    return bench


async def test_a_review_file_is_written_decided_and_applied(met: Any, tmp_path: Path) -> None:
    found = await matching.look(met.runtime, met.kept)
    assert found.linked == 0
    assert {(p.source_number, p.target_number) for p in found.pairs if p.score} == {
        ("V1", "901"), ("V2", "902"), ("V2", "903"),
    }  # fmt: skip
    file = tmp_path / "review.csv"
    matching.write_review(found, file)
    with pytest.raises(ConfigurationError, match="there already"):
        matching.write_review(found, file)
    lines = file.read_text("utf-8-sig").splitlines()
    decided = [f"same{line}" if "901" in line or "902" in line else line for line in lines]
    file.write_text("\n".join(decided), "utf-8-sig")
    assert await matching.couple_pairs(met.runtime, met.kept, matching.read_review(file), "ann") == 2
    await met.turns(4)
    assert (met.cafm.rows["vendor"]["c1"]["number"], met.cafm.rows["vendor"]["c1"]["name"]) == ("V1", "Norton")
    assert met.cafm.rows["vendor"]["c2b"]["number"] == "903"
    who = await met.ask("select who from audit where what = 'record coupled'")
    assert who == [("ann",), ("ann",)]


def test_a_wrong_decision_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "review.csv"
    file.write_text("decision,source_id,target_id\nmaybe,1,2\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"review.csv line 2: decision is 'maybe'"):
        matching.read_review(file)
    file.write_text("decision,source_id,target_id\nsame,1,\n", "utf-8")
    with pytest.raises(ConfigurationError, match="target_id is empty"):
        matching.read_review(file)


async def test_nothing_is_coupled_twice(met: Any) -> None:
    pair = matching.Pair(source_id="V1", target_id="c1")
    assert await matching.couple_pairs(met.runtime, met.kept, [pair], "ann") == 1
    assert await matching.couple_pairs(met.runtime, met.kept, [pair], "ann") == 0
    with pytest.raises(ConfigurationError, match="coupled with c1 of cafm already"):
        await matching.couple_pairs(met.runtime, met.kept, [matching.Pair(source_id="V1", target_id="c2")], "ann")


async def test_uncoupled_records_are_two_again(met: Any) -> None:
    await matching.couple_pairs(met.runtime, met.kept, [matching.Pair(source_id="V1", target_id="c1")], "ann")
    await met.turns(3)
    assert await matching.uncouple_one(met.runtime, met.kept, "c1", "ann", "another branch") == "c1"
    met.finance.edit("vendor", "f1", phone="77")
    await met.turns(3)
    assert met.cafm.rows["vendor"]["c1"]["phone"] == "1"
    assert len(await met.ask("select 1 from record where deleted_at is null and entity = 'vendor'")) == 6


async def test_a_double_is_set_aside_and_what_referred_to_it_refers_to_the_other(met: Any) -> None:
    from isthmus.ledger.refs import resolve

    await matching.couple_pairs(met.runtime, met.kept, [matching.Pair(source_id="V2", target_id="c2")], "ann")
    await matching.merge_doubles(met.runtime, met.kept, "cafm", "c2", "c2b", "ann")
    met.cafm.edit("vendor", "c2b", phone="edited on the double")
    await met.turns(4)
    assert met.finance.written == []
    async with met.transaction() as db:
        found = await resolve(db, "cafm", "", numbers=[("vendor", "903")], ids=[("vendor", "c2b")])
    assert found.native_id("vendor", "903") == "c2"
    assert found.number("vendor", "c2b") == "V2"


async def test_gone_through_means_that_the_rest_is_made(met: Any) -> None:
    pairs = [matching.Pair(source_id="V1", target_id="c1"), matching.Pair(source_id="V2", target_id="c2")]
    await matching.couple_pairs(met.runtime, met.kept, pairs, "ann")
    await matching.merge_doubles(met.runtime, met.kept, "cafm", "c2", "c2b", "ann")
    assert await matching.confirm(met.runtime, met.kept, "ann") == 1
    await met.turns(4)
    assert sorted(row["number"] for row in met.cafm.rows["vendor"].values()) == ["903", "V1", "V2", "V3"]
    assert [c for c in met.cafm.calls if c[0] == "create"] == [("create", "vendor", "")]
