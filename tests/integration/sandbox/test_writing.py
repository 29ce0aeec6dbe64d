"""Writing: etags, fields, journals, lines and their dimensions."""

from __future__ import annotations

from typing import Any

import pytest

from isthmus.sandbox.server import Sandbox

CHANGED = "Another user has already changed the record."


async def test_patch_needs_a_valid_token(bc: Any) -> None:
    journal = await bc.journal()
    path = f"journals({journal})"
    for headers in ({}, {"If_Match": "nonsense"}):
        answer = await bc.call("PATCH", path, {"displayName": "x"}, **headers)
        assert (answer.status, answer.code) == (400, "BadRequest_InvalidToken")
    first = (await bc.get(path)).body["@odata.etag"]
    answer = await bc.patch(path, {"displayName": "one"}, first)
    assert (answer.status, answer.body["displayName"]) == (200, "one")
    assert answer.body["@odata.etag"] != first
    stale = await bc.patch(path, {"displayName": "two"}, first)
    assert (stale.status, stale.code, stale.text) == (409, "Request_EntityChanged", CHANGED)
    assert (await bc.patch(path, {"displayName": "two"}, "*")).status == 200


async def test_delete_and_actions_check_a_token_only_when_given(bc: Any) -> None:
    journal = await bc.journal()
    path = f"journals({journal})"
    old = (await bc.get(path)).body["@odata.etag"]
    await bc.patch(path, {"displayName": "x"})
    assert (await bc.call("DELETE", path, If_Match=old)).status == 409
    assert (await bc.call("POST", f"{path}/Microsoft.NAV.post", If_Match=old)).status == 409
    assert (await bc.call("DELETE", path)).status == 204
    assert (await bc.get(path)).status == 404


async def test_a_patch_without_a_difference_changes_nothing(bc: Any) -> None:
    path = f"journals({await bc.journal()})"
    before = (await bc.get(path)).body["@odata.etag"]
    assert (await bc.patch(path, {"displayName": "", "code": "t1"}, before)).body["@odata.etag"] == before


async def test_prefer_return_no_content(bc: Any) -> None:
    answer = await bc.post("journals", {"code": "QUIET"}, Prefer="return-no-content")
    assert (answer.status, answer.body) == (204, "")
    location = answer.headers["location"]
    assert (await bc.get(location)).body["code"] == "QUIET"


