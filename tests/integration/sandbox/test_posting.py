"""Posting a journal: every refusal, in the order they are checked, and what a posting leaves behind."""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.sandbox.server import Sandbox

DIALOG = "Application_DialogException"
FIELD = "Application_FieldValidationException"


async def test_posting_writes_entries_and_empties_the_journal(bc: Any) -> None:
    journal = await bc.journal()
    await bc.document(journal, "D1", 12.5, postingDate="2026-03-04", externalDocumentNumber="EXT")
    answer = await bc.call("POST", f"journals({journal})/microsoft.nav.POST")
    assert (answer.status, answer.body) == (204, "")
    assert answer.headers["location"].endswith(f"/journals({journal})")
    assert (await bc.get(f"journals({journal})/journalLines")).value == []
    assert (await bc.get(f"journals({journal})")).status == 200
    entries = (await bc.get("generalLedgerEntries?$filter=documentNumber eq 'D1' and postingDate eq 2026-03-04")).value
    amounts = [(row["accountNumber"], row["debitAmount"], row["creditAmount"]) for row in entries]
    assert amounts == [("8450", 12.5, 0), ("2920", 0, 12.5)]
    assert "externalDocumentNumber" not in entries[0]
    changes = {row["number"]: row["netChange"] for row in (await bc.get("accounts")).value}
    assert (changes["8450"], changes["2920"], changes["8430"]) == (12.5, -12.5, 0)
    assert (await bc.get("accounts?$filter=netChange gt 0")).value[0]["number"] == "8450"


async def test_dimensions_of_an_entry_are_read_only(bc: Any) -> None:
    journal = await bc.journal()
    line = (await bc.line(journal, "8430", 5)).body["id"]
    await bc.post(f"journalLines({line})/dimensionSetLines", {"code": "DEPARTMENT", "valueCode": "ADM"})
    await bc.line(journal, "2920", -5)
    assert (await bc.post_journal(journal)).status == 204
    entry = (await bc.get("generalLedgerEntries?$expand=dimensionSetLines,account")).value[0]
    assert [(row["code"], row["valueCode"]) for row in entry["dimensionSetLines"]] == [("DEPARTMENT", "ADM")]
    assert entry["dimensionSetLines"][0]["parentType"] == "General_x0020_Ledger_x0020_Entry"
    assert entry["account"]["number"] == "8430"
    path = f"generalLedgerEntries({entry['id']})/dimensionSetLines"
    refused = await bc.post(path, {"code": "PROJECT", "valueCode": "P1"})
    assert "dimension set lines are read only for parent type General Ledger Entry" in refused.text


async def test_nothing_to_post(bc: Any) -> None:
    journal = await bc.journal()
    answer = await bc.post_journal(journal)
    assert (answer.status, answer.code, answer.text) == (400, DIALOG, "There is nothing to post.")
    assert (await bc.call("POST", f"journals({journal})/Microsoft.NAV.nonsense")).status == 404


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        (
            {"postingDate": "0001-01-01"},
            FIELD,
            "Posting Date must have a value in Gen. Journal Line: Journal Template Name=GENERAL, "
            "Journal Batch Name=T1, Line No.=10000. It cannot be zero or empty.",
        ),
        ({"documentNumber": ""}, FIELD, "Document No. must have a value in Gen. Journal Line: "),
        ({"amount": 0}, FIELD, "Amount must have a value in Gen. Journal Line: "),
        ({"accountNumber": ""}, FIELD, "Account No. must have a value in Gen. Journal Line: "),
        (
            {"amount": 11},
            DIALOG,
            "Document No. D1 is out of balance by 1. Please check that Posting Date, Document Type, Document No. and "
            "Amount are correct for each line.",
        ),
        ({"amount": 9.5}, DIALOG, "Document No. D1 is out of balance by -0.5. "),
        ({"documentNumber": "D2"}, DIALOG, "Document No. D2 is out of balance by 10. "),
        ({"postingDate": "2026-01-02"}, DIALOG, "Document No. D1 is out of balance by 10. "),
        (
            {"accountNumber": "8430"},
            DIALOG,
            "A dimension used in Gen. Journal Line GENERAL, T1, 10000 has caused an error. Select a Dimension Value "
            "Code for the Dimension Code DEPARTMENT for G/L Account 8430.",
        ),
        (
            {"accountNumber": "5410"},
            FIELD,
            "Direct Posting must be equal to 'Yes'  in G/L Account: No.=5410. Current value is 'No'.",
        ),
    ],
)
async def test_refusals_of_a_line(bc: Any, changes: dict[str, Any], code: str, text: str) -> None:
    journal = await bc.journal()
    await bc.document(journal)
    first = (await bc.get(f"journals({journal})/journalLines")).value[0]["id"]
    changed = await bc.patch(f"journalLines({first})", changes)
    assert changed.status == 200, changed.body
    answer = await bc.post_journal(journal)
    assert (answer.status, answer.code) == (400, code)
    assert answer.text.startswith(text)
    books = bc.box.books("CRONUS")
    assert (books["entries"], books["unposted_lines"]) == (0, 2)


