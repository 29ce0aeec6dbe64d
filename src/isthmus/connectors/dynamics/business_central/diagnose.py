"""Why a journal entry was refused: read from the facts of the company, not from the text of the error (bc.md §14).

Texts are localised; accounts, dimension codes and dates are not. Where the facts tell nothing, the service's own words
are passed on, one line of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from msgspec import Struct

from isthmus.connectors.dynamics._client import ODataClient, guid
from isthmus.connectors.dynamics._odata import any_of, chunks, literal
from isthmus.connectors.dynamics.business_central.documents import Document
from isthmus.connectors.dynamics.business_central.outcomes import outcome_of
from isthmus.contract.operations import Outcome
from isthmus.errors import Halt, IsthmusError

_VALUES_PER_FILTER = 20
_WORD = re.compile(r"[^\s\"'.,;:()\[\]]+")


class Facts(Struct, frozen=True):
    """What the company says about everything the documents name."""

    accounts: Mapping[str, Mapping[str, Any]]
    #: dimension code -> the value codes of it that exist among those the documents name
    dimensions: Mapping[str, frozenset[str]]
    posting_from: date | None
    posting_to: date | None


class Diagnosis:
    """Explains refusals in one company."""

    def __init__(self, client: ODataClient, company: str, company_name: str) -> None:
        self._client = client
        self._company = company
        self._name = company_name

    async def explain(self, documents: Sequence[Document], told: Mapping[str, IsthmusError]) -> dict[str, Outcome]:
        """An outcome for each document: by facts, else in the service's words. `told` by document number."""
        if not documents:
            return {}
        found: dict[str, Outcome] = {}
        facts = await self._read(documents)
        for document in documents:
            outcome = self._explain(document, facts, told[document.number]) if facts else None
            found[document.key] = outcome or self.in_its_words(document, told[document.number])
        return found

    async def facts(self, documents: Sequence[Document], told: IsthmusError) -> dict[str, Outcome]:
        """Outcomes of those documents whose fault the facts show; the others are left out."""
        facts = await self._read(documents)
        if facts is None:
            return {}
        explained = {document.key: self._explain(document, facts, told) for document in documents}
        return {key: outcome for key, outcome in explained.items() if outcome is not None}

    def in_its_words(self, document: Document, told: IsthmusError) -> Outcome:
        """The refusal as the service worded it."""
        return outcome_of(document.key, told)

    async def _read(self, documents: Sequence[Document]) -> Facts | None:
        try:
            setup = await self._client.all(f"{self._company}/generalLedgerSetup")
            data: Mapping[str, Any] = setup[0].data if setup else {}
            return Facts(
                await self._accounts(documents),
                await self._dimensions(documents),
                _day(data.get("allowPostingFrom")),
                _day(data.get("allowPostingTo")),
            )
        except Halt:
            raise
        except IsthmusError:
            return None  # the refusal itself is known; only its explanation is poorer

    async def _accounts(self, documents: Sequence[Document]) -> dict[str, Mapping[str, Any]]:
        numbers = sorted({line.account for document in documents for line in document.lines})
        found = {}
        for part in chunks(numbers, _VALUES_PER_FILTER):
            options = {
                "$filter": any_of("number", map(literal, part)),
                "$select": "id,number,blocked,accountType,directPosting",
            }
            for row in await self._client.all(f"{self._company}/accounts", options):
                found[str(row.data["number"]).upper()] = row.data
        return found

    async def _dimensions(self, documents: Sequence[Document]) -> dict[str, frozenset[str]]:
        named: dict[str, set[str]] = {}
        for document in documents:
            for line in document.lines:
                for code, value in line.dimensions.items():
                    named.setdefault(code, set()).add(value)
        found: dict[str, frozenset[str]] = {}
        for row in await self._client.all(f"{self._company}/dimensions", {"$select": "id,code"}):
            code = str(row.data["code"]).upper()
            values: set[str] = set()
            for part in chunks(sorted(named.get(code, ())), _VALUES_PER_FILTER):
                path = f"{self._company}/dimensions({guid(str(row.data['id']))})/dimensionValues"
                options = {"$filter": any_of("code", map(literal, part)), "$select": "id,code"}
                values |= {str(value.data["code"]).upper() for value in await self._client.all(path, options)}
            found[code] = frozenset(values)
        return found

    def _explain(self, document: Document, facts: Facts, told: IsthmusError) -> Outcome | None:
        checks = (self._account, self._dimension, self._balance, self._period)
        for check in checks:
            if (outcome := check(document, facts)) is not None:
                return outcome
        return self._required_dimension(document, facts, told)

    def _account(self, document: Document, facts: Facts) -> Outcome | None:
        chart = f"on page Chart of Accounts in company {self._name}, or change the posting rule."
        for index, line in enumerate(document.lines):
            found = _account_fault(facts.accounts.get(line.account))
            if found is not None:
                code, fault, mend = found
                field = f"lines[{index}].account"
                text = f"account {line.account} {fault}."
                return _refusal(document, field, line.account, code, text, f"{mend} {chart}")
        return None

    def _dimension(self, document: Document, facts: Facts) -> Outcome | None:
        mend = f"Create it on page Dimensions in company {self._name}, or change the posting rule."
        for index, line in enumerate(document.lines):
            for code, value in line.dimensions.items():
                field = f"lines[{index}].dimensions.{code}"
                if code not in facts.dimensions:
                    text = f"dimension {code} does not exist."
                    return _refusal(document, field, code, "dimension_unknown", text, mend)
                if value not in facts.dimensions[code]:
                    text = f"dimension {code} has no value {value}."
                    return _refusal(document, field, value, "dimension_value_missing", text, mend)
        return None

    def _balance(self, document: Document, facts: Facts) -> Outcome | None:
        del facts
        if document.balance == 0:
            return None
        text = f"the document is out of balance by {document.balance}."
        mend = "Change the posting rule so that its lines add up to zero."
        return _refusal(document, "lines", str(document.balance), "out_of_balance", text, mend)

    def _period(self, document: Document, facts: Facts) -> Outcome | None:
        day = document.posting_date
        early = facts.posting_from is not None and day < facts.posting_from
        late = facts.posting_to is not None and day > facts.posting_to
        if not (early or late):
            return None
        span = f"{facts.posting_from or 'the beginning'} to {facts.posting_to or 'without end'}"
        text = f"posting date {day} is outside the dates open for posting ({span})."
        mend = f"Open the period on page General Ledger Setup in company {self._name}, or let the flow use an open day."
        return _refusal(document, "posting_date", day.isoformat(), "period_closed", text, mend)

    def _required_dimension(self, document: Document, facts: Facts, told: IsthmusError) -> Outcome | None:
        """A mandatory dimension shows in no set (bc.md §17: default dimensions of G/L accounts are not in the API). The
        error names account and dimension; these are codes, the same in every language."""
        words = {word.upper() for word in _WORD.findall(told.message)}
        for index, code in _missing_dimensions(document, facts, words):
            account = document.lines[index].account
            return _refusal(
                document,
                f"lines[{index}].dimensions.{code}",
                "",
                "dimension_required",
                f"account {account} wants a value of dimension {code}.",
                f"Give it in the posting rule, or change Default Dimensions of account {account} on page Chart of "
                f"Accounts in company {self._name}.",
            )
        return None


def _account_fault(account: Mapping[str, Any] | None) -> tuple[str, str, str] | None:
    """Code, what is wrong, how to mend it; None for an account that takes journal lines (bc.md §14)."""
    if account is None:
        return "account_missing", "does not exist", "Create it"
    if account.get("blocked") is True:
        return "account_blocked", "is blocked", "Unblock it"
    if account.get("accountType", "Posting") != "Posting":
        return "account_not_posting", "is not a posting account", "Choose another, or change its type"
    if account.get("directPosting") is False:
        return "account_no_direct_posting", "does not allow direct posting", "Allow it"
    return None


def _missing_dimensions(document: Document, facts: Facts, words: set[str]) -> Iterator[tuple[int, str]]:
    named = sorted(code for code in facts.dimensions if code in words)
    for index, line in enumerate(document.lines):
        if line.account in words:
            yield from ((index, code) for code in named if code not in line.dimensions)


def _refusal(document: Document, field: str, value: str, code: str, text: str, mend: str) -> Outcome:
    return Outcome(key=document.key, result="reject", code=code, field=field, value=value, text=text, mend=mend)


def _day(value: object) -> date | None:
    """A date of the set-up; blank (0001-01-01) means open."""
    try:
        day = date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
    return None if day.year == 1 else day
