"""docs/configuration.md lists every setting as the models have it: name, type, default, meaning."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from isthmus.app.project import schema
from isthmus.app.project.flow_templates import flow_templates
from isthmus.app.project.loading import load_project
from isthmus.app.project.problems import setting_names
from isthmus.app.project.systems import SYSTEMS
from isthmus.app.project.values import Cron, Zone
from isthmus.connectors.files.config import LinesConfig, SetConfig
from isthmus.model.durations import describe_duration

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "configuration.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))

OURS: Mapping[str, type[BaseModel]] = {
    "isthmus.yaml": schema.ProjectConfig,
    "Variables": schema.TextVariable,
    "Hooks": schema.HooksConfig,
    "Connections": schema.ConnectionConfig,
    "Hook of a connection": schema.HookConfig,
    "Companies": schema.CompanyConfig,
    "Flows": schema.FlowConfig,
    "Source of a flow": schema.SourceConfig,
    "Target of a flow": schema.TargetConfig,
    "Company of a target": schema.CompanyChoice,
    "Retries": schema.RetryConfig,
    "Checks": schema.CheckConfig,
    "Ownership": schema.OwnedBy,
    "Lookup tables": schema.LookupConfig,
}
THEIRS: Mapping[str, type[BaseModel]] = {
    "System files": SYSTEMS["files"].model(),
    "Sets of files": SetConfig,
    "Lines of a set": LinesConfig,
    "System business_central": SYSTEMS["business_central"].model(),
    "System rest": SYSTEMS["rest"].model(),
}
WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    bool: "true or false",
    date: "date",
    timedelta: "duration",
    Decimal: "number",
    Any: "anything",
}


def _type(annotation: Any) -> str:
    """A type in the words of the page."""
    if annotation == Zone:
        return "time zone"
    if annotation == Cron:
        return "cron line"
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is typing.Annotated:
        return _type(args[0])
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(dict.fromkeys(_type(arg) for arg in args if arg is not type(None)))
    if origin is Literal:
        return " or ".join(f"`{arg}`" for arg in args)
    if origin is tuple:
        return f"list of {_type(args[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"map of {_type(args[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        title = next(title for title, model in OURS.items() if model is annotation)
        return f"[{title}](#{title.lower().replace('.', '').replace(' ', '-')})"
    return WORDS[annotation]


def _field_type(model: type[BaseModel], name: str) -> str:
    hints = typing.get_type_hints(model, include_extras=True)
    hint = hints[name]
    bare = [arg for arg in get_args(hint) if arg is not type(None)] if type(None) in get_args(hint) else [hint]
    return _type(bare[0]) if len(bare) == 1 else _type(hint)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, BaseModel) or value in (None, (), {}):
        return ""
    if isinstance(value, timedelta):
        return f"`{describe_duration(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def rows(model: type[BaseModel]) -> list[str]:
    """The table rows of a model."""
    return [
        f"| `{name}` | {_field_type(model, name)} | {_default(field)} | {field.description} |"
        for name, field in model.model_fields.items()
        if name in setting_names(model)
    ]


@pytest.mark.parametrize("title", list(OURS))
def test_every_setting_stands_in_the_docs_as_the_model_has_it(title: str) -> None:
    told = [line for line in SECTIONS[title].splitlines() if line.startswith("| `")]
    assert told == rows(OURS[title])


@pytest.mark.parametrize("title", list(THEIRS))
def test_every_setting_of_a_system_stands_in_the_docs(title: str) -> None:
    assert re.findall(r"^\| `(\w+)` \|", SECTIONS[title], re.MULTILINE) == list(THEIRS[title].model_fields)


def test_every_model_of_a_project_has_its_section() -> None:
    models = {
        value
        for value in vars(schema).values()
        if isinstance(value, type) and issubclass(value, schema.Settings) and value is not schema.Settings
    }
    assert models == set(OURS.values())


def test_every_template_is_named() -> None:
    for name in flow_templates():
        assert f"`{name}`" in SECTIONS["Flow templates"]


def test_the_project_of_the_page_loads(tmp_path: Path) -> None:
    settings, flow = re.findall(r"```yaml\n(.*?)```", (DOCS / "projects.md").read_text(encoding="utf-8"), re.DOTALL)
    texts = {
        "isthmus.yaml": settings,
        "flows/costs.yaml": flow,
        "mappings/work_order.yaml": "entity: work_order\nnative: work_orders\n",
        "rules/costs.yaml": 'rules: maintenance-costs\nrows: [{name: all, account: "1", offset: "2"}]\n',
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    project = load_project(tmp_path, sets={}, environ={}, cwd=tmp_path)
    assert project.flows["work-order-costs"].cut_over == date(2026, 1, 1)