@pytest.mark.parametrize(("switch", "day"), [("allow_posting_to", "2026-04-01"), ("allow_posting_from", "2026-02-28")])
async def test_a_closed_period(box: Sandbox, bc: Any, switch: str, day: str) -> None:
    box.set(company="CRONUS", allow_posting_from="2026-03-01", allow_posting_to="2026-03-31")
    journal = await bc.journal()
    await bc.document(journal, postingDate=day)
    answer = await bc.post_journal(journal)
    assert (answer.status, answer.code) == (400, FIELD)
    assert answer.text == (
        "Posting Date is not within your range of allowed posting dates in Gen. Journal Line Journal Template "
        "Name='GENERAL',Journal Batch Name='T1',Line No.='10000'."
    )
    box.set(company="CRONUS", **{switch: "0001-01-01"})
    assert (await bc.post_journal(journal)).status == 204


@pytest.mark.parametrize(
    ("switch", "text"),
    [
        ({"blocked": True}, "Blocked must be equal to 'No'  in G/L Account: No.=8450. Current value is 'Yes'."),
        ({"type": "heading"}, "Account Type must be equal to 'Posting'  in G/L Account: No.=8450."),
        ({"direct_posting": False}, "Direct Posting must be equal to 'Yes'  in G/L Account: No.=8450."),
    ],
)
async def test_an_account_that_changed_since_the_line(box: Sandbox, bc: Any, switch: Any, text: str) -> None:
    journal = await bc.journal()
    await bc.document(journal)
    box.set(company="CRONUS", accounts={"8450": switch})
    answer = await bc.post_journal(journal)
    assert answer.code == FIELD
    assert answer.text.startswith(text)


async def dims(bc: Any, journal: str, account: str, *values: tuple[str, str]) -> None:
    """A balanced document whose first line has these dimensions."""
    line = (await bc.line(journal, account, 5)).body["id"]
    path = f"journalLines({line})/dimensionSetLines"
    present = {row["code"]: row["id"] for row in (await bc.get(path)).value}
    for code, value in values:
        if code in present:
            answer = await bc.patch(f"{path}({present[code]})", {"valueCode": value})
        else:
            answer = await bc.post(path, {"code": code, "valueCode": value})
        assert answer.status < 300, answer.body
    assert (await bc.line(journal, "2920", -5)).status == 201


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([("DEPARTMENT", "PROD")], "Select Dimension Value Code ADM for the Dimension Code DEPARTMENT"),
        ([("PROJECT", "P1")], "The Dimension Code PROJECT must not be used for G/L Account 8500."),
        ([], ""),
    ],
)
async def test_rules_of_an_account_for_dimensions(bc: Any, values: Any, text: str) -> None:
    journal = await bc.journal()
    await dims(bc, journal, "8500", *values)
    answer = await bc.post_journal(journal)
    assert answer.status == (400 if text else 204)
    if text:
        assert text in answer.text


async def test_a_rule_holds_for_the_balancing_account_too(bc: Any) -> None:
    journal = await bc.journal()
    await bc.line(journal, "2920", -5, balancingAccountNumber="8430")
    assert "DEPARTMENT for G/L Account 8430" in (await bc.post_journal(journal)).text


@pytest.mark.parametrize("pair", [["DEPARTMENT", "PROJECT"], ["DEPARTMENT=PROD", "PROJECT=P1"]])
async def test_blocked_combinations(box: Sandbox, bc: Any, pair: list[str]) -> None:
    box.set(company="CRONUS", blocked_combinations=[pair])
    journal = await bc.journal()
    await dims(bc, journal, "8450", ("DEPARTMENT", "PROD"), ("PROJECT", "P1"))
    answer = await bc.post_journal(journal)
    assert answer.text == "The combination of dimensions used in Gen. Journal Line GENERAL, T1, 10000 is blocked."
    box.set(company="CRONUS", blocked_combinations=[["DEPARTMENT=ADM", "PROJECT=P1"]])
    assert (await bc.post_journal(journal)).status == 204


