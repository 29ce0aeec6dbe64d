"""The matrix of owners of a project that keeps records in step: who owns a field, by which rule, where it is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.app.ownership import COLUMNS, matrix
from isthmus.app.project.loading import load_project

PROJECT = {
    "isthmus.yaml": """\
project: mine
connections:
  cafm:
    system: rest
    role: operations
    profile: cafm
    url: https://cafm.example.com/api/v1
    api_key: env:CAFM_KEY
  finance:
    system: business_central
    role: finance
    tenant: contoso.example
    client_id: some-application
    secret: env:BC_SECRET
    companies: {HALLS: {}}
""",
    "flows/vendors.yaml": """\
flow: vendors
template: keep-in-step
source: {connection: finance, entity: vendor}
target: {connection: cafm, entity: vendor}
ownership:
  approval: {owner: cafm}
  contact.phone: latest
""",
    "flows/items.yaml": """\
flow: items
template: keep-in-step
source: {connection: finance, entity: item}
target: {connection: cafm, entity: item}
""",
    "flows/purchase-orders.yaml": """\
flow: purchase-orders
template: purchase-orders
source: {connection: cafm}
target: {connection: finance, company: HALLS}
""",
    "flows/purchase-requisitions.yaml": """\
flow: purchase-requisitions
template: purchase-requisitions
source: {connection: cafm}
target: {connection: finance, company: HALLS}
""",
    "flows/goods-receipts.yaml": """\
flow: goods-receipts
template: goods-receipts
source: {connection: cafm}
target: {connection: finance, company: HALLS}
""",
}
RESTORED = "edits elsewhere are restored and audited"


@pytest.fixture
def owners(tmp_path: Path) -> dict[tuple[str, str], dict[str, str]]:
    for name, text in PROJECT.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    project = load_project(tmp_path, sets={}, environ={}, cwd=tmp_path)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in matrix(project)]
    return {(row["entity"], row["field"]): row for row in rows}


@pytest.mark.parametrize(
    ("entity", "field", "owner", "rule"),
    [
        ("vendor", "name", "finance", RESTORED),
        ("vendor", "approval", "cafm", RESTORED),
        ("vendor", "contact.phone", "nobody alone", "the later edit wins; both are audited"),
        ("item", "name", "finance", RESTORED),
        ("item", "reorder_point", "cafm", RESTORED),
        ("purchase_order", "number", "cafm", RESTORED),
        ("purchase_order", "lines.received", "finance", RESTORED),
    ],
)
def test_a_record_kept_in_step_has_an_owner_per_field(
    owners: dict[tuple[str, str], dict[str, str]], entity: str, field: str, owner: str, rule: str
) -> None:
    assert (owners[entity, field]["owner"], owners[entity, field]["rule"]) == (owner, rule)


def test_what_is_said_by_the_project_is_told_with_its_place(owners: dict[tuple[str, str], dict[str, str]]) -> None:
    assert owners["vendor", "approval"]["decided_by"] == "flows/vendors.yaml:6"
    assert owners["vendor", "name"]["decided_by"] == "the model of Isthmus"


def test_a_document_of_an_event_is_made_by_its_flow(owners: dict[tuple[str, str], dict[str, str]]) -> None:
    assert owners["receipt", "lines.accepted"]["owner"] == "flow goods-receipts"
