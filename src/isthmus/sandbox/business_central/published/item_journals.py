"""Page 40 Item Journal and page 393 Item Reclass. Journal: lines are written; that they are posted is a person's work.

Page 40's properties are those of one live answer (third party): names, key, `"Entry_Type": "Positive Adjmt."`, a blank
option as one space, dates, numbers; what it shows and the sandbox does not need is left out. Of page 393 a public
caller sends template, batch, line, dates, Item_No, Document_No, Location_Code, Bin_Code, New_Location_Code,
New_Bin_Code and Quantity (third party); its other names are assumed. That nothing here posts is bc.md section 18.
"""

from __future__ import annotations

from typing import ClassVar

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.areas.item_journals import find_batch
from isthmus.sandbox.business_central.areas.item_ledger import ENTRY_TYPE
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import Kind, Writing
from isthmus.sandbox.business_central.item_lines import filled, new_line, shortcuts
from isthmus.sandbox.business_central.published.page import (
    Captions,
    Page,
    Property,
    Shown,
    code,
    decimal,
    read_only,
    text,
)
from isthmus.sandbox.business_central.tables import Row, Values

_TYPES = Captions("Item Ledger Entry Type", ENTRY_TYPE.names)
_START = (
    code("Journal_Template_Name", "template", 10),
    code("Journal_Batch_Name", "batch", 10),
    Property("Line_No", "lineNumber", Kind.INT),
    Property("Posting_Date", "postingDate", Kind.DATE),
    Property("Document_Date", "documentDate", Kind.DATE),
)
_ITEM = (
    code("Document_No", "documentNumber"),
    code("External_Document_No", "externalDocumentNumber", 35),
    code("Item_No", "itemNumber"),
    code("Variant_Code", "variantCode", 10),
    text("Description", "description", 100),
)
_SHORTCUTS = (
    code("Shortcut_Dimension_1_Code", "shortcut1", hidden=True),
    code("Shortcut_Dimension_2_Code", "shortcut2", hidden=True),
    *(code(f"ShortcutDimCode{place}", f"shortcut{place}", hidden=True) for place in range(3, 9)),
)


class JournalPage(Page):
    """Lines of the batches of one type of template."""

    title = "Item Journal Line"
    table_id = 83
    source = "itemJournalLines"
    keys = ("Journal_Template_Name", "Journal_Batch_Name", "Line_No")
    #: Type of the templates whose batches it shows.
    journal_type: ClassVar[str]

    def includes(self, call: Call, row: Row) -> bool:
        batch = call.company.tables["itemJournalBatches"].rows[row.values["batchId"]]
        return bool(batch.values["type"] == self.journal_type)

    def present(self, call: Call, row: Row) -> Shown:
        found = super().present(call, row)
        for prefix, name in (("shortcut", "dims"), ("newShortcut", "new_dims")):
            values = shortcuts(call.company, row.hidden[name])
            for one in self.properties:
                if one.column.startswith(prefix):
                    found.values[one.name] = values[int(one.column[-1])]
        return found

    def insert(self, call: Call, plain: Values, hidden: Values) -> Row:
        journal = self._journal(call, plain.get("template", ""), plain.get("batch", ""))
        line = new_line(call.company, journal, plain | hidden, call.stamp[:10])
        return self.table(call).insert(call.tx, line)

    def modify(self, call: Call, row: Row, plain: Values, hidden: Values) -> Row:
        if plain.keys() & {"template", "batch"}:
            raise errors.dialog("The sandbox does not move lines between batches.")
        journal = call.company.tables["itemJournalBatches"].rows[row.values["batchId"]]
        values, kept = filled(call.company, journal, row, plain | hidden)
        return self.table(call).update(call.tx, row, values, kept)

    def _journal(self, call: Call, template: str, batch: str) -> Row:
        found = find_batch(call.company, template, batch)
        if found is None or found.values["type"] != self.journal_type:
            # A table relation of the line; that it is checked in this order is assumed.
            names = {row.values["template"] for row in call.company.tables["itemJournalBatches"]}
            if template not in names:
                raise errors.no_relation("Journal Template Name", self.title, template, "Item Journal Template")
            raise errors.no_relation("Journal Batch Name", self.title, batch, "Item Journal Batch")
        return found


class ItemJournal(JournalPage):
    """Issue, adjust, receive without an order. Entry_Type is one of Purchase, Sale, Positive Adjmt., Negative Adjmt."""

    number = 40
    title_of_page = "Item Journal"
    journal_type = "item"
    properties = (
        *_START,
        Property("Entry_Type", "entryType", Kind.ENUM, options=_TYPES),
        Property("EntryType", "entryType", Kind.ENUM, options=_TYPES),
        *_ITEM,
        code("Location_Code", "locationCode", 10),
        code("Bin_Code", "binCode"),
        code("Salespers_Purch_Code", "salespersonCode"),
        code("Gen_Bus_Posting_Group", "generalBusinessGroup"),
        code("Gen_Prod_Posting_Group", "generalProductGroup"),
        decimal("Quantity", "quantity"),
        code("Unit_of_Measure_Code", "unitCode", 10),
        decimal("Unit_Amount", "unitAmount"),
        decimal("Amount", "amount"),
        decimal("Discount_Amount", "discountAmount"),
        decimal("Unit_Cost", "unitCost"),
        Property("Applies_to_Entry", "appliesToEntry", Kind.INT),
        code("Reason_Code", "reasonCode", 10),
        code("Serial_No", "serialNumber", 50),
        code("Lot_No", "lotNumber", 50),
        *_SHORTCUTS,
        read_only("ItemDescription", "description", Kind.TEXT, 100),
    )


class ItemReclassJournal(JournalPage):
    """Transfers: out of Location_Code into New_Location_Code, both in one line."""

    number = 393
    title_of_page = "Item Reclass. Journal"
    journal_type = "transfer"
    properties = (
        *_START,
        Property("Entry_Type", "entryType", Kind.ENUM, writing=Writing.REFUSED, options=_TYPES),
        *_ITEM,
        *_SHORTCUTS,
        code("New_Shortcut_Dimension_1_Code", "newShortcut1", hidden=True),
        code("New_Shortcut_Dimension_2_Code", "newShortcut2", hidden=True),
        code("Location_Code", "locationCode", 10),
        code("Bin_Code", "binCode"),
        code("New_Location_Code", "newLocationCode", 10),
        code("New_Bin_Code", "newBinCode"),
        code("Salespers_Purch_Code", "salespersonCode"),
        code("Gen_Prod_Posting_Group", "generalProductGroup"),
        decimal("Quantity", "quantity"),
        code("Unit_of_Measure_Code", "unitCode", 10),
        decimal("Unit_Cost", "unitCost"),
        code("Serial_No", "serialNumber", 50),
        code("Lot_No", "lotNumber", 50),
        code("Reason_Code", "reasonCode", 10),
    )


PAGES = (ItemJournal, ItemReclassJournal)