async def test_a_dimension_value_blocked_since_the_line(box: Sandbox, bc: Any) -> None:
    journal = await bc.journal()
    await dims(bc, journal, "8450", ("PROJECT", "P2"))
    box.set(company="CRONUS", dimension_values={"PROJECT/P2": {"blocked": True}})
    answer = await bc.post_journal(journal)
    assert answer.text.endswith("has caused an error. Dimension Value PROJECT - P2 is blocked.")


async def test_one_bad_document_stops_the_whole_journal(bc: Any) -> None:
    journal = await bc.journal()
    for number in range(5):
        await bc.document(journal, f"D{number}")
    await bc.line(journal, "8450", 1, "BAD")
    assert "Document No. BAD is out of balance" in (await bc.post_journal(journal)).text
    books = bc.box.books("CRONUS")
    assert (books["entries"], books["unposted_lines"]) == (0, 11)


async def test_only_the_first_refusal_is_told(bc: Any) -> None:
    journal = await bc.journal()
    await bc.line(journal, "8430", 1, "UNBALANCED")  # no department either
    assert "Select a Dimension Value Code" in (await bc.post_journal(journal)).text


async def test_lines_of_a_document_need_not_stand_together(bc: Any) -> None:
    journal = await bc.journal()
    for account, amount, document in (("8450", 1, "A"), ("8450", 2, "B"), ("2920", -1, "A"), ("2920", -2, "B")):
        await bc.line(journal, account, amount, document)
    assert (await bc.post_journal(journal)).status == 204


@pytest.mark.parametrize(("template", "text"), [("RECURRING", "Recurring"), ("PRINTED", "Force Posting Report")])
async def test_templates_that_the_api_cannot_post(bc: Any, template: str, text: str) -> None:
    journal = (await bc.post("journals", {"code": "T1", "templateDisplayName": template})).body["id"]
    await bc.document(journal)
    answer = await bc.post_journal(journal)
    assert answer.code == FIELD
    assert answer.text.startswith(f"{text} must be equal to 'No'")
    assert (await bc.post("journals", {"code": "T2", "templateDisplayName": "NONE"})).code == (
        "Internal_InvalidTableRelation"
    )


async def test_a_posting_series_renumbers(bc: Any) -> None:
    journal = (await bc.get("journals?$filter=code eq 'RENUMBER'")).value[0]["id"]
    await bc.document(journal, "MINE-1")
    await bc.document(journal, "MINE-2")
    assert (await bc.post_journal(journal)).status == 204
    numbers = [row["documentNumber"] for row in (await bc.get("generalLedgerEntries")).value]
    assert numbers == ["P001", "P001", "P002", "P002"]


async def test_the_job_queue_posts_later(box: Sandbox, bc: Any) -> None:
    box.set(company="CRONUS", post_with_job_queue=True, job_queue_seconds=30)
    journal = await bc.journal()
    await bc.document(journal)
    assert (await bc.post_journal(journal)).status == 204
    box.advance(20)
    assert (await bc.get("generalLedgerEntries")).value == []
    assert len((await bc.get(f"journals({journal})/journalLines")).value) == 2
    box.advance(15)
    assert len((await bc.get("generalLedgerEntries")).value) == 2
    await bc.line(journal, "8450", 1, "BAD")
    assert (await bc.post_journal(journal)).status == 204  # success is said, and nobody is told of the refusal
    box.advance(60)
    assert len((await bc.get("generalLedgerEntries")).value) == 2
    assert "out of balance" in str(box.state()["companies"][0]["job_queue_errors"])


async def test_amounts_round_to_the_company(box: Sandbox, bc: Any) -> None:
    box.set(company="CRONUS", amount_precision="1")
    journal = await bc.journal()
    amounts = [(await bc.line(journal, "8450", amount)).body["amount"] for amount in (1.5, 2.5, -1.5, 0.49)]
    assert amounts == [2, 3, -2, 0]


async def test_two_runs_of_one_document_are_seen_in_the_books(bc: Any) -> None:
    journal = await bc.journal()
    for _ in range(2):
        await bc.document(journal, "TWICE")
        assert (await bc.post_journal(journal)).status == 204
    assert bc.box.document("TWICE", "CRONUS")["postings"] == 2