async def test_a_journal_code_is_upper_case_short_and_unique(bc: Any) -> None:
    answer = await bc.post("journals", {"code": " abc "})
    assert (answer.status, answer.body["code"], answer.body["templateDisplayName"]) == (201, "ABC", "GENERAL")
    answer = await bc.post("journals", {"code": "Abc"})
    assert (answer.status, answer.code) == (400, "Internal_EntityWithSameKeyExists")
    assert answer.text == (
        "The Gen. Journal Batch already exists. Identification fields and values: "
        "Journal Template Name='GENERAL',Name='ABC'"
    )
    answer = await bc.post("journals", {"code": "ABCDEFGHIJK"})
    assert answer.code == "Application_StringExceededLength"
    assert answer.text == (
        "The length of the string is 11, but it must be less than or equal to 10 characters. Value: ABCDEFGHIJK"
    )
    for body in ({}, {"code": ""}):
        assert (await bc.post("journals", body)).code == "BadRequest_RequiredParamNotProvided"


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"nonsense": 1}, "BadRequest", "The property 'nonsense' does not exist on type 'Microsoft.NAV.journalLine'."),
        ({"currencyCode": "USD"}, "BadRequest", "The property 'currencyCode' does not exist"),
        ({"lastModifiedDateTime": "2026-01-01T00:00:00Z"}, "BadRequest_InvalidOperation", "is read-only"),
        ({"id": "99999999-0000-4000-8000-000000000001"}, "BadRequest_InvalidOperation", "Control 'id' is read-only"),
        ({"journalDisplayName": "X"}, "Application_DialogException", "The Journal Batch Display Name isn't editable."),
        (
            {"journalId": "99999999-0000-4000-8000-000000000001"},
            "Application_DialogException",
            "The Journal Batch Id isn't editable.",
        ),
        ({"postingDate": "soon"}, "BadRequest", "Unable to convert value to Date"),
        ({"amount": "much"}, "BadRequest", "Unable to convert value to Decimal"),
        ({"amount": True}, "BadRequest", "Unable to convert value to Decimal"),
        ({"description": 5}, "BadRequest", "Unable to convert value to String"),
        ({"description": "x" * 101}, "Application_StringExceededLength", "The length of the string is 101"),
        ({"documentNumber": "x" * 21}, "Application_StringExceededLength", "than or equal to 20 characters"),
        ({"accountType": "Bank"}, "Unknown", "'Bank' is not an option. The existing options are: G/L Account,Customer"),
        (
            {"accountNumber": "9999"},
            "Internal_InvalidTableRelation",
            "The field Account No. of table Gen. Journal Line contains a value (9999) that cannot be found in the "
            "related table (G/L Account).",
        ),
        ({"accountNumber": "1000"}, "Internal_InvalidTableRelation", "contains a value (1000)"),
        ({"accountNumber": "8600"}, "Internal_InvalidTableRelation", "contains a value (8600)"),
        ({"balancingAccountNumber": "9999"}, "Internal_InvalidTableRelation", "The field Bal. Account No. of table"),
        ({"accountType": "Vendor", "accountNumber": "V1"}, "Internal_InvalidTableRelation", "related table (Vendor)"),
        (
            {"accountId": "99999999-0000-4000-8000-000000000001"},
            "Application_DialogException",
            'The "accountId" does not match to an Account.',
        ),
    ],
)
async def test_lines_that_are_refused(standing: Any, body: dict[str, Any], code: str, text: str) -> None:
    journal = await standing.own_journal()
    answer = await standing.post(f"journals({journal})/journalLines", body)
    assert (answer.status, answer.code) == (400, code)
    assert text in answer.text
    assert (await standing.get(f"journals({journal})/journalLines")).value == []


async def test_account_id_and_number_must_agree(standing: Any) -> None:
    journal = await standing.own_journal()
    accounts = {row["number"]: row["id"] for row in (await standing.get("accounts")).value}
    path = f"journals({journal})/journalLines"
    answer = await standing.post(path, {"accountId": accounts["8450"], "accountNumber": "2920"})
    assert answer.text == "The account values do not match to a specific Account."
    answer = await standing.post(path, {"accountId": accounts["8450"], "accountNumber": "8450"})
    assert answer.status == 201
    answer = await standing.post(path, {"accountId": accounts["2920"]})
    assert (answer.body["accountNumber"], answer.body["description"]) == ("2920", "Bank")


async def test_a_body_that_is_no_object(standing: Any) -> None:
    assert (await standing.call("POST", "journals", [1])).text == "Invalid Request Body"


async def test_a_line_takes_the_defaults_of_its_batch_and_of_the_line_before(bc: Any) -> None:
    journal = await bc.journal()
    path = f"journals({journal})/journalLines"
    first = (await bc.line(journal, "8450", "10.005", "DOC-9", postingDate="2026-03-04")).body
    assert (first["amount"], first["lineNumber"], first["description"]) == (10.01, 10000, "Consumables")
    second = (await bc.post(path, {"accountNumber": "2920", "amount": -10.005})).body
    assert (second["documentNumber"], second["lineNumber"]) == ("DOC-9", 20000)
    assert (second["postingDate"], second["amount"]) == ("2026-03-04", -10.01)
    third = (await bc.post(path, {"accountNumber": "2920", "externalDocumentNumber": "ext-1"})).body
    assert (third["documentNumber"], third["externalDocumentNumber"]) == ("DOC-10", "EXT-1")
    fourth = (await bc.post(path, {"accountNumber": "2920", "externalDocumentNumber": "EXT-1"})).body
    assert fourth["documentNumber"] == "DOC-10"


