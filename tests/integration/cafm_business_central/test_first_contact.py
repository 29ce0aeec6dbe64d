"""Both systems are full before they are joined: what is surely the same is linked, the rest waits, nothing is made."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any

import pytest

from integration.cafm_business_central.bench import PUBLISHED, Site

Make = Callable[..., Site]
FLOWS = ("vendors", "payment-terms")


def vendor(number: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "number": number,
        "name": name,
        "vendor_posting_group": "DOMESTIC",
        "gen_bus_posting_group": "DOMESTIC",
    } | more


async def test_the_same_are_linked_and_all_else_waits(make_site: Make) -> None:
    site = make_site(*FLOWS)
    site.without_documents()
    await site.run()
    held = {(row.subject, row.code) for row in site.messages("state = 'held'")}
    # 503 is misspelt and may be V30000; V40000 is only in finance, 504 was typed into the CAFM.
    assert held == {("503", "ambiguous"), ("V30000", "ambiguous"), ("V40000", "first_contact"), ("504", "onboarding")}
    assert "503 Kapel Filters" in site.last("V30000").reason
    assert len(site.cafm.records("vendors")) == len(site.of_finance("vendors")) == 4
    linked = site.of_cafm("vendors", "V10000")  # its number and name are finance's now, its contact the CAFM's
    assert (linked["name"], linked["contact"]["name"], linked["paymentTermsCode"]) == (
        "Elbe Pump Works", "Ms Brandt", "30D",
    )  # fmt: skip
    assert linked["approvalStatus"] == "approved"


async def test_a_person_goes_through_it(make_site: Make) -> None:
    site = make_site(*FLOWS)
    site.without_documents()
    await site.run()
    left = await site.match("vendors", [("V30000", "503")])
    assert [(pair.source_number, pair.target_number) for pair in left.pairs] == [("", "504"), ("V40000", "")]
    assert site.of_cafm("vendors", "V30000")["name"] == "Kappel Filters"
    await site.match("vendors", confirm=True)
    assert site.of_cafm("vendors", "V40000")["name"] == "Weser Lift Service"
    # Finance makes the vendor that was typed into the CAFM: it is linked, under finance's number.
    site.finance.seed(
        {"companies": [{"name": "HARBOUR HALLS", "vendors": [vendor("V50000", "Jensen Roofing", postal_code="23552")]}]}
    )
    await site.run()
    assert site.of_cafm("vendors", "V50000")["address"]["postalCode"] == "23552"
    assert len(site.cafm.records("vendors")) == 5
    assert site.messages("state in ('held', 'dead')") == []


@pytest.mark.skipif(not PUBLISHED.is_file(), reason="the published data are not here")
async def test_the_published_vendors_meet(make_site: Make) -> None:
    """104 vendors under other numbers, 5 misspelt and 2 doubled in the CAFM: 97 are linked, 7 wait, none is made."""
    with PUBLISHED.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    site = make_site("vendors")
    site.without_documents()
    site.edit("flows/vendors.yaml", "[name, address.postal_code]", "[name]")  # the published rows have a name only
    site.company["vendors"] = [vendor(row["AccountNumber"], row["Name"]) for row in rows]
    told = [{"code": str(900 + at), "name": row["Name"]} for at, row in enumerate(rows)]
    for at in (3, 21, 40, 62, 88):
        name = told[at]["name"]
        told[at]["name"] = name[:4] + name[5:]
    told += [{"code": f"D{at}", "name": told[at]["name"].upper()} for at in (10, 70)]
    site.seed["vendors"] = told
    await site.run()
    met = await site.match("vendors")
    assert met.linked == 97
    assert len({pair.source_number for pair in met.pairs if pair.source_number and pair.target_number}) == 7
    in_finance = [m for m in site.messages("connection = 'cafm' and state = 'held'") if m.action == "create"]
    assert len(in_finance) == 7
    assert {m.code for m in in_finance} == {"ambiguous"}
    assert len(site.of_finance("vendors")) == 104
    assert len(site.cafm.records("vendors")) == 106
    assert [m for m in site.messages("action = 'create' and state = 'done'")] == []
