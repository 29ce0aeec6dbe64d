"""What the headers of purchase orders, invoices and credit memos have in common (bc.md sections 13, 15 and 17)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.default_dimensions import default_values
from isthmus.sandbox.business_central.areas.dimensions import find_value
from isthmus.sandbox.business_central.areas.purchase_amounts import amounts, gross, moved_totals, shares, totals
from isthmus.sandbox.business_central.areas.purchase_fields import ADDRESS
from isthmus.sandbox.business_central.areas.purchase_setup import purchase_setup, series_caption
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.date_formulas import reckoned
from isthmus.sandbox.business_central.entity import READ_WRITE, EntitySet, Parent
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import NO_DATE, NO_GUID
from isthmus.sandbox.business_central.money import currency, factor, precision
from isthmus.sandbox.business_central.numbering import number_for
from isthmus.sandbox.business_central.pairs import Pair
from isthmus.sandbox.business_central.tables import Row, Values

#: Status of a purchase order as the API shows it, and what AL calls it (bc.md section 15).
AL_STATUS = {"Draft": "Open", "In_x0020_Review": "Pending Approval", "Open": "Released"}
_BLOCKED_ALL = "All"
_RELATED = {
    "paymentTermsId": ("paymentTerms", 'The "paymentTermsId" does not match to a Payment Terms.'),
    "shipmentMethodId": ("shipmentMethods", 'The "shipmentMethodId" does not match to a Shipment Method.'),
    "vendorReturnReasonId": ("reasonCodes", 'The "vendorReturnReasonId" does not match to a Reason Code.'),
}


@dataclass(frozen=True, slots=True)
class VendorTexts:
    """How a page words that no vendor, or a wrong one, was given (bc.json, errorLabels)."""

    none: str
    unknown: str
    differ: str
    pay_to_unknown: str = "The pay-to vendor cannot be found."
    pay_to_differ: str = "The pay-to vendor values do not match to a specific Vendor."


class PurchaseDocuments(EntitySet):
    """Hidden of a header: dims; gen_bus, vat_bus and vendor_group, the vendor's posting groups; terms, the id of its
    payment terms; posted (bool); vendor_document, the vendor's number where the page has no property for it.
    """

    methods = READ_WRITE
    order = ("number",)
    dimensions_writable = True
    #: AL document type, as in error texts.
    document: ClassVar[str]
    #: The set of its lines, and how that names the unit price.
    lines: ClassVar[str]
    price: ClassVar[str] = "unitCost"
    #: The property that is Document Date.
    date_name: ClassVar[str]
    #: The number series in `PurchaseSetup`.
    series: ClassVar[str]
    texts: ClassVar[VendorTexts]
    #: Properties that only an open document lets be changed; those of AL's TestStatusOpen.
    while_open: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        super().__init__()
        texts = self.texts
        self._vendor = Pair(
            "vendorId", "vendorNumber", "vendors", texts.unknown, texts.unknown, texts.differ, column="number"
        )
        self._pay_to = Pair(
            "payToVendorId",
            "payToVendorNumber",
            "vendors",
            texts.pay_to_unknown,
            texts.pay_to_unknown,
            texts.pay_to_differ,
            column="number",
        )

    # reading

    def lines_of(self, company: Company, header_id: str) -> list[Row]:
        """The lines of a document in their order."""
        found = company.tables[self.lines].group("documentId", header_id).values()
        return sorted(found, key=lambda row: int(row.values["sequence"]))

    def record(self, header: Row) -> str:
        """A header as error texts name it."""
        return f"Purchase Header: Document Type={self.document}, No.={header.values['number']}"

    def refuse_posted(self, header: Row) -> None:
        if header.hidden["posted"]:
            raise errors.dialog(f"The {self.document.lower()} has been posted and can no longer be modified.")

    def refuse_closed(self, header: Row) -> None:
        """AL's TestStatusOpen, and that nothing posted is changed."""
        self.refuse_posted(header)

    # writing

    def create(self, call: Call, parent: Parent | None, values: Values) -> Row:
        if parent is not None:
            raise errors.unknown_segment(self.name)
        company = call.company
        given = self._parties(company, values)
        if given.get("vendorId", NO_GUID) == NO_GUID:
            raise errors.dialog(self.texts.none)
        today = call.stamp[:10]
        start = {self.date_name: today, "postingDate": today}
        row = self.blank | start | self._from_vendors(company, given) | _ship_to(company) | given
        row = {name: value for name, value in row.items() if name in self.by_name}
        paid = company.tables["vendors"].rows[row["payToVendorId"]].values
        terms: str = row["paymentTermsId"] if "paymentTermsId" in row else paid["paymentTermsId"]
        if "dueDate" in row and "dueDate" not in given:
            row["dueDate"] = due_date(company, terms, row[self.date_name])
        factor(company, row["currencyCode"], row["postingDate"])
        hidden = {"terms": terms, "posted": False, "vendor_document": "", **self._groups(company, row)}
        vendor = company.tables["vendors"].rows[row["vendorId"]]
        hidden["dims"] = with_shortcuts(company, default_values(company, vendor), given)
        row |= shown_shortcuts(company, hidden["dims"])
        row |= {"id": company.new_id(), "number": self._number(call), "lastModifiedDateTime": call.stamp}
        return self.table(call).insert(call.tx, Row(row, hidden))

    def change(self, call: Call, row: Row, values: Values) -> Row:
        changed = {name: value for name, value in values.items() if row.values[name] != value}
        if not changed:
            return row
        self.refuse_posted(row)
        if changed.keys() & self.while_open:
            self.refuse_closed(row)
        company, hidden = call.company, dict(row.hidden)
        changed = self._parties(company, changed)
        if changed.get("vendorId", row.values["vendorId"]) != row.values["vendorId"]:
            self._refuse_received(company, row)
            taken = self._from_vendors(company, changed)
            changed = {name: value for name, value in taken.items() if name in self.by_name} | changed
            hidden |= self._groups(company, row.values | changed)
        merged = row.values | changed
        if merged["vendorId"] == NO_GUID:
            raise errors.dialog(self.texts.none)
        factor(company, merged["currencyCode"], merged["postingDate"])
        hidden["terms"] = changed.get("paymentTermsId", hidden["terms"])
        hidden["dims"] = with_shortcuts(company, hidden["dims"], changed)
        changed |= shown_shortcuts(company, hidden["dims"])
        changed["lastModifiedDateTime"] = call.stamp
        found = self.table(call).update(call.tx, row, changed, hidden)
        if changed.keys() & {"currencyCode", "pricesIncludeTax", "discountAmount"}:
            self.recalculate(call, found)
        return found

    def remove(self, call: Call, row: Row) -> None:
        self.refuse_posted(row)
        table = call.company.tables[self.lines]
        for line in self.lines_of(call.company, row.id):
            table.delete(call.tx, line)
        super().remove(call, row)

    def write_dimensions(self, call: Call, row: Row, dims: dict[str, str]) -> None:
        """Lines keep theirs: a change of the header does not reach them (bc.md section 17)."""
        self.refuse_posted(row)
        changes = shown_shortcuts(call.company, dims) | {"lastModifiedDateTime": call.stamp}
        self.table(call).update(call.tx, row, changes, {"dims": dims})

    def _parties(self, company: Company, values: Values) -> Values:
        """Values with both names of what they refer to. Raises Refusal for what is not there."""
        found = values | self._vendor.resolve(company, values) | self._pay_to.resolve(company, values)
        found |= currency(company, values)
        for name, (target, text) in _RELATED.items():
            rows = company.tables[target].rows if target in company.tables else {}
            if found.get(name, NO_GUID) != NO_GUID and found[name] not in rows:
                raise errors.dialog(text)
        if found.get("purchaser"):
            # The sandbox keeps no salespeople and purchasers, so none can be meant.
            title = "Salesperson/Purchaser"
            raise errors.no_relation("Purchaser Code", "Purchase Header", found["purchaser"], title)
        return found

    def _from_vendors(self, company: Company, given: Values) -> Values:
        """What a document starts with: from the vendor, and for paying from the one who is paid."""
        vendors = company.tables["vendors"].rows
        vendor = vendors[given["vendorId"]]
        paid = vendors[given["payToVendorId"]] if given.get("payToVendorId", NO_GUID) != NO_GUID else vendor
        for one in dict.fromkeys((vendor, paid)):
            refuse_blocked_vendor(one, "create")
        found: Values = {
            "vendorName": vendor.values["displayName"],
            "payToVendorId": paid.id,
            "payToVendorNumber": paid.values["number"],
            "payToName": paid.values["displayName"],
            "currencyId": paid.values["currencyId"],
            "currencyCode": paid.values["currencyCode"],
            "paymentTermsId": paid.values["paymentTermsId"],
        }
        for prefix, one in (("buyFrom", vendor), ("payTo", paid)):
            found |= {f"{prefix}{name}": one.values[column] for name, column in ADDRESS.items()}
        return found

    def _groups(self, company: Company, row: Values) -> Values:
        """Posting groups, without which no document is made. In AL the vendor's TestField of both."""
        vendors = company.tables["vendors"].rows
        vendor, paid = vendors[row["vendorId"]], vendors[row["payToVendorId"]]
        if not vendor.hidden["gen_bus_posting_group"]:
            raise errors.must_have_value("Gen. Bus. Posting Group", f"Vendor: No.={vendor.values['number']}")
        if not paid.hidden["vendor_posting_group"]:
            raise errors.must_have_value("Vendor Posting Group", f"Vendor: No.={paid.values['number']}")
        return {
            "gen_bus": vendor.hidden["gen_bus_posting_group"],
            "vat_bus": vendor.hidden["vat_bus_posting_group"],
            "vendor_group": paid.hidden["vendor_posting_group"],
        }

    def _refuse_received(self, company: Company, row: Row) -> None:
        """Nothing of a document whose vendor changes may have been received."""

    def _number(self, call: Call) -> str:
        series = getattr(purchase_setup(call.company), self.series)
        return number_for(call.company, call.tx, self.table(call), series, series_caption(self.series))

    # what lines do to their header

    def line_changed(self, call: Call, header: Row, before: Values | None, after: Values | None) -> None:
        """Let the totals, the time of change and the etag follow a line; None is a line that is not there."""
        if header.values["discountAmount"]:
            self.recalculate(call, header)
            return
        changes = moved_totals(header.values, before, after) | self.follow_up(call.company, header)
        changes["lastModifiedDateTime"] = call.stamp
        self.table(call).update(call.tx, header, changes)

    def follow_up(self, company: Company, header: Row) -> Values:
        """More of a header that its lines decide."""
        return {}

    def recalculate(self, call: Call, header: Row) -> None:
        """All amounts of a document anew, the invoice discount spread over its lines."""
        company, table = call.company, call.company.tables[self.lines]
        lines = self.lines_of(company, header.id)
        step = precision(company, header.values["currencyCode"])
        wholes = [gross(line.values, self.price, step) - line.values["discountAmount"] for line in lines]
        for line, share in zip(lines, shares(header.values["discountAmount"], wholes, step), strict=True):
            shared = {"invoiceDiscountAllocation": share}
            including = header.values["pricesIncludeTax"]
            shared |= amounts(line.values | shared, self.price, step, including_tax=including)
            if any(line.values[name] != value for name, value in shared.items()):
                table.update(call.tx, line, shared)
        changes = totals(lines) | self.follow_up(company, header) | {"lastModifiedDateTime": call.stamp}
        self.table(call).update(call.tx, header, changes)