async def test_a_blank_number_previews_the_series_of_the_batch(bc: Any) -> None:
    journal = (await bc.get("journals?$filter=code eq 'SERIES'")).value[0]["id"]
    path = f"journals({journal})/journalLines"
    numbers = [
        (await bc.post(path, {"accountNumber": account, "amount": amount})).body["documentNumber"]
        for account, amount in (("8450", 5), ("2920", -5))
    ]
    assert numbers == ["G00009", "G00009"]  # previewed, not taken
    assert (await bc.post_journal(journal)).status == 204
    assert (await bc.post(path, {"accountNumber": "8450"})).body["documentNumber"] == "G00010"


async def test_a_batch_brings_its_balancing_account(bc: Any) -> None:
    journal = (await bc.get("journals?$filter=code eq 'BALANCED'")).value[0]["id"]
    line = (await bc.line(journal, "8450", 7)).body
    assert line["balancingAccountNumber"] == "2920"
    assert (await bc.post_journal(journal)).status == 204
    assert bc.box.books("CRONUS")["accounts"] == {"2920": "-7.00", "8450": "7.00"}


async def test_a_journal_takes_its_balancing_account_by_id_only(bc: Any) -> None:
    accounts = {row["number"]: row["id"] for row in (await bc.get("accounts")).value}
    answer = await bc.post("journals", {"code": "B2", "balancingAccountNumber": "2920"})
    assert answer.code == "BadRequest_InvalidOperation"
    answer = await bc.post("journals", {"code": "B2", "balancingAccountId": accounts["2920"]})
    assert answer.body["balancingAccountNumber"] == "2920"
    answer = await bc.post("journals", {"code": "B3", "balancingAccountId": "99999999-0000-4000-8000-000000000001"})
    assert answer.text == 'The "balancingAccountId" does not match to an Account.'


async def test_line_numbers(standing: Any) -> None:
    journal = await standing.own_journal()
    path = f"journals({journal})/journalLines"
    for number in (500, 20, 300):
        assert (await standing.post(path, {"lineNumber": number})).status == 201
    assert (await standing.post(path, {})).body["lineNumber"] == 10500
    duplicate = await standing.post(path, {"lineNumber": 20})
    assert (duplicate.status, duplicate.code) == (400, "Internal_EntityWithSameKeyExists")
    assert [line["lineNumber"] for line in (await standing.get(path)).value] == [20, 300, 500, 10500]
    last = (await standing.get(path)).value[-1]
    assert (await standing.patch(f"journalLines({last['id']})", {"lineNumber": 400})).status == 200
    assert (await standing.post(path, {})).body["lineNumber"] == 10500


async def test_patching_a_line(standing: Any) -> None:
    journal = await standing.own_journal()
    line = (await standing.line(journal, "8450", 1)).body
    path = f"journals({journal})/journalLines({line['id']})"
    changed = await standing.patch(path, {"amount": 3.456, "accountNumber": "2920"}, line["@odata.etag"])
    assert (changed.body["amount"], changed.body["accountNumber"], changed.body["description"]) == (
        3.46,
        "2920",
        "Bank",
    )
    assert (await standing.patch(path, {"accountNumber": "9999"})).code == "Internal_InvalidTableRelation"
    assert (await standing.get(path)).body["accountNumber"] == "2920"


async def test_amounts_are_exact_on_the_wire(standing: Any) -> None:
    path = standing.path(f"journals({await standing.own_journal()})/journalLines")
    headers = {"Authorization": f"Bearer {standing.token}", "Content-Type": "application/json"}
    for amount in (b"12345678901234.56", b"-0.07", b"1e3", b"7"):
        body = b'{"accountNumber": "8450", "amount": %s}' % amount
        async with standing.session.post(path, data=body, headers=headers) as response:
            text = await response.text()
        wanted = {b"1e3": "1000.00", b"7": "7.00"}.get(amount, amount.decode())
        assert f'"amount":{wanted},' in text
    async with standing.session.post(path, data=b'{"amount": 1e40}', headers=headers) as response:
        assert response.status == 400


