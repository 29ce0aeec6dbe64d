"""Reading: addresses, filters, order, pages, expansion, and what is refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from isthmus.sandbox.server import Sandbox

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


async def numbers(bc: Any, filter_: str) -> list[str]:
    answer = await bc.get(f"accounts?$filter={quote(filter_)}")
    assert answer.status == 200, answer.body
    return [row["number"] for row in answer.value]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("number eq '8450'", ["8450"]),
        ("number ne '8450' and number gt '8430'", ["8500", "8600"]),
        ("number ge '8500' and number le '8600'", ["8500", "8600"]),
        ("number lt '2000'", ["1000"]),
        ("number eq '8450' or number eq '2920'", ["2920", "8450"]),
        ("(number eq '8450' or number eq '2920') and blocked eq false", ["2920", "8450"]),
        ("startswith(displayName,'Con')", ["8450"]),
        ("endswith(displayName,'k')", ["2920"]),
        ("contains(displayName,'pair')", ["8430"]),
        ("tolower(displayName) eq 'repairs'", ["8430"]),
        ("toupper(displayName) eq 'REPAIRS'", ["8430"]),
        ("substring(displayName,0,3) eq 'Con'", ["8450"]),
        ("accountType eq 'Heading'", ["1000"]),
        ("blocked eq true", ["8600"]),
        ("number eq '8450' and dimensions/any(d:d/code eq 'X')", ["8450"]),  # lambdas are silently ignored
    ],
)
async def test_filters(standing: Any, condition: str, found: list[str]) -> None:
    assert await numbers(standing, condition) == found


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ("number eq '1' or displayName eq 'x'", "The 'OR' operator is not supported on distinct fields"),
        ("number in ('8450','2920')", "Bad Request - Error in query syntax"),
        ("contains(tolower(displayName),'a')", "Bad Request - Error in query syntax"),
        ("not (number eq '1')", "Bad Request - Error in query syntax"),
        ("number eq", "incompatible types"),
        ("number eq 8450", "incompatible types"),
        ("nonsense eq '1'", "Could not find a property named 'nonsense' on type 'Microsoft.NAV.account'"),
    ],
)
async def test_filters_that_are_refused(standing: Any, condition: str, text: str) -> None:
    answer = await standing.get(f"accounts?$filter={quote(condition)}")
    assert answer.status == 400
    assert text in answer.text


async def test_the_newest_schema_version_takes_in_and_nested_functions(standing: Any) -> None:
    condition = quote("number in ('8450','2920')")
    assert len((await standing.get(f"accounts?$schemaversion=2.1&$filter={condition}")).value) == 2
    condition = quote("contains(tolower(displayName),'REP') or contains(tolower(displayName),'rep')")
    assert len((await standing.get(f"accounts?$schemaversion=2.1&$filter={condition}")).value) == 1


async def test_select_and_order_and_count(standing: Any) -> None:
    answer = await standing.get(
        "accounts?$select=number,category&$orderby=category asc,number desc&$top=3&$skip=1&$count=true"
    )
    assert answer.body["@odata.count"] == 7
    assert [row["number"] for row in answer.value] == ["1000", "8450", "8430"]
    assert set(answer.value[0]) == {"@odata.etag", "number", "category"}
    assert (await standing.get("accounts/$count")).body == "7"
    assert (await standing.get("accounts?$select=nonsense")).status == 400


async def test_enum_members_are_xml_name_encoded(bc: Any) -> None:
    categories = {row["number"]: row["category"] for row in (await bc.get("accounts")).value}
    assert categories["8500"] == "_x0020_"
    journal = await bc.journal()
    assert (await bc.line(journal, "8450", 1)).body["accountType"] == "G_x002F_L_x0020_Account"


async def test_pages_follow_an_opaque_link(standing: Any) -> None:
    seen: list[str] = []
    answer = await standing.get("accounts?$filter=number gt '1000'", Prefer="odata.maxpagesize=2")
    assert answer.headers["preference-applied"] == "odata.maxpagesize=2"
    while True:
        seen += [row["number"] for row in answer.value]
        assert len(answer.value) <= 2
        if "@odata.nextLink" not in answer.body:
            break
        assert "aid=FIN" in answer.body["@odata.nextLink"]
        answer = await standing.get(answer.body["@odata.nextLink"], Prefer="odata.maxpagesize=2")
    assert seen == ["2920", "5410", "8430", "8450", "8500", "8600"]


async def test_the_server_pages_by_itself(box: Sandbox, bc: Any) -> None:
    box.set(page_size=3)
    answer = await bc.get("accounts", Prefer="odata.maxpagesize=100")
    assert len(answer.value) == 3
    assert "$top" not in answer.body["@odata.nextLink"]
    answer = await bc.get("accounts?$top=5")
    assert len(answer.value) == 3
    answer = await bc.get(answer.body["@odata.nextLink"])
    assert len(answer.value) == 2
    assert "@odata.nextLink" not in answer.body
    assert "@odata.nextLink" not in (await bc.get("accounts?$top=3")).body


async def test_a_page_link_survives_an_insert_and_a_delete(bc: Any) -> None:
    for code in ("AUD", "CHF", "GBP"):
        assert (await bc.post("currencies", {"code": code})).status == 201
    first = await bc.get("currencies", Prefer="odata.maxpagesize=2")
    assert [row["code"] for row in first.value] == ["AUD", "CHF"]
    assert (await bc.post("currencies", {"code": "AED"})).status == 201
    rest = await bc.get(first.body["@odata.nextLink"])
    assert [row["code"] for row in rest.value] == ["GBP", "USD"]


async def test_expansion_with_options_inside(bc: Any) -> None:
    journal = await bc.journal()
    await bc.document(journal)
    path = (
        f"journals({journal})?$expand=journalLines($select=amount;$filter=amount gt 0;$expand=account($select=number))"
    )
    lines = (await bc.get(path)).body["journalLines"]
    assert [line["account"]["number"] for line in lines] == ["8450"]
    assert set(lines[0]) == {"@odata.etag", "amount", "account"}
    assert (await bc.get("journals?$expand=nonsense")).status == 400


async def test_navigation_and_single_rows(standing: Any) -> None:
    dimension = next(row for row in (await standing.get("dimensions")).value if row["code"] == "PROJECT")
    values = (await standing.get(f"dimensions({dimension['id']})/dimensionValues")).value
    assert [value["code"] for value in values] == ["P1", "P2"]
    one = await standing.get(f"dimensionValues({values[0]['id']})/dimension")
    assert one.body["code"] == "PROJECT"
    assert one.body["@odata.context"].endswith("/dimensions/$entity")


async def test_line_collections_are_never_flat(standing: Any) -> None:
    answer = await standing.get("journalLines")
    assert (answer.status, answer.code) == (400, "Application_DialogException")
    assert answer.text == "You must specify a journal batch ID or a journal ID to get a journal line."
    answer = await standing.get("dimensionSetLines")
    assert answer.text == "You must get to the parent first to get to the dimension set line."


async def test_lines_by_their_journal_in_a_filter_or_by_their_id(bc: Any) -> None:
    journal = await bc.journal()
    await bc.document(journal)
    for condition in (f"journalId eq {journal}", f"documentNumber eq 'D1' and journalId eq {journal}"):
        lines = (await bc.get(f"journalLines?$filter={condition}")).value
        assert [line["lineNumber"] for line in lines] == [10000, 20000]
    assert (await bc.get(f"journalLines({lines[0]['id']})")).body["accountNumber"] == "8450"
    other = await bc.journal("T2")
    assert (await bc.get(f"journals({other})/journalLines({lines[0]['id']})")).status == 404


async def test_addresses_of_a_company(box: Sandbox, bc: Any) -> None:
    for path in (
        f"/accounts?company={bc.company}",
        f"/companies({bc.company.upper()})/accounts",
        f"/companies({bc.company})/accounts",
    ):
        assert len((await bc.get(path)).value) == 7
    bc.root = f"{box.url}/v2.0/sandbox/api/v2.0"  # without tenant, the environment in another case
    assert len((await bc.get("accounts")).value) == 7


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/accounts", 404, "Internal_CompanyNotFound"),
        ("/companies(99999999-0000-4000-8000-000000000001)/accounts", 404, "Internal_CompanyNotFound"),
        ("nonsense", 404, "BadRequest_ResourceNotFound"),
        ("accounts/nonsense", 404, "BadRequest_ResourceNotFound"),
        ("accounts(99999999-0000-4000-8000-000000000001)", 404, "Internal_RecordNotFound"),
        ("accounts(123)", 400, "BadRequest_NotFound"),
        ("accounts?$top=x", 400, "BadRequest_NotFound"),
    ],
)
async def test_addresses_that_lead_nowhere(standing: Any, path: str, status: int, code: str) -> None:
    answer = await standing.get(path)
    assert (answer.status, answer.code) == (status, code)


async def test_an_unknown_environment_is_404(box: Sandbox, bc: Any) -> None:
    bc.root = f"{box.url}/v2.0/production/api/v2.0"
    assert (await bc.get("/companies")).code == "BadRequest_NotFound"


async def test_companies_are_not_created_here(standing: Any) -> None:
    answer = await standing.post("/companies", {"name": "X"})
    assert (answer.status, answer.code) == (405, "BadRequest_MethodNotAllowed")


async def test_companies_do_not_see_each_other(bc: Any) -> None:
    await bc.journal("ONLYHERE")
    other = next(c["id"] for c in (await bc.get("/companies")).value if c["name"] != "CRONUS")
    bc.company = other
    assert (await bc.get("journals?$filter=code eq 'ONLYHERE'")).value == []


async def test_setup_information_periods_and_rates(box: Sandbox, bc: Any) -> None:
    box.set(company="CRONUS", allow_posting_from="2026-01-01", shortcut_dimensions=["DEPARTMENT"])
    setup = (await bc.get("generalLedgerSetup")).value[0]
    assert (setup["allowPostingFrom"], setup["allowPostingTo"]) == ("2026-01-01", "0001-01-01")
    assert (setup["localCurrencyCode"], setup["shortcutDimension1Code"]) == ("EUR", "DEPARTMENT")
    information = (await bc.get("companyInformation")).value[0]
    assert (information["displayName"], information["currencyCode"]) == ("CRONUS", "EUR")
    assert "timeZone" not in information
    assert (await bc.get("accountingPeriods")).value[0]["startingDate"] == "2026-01-01"
    rate = (await bc.get("currencyExchangeRates")).value[0]
    assert (rate["currencyCode"], rate["relationalExchangeRateAmount"]) == ("USD", 0.92)


async def test_the_service_document_lists_the_sets(standing: Any) -> None:
    names = [row["name"] for row in (await standing.get("/")).value]
    assert names[0] == "companies"
    assert "generalLedgerEntries" in names


async def test_metadata_names_sets_types_and_actions(standing: Any) -> None:
    root = ElementTree.fromstring((await standing.get("/$metadata")).body)
    sets = {node.get("Name") for node in root.iter(f"{EDM}EntitySet")}
    assert {"companies", "accounts", "journals", "journalLines", "generalLedgerEntries"} <= sets
    journal = next(node for node in root.iter(f"{EDM}EntityType") if node.get("Name") == "journal")
    code = next(node for node in journal.iter(f"{EDM}Property") if node.get("Name") == "code")
    assert (code.get("Type"), code.get("MaxLength")) == ("Edm.String", "10")
    actions = {node.get("Name") for node in root.iter(f"{EDM}Action")}
    assert actions == {"post", "cancel", "receiveAndInvoice"}


async def test_a_watermark_on_entry_numbers(bc: Any) -> None:
    journal = await bc.journal()
    for document in ("A", "B", "C"):
        await bc.document(journal, document)
        await bc.post_journal(journal)
    rows = (await bc.get("generalLedgerEntries?$filter=entryNumber gt 4")).value
    assert [row["entryNumber"] for row in rows] == [5, 6]
    since = rows[0]["lastModifiedDateTime"]
    rows = (await bc.get(f"generalLedgerEntries?$filter=lastModifiedDateTime ge {since}")).value
    assert [row["documentNumber"] for row in rows] == ["C", "C"]
    rows = (await bc.get("generalLedgerEntries?$filter=documentNumber eq 'b'&$orderby=entryNumber desc")).value
    assert [row["entryNumber"] for row in rows] == [4, 3]
