"""`isthmus export`: whole, in periods, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from .conftest import Mine


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_everything_is_there_in_both_formats(synced: Mine) -> None:
    table = rows(synced.run("export", "messages").out)
    lines = synced.run("export", "messages", "--format", "jsonl").lines()
    assert len(table) == len(lines) == 60
    assert [row["message"] for row in table] == [line["message"] for line in lines]
    assert sorted({row["amount"] for row in table if row["amount"].startswith("-")}) == ["-212.4"]


def test_a_period_is_whole_days(synced: Mine) -> None:
    [day] = {line["at"][:10] for line in synced.run("export", "audit", "--format", "jsonl").lines()} - {""}
    everything = synced.run("export", "audit", "--json").lines()
    assert synced.run("export", "audit", "--from", day, "--to", day, "--json").lines() == everything
    assert synced.run("export", "audit", "--from", "2999-01-01", "--json").lines() == []
    assert rows(synced.run("export", "audit", "--to", "2000-01-01").out) == []
    assert synced.run("export", "audit", "--from", "2025-02-01", "--to", "2025-01-01").code == 1


def test_a_file_is_written_whole(synced: Mine, tmp_path: Path) -> None:
    out = tmp_path / "records.csv"
    assert synced.run("export", "records", "--out", str(out), "--json").one()["rows"] == 177
    assert len(rows(out.read_text(encoding="utf-8"))) == 177
    assert [path.name for path in tmp_path.iterdir()] == ["records.csv"]
    assert synced.run("export", "records", "--out", str(tmp_path / "no" / "records.csv")).code == 1


def test_formulas_of_the_source_do_not_run(mine: Mine) -> None:
    mine.change("sample/excavators/work_orders.csv", "500 h service", "=cmd|'/c calc'!A1")
    mine.run("sync")
    told = [row for row in rows(mine.run("export", "records").out) if row["entity"] == "journal_entry"]
    assert told
    for text in mine.run("export", "audit").out.splitlines() + mine.run("export", "messages").out.splitlines():
        assert not any(cell.startswith(("=", "@", "+")) for cell in next(csv.reader([text])))


def test_the_mapping_sheet_is_complete(unsynced: Mine) -> None:
    sheet = rows(unsynced.run("export", "mapping").out)
    targets = {(row["connection"], row["entity"], row["target"]): row for row in sheet}
    found = targets["maintenance", "work_order", "cost_centre"]
    assert found["source"] == "Asset"
    assert found["transformation"] == "lookup cost_centre_of_asset"
    assert found["place"] == "mappings/work_order.yaml:13"
    assert ("finance", "journal_entry", "lines.account") in targets


def test_the_ownership_matrix_names_an_owner_per_field_and_leaves_room_to_sign(unsynced: Mine) -> None:
    matrix = {(row["entity"], row["field"]): row for row in rows(unsynced.run("export", "ownership").out)}
    assert matrix["work_order", "asset"]["owner"] == "maintenance"
    assert matrix["journal_entry", "posting_date"]["owner"] == "flow work-order-costs"
    assert all(row["owner"] and row["rule"] and row["description"] for row in matrix.values())
    assert matrix["work_order", "asset"]["signed_by_finance"] == ""


def test_ownership_of_the_project_is_told_with_its_place(unsynced: Mine) -> None:
    flow = unsynced.folder / "flows" / "work-order-costs.yaml"
    flow.write_text(flow.read_text(encoding="utf-8") + "\nownership:\n  asset: review\n", encoding="utf-8")
    matrix = {(row["entity"], row["field"]): row for row in rows(unsynced.run("export", "ownership").out)}
    assert "held for a person" in matrix["work_order", "asset"]["rule"]
    assert matrix["work_order", "asset"]["decided_by"].startswith("flows/work-order-costs.yaml:")


def test_an_unknown_export_is_refused(unsynced: Mine) -> None:
    assert unsynced.run("export", "secrets").code == 1
    assert unsynced.run("export", "audit", "--format", "xlsx").code == 1
