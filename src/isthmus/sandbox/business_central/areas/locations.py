"""`locations`. Warehouse handling and bins are not shown by v2.0; they decide whether something can be posted there."""

from __future__ import annotations

import msgspec

from isthmus.sandbox.business_central.areas.posting_groups import rename_location
from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.environment import Call
from isthmus.sandbox.business_central.fields import Field, Kind, key, modified
from isthmus.sandbox.business_central.records import MasterSet
from isthmus.sandbox.business_central.registry import Area
from isthmus.sandbox.business_central.seeding import put
from isthmus.sandbox.business_central.tables import Row, Storage, Transaction, Values


class Locations(MasterSet):
    """Hidden of each: require_receive, require_put_away, bin_mandatory (bools)."""

    name = "locations"
    entity = "location"
    title = "Location"
    table_id = 14
    order = ("code",)
    storage = Storage("Location", unique=(("code",),), captions=(("code", "Code"),))
    fields = (
        key(),
        Field("code", Kind.CODE, 10, required=True),
        Field("displayName", Kind.TEXT, 100),
        Field("contact", Kind.TEXT, 100),
        Field("addressLine1", Kind.TEXT, 100),
        Field("addressLine2", Kind.TEXT, 50),
        Field("city", Kind.TEXT, 30),
        Field("state", Kind.TEXT, 30),
        Field("country", Kind.CODE, 10),
        Field("postalCode", Kind.CODE, 20),
        Field("phoneNumber", Kind.TEXT, 30),
        Field("email", Kind.TEXT, 80),
        Field("website", Kind.TEXT, 255),
        modified(),
    )

    def change(self, call: Call, row: Row, values: Values) -> Row:
        old = row.values["code"]
        changed = super().change(call, row, values)
        new = changed.values["code"]
        if new != old:
            _rename_hidden(call, old, new)
            rename_location(call.company, call.tx, old, new)
        return changed


def _rename_hidden(call: Call, old: str, new: str) -> None:
    """Entries and lines keep their location beside their properties."""
    for table in call.company.tables.values():
        for row in [row for row in table if row.hidden.get("location") == old]:
            table.update(call.tx, row, {}, {"location": new})
        table.scratch.clear()
        call.tx.note(table.scratch.clear)


class LocationSeed(msgspec.Struct, forbid_unknown_fields=True):
    """A location of a seed file. With `require_receive` or `require_put_away` goods come in by warehouse documents
    only; with `bin_mandatory` every movement names a bin.
    """

    code: str
    name: str = ""
    city: str = ""
    country: str = ""
    require_receive: bool = False
    require_put_away: bool = False
    bin_mandatory: bool = False


def _seed(company: Company, tx: Transaction, locations: list[LocationSeed]) -> None:
    for one in locations:
        values = {
            "code": one.code.strip().upper(),
            "displayName": one.name or one.code,
            "city": one.city,
            "country": one.country.upper(),
        }
        hidden = {
            "require_receive": one.require_receive,
            "require_put_away": one.require_put_away,
            "bin_mandatory": one.bin_mandatory,
        }
        put(company, tx, "locations", values, hidden)


AREA = Area(sets=(Locations(),), seeds={"locations": (list[LocationSeed], _seed)})
