"""Values between wire and native record: exact both ways, and what has not its form becomes no wrong number."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from isthmus.connectors.rest.declared.fields import FieldSpec
from isthmus.connectors.rest.declared.loading import load_profile
from isthmus.connectors.rest.declared.profile import Profile
from isthmus.connectors.rest.shapes import Around, Shape, shape_of
from isthmus.contract.records import ReadRequest
from isthmus.errors import Reject
from isthmus.mapping.failure import BadValue
from isthmus.mapping.plain import decimal_of
from isthmus.testing.ways import nothing_known
from unit.connectors.rest.conftest import BASE, Bench

PROFILE = Profile.model_validate({**BASE, "money": {"wire": "cents", "places": 2}})
AMOUNT = st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=2)


def shape(zone: str = "UTC", **fields: Any) -> Shape:
    specs = {
        name: FieldSpec.model_validate({"kind": spec} if isinstance(spec, str) else spec)
        for name, spec in fields.items()
    }
    return shape_of(specs, Around(PROFILE, "number", zone))


WIRES: dict[str, Any] = {
    "number": {"kind": "decimal", "places": 2},
    "text": {"kind": "decimal", "wire": "text", "places": 2},
    "cents": "money",
}


@pytest.mark.parametrize("wire", WIRES)
@given(amount=AMOUNT)
def test_an_amount_survives_the_wire(wire: str, amount: Decimal) -> None:
    made = shape(amount=WIRES[wire])
    sent = made.write({"amount": amount})["amount"]
    assert {"number": Decimal, "text": str, "cents": int}[wire] is type(sent)
    assert made.read({"amount": sent}) == {"amount": amount}


async def test_money_is_exact_over_http_in_every_form(bench: Bench) -> None:
    async def prices(request: web.Request) -> web.StreamResponse:
        text = (
            '[{"id": 2700000000000001, "number": 0.1, "text": "1250.00", "cents": 18305, "big": 12345678901234567.89}]'
        )
        return web.Response(text=text, content_type="application/json")

    fields = {**WIRES, "cents": {"kind": "money", "wire": "cents", "places": 2}, "big": "decimal"}
    connector = bench.connector(await bench.serve(prices), vendor={"fields": fields})
    (record,) = (await connector.read(ReadRequest(native="vendors"), nothing_known)).records
    assert record.id == "2700000000000001"
    assert [record.data[name] for name in ("number", "text", "cents", "big")] == [
        Decimal("0.1"), Decimal("1250.00"), Decimal("183.05"), Decimal("12345678901234567.89"),
    ]  # fmt: skip


@pytest.mark.parametrize("value", [Decimal("1.234"), "1.999", 10**30 + 1, Decimal("NaN"), "ten", True, [1]])
@pytest.mark.parametrize("wire", WIRES)
def test_what_the_wire_cannot_say_is_refused_by_field(wire: str, value: Any) -> None:
    made = shape(amount=WIRES[wire])
    if value == 10**30 + 1:
        assert Decimal(str(made.write({"amount": value})["amount"])) == value * (100 if wire == "cents" else 1)
        return
    with pytest.raises(Reject) as caught:
        made.write({"amount": value})
    assert caught.value.field == "amount"


def test_more_decimals_are_rounded_only_where_the_profile_says_so() -> None:
    made = shape(cost={"kind": "decimal", "wire": "text", "places": 2, "round": True})
    assert [made.write({"cost": Decimal(text)})["cost"] for text in ("1.005", "-1.005", "2")] == [
        "1.01",
        "-1.01",
        "2.00",
    ]


@pytest.mark.parametrize("strange", [Decimal("12.5"), "abc", "12.5", True])
def test_cents_that_are_none_are_no_number_for_a_mapping(strange: Any) -> None:
    shown = shape(amount="money").read({"amount": strange})["amount"]
    with pytest.raises(BadValue):
        decimal_of(shown)


def test_ids_are_text_whatever_they_are_on_the_wire() -> None:
    made = shape(vendorId="id", code={"kind": "id", "wire": "text"})
    assert made.read({"vendorId": 2**60, "code": 7}) == {"vendorId": str(2**60), "code": "7"}
    assert made.write({"vendorId": str(2**60), "code": "7"}) == {"vendorId": 2**60, "code": "7"}
    with pytest.raises(Reject, match="vendorId is V7, but it needs a whole number"):
        made.write({"vendorId": "V7"})


@pytest.mark.parametrize(
    ("form", "wire"),
    [
        ("iso", "2026-01-31T23:30:00.250Z"),
        ("unix_seconds", 1769902200),
        ("unix_millis", 1769902200250),
        ("%d.%m.%Y %H:%M:%S", "31.01.2026 23:30:00"),
    ],
)
def test_times_have_one_spelling_and_their_own_on_the_wire(form: str, wire: Any) -> None:
    made = shape(at={"kind": "time", "format": form})
    shown = made.read({"at": wire})["at"]
    assert shown.startswith("2026-01-31T23:30:00")
    assert shown.endswith("Z")
    assert made.write({"at": shown}) == {"at": wire}


def test_the_day_of_a_time_is_that_of_the_connections_zone() -> None:
    spec = {"kind": "time", "day": "receivedOn"}
    assert shape("Pacific/Auckland", at=spec).read({"at": "2026-01-31T12:30:00Z"})["receivedOn"] == "2026-02-01"
    assert shape("America/Chicago", at=spec).read({"at": "2026-01-31T03:30:00Z"})["receivedOn"] == "2026-01-30"
    assert shape(at=spec).read({"at": None})["receivedOn"] is None
    assert shape(at=spec).write({"at": "2026-01-31T03:30:00Z", "receivedOn": "2026-01-30"}) == {
        "at": "2026-01-31T03:30:00.000Z"
    }


def test_pairs_are_seen_as_an_object() -> None:
    made = shape(tags={"kind": "pairs", "name_at": "dimension"})
    wire = [{"dimension": "SITE", "value": "N"}, {"dimension": "CC", "value": "100"}]
    assert made.read({"tags": list(wire)}) == {"tags": {"SITE": "N", "CC": "100"}}
    assert made.write({"tags": {"SITE": "N", "CC": "100", "EMPTY": None}}) == {"tags": wire}


def test_words_of_a_choice_may_be_numbers_on_the_wire() -> None:
    made = shape(state={"kind": "choice", "words": {"3": "approved", "4": "closed"}})
    assert made.read({"state": 3}) == {"state": "approved"}
    assert made.write({"state": "closed"}) == {"state": 4}
    with pytest.raises(Reject, match="needs one of approved, closed"):
        made.write({"state": "open"})


def test_a_refusal_names_the_line_and_shows_nothing_personal() -> None:
    inner = {"quantity": {"kind": "int"}, "phone": {"kind": "int", "personal": True}}
    made = shape(lines={"kind": "list", "fields": inner}, contact={"kind": "object", "fields": inner})
    with pytest.raises(Reject) as line:
        made.write({"lines": [{"quantity": 1}, {"quantity": "two"}]})
    assert (line.value.field, line.value.value) == ("lines[1].quantity", "two")
    with pytest.raises(Reject) as personal:
        made.write({"contact": {"phone": "+49 30 1234"}})
    assert (personal.value.field, personal.value.value) == ("contact.phone", "")
    assert "1234" not in str(personal.value)


def test_computed_fields_are_never_sent() -> None:
    assert shape(total={"kind": "money", "computed": True}).write({"total": Decimal(1), "other": "x"}) == {"other": "x"}


def test_flags_and_whole_numbers_keep_their_type() -> None:
    made = shape(active="flag", days="int")
    assert made.write({"active": "false", "days": "30"}) == {"active": False, "days": 30}
    with pytest.raises(Reject, match="true or false"):
        made.write({"active": "perhaps"})


def test_the_shipped_profile_sends_decimals_as_the_cafm_wants_them() -> None:
    profile = load_profile("cafm")
    fields = {name: one for name, one in profile.entities["item"].fields.items() if one is not None}
    made = shape_of(fields, Around(profile, "number"))
    sent = made.write({"unitCost": Decimal("1.23455"), "reorderPoint": Decimal("2.5"), "onHandTotal": Decimal(9)})
    assert sent == {"unitCost": "1.2346", "reorderPoint": "2.50000"}
    with pytest.raises(Reject, match="at most 5 decimals"):
        made.write({"reorderPoint": Decimal("0.000001")})
