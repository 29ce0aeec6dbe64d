"""A field of Business Central gets another name: told with the mapping's file and line, mended by an overlay."""

from __future__ import annotations

import pytest

from integration.trouble.bench import ROWS, Site

LATE = "2025-02-01,A,Bucket tooth lost,PM01,158.60"


def test_check_names_the_line_of_the_mapping_and_proposes_the_new_name(site: Site) -> None:
    site.box.fault("drift", set="accounts", field="number", to="accountNumber")
    told = site.check("--json")
    assert told.code == 1
    (found,) = [row for row in told.rows if row["severity"] == "error"]
    assert found["about"] == "mapping of finance"
    assert found["code"] == "native_field_missing"
    assert (found["field"], found["value"]) == ("number", "accountNumber")
    assert found["mend"].startswith("business_central/lenses/account.yaml:4: ")
    assert 'write "accountNumber" instead of "number"' in found["mend"]


def test_check_looks_at_the_entries_too_that_nothing_polls(site: Site) -> None:
    site.box.fault("drift", set="generalLedgerEntries", field="documentNumber", to="documentNo")
    told = site.check("--json")
    assert told.code == 1
    (found,) = [row for row in told.rows if row["severity"] == "error"]
    assert (found["field"], found["value"]) == ("documentNumber", "documentNo")
    assert "business_central/lenses/ledger_entry.yaml:6" in found["mend"]


@pytest.fixture
def drifted(site: Site) -> Site:
    """Everything booked; then accounts change under our feet, and one more order comes."""
    site.finish()
    site.box.fault("drift", set="accounts", field="number", to="accountNumber")
    site.save(*ROWS, LATE)
    return site


def test_sync_stops_the_connection_in_clear_words_and_loses_nothing(drifted: Site) -> None:
    told = drifted.sync()
    assert told.code == 1, told
    assert "finance refuses to show accounts" in told.err
    assert "number" in told.err
    assert "isthmus check" in told.err
    assert drifted.standing() == {"done": 3, "ready": 1, "skipped": 1}
    assert drifted.booked_once()

    status = drifted.command("status")
    assert "finance stands still since" in status.text

    drifted.box.clear_faults()
    drifted.finish()
    assert drifted.standing() == {"done": 4, "skipped": 1}


def test_an_overlay_mends_it_without_a_new_release(drifted: Site) -> None:
    assert drifted.sync().code == 1
    drifted.write("mappings/account.yaml", "entity: account\nfields:\n  number: {at: accountNumber}\n")
    drifted.edit(
        "isthmus.yaml", "    companies:\n", "    overlays: {account: [mappings/account.yaml]}\n    companies:\n"
    )
    assert drifted.check().code == 0
    drifted.finish()
    assert drifted.standing() == {"done": 4, "skipped": 1}


def test_entries_that_cannot_be_found_any_more_stop_nothing_halfway(site: Site) -> None:
    """Whether a document is in the books already cannot be asked: so nothing is sent, and nothing is forgotten."""
    site.finish()
    site.box.fault("drift", set="generalLedgerEntries", field="documentNumber", to="documentNo")
    site.save(*ROWS, LATE)
    told = site.sync()
    assert told.code in {1, 2}, told
    assert "documentNumber" in told.text
    assert int(site.books()["documents"]) == 3
    assert not site.unposted()

    site.box.clear_faults()
    if dead := site.messages("state = 'dead'"):
        assert site.command("retry", f"M-{dead[0].id}").code == 0
    site.finish()
    assert site.standing() == {"done": 4, "skipped": 1}
