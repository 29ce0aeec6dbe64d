"""Two people edit one vendor, each in another system: who wins, what is kept of the other, what never comes back."""

from __future__ import annotations

from collections.abc import Callable

from integration.cafm_business_central.bench import Site

Make = Callable[..., Site]
PHONE = "# contact.phone: latest"
LATEST = "  contact.phone: latest"


def vendors_of(make_site: Make, *, phone: str = "") -> Site:
    site = make_site("vendors", "payment-terms")
    site.without_documents()
    site.edit("flows/vendors.yaml", "create: false", "create: true")
    site.seed["vendors"] = []
    site.company["vendors"] = site.company["vendors"][:1]
    if phone:
        site.edit("flows/vendors.yaml", PHONE, phone)
    return site


def phone_of(site: Site) -> tuple[str, str]:
    """In finance, in the CAFM."""
    [row] = site.of_finance("vendors", number="V10000")
    return row["phoneNumber"], site.of_cafm("vendors", "V10000")["contact"]["phone"]


async def test_edits_of_two_fields_both_survive(make_site: Make) -> None:
    site = vendors_of(make_site, phone=LATEST)
    await site.run()
    site.forget()
    site.act("PATCH", "/vendors/code:V10000", {"contact": {"phone": "+49 40 77"}})
    [terms] = site.of_finance("paymentTerms", code="14D")
    site.finance.edit("vendors", "V10000", paymentTermsId=terms["id"])
    await site.run()
    assert phone_of(site) == ("+49 40 77", "+49 40 77")
    assert site.of_cafm("vendors", "V10000")["paymentTermsCode"] == "14D"
    [row] = site.of_finance("vendors", number="V10000")
    assert row["paymentTermsId"] == terms["id"]
    # One edit each: one call each, and no echo of it however often it is polled.
    site.finance.advance(3600)
    await site.run()
    changed, calls = site.changes()
    assert changed == {"vendors": {"updated": 1}}
    assert calls == 2, "a batch and its one part"


async def test_by_default_finance_restores_its_phone(make_site: Make) -> None:
    site = vendors_of(make_site)
    await site.run()
    site.forget()
    site.act("PATCH", "/vendors/code:V10000", {"contact": {"phone": "+49 40 77"}})
    await site.run()
    assert phone_of(site) == ("+49 40 1000", "+49 40 1000")
    [(_, _, kept, reason)] = [row for row in site.audited("field restored") if row[0] == "contact.phone"]
    assert kept == "+49 40 1000"
    assert "+49 40 77" in reason
    assert site.changes() == ({"vendors": {"updated": 1}}, 0)


async def test_the_same_field_on_both_sides_has_a_winner_and_a_loser_that_is_kept(make_site: Make) -> None:
    site = vendors_of(make_site, phone=LATEST)
    await site.run()
    site.finance.edit("vendors", "V10000", phoneNumber="+49 40 1")
    site.finance.advance(5)
    site.act("PATCH", "/vendors/code:V10000", {"contact": {"phone": "+49 40 2"}})
    await site.run()
    assert phone_of(site) == ("+49 40 2", "+49 40 2")
    [(field, _, kept, reason)] = site.audited("field won")
    assert (field, kept) == ("contact.phone", "+49 40 2")
    assert "+49 40 1" in reason


async def test_an_address_that_a_system_cuts_never_comes_back(make_site: Make) -> None:
    """The CAFM takes 100 characters of a second address line, Business Central 50."""
    site = vendors_of(make_site)
    site.edit("flows/vendors.yaml", PHONE, "  address.line2: latest")
    await site.run()
    line = "Gate 7, behind the cold store, third ramp to the left, ask for Ms Brandt"
    site.act("PATCH", "/vendors/code:V10000", {"address": {"line2": line}})
    await site.run()
    [row] = site.of_finance("vendors", number="V10000")
    assert row["addressLine2"] == line[:50].strip()
    site.forget()
    site.finance.edit("vendors", "V10000", city="Altona")  # shows the cut line once more
    await site.run()
    site.finance.advance(3600)
    await site.run()
    shown = site.of_cafm("vendors", "V10000")["address"]
    assert (shown["line2"], shown["city"]) == (line, "Altona")
    assert site.changes() == ({"vendors": {"updated": 1}}, 0)


async def test_a_vendor_deleted_in_finance_is_blocked_and_never_made_again(make_site: Make) -> None:
    site = vendors_of(make_site)
    await site.run()
    site.finance.remove("vendors", "V10000")
    site.finance.advance(25 * 3600)  # finance does not tell of deletions: they are seen once a day
    await site.run()
    assert site.of_cafm("vendors", "V10000")["blocked"] == "all"
    site.act("PATCH", "/vendors/code:V10000", {"contact": {"email": "office@elbe.example"}})
    site.finance.advance(25 * 3600)
    await site.run()
    assert site.of_finance("vendors") == []
    assert len(site.cafm.records("vendors")) == 1


async def test_a_renumbered_vendor_is_the_same_vendor(make_site: Make) -> None:
    site = vendors_of(make_site)
    await site.run()
    before = site.of_cafm("vendors", "V10000")["id"]
    site.finance.edit("vendors", "V10000", number="V10001")
    await site.run()
    assert site.of_cafm("vendors", "V10001")["id"] == before
    assert len(site.cafm.records("vendors")) == 1
