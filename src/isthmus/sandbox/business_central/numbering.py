"""Numbers of master records: assigned from a series or given by hand (bc.md section 13)."""

from __future__ import annotations

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.tables import Table, Transaction


def number_for(company: Company, tx: Transaction, table: Table, series: str, setup: tuple[str, str]) -> str:
    """The next free number of a series. `setup` is the field and the table where the series is set up, for the refusal
    when it is not. Numbers that were given by hand already are passed over (assumed).
    """
    if not series:
        raise errors.must_have_value(setup[0], f"{setup[1]}: Primary Key=")
    before = dict(company.series[series])
    tx.note(lambda: company.series[series].update(before))
    number = company.take_number(series)
    while table.one(("number",), number) is not None:
        number = company.take_number(series)
    return number


def refuse_manual(company: Company, series: str) -> None:
    """Refuses a number given by hand when the series does not allow it. Without a series any number goes (assumed)."""
    if series and company.series[series].get("manual") == "no":
        raise errors.dialog(
            "You may not enter numbers manually. If you want to enter numbers manually, please activate Manual Nos. in "
            f"No. Series {series}."
        )
