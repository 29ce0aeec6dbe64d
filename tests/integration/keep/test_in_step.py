"""One record on both sides: made once, edited on either side, cut, restored, and never told back as an edit."""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.sync.merge import Policy


def vendor(**more: Any) -> dict[str, Any]:
    return {"number": "V1", "name": "Norton", "phone": "1", "tax": None, "terms": "", "blocked": "none"} | more


@pytest.fixture
async def joined(bench: Any) -> Any:
    bench.flow("vendor")
    bench.finance.add("vendor", "f1", **vendor())
    await bench.open(bench.pool)
    await bench.turns()
    return bench


async def test_what_finance_has_is_made_in_the_other_system_once(joined: Any) -> None:
    [(row_id, row)] = joined.cafm.rows["vendor"].items()
    assert (row["number"], row["name"], row["phone"], row["erp_id"]) == ("V1", "Norton", "1", "f1")
    assert [c for c in joined.cafm.calls if c[0] == "create"] == [("create", "vendor", "")]
    assert joined.finance.written == []
    assert [m.state for m in await joined.messages()] == ["done"]
    assert await joined.ask("select connection, native_id from link order by 1") == [
        ("cafm", row_id),
        ("finance", "f1"),
    ]


async def test_an_edit_of_the_owner_arrives_and_only_that_field_is_written(joined: Any) -> None:
    joined.finance.edit("vendor", "f1", phone="2")
    await joined.turns()
    assert joined.cafm.written[1:] == [("vendor", "cafm-1", {"phone": "2"})]
    rows = await joined.ask("select field, old, new from audit where what = 'field written'")
    assert rows == [("contact.phone", "1", "2")]
    assert joined.finance.written == []


async def test_an_edit_of_somebody_else_is_restored_and_told(joined: Any) -> None:
    joined.cafm.edit("vendor", "cafm-1", phone="666")
    await joined.turns()
    assert joined.cafm.rows["vendor"]["cafm-1"]["phone"] == "1"
    assert joined.finance.rows["vendor"]["f1"]["phone"] == "1"
    [(field, kept, reason)] = await joined.ask("select field, new, reason from audit where what = 'field restored'")
    assert (field, kept) == ("contact.phone", "1")
    assert "666" in reason


async def test_two_people_edit_two_fields_and_both_survive(bench: Any) -> None:
    bench.policies["contact.phone"] = Policy("latest")
    bench.flow("vendor")
    bench.finance.add("vendor", "f1", **vendor())
    await bench.open(bench.pool)
    await bench.turns()
    bench.cafm.edit("vendor", "cafm-1", phone="77")
    bench.finance.edit("vendor", "f1", blocked="payment")
    await bench.turns()
    for row in (bench.finance.rows["vendor"]["f1"], bench.cafm.rows["vendor"]["cafm-1"]):
        assert (row["phone"], row["blocked"]) == ("77", "payment")
    assert bench.finance.written == [("vendor", "f1", {"phone": "77"})]


async def test_the_same_field_on_both_sides_has_one_winner_and_the_loser_is_kept(bench: Any) -> None:
    bench.policies["contact.phone"] = Policy("latest")
    bench.flow("vendor")
    bench.finance.add("vendor", "f1", **vendor())
    await bench.open(bench.pool)
    await bench.turns()
    bench.finance.edit("vendor", "f1", phone="first")
    bench.cafm.edit("vendor", "cafm-1", phone="second")
    await bench.turns()
    phones = {bench.finance.rows["vendor"]["f1"]["phone"], bench.cafm.rows["vendor"]["cafm-1"]["phone"]}
    assert len(phones) == 1
    rows = await bench.ask("select reason from audit where what = 'field won'")
    assert len(rows) == 1
    assert "not kept" in rows[0][0]


async def test_a_name_the_system_cuts_is_no_edit_and_is_not_written_again(bench: Any) -> None:
    name = "A very long name of a vendor that does not fit"
    bench.policies["name"] = Policy("latest")
    bench.flow("vendor")
    bench.finance.add("vendor", "f1", **vendor(name=name))
    await bench.open(bench.pool)
    await bench.turns()
    assert bench.cafm.rows["vendor"]["cafm-1"]["name"] == name[:20]
    bench.cafm.edit("vendor", "cafm-1", tax="DE1")  # shows the cut name again, with another edit
    bench.finance.edit("vendor", "f1", phone="3")
    await bench.turns()
    assert (await bench.record("vendor", "V1"))["name"] == name
    assert bench.finance.rows["vendor"]["f1"]["name"] == name
    assert all("name" not in native for _, _, native in bench.cafm.written[1:])


async def test_a_lost_answer_makes_nothing_twice(bench: Any) -> None:
    bench.flow("vendor")
    bench.finance.add("vendor", "f1", **vendor())
    bench.cafm.lose = 1
    await bench.open(bench.pool)
    await bench.turns(8)
    assert len(bench.cafm.rows["vendor"]) == 1
    assert [m.state for m in await bench.messages()] == ["done"]


async def test_an_edit_between_read_and_write_is_not_written_over(bench: Any) -> None:
    """The target refuses the stale version; what it shows is read, merged, and what is still to be told is sent."""
    bench.policies["tax_number"] = Policy("latest")
    bench.flow("vendor")
    bench.finance.add("vendor", "f1", **vendor())
    await bench.open(bench.pool)
    await bench.turns()
    bench.finance.edit("vendor", "f1", phone="5")
    bench.cafm.before_write.append(lambda: bench.cafm.edit("vendor", "cafm-1", tax="mine"))
    await bench.turns(6)
    row = bench.cafm.rows["vendor"]["cafm-1"]
    assert (row["phone"], row["tax"]) == ("5", "mine")
    assert bench.finance.rows["vendor"]["f1"]["tax"] == "mine"
    assert {m.state for m in await bench.messages()} == {"done"}


