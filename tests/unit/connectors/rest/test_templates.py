"""Texts with names: what is filled in stays in its place, what has no value is left out."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.connectors.rest.places import getter
from isthmus.connectors.rest.templates import UNSET, compiled, compiled_path, compiled_query, encoded_query, holes
from isthmus.errors import Reject

ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(value=ANY)
def test_a_value_never_leaves_its_part_of_the_path(value: str) -> None:
    address = "https://host.example" + compiled_path("/sets/{id}/notes")({"id": value})
    parts = urlsplit(address)
    assert (parts.netloc, parts.query, parts.fragment) == ("host.example", "", "")
    assert [unquote(part) for part in parts.path.split("/")] == ["", "sets", value, "notes"]


@given(name=ANY.filter(lambda name: name != "b"), value=ANY)
def test_a_value_never_leaves_its_parameter(name: str, value: str) -> None:
    pairs = compiled_query({name: "{value}", "b": "1"})({"value": value})
    address = "https://host.example/?" + encoded_query(pairs)
    assert parse_qsl(urlsplit(address).query, keep_blank_values=True) == [(name, value), ("b", "1")]


@pytest.mark.parametrize("value", [None, "", UNSET])
def test_an_address_without_its_value_is_refused(value: Any) -> None:
    with pytest.raises(Reject, match="id has no value"):
        compiled_path("/sets/{id}")({} if value is UNSET else {"id": value})


NAMES = {"id": "7", "since": "2026-01-01", "nothing": None, "document": {"code": "A", "lines": [1]}, "limit": 25}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("{document}", {"code": "A", "lines": [1]}),
        ("{limit}", 25),
        ("top {limit}", "top 25"),
        ("{document.code}/{id}", "A/7"),
        ("{id|number}", 7),
        ("{document.code|number}", "A"),
        ("{missing}", UNSET),
        ("a {missing}", UNSET),
        ("{nothing}", None),
        ("{ no name }", "{ no name }"),
        ({"a": "{id}", "b": "{missing}", "c": None, "d": "{nothing}"}, {"a": "7", "c": None, "d": None}),
        (["{id}", "{missing}", 3], ["7", 3]),
        ([{"$if": "since", "value": "{since}"}, {"$if": "cursor", "value": "{cursor}"}], [{"value": "2026-01-01"}]),
        (True, True),
    ],
)
def test_a_template_becomes_what_it_says(template: Any, filled: Any) -> None:
    assert compiled(template)(NAMES) == filled


def test_a_query_leaves_out_what_has_no_value_and_repeats_lists() -> None:
    query = compiled_query({"a": "{missing}", "b": "{nothing}", "c": ["{id}", "x"], "d": True, "e[gte]": "{since}"})
    assert encoded_query(query(NAMES)) == "c=7&c=x&d=true&e[gte]=2026-01-01"


def test_names_of_a_template_are_found_wherever_they_stand() -> None:
    template = {"a": ["{id}", {"$if": "since", "b": "x{document.code}"}], "c": 1}
    assert set(holes(template)) == {"id", "since", "document.code"}


@pytest.mark.parametrize(
    ("place", "found"),
    [("", {"a": [{"b": 1}]}), ("a", [{"b": 1}]), ("a[0].b", 1), ("a[1].b", UNSET), ("a.b", UNSET), ("x.y", UNSET)],
)
def test_a_place_is_found_or_not(place: str, found: Any) -> None:
    assert getter(place)({"a": [{"b": 1}]}) == found