def refuse_blocked_vendor(vendor: Row, doing: str) -> None:
    """Raises Refusal for a vendor blocked with type All; `doing` is create or post. With Payment documents go on."""
    if vendor.values["blocked"] == _BLOCKED_ALL:
        number = vendor.values["number"]
        text = f"You cannot {doing} this type of document when Vendor {number} is blocked with type {_BLOCKED_ALL}"
        raise errors.dialog(text)


def due_date(company: Company, terms_id: str, day: str) -> str:
    """When a document of a day is due by its payment terms; the day itself without any."""
    terms = company.tables["paymentTerms"].rows.get(terms_id)
    if terms is None or day == NO_DATE:
        return day
    return reckoned(date.fromisoformat(day), terms.values["dueDateCalculation"]).isoformat()


def with_shortcuts(company: Company, dims: dict[str, str], given: Values) -> dict[str, str]:
    """Dimensions after shortcutDimension1Code and 2 were written; a blank one takes the value away. Raises Refusal."""
    found = dict(dims)
    for place in (1, 2):
        name = f"shortcutDimension{place}Code"
        if name not in given:
            continue
        codes = company.setup.shortcut_dimensions
        dimension = codes[place - 1].upper() if len(codes) >= place else ""
        value = find_value(company, dimension, given[name]) if given[name] else None
        if given[name] and (value is None or value.hidden.get("blocked")):
            caption = f"Shortcut Dimension {place} Code"
            raise errors.no_relation(caption, "Purchase Header", given[name], "Dimension Value")
        if given[name]:
            found[dimension] = given[name]
        else:
            found.pop(dimension, None)
    return found


def shown_shortcuts(company: Company, dims: dict[str, str]) -> Values:
    """The two properties a header shows of its dimensions."""
    codes = [*(code.upper() for code in company.setup.shortcut_dimensions[:2]), "", ""]
    return {f"shortcutDimension{place}Code": dims.get(codes[place - 1], "") for place in (1, 2)}


def _ship_to(company: Company) -> Values:
    """The company's own address; company information is one row."""
    own = next(iter(company.tables["companyInformation"])).values
    found = {f"shipTo{name}": own[column] for name, column in ADDRESS.items()}
    return found | {"shipToName": own["displayName"]}
