"""`companies` (served by the platform) and what a company is by itself: information, General Ledger Setup,
accounting periods.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import EntitySet, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import (
    NO_DATE,
    NO_GUID,
    NO_TIME,
    Field,
    Kind,
    Writing,
    key,
    modified,
    shown,
)
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction


class Companies(EntitySet):
    """All companies of the environment. POST is 405: companies come from the automation API (bc.md section 2)."""

    name = "companies"
    entity = "company"
    title = "Company"
    table_id = 2000000006
    per_company = False
    fields = (
        key(),
        shown("systemVersion", Kind.TEXT),
        shown("name", Kind.TEXT),
        shown("displayName", Kind.TEXT),
        shown("businessProfileId", Kind.TEXT),
        shown("systemCreatedAt", Kind.TIME),
        shown("systemCreatedBy", Kind.GUID),
        shown("systemModifiedAt", Kind.TIME),
        shown("systemModifiedBy", Kind.GUID),
    )

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        return [_company_row(company) for company in call.environment.companies.values()]

    def find(self, call: Call, parent: Parent | None, key: str) -> Row:
        return _company_row(call.environment.company(key))


def _company_row(company: Company) -> Row:
    return Row(
        {
            "id": company.id,
            "systemVersion": "28.0.0.0",
            "name": company.name,
            "displayName": company.name,
            "businessProfileId": "",
            "systemCreatedAt": NO_TIME,
            "systemCreatedBy": NO_GUID,
            "systemModifiedAt": NO_TIME,
            "systemModifiedBy": NO_GUID,
        }
    )


class CompanyInformation(EntitySet):
    """One row per company. No time zone is in it."""

    name = "companyInformation"
    entity = "companyInformation"
    title = "Company Information"
    table_id = 79
    methods = frozenset({"GET", "PATCH"})
    storage = Storage("Company Information", unique=(("id",),))
    fields = (
        key(),
        Field("displayName", Kind.TEXT, 100),
        Field("addressLine1", Kind.TEXT, 100),
        Field("addressLine2", Kind.TEXT, 50),
        Field("city", Kind.TEXT, 30),
        Field("state", Kind.TEXT, 30),
        Field("country", Kind.CODE, 10),
        Field("postalCode", Kind.CODE, 20),
        Field("phoneNumber", Kind.TEXT, 30),
        Field("faxNumber", Kind.TEXT, 30),
        Field("email", Kind.TEXT, 80),
        Field("website", Kind.TEXT, 255),
        Field("taxRegistrationNumber", Kind.TEXT, 50),
        shown("currencyCode", Kind.CODE, 10),
        shown("currentFiscalYearStartDate", Kind.DATE),
        Field("industry", Kind.TEXT, 30),
        Field("experience", Kind.TEXT),
        modified(Writing.IGNORED),
    )


class GeneralLedgerSetup(EntitySet):
    """One row per company, read from its setup at each call, so that a switch shows at once."""

    name = "generalLedgerSetup"
    entity = "generalLedgerSetup"
    title = "General Ledger Setup"
    table_id = 98
    fields = (
        key(),
        shown("allowPostingFrom", Kind.DATE),
        shown("allowPostingTo", Kind.DATE),
        shown("additionalReportingCurrency", Kind.CODE, 10),
        shown("localCurrencyCode", Kind.CODE, 10),
        shown("localCurrencySymbol", Kind.TEXT, 10),
        modified(),
        shown("allowQueryFromConsolidation", Kind.BOOL),
        *(shown(f"shortcutDimension{n}Code", Kind.CODE, 20) for n in range(1, 9)),
    )

    def rows(self, call: Call, parent: Parent | None) -> Iterable[Row]:
        return [self._row(call.company)]

    def find(self, call: Call, parent: Parent | None, key: str) -> Row:
        row = self._row(call.company)
        if row.id != key:
            raise errors.not_found(self.title, key)
        return row

    def _row(self, company: Company) -> Row:
        setup = company.setup
        codes = [*setup.shortcut_dimensions, *[""] * 8]
        values: dict[str, Any] = {
            "id": company.seeded_id("generalLedgerSetup"),
            "allowPostingFrom": setup.allow_posting_from,
            "allowPostingTo": setup.allow_posting_to,
            "additionalReportingCurrency": "",
            "localCurrencyCode": setup.currency,
            "localCurrencySymbol": setup.currency_symbol,
            "lastModifiedDateTime": company.settings.get("setup_modified", NO_TIME),
            "allowQueryFromConsolidation": False,
        }
        shortcuts = {f"shortcutDimension{n}Code": codes[n - 1] for n in range(1, 9)}
        return Row(values | shortcuts, version=company.counters.get("setup", 0))


class AccountingPeriods(EntitySet):
    """The fiscal calendar. Closed here says nothing of the posting range of General Ledger Setup."""

    name = "accountingPeriods"
    entity = "accountingPeriod"
    title = "Accounting Period"
    table_id = 50
    order = ("startingDate",)
    storage = Storage("Accounting Period", unique=(("startingDate",),))
    fields = (
        key(),
        shown("startingDate", Kind.DATE),
        shown("name", Kind.TEXT, 10),
        shown("newFiscalYear", Kind.BOOL),
        shown("closed", Kind.BOOL),
        shown("dateLocked", Kind.BOOL),
        modified(),
    )


class PeriodSeed(msgspec.Struct, forbid_unknown_fields=True):
    """An accounting period of a seed file."""

    start: str
    name: str = ""
    new_fiscal_year: bool = False
    closed: bool = False
    date_locked: bool = False


class InformationSeed(msgspec.Struct, forbid_unknown_fields=True):
    """Company information of a seed file: the properties a PATCH may set."""

    display_name: str = ""
    country: str = ""
    email: str = ""
    tax_registration_number: str = ""


def _seed_information(company: Company, tx: Transaction, information: InformationSeed) -> None:
    table = company.tables["companyInformation"]
    for row in list(table):
        table.delete(tx, row)
    values = {field.name: field.blank() for field in CompanyInformation.fields}
    values |= {
        "id": company.seeded_id("companyInformation"),
        "displayName": information.display_name or company.name,
        "country": information.country,
        "email": information.email,
        "taxRegistrationNumber": information.tax_registration_number,
        "currencyCode": company.setup.currency,
        "currentFiscalYearStartDate": NO_DATE,
    }
    table.insert(tx, Row(values))


def _seed_periods(company: Company, tx: Transaction, periods: list[PeriodSeed]) -> None:
    for period in periods:
        values = {
            "id": company.seeded_id("accountingPeriods", period.start),
            "startingDate": period.start,
            "name": period.name,
            "newFiscalYear": period.new_fiscal_year,
            "closed": period.closed,
            "dateLocked": period.date_locked,
            "lastModifiedDateTime": NO_TIME,
        }
        company.tables["accountingPeriods"].insert(tx, Row(values))


AREA = Area(
    sets=(Companies(), CompanyInformation(), GeneralLedgerSetup(), AccountingPeriods()),
    seeds={
        "information": (InformationSeed, _seed_information),
        "accounting_periods": (list[PeriodSeed], _seed_periods),
    },
)