async def test_a_system_without_versions_is_read_before_it_is_changed(bench: Any, database: Any) -> None:
    from integration.keep.shelf import Shelf

    bench.cafm = Shelf("cafm", *bench.cafm.rows, versions=False)
    bench.flow("vendor")
    bench.finance.add("vendor", "f1", **vendor())
    await bench.open(bench.pool)
    await bench.turns()
    bench.finance.edit("vendor", "f1", phone="5")
    await bench.turns()
    assert ("fetch", "vendor", "cafm-1") in bench.cafm.calls
    assert bench.cafm.rows["vendor"]["cafm-1"]["phone"] == "5"


async def test_own_writes_cause_no_echo(joined: Any) -> None:
    joined.finance.edit("vendor", "f1", phone="2")
    joined.cafm.edit("vendor", "cafm-1", name="Other")
    await joined.turns(10)
    assert joined.cafm.written[1:] == [("vendor", "cafm-1", {"name": "Norton", "phone": "2"})]
    assert joined.finance.written == []


async def test_what_the_owner_deletes_is_blocked_and_never_made_again(joined: Any) -> None:
    joined.finance.drop("vendor", "f1")
    await joined.turns()
    assert joined.cafm.rows["vendor"]["cafm-1"]["blocked"] == "all"
    joined.cafm.edit("vendor", "cafm-1", phone="9")
    await joined.turns()
    assert joined.finance.rows["vendor"] == {}
    assert len(joined.cafm.rows["vendor"]) == 1


async def test_what_is_deleted_where_it_was_copied_to_stays_deleted(joined: Any) -> None:
    joined.cafm.drop("vendor", "cafm-1")
    await joined.turns()
    joined.finance.edit("vendor", "f1", phone="9")
    await joined.turns()
    assert joined.cafm.rows["vendor"] == {}
    assert joined.finance.rows["vendor"]["f1"]["blocked"] == "none"


async def test_a_reference_waits_for_its_record_and_wakes_by_itself(bench: Any) -> None:
    bench.flow("vendor")
    bench.flow("payment_terms", create=False)
    bench.finance.add("payment_terms", "t1", code="30D", name="30 days")
    bench.finance.add("vendor", "f1", **vendor(terms="t1"))
    await bench.open(bench.pool)
    await bench.turns()
    [waiting] = await bench.messages("waiting")
    assert (waiting.entity, waiting.code) == ("vendor", "reference_missing")
    assert waiting.waits_for == "link:cafm:payment_terms:30D"
    bench.cafm.add("payment_terms", "c7", code="30D", name="30 days")
    bench.flows["payment_termss"] = bench.flow("payment_terms", create=False, match=(("code",),))
    await bench.open(bench.pool)
    await bench.turns()
    [row] = bench.cafm.rows["vendor"].values()
    assert row["terms"] == "c7"


async def test_the_number_a_system_gives_comes_back(bench: Any) -> None:
    bench.policies = {"booked_number": Policy("owner", "finance"), "lines.received": Policy("owner", "finance")}
    bench.policies |= {path: Policy("latest") for path in ("number", "lines", "vendor", "lines.quantity")}
    bench.flow("purchase_order", source="cafm", target="finance")
    lines = [{"line": "1", "item": "I1", "quantity": "3", "received": None}]
    bench.cafm.add("purchase_order", "o1", number="PO-1", vendor=None, lines=lines, own_number=None)
    await bench.open(bench.pool)
    await bench.turns()
    [row_id] = bench.finance.rows["purchase_order"]
    bench.finance.edit("purchase_order", row_id, own_number="106001")
    await bench.turns()
    assert (await bench.record("purchase_order", "PO-1"))["booked_number"] == "106001"


async def test_a_record_read_before_what_it_refers_to_is_read_again(bench: Any) -> None:
    """The vendor's terms are known by an id that is linked only later; nobody edits the vendor meanwhile."""
    bench.flow("vendor")
    bench.flow("payment_terms")
    bench.finance.add("vendor", "f1", **vendor(terms="t9"))
    await bench.open(bench.pool)
    await bench.turns()
    [waiting] = await bench.messages("waiting")
    assert waiting.code == "reference_missing"
    bench.finance.add("payment_terms", "t9", code="30D", name="30 days")
    await bench.turns(6)
    assert (await bench.record("vendor", "V1"))["payment_terms"] == "30D"
    [row] = bench.cafm.rows["vendor"].values()
    [terms_id] = bench.cafm.rows["payment_terms"]
    assert row["terms"] == terms_id


async def test_what_was_gone_and_is_back_is_in_use_again(joined: Any) -> None:
    """Its owner shows it as it was: the block made meanwhile was never the owner's."""
    row = dict(joined.finance.rows["vendor"]["f1"])
    joined.finance.drop("vendor", "f1")
    await joined.turns()
    assert joined.cafm.rows["vendor"]["cafm-1"]["blocked"] == "all"
    joined.finance.add("vendor", "f1", **row)
    await joined.turns()
    assert joined.cafm.rows["vendor"]["cafm-1"]["blocked"] == "none"
    assert joined.finance.written == []
