"""A journal entry as the lens writes it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from isthmus.connectors.dynamics.business_central.documents import parse
from isthmus.connectors.dynamics.business_central.own_journal import code_prefix, journal_code, place
from isthmus.contract.operations import Operation
from isthmus.errors import Reject

LINES = [
    {"accountNumber": "8450", "amount": Decimal("183.05"), "dimensions": {"department": "prod", "PROJECT": None}},
    {"accountNumber": "5800", "amount": "-183.05", "description": "own text"},
]


def operation(**native: Any) -> Operation:
    good = {"documentNumber": "wo-1", "postingDate": "2026-03-05", "description": "Order", "journalLines": LINES}
    return Operation(key="k", entity="journal_entry", action="post", native={**good, **native})


def test_codes_are_upper_case_and_blank_dimensions_are_none() -> None:
    document = parse(operation())
    assert (document.number, document.posting_date) == ("WO-1", date(2026, 3, 5))
    assert document.lines[0].dimensions == {"DEPARTMENT": "PROD"}
    assert [line.description for line in document.lines] == ["Order", "own text"]
    assert (document.debits, document.balance) == (Decimal("183.05"), 0)


def test_dates_may_stand_on_the_lines_or_come_as_dates() -> None:
    lines = [{**line, "postingDate": date(2026, 3, 6)} for line in LINES]
    assert parse(operation(journalLines=lines)).posting_date == date(2026, 3, 6)


def test_a_text_is_cut_to_what_the_service_takes() -> None:
    assert len(parse(operation(description="x" * 300)).lines[0].description) == 100


@pytest.mark.parametrize(
    ("native", "field"),
    [
        ({"documentNumber": ""}, "number"),
        ({"documentNumber": "X" * 21}, "number"),
        ({"journalLines": []}, "lines"),
        ({"postingDate": "05.03.2026"}, "posting_date"),
        ({"journalLines": [{**LINES[0], "postingDate": "2026-01-01"}, LINES[1]]}, "posting_date"),
        ({"journalLines": [{**LINES[0], "accountNumber": None}]}, "lines[0].account"),
        ({"journalLines": [LINES[0], {**LINES[1], "amount": "many"}]}, "lines[1].amount"),
        ({"journalLines": [LINES[0], {**LINES[1], "amount": "NaN"}]}, "lines[1].amount"),
        ({"journalLines": [{**LINES[0], "dimensions": ["A"]}]}, "lines[0].dimensions"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_field(native: dict[str, Any], field: str) -> None:
    with pytest.raises(Reject) as caught:
        parse(operation(**native))
    assert caught.value.field == field


def test_a_float_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match="float"):
        parse(operation(journalLines=[{**LINES[0], "amount": 183.05}]))


def test_codes_of_journals_follow_from_the_delivery_and_fit() -> None:
    codes = {journal_code("delivery-1", index) for index in range(200)}
    assert len(codes) == 200
    assert all(len(code) == 10 and code.isalnum() and code.upper() == code for code in codes)
    assert all(code.startswith(code_prefix("delivery-1")) for code in codes)
    assert code_prefix("delivery-1") == code_prefix("delivery-1") != code_prefix("delivery-2")


def test_each_line_of_a_journal_has_its_own_number() -> None:
    numbers = [placed.number for placed in place([parse(operation()), parse(operation(documentNumber="wo-2"))])]
    assert numbers == [10_000, 20_000, 30_000, 40_000]
