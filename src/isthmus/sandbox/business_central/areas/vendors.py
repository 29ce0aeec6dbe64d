"""`vendors` (bc.md section 13, bc.json vendors). Posting groups come from a template only; v2.0 neither shows nor takes
them.
"""

from __future__ import annotations

import msgspec

from isthmus.sandbox.business_central import errors, templates
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.entity import Navigation, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import NO_GUID, Field, Kind, Options, Writing, key, modified
from isthmus.sandbox.business_central.numbering import number_for, refuse_manual
from isthmus.sandbox.business_central.pairs import Pair
from isthmus.sandbox.business_central.records import MasterSet
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.seeding import member_of, put
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction, Values

BLOCKED = Options("Vendor Blocked", (" ", "Payment", "All"))
_SETUP = ("Vendor Nos.", "Purchases & Payables Setup")
_TEMPLATES = "vendor_templates"
#: Hidden of a vendor; blank ones make its documents fail when they are posted.
GROUPS = ("vendor_posting_group", "gen_bus_posting_group", "vat_bus_posting_group")
_CURRENCY = Pair(
    "currencyId",
    "currencyCode",
    "currencies",
    no_id='The "currencyId" does not match to a Currency.',
    no_code='The "currencyCode" does not match to a Currency.',
    differ="The currency values do not match to a specific Currency.",
)
_TERMS = {
    "paymentTermsId": ("paymentTerms", 'The "paymentTermsId" does not match to a Payment Terms.'),
    "paymentMethodId": ("paymentMethods", 'The "paymentMethodId" does not match to a Payment Method.'),
}


class Vendors(MasterSet):
    """Vendors in order of their number. Hidden: the posting groups of GROUPS."""

    name = "vendors"
    entity = "vendor"
    title = "Vendor"
    table_id = 23
    order = ("number",)
    key_name = "number"
    storage = Storage("Vendor", unique=(("number",),), captions=(("number", "No."),))
    navigations = (
        Navigation("defaultDimensions", "defaultDimensions"),
        Navigation("currency", "currencies", by="currencyId"),
        Navigation("paymentTerm", "paymentTerms", by="paymentTermsId"),
        Navigation("paymentMethod", "paymentMethods", by="paymentMethodId"),
    )
    fields = (
        key(),
        Field("number", Kind.CODE, 20),
        Field("displayName", Kind.TEXT, 100),
        Field("addressLine1", Kind.TEXT, 100),
        Field("addressLine2", Kind.TEXT, 50),
        Field("city", Kind.TEXT, 30),
        Field("state", Kind.TEXT, 30),
        Field("country", Kind.CODE, 10),
        Field("postalCode", Kind.CODE, 20),
        Field("phoneNumber", Kind.TEXT, 30),
        Field("email", Kind.TEXT, 80),
        Field("website", Kind.TEXT, 255),
        Field("taxRegistrationNumber", Kind.TEXT, 50),
        Field("currencyId", Kind.GUID),
        Field("currencyCode", Kind.TEXT),
        Field("irs1099Code", Kind.CODE, 10),
        Field("paymentTermsId", Kind.GUID),
        Field("paymentMethodId", Kind.GUID),
        Field("taxLiable", Kind.BOOL),
        Field("blocked", Kind.ENUM, options=BLOCKED),
        Field("balance", Kind.DECIMAL, writing=Writing.IGNORED),
        modified(Writing.IGNORED),
    )

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        company = call.company
        series = company.setup.vendor_series
        if values.get("number"):
            refuse_manual(company, series)
        else:
            values["number"] = number_for(company, call.tx, self.table(call), series, _SETUP)
        whole = {**values, **_resolved(company, {"currencyId": NO_GUID, **values})}
        given = templates.given_by(company, _TEMPLATES, {**self.blank, **whole})
        row = super().create(call, parent, whole)
        row.hidden = {name: given.get(name, "") for name in GROUPS}
        return row

    def change(self, call: Call, row: Row, values: Values) -> Row:
        changed = {name: value for name, value in values.items() if row.values[name] != value}
        if "number" in changed and not changed["number"]:
            raise errors.must_have_value("No.", f"Vendor: No.={row.values['number']}")
        return super().change(call, row, changed | _resolved(call.company, changed))


def _resolved(company: Company, given: Values) -> Values:
    """Currency as Business Central shows it: the company's own is stored blank and shown by its code."""
    local = company.setup.currency
    asked = dict(given)
    if "currencyCode" in asked:
        code = asked["currencyCode"].strip().upper()
        asked["currencyCode"] = "" if code == local else code
    found = _CURRENCY.resolve(company, asked)
    if found and not found["currencyCode"]:
        found["currencyCode"] = local
    for name, (target, text) in _TERMS.items():
        if given.get(name, NO_GUID) != NO_GUID and given[name] not in company.tables[target].rows:
            raise errors.dialog(text)
    return found


class VendorSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A vendor of a seed file; `blocked` is blank, Payment or All."""

    number: str
    name: str = ""
    address: str = ""
    address2: str = ""
    city: str = ""
    state: str = ""
    country: str = ""
    postal_code: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    tax_registration_number: str = ""
    currency: str = ""
    payment_terms: str = ""
    payment_method: str = ""
    blocked: str = ""
    vendor_posting_group: str = ""
    gen_bus_posting_group: str = ""
    vat_bus_posting_group: str = ""


class VendorTemplateSeed(msgspec.Struct, forbid_unknown_fields=True):
    """What a vendor made by the API gets, where its properties are as `when` says; the first that fits."""

    when: dict[str, str] = {}
    vendor_posting_group: str = ""
    gen_bus_posting_group: str = ""
    vat_bus_posting_group: str = ""


def _seed_templates(company: Company, tx: Transaction, given: list[VendorTemplateSeed]) -> None:
    templates.settle(company, _TEMPLATES, [msgspec.structs.asdict(one) for one in given])


def _seed(company: Company, tx: Transaction, vendors: list[VendorSeed]) -> None:
    for vendor in vendors:
        place = f"vendor {vendor.number!r}"
        values: Values = {
            "number": vendor.number.strip().upper(),
            "displayName": vendor.name or vendor.number,
            "addressLine1": vendor.address,
            "addressLine2": vendor.address2,
            "city": vendor.city,
            "state": vendor.state,
            "country": vendor.country.upper(),
            "postalCode": vendor.postal_code.upper(),
            "phoneNumber": vendor.phone,
            "email": vendor.email,
            "website": vendor.website,
            "taxRegistrationNumber": vendor.tax_registration_number,
            "paymentTermsId": _id(company, place, "paymentTerms", vendor.payment_terms),
            "paymentMethodId": _id(company, place, "paymentMethods", vendor.payment_method),
            "blocked": member_of(BLOCKED, vendor.blocked or " "),
        }
        values |= _resolved(company, {"currencyCode": vendor.currency})
        hidden = {name: getattr(vendor, name).upper() for name in GROUPS}
        put(company, tx, "vendors", values, hidden)


def _id(company: Company, place: str, target: str, code: str) -> str:
    if not code:
        return NO_GUID
    found = company.tables[target].one(("code",), code.upper())
    if found is None:
        raise ValueError(f"{place}: no {company.tables[target].storage.title} {code!r}")
    return found.id


AREA = Area(
    sets=(Vendors(),),
    seeds={
        "vendor_templates": (list[VendorTemplateSeed], _seed_templates),
        "vendors": (list[VendorSeed], _seed),
    },
    after=("currencies", "payment_terms", "payment_methods", "number_series"),
)
