"""The field lists of the sandbox against the recorded facts of the real API, where they are at hand."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from isthmus.sandbox.business_central.fields import Kind, Writing
from isthmus.sandbox.business_central.registry import entity_sets

FACTS = Path(__file__).parents[3] / "../shared/reference/bc.json"
#: Properties the sandbox leaves out: streams.
LEFT_OUT = {"companyInformation": {"picture"}}


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    if not FACTS.exists():
        pytest.skip("the recorded facts are not part of the repository")
    resources: dict[str, Any] = json.loads(FACTS.read_text("utf-8"))["resources"]
    return resources


@pytest.mark.parametrize("name", sorted(entity_sets()))
def test_properties_are_those_of_the_real_set(facts: dict[str, Any], name: str) -> None:
    known = {fact["name"]: fact for fact in facts[name]["properties"]}
    ours = {field.name: field for field in entity_sets()[name].fields}
    assert set(ours) == set(known) - LEFT_OUT.get(name, set())
    for property_name, field in ours.items():
        fact = known[property_name]
        assert field.size == fact.get("maxLength", 0), property_name
        wanted = {"code": "Edm.String", "enum": "Enum"}.get(field.kind.value, field.kind.value)
        assert wanted == fact["edmType"], property_name
        if field.kind in {Kind.CODE, Kind.TEXT} and "alType" in fact:
            assert fact["alType"].startswith("Code") is (field.kind is Kind.CODE), property_name
        if fact["editable"] is False:
            assert field.writing is Writing.REFUSED or field.refusal, property_name
        elif fact["editable"]:
            assert field.writing is not Writing.REFUSED, property_name
        if field.options is not None:
            members = tuple(value["odata"] for value in fact["enumValues"])
            assert field.options.members == members[: len(field.options.members)], property_name


@pytest.mark.parametrize("name", sorted(entity_sets()))
def test_navigations_are_those_of_the_real_set(facts: dict[str, Any], name: str) -> None:
    known = {one["urlSegment"]: one["multiplicity"] for one in facts[name]["navigation"] if "urlSegment" in one}
    for navigation in entity_sets()[name].navigations:
        assert known[navigation.name].startswith("Many" if navigation.many else "ZeroOrOne"), navigation.name


@pytest.mark.parametrize("name", sorted(entity_sets()))
def test_what_must_not_be_blank_is_that_of_the_real_set(facts: dict[str, Any], name: str) -> None:
    for fact in facts[name]["properties"]:
        if fact.get("pageNotBlank") and "POST" in facts[name]["operations"]:
            assert entity_sets()[name].by_name[fact["name"]].required, fact["name"]


@pytest.mark.parametrize("name", ["items", "paymentTerms", "vendors"])
def test_least_and_most_are_those_of_the_real_set(facts: dict[str, Any], name: str) -> None:
    for fact in facts[name]["properties"]:
        field = entity_sets()[name].by_name[fact["name"]]
        least, most = fact.get("tableMinValue"), fact.get("tableMaxValue")
        assert (field.least, field.most) == (least and Decimal(least), most and Decimal(most)), fact["name"]


@pytest.mark.parametrize("name", sorted(entity_sets()))
def test_methods_and_table_are_those_of_the_real_set(facts: dict[str, Any], name: str) -> None:
    fact, ours = facts[name], entity_sets()[name]
    assert ours.methods == set(fact["operations"])
    assert ours.entity == fact["entityName"]
    if "sourceTableId" in fact and not fact["sourceTableTemporary"]:
        assert (ours.title, ours.table_id) == (fact["sourceTable"], fact["sourceTableId"])
