"""Two filled systems meet: what is surely the same is linked, everything else waits for a person, nothing is made."""

from __future__ import annotations

from typing import Any

import pytest

RULES = (("number",), ("tax_number",), ("name", "contact.phone"))


def vendor(number: str, name: str, **more: Any) -> dict[str, Any]:
    return {"number": number, "name": name, "phone": "1", "tax": None, "terms": "", "blocked": "none"} | more


@pytest.fixture
async def met(bench: Any) -> Any:
    """Equal number; equal tax number under other numbers; equal name and phone; doubled; misspelt; only on one side."""
    bench.flow("vendor", match=RULES, create=False, foreign="hold")
    for row_id, row in {
        "f1": vendor("V1", "Norton"),
        "f2": vendor("V2", "Litware", tax="DE 123"),
        "f3": vendor("V3", "Adatum", phone="030-5"),
        "f4": vendor("V4", "Fabrikam"),
        "f5": vendor("V5", "Contoso"),
        "f6": vendor("V6", "Only finance"),
    }.items():
        bench.finance.add("vendor", row_id, **row)
    for row_id, row in {
        "c1": vendor("V1", "Norton"),
        "c2": vendor("900", "LITWARE Inc.", tax="DE-123"),
        "c3": vendor("901", "adatum", phone="0305"),
        "c4": vendor("902", "Fabrikam"),
        "c4b": vendor("903", "Fabrikam"),
        "c5": vendor("904", "Contosso"),
    }.items():
        bench.cafm.add("vendor", row_id, **row)
    await bench.open(bench.pool)
    await bench.turns(6)
    return bench


async def test_what_is_surely_the_same_is_linked_and_nothing_is_made(met: Any) -> None:
    pairs = await met.ask(
        """select f.native_id, c.native_id from link f join link c on c.record_id = f.record_id
            where f.connection = 'finance' and c.connection = 'cafm' order by 1"""
    )
    assert pairs == [("f1", "c1"), ("f2", "c2"), ("f3", "c3")]
    assert {name for name, _, _ in met.cafm.calls} <= {"read", "update", "fetch"}
    assert len(met.cafm.rows["vendor"]) == 6
    assert met.finance.written == []


async def test_the_owner_decides_what_differed(met: Any) -> None:
    assert [met.cafm.rows["vendor"][one]["number"] for one in ("c1", "c2", "c3")] == ["V1", "V2", "V3"]
    assert met.cafm.rows["vendor"]["c2"]["name"] == "Litware"


async def test_what_is_not_sure_waits_for_a_person(met: Any) -> None:
    held = {(row.connection, row.subject): row.code for row in await met.messages("held")}
    assert held == {
        ("cafm", "V4"): "ambiguous",
        ("cafm", "V5"): "ambiguous",
        ("cafm", "V6"): "first_contact",
        ("finance", "902"): "ambiguous",
        ("finance", "903"): "ambiguous",
        ("finance", "904"): "ambiguous",
    }
    [doubled] = [row for row in await met.messages("held") if row.subject == "V4"]
    assert "902 Fabrikam" in doubled.reason
    assert "903 Fabrikam" in doubled.reason


async def test_meeting_twice_changes_nothing(met: Any) -> None:
    before = await met.ask("select id, state, key from message order by id")
    written = len(met.cafm.written)
    await met.turns(4)
    assert await met.ask("select id, state, key from message order by id") == before
    assert len(met.cafm.written) == written


async def test_a_record_that_comes_later_is_linked_when_it_fits(met: Any) -> None:
    met.cafm.add("vendor", "c6", **vendor("V6", "Only finance"))
    await met.turns(3)
    rows = await met.ask("select r.number from link l join record r on r.id = l.record_id where l.native_id = 'c6'")
    assert rows == [("V6",)]
    assert "V6" not in {row.subject for row in await met.messages("held")}


async def test_a_link_that_was_lost_is_found_again_by_the_id_the_other_side_keeps(bench: Any) -> None:
    bench.flow("vendor", match=(("tax_number",),), create=True)
    bench.finance.add("vendor", "f1", **vendor("V1", "Norton"))
    await bench.open(bench.pool)
    await bench.turns(6)
    [row_id] = bench.cafm.rows["vendor"]
    await bench.ask("delete from link where connection = 'cafm' returning 1")
    bench.cafm.edit("vendor", row_id, name="Edited")
    await bench.turns(6)
    assert list(bench.cafm.rows["vendor"]) == [row_id]
    assert bench.cafm.rows["vendor"][row_id]["name"] == "Norton"
    assert len(await bench.ask("select 1 from link where connection = 'cafm'")) == 1


async def test_what_was_made_in_the_other_system_is_told_or_held_as_the_flow_says(bench: Any) -> None:
    bench.flow("vendor", match=(("number",),), foreign="refuse")
    bench.finance.add("vendor", "f1", **vendor("V1", "Norton"))
    await bench.open(bench.pool)
    await bench.turns(4)
    bench.cafm.add("vendor", "c9", **vendor("900", "Typed in"))
    await bench.turns(4)
    [refused] = await bench.messages("skipped")
    assert (refused.code, refused.connection, refused.subject) == ("made_elsewhere", "finance", "900")
    assert list(bench.finance.rows["vendor"]) == ["f1"]
