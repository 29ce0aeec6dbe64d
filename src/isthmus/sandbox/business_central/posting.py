"""Posting of a general journal batch: every check of bc.md section 14 in its order, then the entries. All or nothing.

Only the first refusal is raised, and with its own code: a journal's post runs the codeunit directly (bc.md section 15).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.dimension_sets import blocked_text
from isthmus.sandbox.business_central.areas.dimensions import find_dimension, find_value
from isthmus.sandbox.business_central.areas.general_ledger import write_entry
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.fields import NO_DATE, NO_GUID
from isthmus.sandbox.business_central.tables import Row, Transaction, Values

GL_ACCOUNT = "G_x002F_L_x0020_Account"
_BANK_ACCOUNT = "Bank_x0020_Account"


def post_journal(
    company: Company, tx: Transaction, journal: Row, templates: Mapping[str, Mapping[str, Any]], stamp: str
) -> None:
    """Post all lines of a batch within `tx`. Raises Refusal before anything is written."""
    table = company.tables["journalLines"]
    found = table.group("journalId", journal.id).values()
    lines = sorted((line for line in found if not _empty(line)), key=lambda line: int(line.values["lineNumber"]))
    if not lines:
        raise errors.dialog("There is nothing to post.")
    template = str(journal.values["templateDisplayName"])
    _check_template(template, templates.get(template, {}))
    for line in lines:
        _check_line(company, template, line)
    _check_balance(lines)
    numbers = _document_numbers(company, journal, lines)
    transaction = company.count("transaction")
    for line in lines:
        _write(company, tx, journal, line, (numbers[line.values["documentNumber"]], transaction, stamp))
    for line in list(found):
        table.delete(tx, line)


def _empty(line: Row) -> bool:
    """A line without accounts and amount is passed over (assumed, as AL's EmptyLine does)."""
    values = line.values
    return not values["accountNumber"] and not values["balancingAccountNumber"] and not values["amount"]


def _check_template(name: str, template: Mapping[str, Any]) -> None:
    record = f"Gen. Journal Template: Name={name}"
    if template.get("recurring"):
        raise errors.must_equal("Recurring", "No", record, "Yes")
    if template.get("force_posting_report"):
        raise errors.must_equal("Force Posting Report", "No", record, "Yes")


def _check_line(company: Company, template: str, line: Row) -> None:
    values = line.values
    batch = f"Journal Template Name={template}, Journal Batch Name={values['journalDisplayName']}"
    record = f"Gen. Journal Line: {batch}, Line No.={values['lineNumber']}"
    if values["postingDate"] == NO_DATE:
        raise errors.must_have_value("Posting Date", record)
    _check_date(company, template, values)
    if not values["documentNumber"]:
        raise errors.must_have_value("Document No.", record)
    if not values["accountNumber"] and not values["balancingAccountNumber"]:
        raise errors.must_have_value("Account No.", record)
    kinds = {values["accountType"], values["balanceAccountType"]}
    if values["balancingAccountNumber"] and not kinds & {GL_ACCOUNT, _BANK_ACCOUNT}:
        raise errors.dialog("Account Type or Bal. Account Type must be G/L Account or Bank Account.")
    if not values["amount"]:
        raise errors.must_have_value("Amount", record)
    for account in _accounts(company, line):
        _check_account(account)
    _check_dimensions(company, template, line)


def _check_date(company: Company, template: str, values: Values) -> None:
    if company.setup.allows_posting(values["postingDate"]):
        return
    text = (
        "Posting Date is not within your range of allowed posting dates in Gen. Journal Line Journal Template "
        f"Name='{template}',Journal Batch Name='{values['journalDisplayName']}',Line No.='{values['lineNumber']}'."
    )
    # AL FieldError; its code is assumed to be that of TestField.
    raise Refusal(400, "Application_FieldValidationException", text)


def _accounts(company: Company, line: Row) -> list[Row]:
    """The G/L accounts a line books on: its account, then its balancing account."""
    found = []
    for prefix, kind in (("account", "accountType"), ("balancingAccount", "balanceAccountType")):
        if line.values[f"{prefix}Number"]:
            if line.values[kind] != GL_ACCOUNT:
                raise errors.dialog(f"The sandbox posts G/L accounts only, not {line.values[kind]}.")
            found.append(company.tables["accounts"].rows[line.values[f"{prefix}Id"]])
    return found


def _check_account(account: Row) -> None:
    values = account.values
    record = f"G/L Account: No.={values['number']}"
    if values["accountType"] != "Posting":
        raise errors.must_equal("Account Type", "Posting", record, values["accountType"])
    if values["blocked"]:
        raise errors.must_equal("Blocked", "No", record, "Yes")
    if not values["directPosting"]:
        raise errors.must_equal("Direct Posting", "Yes", record, "No")


def _check_dimensions(company: Company, template: str, line: Row) -> None:
    dims: dict[str, str] = line.hidden["dims"]
    name = f"Gen. Journal Line {template}, {line.values['journalDisplayName']}, {line.values['lineNumber']}"
    if combination_blocked(company, dims):
        raise errors.dialog(f"The combination of dimensions used in {name} is blocked.")
    prefix = f"A dimension used in {name} has caused an error."
    for code, value_code in dims.items():
        dimension, value = find_dimension(company, code), find_value(company, code, value_code)
        text = blocked_text(dimension, value) if dimension is not None and value is not None else ""
        if text:
            raise errors.dialog(f"{prefix} {text}")
    for account in _accounts(company, line):
        for code, rule in account.hidden.get("dimensions", {}).items():
            text = broken_rule(rule, code, dims.get(code, ""), f"G/L Account {account.values['number']}")
            if text:
                raise errors.dialog(f"{prefix} {text}")


def combination_blocked(company: Company, dims: Mapping[str, str]) -> bool:
    """Whether two values stand together that must not."""
    return any(all(_named(dims, one) for one in pair) for pair in company.setup.blocked_combinations)


def _named(dims: Mapping[str, str], one: str) -> bool:
    code, _, value = one.upper().partition("=")
    return code in dims and (not value or dims[code] == value)


def broken_rule(rule: Mapping[str, str], code: str, value: str, record: str) -> str:
    """What is wrong with the value of a dimension under a `rule` (rule, value) of a record such as `G/L Account 8430`;
    blank when nothing is. The text of bc.md section 14 for a missing value; those for the other two rules are assumed.
    """
    if rule["rule"] == "code_mandatory" and not value:
        return f"Select a Dimension Value Code for the Dimension Code {code} for {record}."
    if rule["rule"] == "same_code" and value != rule["value"]:
        wanted = f"Dimension Value Code {rule['value']}" if rule["value"] else "no Dimension Value Code"
        return f"Select {wanted} for the Dimension Code {code} for {record}."
    if rule["rule"] == "no_code" and value:
        return f"The Dimension Code {code} must not be used for {record}."
    return ""


def _check_balance(lines: list[Row]) -> None:
    """Per posting date and document; a line with a balancing account balances itself. That order of lines does not
    matter is assumed.
    """
    sums: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        values = line.values
        if values["accountNumber"] and values["balancingAccountNumber"]:
            continue
        amount = values["amount"] if values["accountNumber"] else -values["amount"]
        place = (values["postingDate"], values["documentNumber"])
        sums[place] = sums.get(place, Decimal(0)) + amount
    for (_, document), amount in sums.items():
        if amount:
            raise errors.dialog(
                f"Document No. {document} is out of balance by {amount.normalize():f}. Please check that Posting Date, "
                "Document Type, Document No. and Amount are correct for each line."
            )


def _document_numbers(company: Company, journal: Row, lines: list[Row]) -> dict[str, str]:
    """Document numbers as posted: renumbered by a posting number series, and the batch's own series moved on when
    it was used.
    """
    drafted = list(dict.fromkeys(str(line.values["documentNumber"]) for line in lines))
    posting_series = journal.hidden.get("posting_no_series")
    if posting_series:
        return {number: company.take_number(posting_series) for number in drafted}
    series = journal.hidden.get("no_series")
    for number in drafted:
        if series and number == company.peek_number(series):
            company.take_number(series)
    return {number: number for number in drafted}


def _write(company: Company, tx: Transaction, journal: Row, line: Row, posted: tuple[str, int, str]) -> None:
    number, transaction, stamp = posted
    values = {
        "postingDate": line.values["postingDate"],
        "documentNumber": number,
        "description": line.values["description"],
        "lastModifiedDateTime": stamp,
    }
    hidden = {
        "dims": line.hidden["dims"],
        "transaction": transaction,
        "journal": journal.values["code"],
        "drafted": line.values["documentNumber"],
        "external": line.values["externalDocumentNumber"],
    }
    amount = line.values["amount"]
    for prefix, sign in (("account", 1), ("balancingAccount", -1)):
        account_id = line.values[f"{prefix}Id"]
        if account_id != NO_GUID:
            account = company.tables["accounts"].rows[account_id]
            write_entry(company, tx, account=account, amount=sign * amount, values=values, hidden=dict(hidden))