async def test_a_line_number_taken_back_is_not_remembered(bc: Any) -> None:
    journal = await bc.journal()
    await bc.document(journal)
    path = f"journals({journal})/journalLines"
    first = (await bc.get(path)).value[0]
    answer = await bc.batch(
        bc.part("PATCH", f"journalLines({first['id']})", {"lineNumber": 50000}, headers={"If-Match": "*"}),
        bc.part("POST", path, {"accountNumber": "9999"}),
        Isolation="snapshot",
    )
    assert [part["status"] for part in answer.body["responses"]] == [200, 400]
    assert (await bc.post(path, {})).body["lineNumber"] == 30000


async def test_company_information_can_be_kept(bc: Any) -> None:
    row = (await bc.get("companyInformation")).value[0]
    changed = await bc.patch(f"companyInformation({row['id']})", {"city": "Aachen"}, row["@odata.etag"])
    assert (changed.body["city"], changed.body["displayName"]) == ("Aachen", "CRONUS")


async def test_deep_insert_is_one_transaction(bc: Any) -> None:
    good = {"accountNumber": "8450", "amount": 1, "documentNumber": "D"}
    answer = await bc.post("journals", {"code": "DEEP", "journalLines": [good, {"accountNumber": "9999"}]})
    assert answer.code == "Internal_InvalidTableRelation"
    assert (await bc.get("journals?$filter=code eq 'DEEP'")).value == []
    answer = await bc.post("journals", {"code": "DEEP", "journalLines": [good, good]})
    assert (answer.status, "journalLines" in answer.body) == (201, False)
    answer = await bc.post("journals?$expand=journalLines", {"code": "DEEP2", "journalLines": [good]})
    assert [line["amount"] for line in answer.body["journalLines"]] == [1.00]


async def test_how_deep_an_insert_may_be_is_a_switch(box: Sandbox, bc: Any) -> None:
    line = {
        "accountNumber": "8430",
        "amount": 1,
        "dimensionSetLines": [{"code": "DEPARTMENT", "valueCode": "adm"}],
    }
    journal = await bc.journal()
    answer = await bc.post(f"journals({journal})/journalLines?$expand=dimensionSetLines", line)
    assert answer.body["dimensionSetLines"][0]["valueCode"] == "ADM"
    deep = {"code": "DEEP", "journalLines": [line]}
    assert (await bc.post("journals", deep)).status == 400
    box.set(deep_insert_levels=2)
    assert (await bc.post("journals", deep)).status == 201


async def test_dimensions_of_a_line(standing: Any) -> None:
    journal = await standing.own_journal()
    line = (await standing.line(journal, "8450", 1)).body
    path = f"journalLines({line['id']})/dimensionSetLines"
    made = await standing.post(path, {"code": "DEPARTMENT", "valueCode": "PROD"})
    assert made.status == 201
    assert made.body["valueDisplayName"] == "Production"
    assert (made.body["parentId"], made.body["parentType"]) == (line["id"], "Journal_x0020_Line")
    again = await standing.post(path, {"code": "DEPARTMENT", "valueCode": "ADM"})
    assert again.text == (
        "The dimension set line already exists. Check existing dimension set lines and the default dimension set lines "
        "on the parent."
    )
    assert (await standing.get(f"journalLines({line['id']})")).body["@odata.etag"] != line["@odata.etag"]
    one = f"{path}({made.body['id']})"
    assert (await standing.call("PATCH", one, {"valueCode": "ADM"})).code == "BadRequest_InvalidToken"
    assert (await standing.patch(one, {"valueCode": "ADM"}, made.body["@odata.etag"])).body["valueCode"] == "ADM"
    assert (await standing.patch(one, {"code": "PROJECT"})).text == 'The "id" and "code" fields cannot be modified.'
    assert (await standing.call("DELETE", one)).status == 204
    assert (await standing.get(path)).value == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, 'The "id" or "code" field must be filled in.'),
        ({"code": "NONE", "valueCode": "X"}, 'The "code" does not match to a Dimension.'),
        ({"id": "99999999-0000-4000-8000-000000000001"}, 'The "id" does not match to a Dimension.'),
        ({"code": "PROJECT"}, 'The "valueId" or "valueCode" field must be filled in.'),
        ({"code": "PROJECT", "valueCode": "NONE"}, 'The "valueCode" does not match to a Dimension Value.'),
        ({"code": "PROJECT", "valueCode": "ADM"}, 'The "valueCode" does not match to a Dimension Value.'),
        (
            {"code": "PROJECT", "valueId": "99999999-0000-4000-8000-000000000001"},
            'The "valueId" does not match to a Dimension Value.',
        ),
        ({"code": "DEPARTMENT", "valueCode": "OLD"}, "Dimension Value DEPARTMENT - OLD is blocked."),
    ],
)
async def test_dimensions_that_are_refused(standing: Any, body: dict[str, str], text: str) -> None:
    journal = await standing.own_journal()
    line = (await standing.line(journal, "8450", 1)).body["id"]
    answer = await standing.post(f"journalLines({line})/dimensionSetLines", body)
    assert (answer.status, answer.code, answer.text) == (400, "Application_DialogException", text)


