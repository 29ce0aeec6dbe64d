"""`journals`: general journal batches, their templates and number series, and the action that posts one (bc.md
section 14).
"""

from __future__ import annotations

from typing import Any

import msgspec

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import READ_WRITE, EntitySet, Navigation, Parent
from isthmus.sandbox.business_central.environment import Call, Environment
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.fields import NO_GUID, NO_TIME, Field, Kind, Writing, key, modified, shown
from isthmus.sandbox.business_central.posting import post_journal
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction, Values
from isthmus.sandbox.clock import stamp

_NO_MATCH = 'The "balancingAccountId" does not match to an Account.'


class Journals(EntitySet):
    """A batch has a code of at most 10 characters and posts as a whole."""

    name = "journals"
    entity = "journal"
    title = "Gen. Journal Batch"
    table_id = 232
    methods = READ_WRITE
    order = ("templateDisplayName", "code")
    storage = Storage(
        "Gen. Journal Batch",
        unique=(("templateDisplayName", "code"),),
        groups=("code",),
        captions=(("templateDisplayName", "Journal Template Name"), ("code", "Name")),
    )
    navigations = (Navigation("journalLines", "journalLines"),)
    fields = (
        key(),
        Field("code", Kind.CODE, 10, required=True),
        Field("displayName", Kind.TEXT, 100),
        Field("templateDisplayName", Kind.CODE, 10),
        modified(Writing.IGNORED),
        Field("balancingAccountId", Kind.GUID),
        shown("balancingAccountNumber", Kind.CODE, 20),
    )

    def __init__(self) -> None:
        super().__init__()
        self.actions["post"] = _post

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        company = call.company
        template = values.get("templateDisplayName") or default_template(company)
        _refuse_unknown_template(company, template)
        values["templateDisplayName"] = template
        return super().create(call, parent, _with_balancing_account(company, values))

    def change(self, call: Call, row: Row, values: Values) -> Row:
        if "templateDisplayName" in values:
            _refuse_unknown_template(call.company, values["templateDisplayName"])
        return super().change(call, row, _with_balancing_account(call.company, values))

    def remove(self, call: Call, row: Row) -> None:
        lines = call.company.tables["journalLines"]
        for line in list(lines.group("journalId", row.id).values()):
            lines.delete(call.tx, line)
        super().remove(call, row)


def _with_balancing_account(company: Company, values: Values) -> Values:
    account_id = values.get("balancingAccountId")
    if account_id is None:
        return values
    account = company.tables["accounts"].rows.get(account_id)
    if account is None and account_id != NO_GUID:
        raise errors.dialog(_NO_MATCH)
    return {**values, "balancingAccountNumber": account.values["number"] if account is not None else ""}


def templates(company: Company) -> dict[str, dict[str, Any]]:
    """Journal templates by name. No set of v2.0 shows them."""
    found: dict[str, dict[str, Any]] = company.settings.setdefault("journal_templates", {})
    return found


def default_template(company: Company) -> str:
    """The first General template that is not recurring, as page General Journal picks it (bc.json, journals)."""
    return next((name for name, t in templates(company).items() if not t["recurring"]), "GENERAL")


def _refuse_unknown_template(company: Company, name: str) -> None:
    if name not in templates(company):
        raise errors.no_relation("Journal Template Name", "Gen. Journal Batch", name, "Gen. Journal Template")


def _post(call: Call, journal: Row) -> None:
    """Post all lines of the batch now, or by the job queue later; in both cases what was done so far is committed."""
    company = call.company
    if company.setup.post_with_job_queue:
        if not company.tables["journalLines"].group("journalId", journal.id):
            raise errors.dialog("There is nothing to post.")
        payload = {"company": company.id, "journal": journal.id}
        call.environment.agenda.add(company.setup.job_queue_seconds, "post_journal", payload)
    else:
        post_journal(company, call.tx, journal, templates(company), call.stamp)
    call.tx.commit()


