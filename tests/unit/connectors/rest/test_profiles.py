"""Profiles as files: those that come along are in order, and every mistake is told with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from isthmus.app.profiles import listed, problems_in, shown
from isthmus.app.project.loading import load_project
from isthmus.app.project.problems import ProjectProblems
from isthmus.app.registry import shipped_lenses
from isthmus.connectors.rest.declared.checking import check_profile
from isthmus.connectors.rest.declared.loading import load_profile, profile_document, read_profile, shipped_names
from isthmus.connectors.rest.declared.resolving import assumptions, whole_entities
from isthmus.connectors.rest.facts import facts_of
from isthmus.errors import ConfigurationError
from isthmus.mapping.compiler import compile_lens
from isthmus.model.entity import entities
from unit.connectors.rest.conftest import BASE, laid_over


@pytest.mark.parametrize("name", shipped_names())
def test_what_comes_along_is_in_order(name: str) -> None:
    document = profile_document(name)
    profile = read_profile(document)
    assert [str(problem) for problem in check_profile(profile, document)] == []
    assert profile.profile == name
    assert facts_of(profile)


def test_the_cafm_has_a_mapping_for_each_of_its_entities_and_each_compiles_both_ways() -> None:
    lenses = shipped_lenses("rest", "cafm")
    profile = load_profile("cafm")
    assert set(lenses) == set(profile.entities)
    for entity, document in lenses.items():
        lens = compile_lens(document, two_way=True)
        assert lens.native == profile.entities[entity].native
        known = facts_of(profile)[lens.native]
        added = {*known.whole.own.joins, *known.whole.own.united, *(day for _, day, _ in known.shape.days)}
        names = {name.partition(".")[0] for name in lens.native_fields()}
        assert names <= set(known.shape.specs) | added, entity


def test_the_cafm_has_every_entity_that_operations_share() -> None:
    not_there = {"company", "ledger_entry", "journal_entry", "vendor_invoice", "vendor_credit_memo"}
    assert set(load_profile("cafm").entities) == set(entities()) - not_there


MISTAKES: Mapping[str, tuple[dict[str, Any], str]] = {
    "a setting nobody knows": ({"titel": "x"}, "unknown setting 'titel'"),
    "neither proved nor assumed": ({"assumed": False}, "neither verified: SOURCE nor assumed"),
    "both": ({"entities": {"vendor": {"verified": "x", "assumed": True}}}, "both verified and assumed"),
    "an entity nobody knows": ({"entities": {"moon": {"native": "moons"}}}, "there is no entity 'moon'"),
    "a set twice": ({"entities": {"item": {"native": "vendors"}}}, "vendor and item are both the set 'vendors'"),
    "a way to sign in nobody knows": ({"auth": {"kind": "magic"}}, "auth"),
    "a path without root": (
        {"entities": {"vendor": {"calls": {"get": {"path": "vendors"}}}}},
        "must begin with / (below url)",
    ),
    "a name nobody knows": (
        {"entities": {"vendor": {"calls": {"get": {"path": "/vendors/{number}"}}}}},
        "{number} means nothing here",
    ),
    "a parameter nobody declared": ({"url": "https://{parameters.tenant}.example.com"}, "declares no 'tenant'"),
    "an action without a call": ({"entities": {"vendor": {"actions": ["delete"]}}}, "action delete and no call for it"),
    "a new record without a key": (
        {"entities": {"vendor": {"actions": ["create"], "calls": {"create": {"method": "POST", "path": "/v"}}}}},
        "has no key it could be looked up by",
    ),
    "a key without a filter": (
        {
            "entities": {
                "vendor": {
                    "actions": ["create"],
                    "calls": {"create": {"method": "POST", "path": "/v"}},
                    "key": {"fields": ["code"]},
                }
            }
        },
        "(code) has no filter",
    ),
    "pages without a page": (
        {"entities": {"vendor": {"paging": {"style": "page"}}}},
        "has no {page}, which page paging needs",
    ),
    "changes without a time": (
        {"entities": {"vendor": {"changes": {"how": "filter", "at": "updatedAt"}}}},
        "has {since}",
    ),
    "a kind nobody knows": ({"entities": {"vendor": {"fields": {"code": "txt"}}}}, "there is no kind 'txt'"),
    "cents without places": (
        {"entities": {"vendor": {"fields": {"x": {"kind": "money", "wire": "cents"}}}}},
        "wire: cents without places",
    ),
    "a version that is not sent": (
        {
            "entities": {
                "vendor": {
                    "actions": ["update"],
                    "calls": {"update": {"method": "PATCH", "path": "/v/{id}"}},
                    "version": {"guard": "sent"},
                }
            }
        },
        "carries no {version}",
    ),
    "a signature nobody was told the secret for": (
        {"webhook": {"secret": "signature", "signature": {"header": "X-Sign"}, "type": "entity", "id": "id"}},
        r"subscribing.create has no {secret}",
    ),
    "a signature nobody describes": (
        {"webhook": {"secret": "signature", "type": "entity", "id": "id"}},
        "signature belongs to secret: signature",
    ),
    "a time nobody reads": (
        {"entities": {"vendor": {"fields": {"at": {"kind": "time", "format": "eventually"}}}}},
        "'eventually' is no form of time",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_line(mistake: str, tmp_path: Path) -> None:
    over, words = MISTAKES[mistake]
    text = yaml.safe_dump(laid_over(BASE, over), sort_keys=False)
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    problems = [str(problem) for problem in problems_in("mine.yaml", tmp_path)]
    assert any(words in problem for problem in problems), problems
    assert all(re.match(r"mine\.yaml:\d+: ", problem) for problem in problems), problems


PROJECT = {
    "project": "small",
    "connections": {
        "cafm": {
            "system": "rest", "role": "operations", "profile": "profiles/mine.yaml", "url": "https://cafm.example.com",
            "lenses": {"vendor": "mappings/vendor.yaml"},
        }
    },
}  # fmt: skip
LENS = "entity: vendor\nnative: vendors\nfields:\n  number: {at: code}\n"


def project_in(folder: Path, declared: Mapping[str, Any], **connection: Any) -> Path:
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "mappings").mkdir(exist_ok=True)
    (folder / "mappings" / "vendor.yaml").write_text(LENS, encoding="utf-8")
    (folder / "profiles" / "mine.yaml").write_text(yaml.safe_dump(dict(declared), sort_keys=False), encoding="utf-8")
    data = laid_over(PROJECT, {"connections": {"cafm": connection}})
    (folder / "isthmus.yaml").write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return folder


def test_a_profile_of_the_project_is_part_of_its_configuration(tmp_path: Path) -> None:
    folder = project_in(tmp_path, BASE)
    first = load_project(folder, sets={}, environ={}, cwd=folder)
    assert '"profiles/mine.yaml"' in first.content
    assert [(row.name, row.origin, row.used_by) for row in listed(first)][-1] == (
        "small", "profiles/mine.yaml", ("cafm",),
    )  # fmt: skip
    project_in(tmp_path, {**BASE, "version": "2"})
    assert load_project(folder, sets={}, environ={}, cwd=folder).digest != first.digest


def problems_of(folder: Path) -> str:
    with pytest.raises(ProjectProblems) as caught:
        load_project(folder, sets={}, environ={}, cwd=folder)
    return str(caught.value)


def test_mistakes_of_a_profile_stop_the_project_with_file_and_line(tmp_path: Path) -> None:
    told = problems_of(project_in(tmp_path, laid_over(BASE, {"entities": {"vendor": {"actions": ["delete"]}}})))
    assert re.search(r"profiles/mine\.yaml:\d+: .*action delete and no call for it", told)


def test_what_the_connection_lacks_for_its_profile_is_told(tmp_path: Path) -> None:
    bearer = {**BASE, "auth": {"kind": "bearer"}, "parameters": {"tenant": {"about": "who you are"}}}
    told = problems_of(project_in(tmp_path, bearer, url=None))
    assert re.search(r"isthmus\.yaml:\d+: connections\.cafm has no api_key, which the profile small needs", told)
    assert "has no url" in told
    assert "has no parameters.tenant" in told


def test_a_profile_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    told = problems_of(project_in(tmp_path, BASE, profile="cafn"))
    assert "there is no profile 'cafn': blank, cafm come along" in told
    assert "is not there" in problems_of(project_in(tmp_path, BASE, profile="profiles/other.yaml"))


def test_a_secret_in_the_project_is_refused(tmp_path: Path) -> None:
    told = problems_of(project_in(tmp_path, {**BASE, "auth": {"kind": "bearer"}}, api_key="abc"))
    assert "holds the secret itself" in told
    assert "abc" not in told


def test_assumptions_are_told_part_by_part() -> None:
    over = {
        "assumed": False,
        "verified": "the handbook",
        "entities": {
            "vendor": {
                "calls": {"get": {"path": "/vendors/{id}", "assumed": True}},
                "fields": {"code": {"kind": "text", "assumed": True}, "name": "text"},
            }
        },
    }
    document = profile_document("blank")
    assert assumptions(read_profile(document), "vendor") == ("everything",)
    profile = read_profile(type(document)("x.yaml", laid_over(BASE, over), {}))
    assert assumptions(profile, "vendor") == ("call `get`", "field `code`")
    assert facts_of(profile)["vendors"].assumed == ("call `get`", "field `code`")


def test_an_entity_says_otherwise_than_the_profile_for_all() -> None:
    every = {
        "calls": {"get": {"path": "/all/{id}"}, "delete": {"method": "DELETE", "path": "/all/{id}"}},
        "version": {"at": "rev"},
        "filters": {"code": {"parameter": "code"}},
    }
    own = {"calls": {"delete": None}, "version": None, "filters": {"code": None}}
    data = laid_over(BASE, {"all": every, "entities": {"vendor": own}})
    profile = read_profile(type(profile_document("blank"))("x.yaml", data, {}))
    whole = whole_entities(profile)["vendor"]
    assert set(whole.calls) == {"list", "get"}
    assert (whole.version, dict(whole.filters)) == (None, {})


def test_show_tells_what_people_ask_first() -> None:
    told = shown("cafm")
    assert (told["auth"], told["requests"], told["batch"], told["webhooks"]) == ("bearer", 300, 100, True)
    vendor = next(one for one in told["entities"] if one["entity"] == "vendor")
    assert vendor["calls"]["update"] == "PATCH /{set}/{id}"
    with pytest.raises(ConfigurationError, match="there is no profile 'moon'"):
        shown("moon")