async def test_dimension_ids_and_codes_must_agree(standing: Any) -> None:
    journal = await standing.own_journal()
    path = f"journalLines({(await standing.line(journal, '8450', 1)).body['id']})/dimensionSetLines"
    dimensions = {row["code"]: row["id"] for row in (await standing.get("dimensions")).value}
    values = {row["code"]: row["id"] for row in (await standing.get("dimensionValues")).value}
    answer = await standing.post(path, {"id": dimensions["PROJECT"], "code": "DEPARTMENT", "valueCode": "ADM"})
    assert answer.text == "The dimension field values do not match to a specific Dimension."
    answer = await standing.post(path, {"code": "PROJECT", "valueId": values["P1"], "valueCode": "P2"})
    assert answer.text.endswith("do not refer to the same Dimension Value.")
    answer = await standing.post(path, {"id": dimensions["PROJECT"], "valueId": values["P1"]})
    assert (answer.status, answer.body["code"], answer.body["valueCode"]) == (201, "PROJECT", "P1")


async def test_a_default_dimension_is_on_the_line_already(standing: Any) -> None:
    journal = await standing.own_journal()
    line = (await standing.line(journal, "8500", 1)).body["id"]
    path = f"journalLines({line})/dimensionSetLines"
    assert [(row["code"], row["valueCode"]) for row in (await standing.get(path)).value] == [("DEPARTMENT", "ADM")]
    answer = await standing.post(path, {"code": "DEPARTMENT", "valueCode": "PROD"})
    assert answer.text.startswith("The dimension set line already exists.")


async def test_deleting_a_journal_takes_its_lines(bc: Any) -> None:
    journal = await bc.journal()
    await bc.document(journal)
    assert (await bc.call("DELETE", f"journals({journal})")).status == 204
    assert bc.box.books("CRONUS")["unposted_lines"] == 0


async def test_currencies_can_be_kept(bc: Any) -> None:
    made = (await bc.post("currencies", {"code": "chf", "displayName": "Swiss franc"})).body
    assert (made["code"], made["amountDecimalPlaces"], made["amountRoundingPrecision"]) == ("CHF", "2:2", 0.01)
    assert (await bc.patch(f"currencies({made['id']})", {"code": ""})).code == "BadRequest_RequiredParamNotProvided"
    assert (await bc.call("DELETE", f"currencies({made['id']})")).status == 204


@pytest.mark.parametrize(
    "name", ["accounts", "dimensions", "dimensionValues", "generalLedgerEntries", "currencyExchangeRates"]
)
async def test_master_data_and_ledgers_are_read_only(standing: Any, name: str) -> None:
    assert (await standing.post(name, {})).code == "BadRequest_MethodNotAllowed"


async def test_a_read_only_intent_must_not_write(bc: Any) -> None:
    assert (await bc.post("journals", {"code": "X"}, Data_Access_Intent="ReadOnly")).status == 400
    assert (await bc.get("journals", Data_Access_Intent="ReadOnly")).status == 200
