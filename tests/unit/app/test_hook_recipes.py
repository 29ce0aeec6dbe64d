"""Signatures of notifications by recipe: what is signed right comes in, anything else does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from isthmus.app.hook_recipes import Recipe
from isthmus.app.project.schema import HookConfig
from isthmus.app.secrets import Secret
from isthmus.errors import Reject

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
KEY = "between-us"
MAINTAINX = {"header": "X-Signature", "secret": "env:KEY", "form": "t={time},v1={hex}", "signs": "{time}.{body}"}


def made(**settings: Any) -> Recipe:
    config = HookConfig(**{"header": "X-Signature", "secret": "env:KEY"} | settings)
    return Recipe(config, Secret(KEY) if config.secret else None)


def signed(body: bytes, key: str = KEY) -> bytes:
    return hmac.new(key.encode(), body, hashlib.sha256).digest()


def refusal(recipe: Recipe, header: str, body: bytes = b"{}", now: datetime = NOW) -> str:
    with pytest.raises(Reject) as caught:
        recipe.check({"x-signature": header}, body, now)
    assert KEY not in str(caught.value)
    return caught.value.code


@given(body=st.binary(), form=st.sampled_from(["{hex}", "sha256={hex}", "v0={hex};", "{base64}", "hmac {base64}"]))
def test_what_is_signed_right_comes_in(body: bytes, form: str) -> None:
    recipe = made(form=form)
    text = {"hex": signed(body).hex(), "base64": base64.b64encode(signed(body)).decode()}
    recipe.check({"x-signature": form.format(**text)}, body, NOW)
    recipe.check({"x-signature": form.format(**text | {"hex": signed(body).hex().upper()})}, body, NOW)


@given(body=st.binary(), other=st.binary())
def test_a_signature_of_anything_else_does_not(body: bytes, other: bytes) -> None:
    if body != other:
        assert refusal(made(), signed(other).hex(), body) == "hook_forged"
    assert refusal(made(), signed(body, "guess").hex(), body) == "hook_forged"


@given(header=st.text(alphabet=st.characters(codec="latin-1"), max_size=80))
def test_no_header_brings_the_check_down(header: str) -> None:
    assert refusal(made(form="sha256={hex}"), header) in {"hook_unsigned", "hook_forged"}
    assert refusal(made(form="{base64}"), header) in {"hook_unsigned", "hook_forged"}


@pytest.mark.parametrize("header", ["", "00", "sha256=", "sha256=xyz", "sha1=00ff", " ", "sha256=00ff trailing"])
def test_another_form_is_no_signature(header: str) -> None:
    assert refusal(made(form="sha256={hex}"), header) == "hook_unsigned"


@pytest.mark.parametrize("milliseconds", [False, True])
def test_a_signed_time_counts(milliseconds: bool) -> None:
    def header(at: datetime) -> str:
        time = str(int(at.timestamp() * (1000 if milliseconds else 1)))
        return f"t={time},v1={signed(time.encode() + b'.{}').hex()}"

    recipe = made(**MAINTAINX)
    for off in (0, -299, 299):
        recipe.check({"x-signature": header(NOW + timedelta(seconds=off))}, b"{}", NOW)
    for off in (-301, 301, 86_400):
        assert refusal(recipe, header(NOW + timedelta(seconds=off))) == "hook_too_old"
    shifted = header(NOW).replace(header(NOW)[2:6], "1234", 1)
    assert refusal(recipe, shifted) == "hook_forged"  # the time is part of what is signed


def test_without_a_header_nothing_is_checked() -> None:
    made(header=None, secret=None).check({}, b"anything", NOW)


@pytest.mark.parametrize(
    ("place", "body", "found"),
    [
        ("entity", b'{"entity": "workOrders"}', {"work_order"}),
        ("entity", b'{"entity": "meters"}', None),
        ("entity", b'{"entity": 7}', None),
        ("entity", b"{}", None),
        ("entity", b"no JSON", None),
        ("entity", b"[]", None),
        ("data.*.entity.type", b'{"data": [{"entity": {"type": "job"}}]}', {"work_order"}),
        (
            "data.*.entity.type",
            b'{"data": [{"entity": {"type": "job"}}, {"entity": {"type": "company"}}]}',
            {"work_order", "vendor"},
        ),
        ("data.*.entity.type", b'{"data": [{"entity": {"type": "job"}}, {"entity": {}}]}', None),
        ("data.*.entity.type", b'{"data": []}', None),
        ("data.*.entity.type", b'{"data": "job"}', None),
        ("header:X-Event", b"anything", {"work_order"}),
        ("header:X-Other", b"anything", None),
    ],
)
def test_where_a_notification_names_its_entity(place: str, body: bytes, found: set[str] | None) -> None:
    names = {"workOrders": "work_order", "job": "work_order", "company": "vendor", "NEW_WORK_ORDER": "work_order"}
    recipe = made(entity_at=place, entities=names)
    assert recipe.entities({"x-event": "NEW_WORK_ORDER"}, body) == (frozenset(found) if found is not None else None)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"header": "X-Signature"}, "only one of header and secret"),
        ({"secret": "env:KEY"}, "only one of header and secret"),
        ({"form": "sha256="}, r"form must hold \{hex\} or \{base64\}"),
        ({"form": "{hex}{base64}"}, r"form must hold \{hex\} or \{base64\}"),
        ({"signs": "{time}"}, r"signs must hold \{body\}"),
        ({"signs": "{time}.{body}"}, "in only one of form and signs"),
        ({"entity_at": "entity"}, "only one of entity_at and entities"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        HookConfig(**settings)
