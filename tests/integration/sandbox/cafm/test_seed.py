"""Seeds: records that name each other, documents in any status, CSV files, and words for what is wrong."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.sandbox.cafm.facility import seed
from isthmus.sandbox.seed import SeedError
from isthmus.sandbox.server import Sandbox

DOCS = Path(__file__).parents[4] / "docs" / "cafm-sandbox.md"


def test_the_seed_of_the_documentation_works(tmp_path: Path) -> None:
    block = DOCS.read_text("utf-8").split("## Seed")[1].split("```yaml\n")[1].split("```")[0]
    path = tmp_path / "cafm.yaml"
    path.write_text(block, "utf-8")
    with Sandbox(path, home=tmp_path / "home") as box:
        order = box.records("purchaseOrders", name="PO-1")[0]
        assert (order["status"], order["lines"][0]["quantityReceived"]) == ("partlyReceived", "1.00000")
        assert box.records("items", name="1000")[0]["onHandTotal"] == "50.00000"
        work = box.records("workOrders", name="WO-1")[0]
        assert (work["status"], work["completedAt"]) == ("completed", "2026-11-02T09:30:00.000Z")
        assert work["costs"]["labour"] == "90.00"
        state = box.state()
        assert state["switches"]["requests_per_window"] == 600
        assert box.calls()["changes"] == {}
        assert box.hooks()["pending"] == 0


def test_two_seeds_give_the_same_ids(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        with Sandbox(seed(), home=tmp_path / name) as box:
            found.append({entity: [row["id"] for row in box.records(entity)] for entity in box.state()["rows"]})
    assert found[0] == found[1]


def test_rows_and_lines_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "suppliers.csv").write_text("No;Name;Town;Ok\nV7;Müller;Köln;yes\nV8;Meier;;no\n", "latin-1")
    (tmp_path / "orders.csv").write_text("Order,Text,State\n4711,Pump leaks,done\n4712,Light,new\n", "utf-8")
    (tmp_path / "hours.csv").write_text(
        "Order,Who,Day,Hours\n4711,Kim,2026-11-02,1.5\n4711,Lee,2026-11-03,2\n", "utf-8"
    )
    given = {
        "kind": "cafm",
        "vendors": {
            "csv": "suppliers.csv",
            "delimiter": ";",
            "encoding": "latin-1",
            "columns": {
                "code": "No",
                "name": "Name",
                "address.city": "Town",
                "approvalStatus": {"column": "Ok", "map": {"yes": "approved", "no": "draft"}},
            },
        },
        "workOrders": {
            "csv": "orders.csv",
            "columns": {
                "number": "Order",
                "title": "Text",
                "status": {"column": "State", "map": {"done": "completed", "*": "open"}},
            },
        },
        "workOrders.labour": {
            "csv": "hours.csv",
            "columns": {
                "of": "Order",
                "technician": "Who",
                "date": "Day",
                "hours": "Hours",
                "hourlyRate": {"value": "50"},
            },
        },
    }
    path = tmp_path / "cafm.yaml"
    path.write_text(yaml.safe_dump(given), "utf-8")
    with Sandbox(path, home=tmp_path / "home") as box:
        first, second = box.records("vendors")
        assert (first["name"], first["address"]["city"], first["approvalStatus"]) == ("Müller", "Köln", "approved")
        assert (second["address"]["city"], second["approvalStatus"]) == (None, "draft")
        done, new = box.records("workOrders")
        assert (done["number"], done["status"], done["costs"]["labour"]) == ("4711", "completed", "175.00")
        assert (new["status"], new["labour"]) == ("open", [])


def test_more_of_a_seed_changes_and_adds(tmp_path: Path) -> None:
    with Sandbox(seed(), home=tmp_path) as box:
        before = box.records("vendors", name="V1")[0]
        more: dict[str, Any] = {
            "vendors": [{"code": "V1", "name": "Renamed"}, {"code": "V9", "name": "Gone", "deleted": True}],
            "items": [{"code": "1000", "units": {"BOX10": "12"}, "stock": {"STORE": "7"}}],
            "assets": [
                {"code": "CHILD", "name": "Motor", "parentId": "PARENT"},
                {"code": "PARENT", "name": "Line", "id": "9007199254740991", "createdAt": "2019-01-01T00:00:00+01:00"},
            ],
            "requisitions": [
                {"requestedBy": "Kim", "status": "rejected", "lines": [{"itemId": "1000", "quantity": 2}]}
            ],
        }
        box.seed(more)
        after = box.records("vendors", name="V1")[0]
        assert (after["id"], after["name"], after["version"]) == (before["id"], "Renamed", 2)
        assert [row["deletedAt"] is None for row in box.records("vendors") if row["code"] == "V9"] == [False]
        assert box.records("items", name="1000")[0]["onHandTotal"] == "7.00000"
        assert [row["factor"] for row in box.records("itemUnits")] == ["12.000000"]
        parent, child = box.records("assets", name="PARENT")[0], box.records("assets", name="CHILD")[0]
        assert (parent["id"], child["parentId"]) == (2**53 - 1, 2**53 - 1)
        assert parent["createdAt"] == "2018-12-31T23:00:00.000Z"
        assert box.records("requisitions")[0]["status"] == "rejected"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"suppliers": []}, "suppliers: a seed has no such section; there are kind"),
        ({"workOrders.lines": []}, "workOrders.lines: a seed has no such section"),
        ({"vendors": {"code": "V1"}}, "vendors: this takes a list of mappings"),
        ({"vendors": [{"code": "V1"}]}, r"vendors\[0\]: name: this is required"),
        ({"vendors": [{"code": "V1", "name": "x", "nom": "y"}]}, r"vendors\[0\]: nom: there is no such field"),
        ({"items": [{"code": "1", "description": "x", "baseUnit": "PCS"}]}, "there is no 'PCS' in units"),
        ({"keys": [{"name": "x", "permissions": ["all"]}]}, "key 'x': permission 'all' is not ENTITY:read"),
        ({"switches": {"requests": 3}}, "switches: .*requests"),
        ({"system": {"time": "x"}}, "system: .*time"),
        ({"workOrders": [{"title": "x", "status": "done"}]}, "status: 'done' is none of open"),
        ({"workOrders.labour": [{"of": "WO-9"}]}, r"workOrders.labour\[0\]: of: there is no 'WO-9' in section"),
        ({"vendors": {"csv": "none.csv", "columns": {}}}, "none.csv cannot be read"),
        ({"kind": "cmms"}, "kind: there is no simulator of 'cmms'; there are business_central, cafm"),
    ],
)
def test_a_wrong_seed_says_where(tmp_path: Path, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(SeedError, match=words):
        Sandbox({"kind": "cafm"} | wrong, home=tmp_path).start()


def test_what_only_receipts_bring_about_is_not_walked_to(tmp_path: Path) -> None:
    wrong = seed()
    wrong["purchaseOrders"][0]["status"] = "received"
    with pytest.raises(SeedError, match="no way leads from draft to received; seed what brings it about"):
        Sandbox(wrong, home=tmp_path).start()


def test_ten_thousand_records_are_there_at_once(tmp_path: Path) -> None:
    given = seed()
    given["vendors"] += [{"code": f"M{at:05d}", "name": f"Vendor {at}", "taxNumber": str(at)} for at in range(5000)]
    given["items"] += [
        {"code": f"I{at:05d}", "description": f"Item {at}", "baseUnit": "PCS", "unitCost": "1.5"} for at in range(5000)
    ]
    before = time.process_time()
    with Sandbox(given, home=tmp_path) as box:
        assert box.state()["rows"]["items"] == 5003
    assert time.process_time() - before < 4  # some 0.5 s on an idle machine
    before = time.process_time()
    with Sandbox(home=tmp_path) as box:
        assert box.state()["rows"]["vendors"] == 5003
    assert time.process_time() - before < 2
