"""The sandbox's own books, straight from the posted entries: what tests compare a ledger with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.tables import Row


def _amount(entry: Row) -> Decimal:
    amount: Decimal = entry.values["debitAmount"] - entry.values["creditAmount"]
    return amount


def totals(company: Company) -> dict[str, Any]:
    """G/L totals by account, and by account and dimension values; amounts are text, debit positive."""
    accounts: dict[str, Decimal] = {}
    combined: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[Decimal, int]] = {}
    documents = set()
    for entry in company.tables["generalLedgerEntries"]:
        number, amount = entry.values["accountNumber"], _amount(entry)
        documents.add((entry.values["documentNumber"], entry.values["postingDate"]))
        accounts[number] = accounts.get(number, Decimal(0)) + amount
        place = (number, tuple(sorted(entry.hidden["dims"].items())))
        before = combined.get(place, (Decimal(0), 0))
        combined[place] = (before[0] + amount, before[1] + 1)
    return {
        "company": company.name,
        "entries": len(company.tables["generalLedgerEntries"]),
        "documents": len(documents),
        "unposted_lines": len(company.tables["journalLines"]),
        "balance": str(sum(accounts.values(), Decimal(0))),
        "accounts": {number: str(amount) for number, amount in sorted(accounts.items())},
        "by_dimensions": [
            {"account": number, "dimensions": dict(dims), "amount": str(amount), "entries": count}
            for (number, dims), (amount, count) in sorted(combined.items())
        ],
    }


def document(company: Company, number: str) -> dict[str, Any]:
    """Everything of one document number. `postings` counts the post actions that booked it: more than one is a
    double.
    """
    posted = list(company.tables["generalLedgerEntries"].group("documentNumber", number).values())
    waiting = list(company.tables["journalLines"].group("documentNumber", number).values())
    return {
        "number": number,
        "postings": len({entry.hidden["transaction"] for entry in posted}),
        "entries": [_entry(entry) for entry in posted],
        "unposted": [_line(line) for line in waiting],
    }


def _entry(entry: Row) -> dict[str, Any]:
    return {
        "entry": entry.values["entryNumber"],
        "date": entry.values["postingDate"],
        "account": entry.values["accountNumber"],
        "amount": str(_amount(entry)),
        "description": entry.values["description"],
        "dimensions": entry.hidden["dims"],
        "journal": entry.hidden["journal"],
        "external": entry.hidden["external"],
    }


def _line(line: Row) -> dict[str, Any]:
    return {
        "journal": line.values["journalDisplayName"],
        "line": line.values["lineNumber"],
        "account": line.values["accountNumber"],
        "amount": str(line.values["amount"]),
        "dimensions": line.hidden["dims"],
    }