def _post_due(environment: Environment, payload: dict[str, Any]) -> None:
    """What the job queue does. A refusal leaves the lines where they are, and nobody is told."""
    company = environment.companies[payload["company"]]
    journal = company.tables["journals"].rows.get(payload["journal"])
    if journal is None:
        return
    tx = Transaction()
    try:
        post_journal(company, tx, journal, templates(company), stamp(environment.clock.now()))
    except Refusal as refusal:
        tx.rollback()
        failed = company.settings.setdefault("job_queue_errors", [])
        failed.append({"journal": journal.values["code"], "message": refusal.message})


class TemplateSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A journal template of a seed file."""

    name: str
    recurring: bool = False
    force_posting_report: bool = False


class SeriesSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A number series of a seed file: the first number it gives, and whether numbers may be given by hand."""

    code: str
    start: str
    manual: bool = True


class JournalSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A journal batch of a seed file."""

    code: str
    name: str = ""
    template: str = ""
    balancing_account: str = ""
    no_series: str = ""
    posting_no_series: str = ""


class JournalSwitch(msgspec.Struct, forbid_unknown_fields=True):
    """What `/_sandbox/set` may change on a journal batch, named by its code."""

    no_series: str | None = None
    posting_no_series: str | None = None


def _seed_templates(company: Company, tx: Transaction, given: list[TemplateSeed]) -> None:
    for template in given:
        rules = {"recurring": template.recurring, "force_posting_report": template.force_posting_report}
        templates(company)[template.name.upper()] = rules


def _seed_series(company: Company, tx: Transaction, given: list[SeriesSeed]) -> None:
    for series in given:
        kept = company.series.setdefault(series.code.upper(), {"start": series.start.upper(), "last": ""})
        kept["manual"] = "yes" if series.manual else "no"


def _seed_journals(company: Company, tx: Transaction, given: list[JournalSeed]) -> None:
    table = company.tables["journals"]
    for journal in given:
        values: Values = {
            "id": company.seeded_id("journals", journal.code.upper()),
            "code": journal.code.upper(),
            "displayName": journal.name,
            "templateDisplayName": journal.template.upper() or default_template(company),
            "lastModifiedDateTime": NO_TIME,
            "balancingAccountId": NO_GUID,
            "balancingAccountNumber": journal.balancing_account.upper(),
        }
        if journal.balancing_account:
            account = company.tables["accounts"].one(("number",), values["balancingAccountNumber"])
            if account is None:
                raise ValueError(f"journal {journal.code!r}: no account {journal.balancing_account!r}")
            values["balancingAccountId"] = account.id
        hidden = {"no_series": journal.no_series.upper(), "posting_no_series": journal.posting_no_series.upper()}
        _refuse_unknown_series(company, hidden)
        if values["id"] not in table.rows:
            table.insert(tx, Row(values, hidden))


def _refuse_unknown_series(company: Company, hidden: Values) -> None:
    for code in hidden.values():
        if code and code not in company.series:
            raise ValueError(f"company {company.name!r} has no number series {code!r}; seed it under number_series")


def _switch(company: Company, tx: Transaction, switches: dict[str, JournalSwitch]) -> None:
    table = company.tables["journals"]
    for code, switch in switches.items():
        rows = table.group("code", code.upper())
        if not rows:
            raise ValueError(f"company {company.name!r} has no journal {code!r}")
        hidden = {name: value.upper() for name, value in msgspec.structs.asdict(switch).items() if value is not None}
        _refuse_unknown_series(company, hidden)
        for row in rows.values():
            table.update(tx, row, {}, hidden)


AREA = Area(
    sets=(Journals(),),
    # Sections are seeded in this order: journals name templates, series and accounts.
    seeds={
        "journal_templates": (list[TemplateSeed], _seed_templates),
        "number_series": (list[SeriesSeed], _seed_series),
        "journals": (list[JournalSeed], _seed_journals),
    },
    due={"post_journal": _post_due},
    switches={"journals": (dict[str, JournalSwitch], _switch)},
)
