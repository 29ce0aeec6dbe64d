"""`isthmus lookup`: rows with their origin; what people set wins, is audited, and can be taken back."""

from __future__ import annotations

from pathlib import Path

from .conftest import Mine

TABLE = "cost_centre_of_asset"


def test_rows_tell_where_they_come_from(unsynced: Mine) -> None:
    rows = unsynced.run("lookup", "list", "--json").lines()
    assert [row["key"] for row in rows] == ["A", "B", "C", "D", "E"]
    assert {row["origin"] for row in rows} == {f"lookups/{TABLE}.csv"}
    assert unsynced.run("lookup", "get", TABLE, "A").out == "PIT-NORTH\n"
    assert unsynced.run("lookup", "get", TABLE, "Z").code == 1


def test_a_row_set_wins_until_it_is_removed(unsynced: Mine) -> None:
    assert unsynced.run("lookup", "set", TABLE, "A", "STOCKPILE").code == 0
    found = unsynced.run("lookup", "get", TABLE, "A", "--json").one()
    assert (found["value"], found["file_value"]) == ("STOCKPILE", "PIT-NORTH")
    assert found["origin"].startswith("local user ")
    assert unsynced.run("lookup", "remove", TABLE, "A").code == 0
    assert unsynced.run("lookup", "get", TABLE, "A").out == "PIT-NORTH\n"
    assert unsynced.run("lookup", "remove", TABLE, "A").code == 1
    audited = unsynced.run("export", "audit", "--format", "jsonl").lines()
    assert [(row["connection"], row["what"], row["old"], row["new"]) for row in audited] == [
        ("people", "lookup row set", "PIT-NORTH", "STOCKPILE"),
        ("people", "lookup row removed", "STOCKPILE", "PIT-NORTH"),
    ]


def test_setting_what_is_set_changes_nothing(unsynced: Mine) -> None:
    changed = unsynced.run("lookup", "set", TABLE, "A", "PIT-NORTH", "--json").one()
    assert changed["changed"] == 0


def test_an_import_is_whole_or_not_at_all(unsynced: Mine, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("key,value\nF,PIT-NORTH\nG,PIT-SOUTH\n", encoding="utf-8")
    bad.write_text("key,value\nH,PIT-NORTH\nI,PIT,SOUTH\n", encoding="utf-8")
    assert unsynced.run("lookup", "import", TABLE, str(good), "--json").one()["changed"] == 2
    refused = unsynced.run("lookup", "import", TABLE, str(bad))
    assert refused.code == 1
    assert f"{bad}:3: 3 cells instead of 2" in refused.err
    assert [row["key"] for row in unsynced.run("lookup", "list", TABLE, "--json").lines()][-2:] == ["F", "G"]


def test_an_unknown_table_is_named(unsynced: Mine) -> None:
    refused = unsynced.run("lookup", "set", "cost_centres", "A", "B")
    assert (refused.code, TABLE in refused.err) == (1, True)


def test_documents_that_missed_the_row_are_told_and_go_with_the_next_sync(mine: Mine) -> None:
    mine.change(f"lookups/{TABLE}.csv", "E,STOCKPILE\n", "")
    mine.run("sync")
    missing = [m for m in mine.run("messages", "--json", "--long").lines() if m["code"] == "lookup_missing"]
    assert missing
    changed = mine.run("lookup", "set", TABLE, "E", "STOCKPILE", "--json").one()
    assert sorted(changed["waiting"]) == sorted(m["id"] for m in missing)
    assert changed["next"] == "isthmus sync"
    mine.run("sync")
    assert mine.run("status", "--json").one()["messages"]["done"] == 53
