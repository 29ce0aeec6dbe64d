"""docs/profiles.md lists every setting of a profile as the models have it: name, type, default, meaning."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from isthmus.connectors.rest.declared import answers, auth, base, calls, entities, fields, paging, profile, webhooks
from isthmus.connectors.rest.declared.checking import NAMES
from isthmus.connectors.rest.declared.loading import shipped_names
from isthmus.model.durations import describe_duration

PAGE = Path(__file__).parents[4] / "docs" / "profiles.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^##+ (.+?)\n(.*?)(?=^##+ |\Z)", TEXT, re.MULTILINE | re.DOTALL))

#: heading -> model, and the one whose settings it has besides
TABLES: Mapping[str, tuple[type[BaseModel], type[BaseModel] | None]] = {
    "The whole": (profile.Profile, None),
    "Parameters": (entities.Declaration, None),
    "Installation": (profile.SystemSpec, None),
    "Money": (profile.MoneySpec, None),
    "No sign-in": (auth.NoAuth, None),
    "Basic": (auth.BasicAuth, None),
    "Key in a header": (auth.HeaderKey, None),
    "Key in the address": (auth.QueryKey, None),
    "Bearer key": (auth.BearerKey, None),
    "OAuth 2": (auth.OAuth2, None),
    "Session": (auth.Login, None),
    "What holds for all": (entities.Shared, None),
    "Entities": (entities.EntitySpec, entities.Shared),
    "Calls of an entity": (calls.Calls, None),
    "A call": (calls.Call, None),
    "A list call": (calls.ListCall, calls.Call),
    "A get call": (calls.GetCall, calls.Call),
    "A writing call": (calls.WriteCall, calls.Call),
    "A note call": (calls.NoteCall, calls.WriteCall),
    "Filters": (calls.Filter, None),
    "Ranges of days": (entities.RangeSpec, None),
    "Numbered pages": (paging.PagePaging, None),
    "Offsets": (paging.OffsetPaging, None),
    "Cursors": (paging.CursorPaging, None),
    "Links": (paging.LinkPaging, None),
    "Spring pages": (paging.SpringPaging, None),
    "No pages": (paging.NoPaging, None),
    "Changes by time": (entities.Filtered, None),
    "Changes by reading everything": (entities.Scanned, None),
    "No changes": (entities.Unwatched, None),
    "Id": (entities.IdSpec, None),
    "Version": (entities.VersionSpec, None),
    "Deletions": (entities.DeletedSpec, None),
    "Key": (entities.KeySpec, None),
    "Status": (entities.StatusSpec, None),
    "Parts": (calls.Part, None),
    "Joined fields": (entities.Joined, None),
    "Settle time": (entities.Settle, None),
    "Fields": (fields.FieldSpec, None),
    "Changed lists": (fields.ListPatch, None),
    "Errors": (answers.Errors, None),
    "Rules": (answers.Rule, None),
    "Limits": (answers.Limits, None),
    "Batches": (entities.Batch, None),
    "Webhooks": (webhooks.Webhook, None),
    "Signatures": (webhooks.Signature, None),
    "Subscriptions": (webhooks.Subscribing, None),
}
#: unions of models -> heading of the part that has them
UNIONS: Mapping[frozenset[type], str] = {
    frozenset({auth.NoAuth, auth.BasicAuth, auth.HeaderKey, auth.QueryKey, auth.BearerKey, auth.OAuth2, auth.Login}): (
        "Sign-in"
    ),
    frozenset(
        {
            paging.PagePaging, paging.OffsetPaging, paging.CursorPaging, paging.LinkPaging, paging.SpringPaging,
            paging.NoPaging,
        }
    ): "Paging",
    frozenset({entities.Filtered, entities.Scanned, entities.Unwatched}): "Changes",
}  # fmt: skip
WORDS: Mapping[Any, str] = {
    str: "text", int: "whole number", bool: "true or false", timedelta: "duration", Any: "JSON", dict: "map",
}  # fmt: skip


def _link(heading: str) -> str:
    return f"[{heading}](#{heading.lower().replace(' ', '-')})"


def _type(annotation: Any) -> str:
    if annotation == base.Place:
        return "place"
    if annotation == calls.Rooted:
        return "path"
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return _type(args[0])
    if origin in {typing.Union, types.UnionType}:
        present = [arg for arg in args if arg is not type(None)]
        if heading := UNIONS.get(frozenset(present)):
            return _link(heading)
        return " or ".join(dict.fromkeys(_type(arg) for arg in present))
    if origin is Literal:
        return " or ".join(f"`{arg}`" for arg in args)
    if origin is tuple:
        return f"list of {_type(args[0])}"
    if origin is dict:
        return f"map of {_type(args[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _link(next(heading for heading, (model, _) in TABLES.items() if model is annotation))
    return WORDS[annotation]


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, entities.Settle):
        return f"`{describe_duration(value.at_most)}`, assumed"
    if isinstance(value, BaseModel) or value in (None, (), {}, ""):
        return ""
    if isinstance(value, timedelta):
        return f"`{describe_duration(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{', '.join(map(str, value)) if isinstance(value, tuple) else value}`"


def rows(model: type[BaseModel], besides: type[BaseModel] | None) -> Iterator[str]:
    """The table rows of a model; what every part may say of its proof stands in one place."""
    hints = typing.get_type_hints(model, include_extras=True)
    left_out = {"verified", "assumed"} if model is not profile.Profile else set()
    left_out |= set(besides.model_fields) if besides is not None else set()
    for name, field in model.model_fields.items():
        if name not in left_out:
            yield f"| `{name}` | {_type(hints[name])} | {_default(field.default)} | {field.description} |"


@pytest.mark.parametrize("heading", TABLES)
def test_every_setting_stands_on_the_page_as_the_model_has_it(heading: str) -> None:
    told = [line for line in SECTIONS[heading].splitlines() if line.startswith("| `")]
    assert told == list(rows(*TABLES[heading]))


def test_every_model_of_a_profile_has_its_part() -> None:
    modules = (answers, auth, calls, entities, fields, paging, profile, webhooks)
    models = {
        value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, base.Declared) and not name.startswith("_")
    }
    assert models - {base.Declared, base.Proven} == {model for model, _ in TABLES.values()}


def test_every_name_of_a_template_is_explained_where_it_may_stand() -> None:
    told = {
        kind: set(re.findall(r"`\{([a-z_]+)\}`", names))
        for kind, names in re.findall(r"^\| (.+?) \| ((?:`\{[a-z_]+\}`(?:, )?)+) \|$", SECTIONS["Names"], re.MULTILINE)
    }
    everywhere = {"parameters", "company", "set"}
    assert told == {
        "`list`, `changes.query`": NAMES["list"] - everywhere,
        "`filters`": NAMES["filter"] - NAMES["list"],
        "`get`, `parts`": NAMES["get"] - everywhere,
        "`create`, `update`, `delete`, `post`, `status`": NAMES["write"] - everywhere,
        "`note`": NAMES["note"] - everywhere,
        "`batch.body`": NAMES["batch"] - everywhere,
        "`batch.operation`": NAMES["operation"] - everywhere,
        "`auth`": NAMES["sign_in"] - everywhere,
        "`webhook.subscribing`": NAMES["subscription"] - everywhere,
    }


def test_every_profile_that_comes_along_is_named() -> None:
    for name in shipped_names():
        assert f"`{name}`" in SECTIONS["Profiles that come along"]
