"""Accounts and dimension values against the company's books: what the target would refuse when posting (bc.md §14)."""

from __future__ import annotations

from isthmus.controls.book import Book
from isthmus.controls.rules import DimensionSource
from isthmus.model.finding import Finding


def account_findings(number: str, what: str, book: Book) -> list[Finding]:
    """Everything that keeps `number` from taking a journal line. `what` names the rule that chose it and its place."""
    if book.accounts is None:
        return []
    account = book.accounts.get(number)
    if account is None:
        return [_missing(number, what, book)]
    found: list[Finding] = []
    if account.blocked:
        found.append(
            Finding(
                "account_blocked",
                "error",
                f"account {number} of {what} is blocked in {book.company}",
                field="account",
                value=number,
                mend=f"Unblock {number} in the chart of accounts, or name another account in {what}.",
            )
        )
    if account.type not in {None, "posting"}:
        found.append(
            Finding(
                "account_not_posting",
                "error",
                f"account {number} of {what} is a {str(account.type).replace('_', ' ')} account and takes no entries",
                field="account",
                value=number,
                mend=f"Name an account of type posting in {what}.",
            )
        )
    if account.direct_posting is False:
        found.append(
            Finding(
                "account_no_direct_posting",
                "error",
                f"account {number} of {what} does not allow direct posting in {book.company}",
                field="account",
                value=number,
                mend=f"Allow direct posting on {number} in the chart of accounts, or name another account in {what}.",
            )
        )
    return found


def dimension_value_findings(
    dimension: str, source: DimensionSource, value: str, what: str, book: Book
) -> list[Finding]:
    """Whether the books know `value` of `dimension`; a value from a personal field is not repeated."""
    if book.dimension_values is None or f"{dimension}/{value}" in book.dimension_values:
        return []
    shown = "" if source.personal else value
    mend = (
        f"Correct the literal in {what}" if source.literal else f"Correct {source.path} or its row in the lookup table"
    )
    return [
        Finding(
            "dimension_value_missing",
            "error",
            f"dimension {dimension} has no value {shown}".rstrip() + f" in {book.company}",
            field=source.path or f"dimensions.{dimension}",
            value=shown,
            mend=f"{mend}, or create the value of {dimension} in {book.company}.",
        )
    ]


def dimension_missing(dimension: str, source: DimensionSource, field: str, what: str) -> Finding:
    """The record has nothing to fill a dimension with that the rule asks for."""
    return Finding(
        "dimension_missing",
        "error",
        f"{source.path} is empty, and {what} takes dimension {dimension} from it",
        field=field,
        mend=f"Fill {source.path} in the source, or add a row to the lookup table that gives it.",
    )


def _missing(number: str, what: str, book: Book) -> Finding:
    # YAML drops the leading zeros of an unquoted number: say so when that is what happened
    near = [known for known in book.accounts or () if known != number and known.lstrip("0") == number.lstrip("0")]
    mend = (
        f'The chart has {near[0]}: write it in quotes, as "{near[0]}", in {what}.'
        if near
        else f"Create {number} in the chart of accounts, or name another account in {what}."
    )
    return Finding(
        "account_missing",
        "error",
        f"account {number} of {what} is not in the chart of {book.company}",
        field="account",
        value=number,
        mend=mend,
    )
