"""Seed files: what there is before the first call. YAML or plain dicts; every id follows from the names in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import yaml

from isthmus.sandbox.business_central.areas.item_journals import STANDARD
from isthmus.sandbox.business_central.company import Setup
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.registry import seed_sections
from isthmus.sandbox.business_central.tables import Transaction
from isthmus.sandbox.clock import stamp
from isthmus.sandbox.principals import Principal, rights
from isthmus.sandbox.seed_tables import TableError, with_tables, with_variables
from isthmus.sandbox.wire import from_json
from isthmus.sandbox.world import World


class SeedError(ValueError):
    """A seed that cannot be used; says which part of it and why."""


class _Seed(msgspec.Struct, forbid_unknown_fields=True):
    tenant: str = ""
    tenant_names: list[str] = []
    environment: str = ""
    principals: list[Principal] = []
    companies: list[dict[str, Any]] = []
    switches: dict[str, Any] = {}
    published: dict[str, int] = {}
    folder: str = ""


def read(source: Mapping[str, Any] | str | Path | None, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A seed as data whose scalars are all text, with `${name}` replaced and the rows of its CSV files in it. None is
    the small company that comes with the sandbox. Paths count from `folder_of`.

    Raises SeedError, and OSError when there is no such file.
    """
    found = dict(_texts(source)) if isinstance(source, Mapping) else _parsed(source)
    folder = folder_of(source, found)
    try:
        found = dict(with_variables(found, variables or {}))
        found = {name: with_tables(section, folder, name) for name, section in found.items()}
        companies = found.get("companies")
        if isinstance(companies, list):
            found["companies"] = [_with_tables(company, folder) for company in companies]
    except TableError as error:
        raise SeedError(f"{source}: {error}" if isinstance(source, str | Path) else str(error)) from None
    return found


def folder_of(source: Mapping[str, Any] | str | Path | None, given: Mapping[str, Any]) -> Path:
    """From where paths in a seed count: its key `folder`, else the folder of the seed file."""
    if "folder" in given:
        return Path(given["folder"])
    return Path() if source is None or isinstance(source, Mapping) else Path(source).parent


def _parsed(source: str | Path | None) -> dict[str, Any]:
    if source is None:
        text = files("isthmus.sandbox").joinpath("default_seed.yaml").read_text("utf-8")
    else:
        text = Path(source).read_text("utf-8")
    if source is not None and Path(source).suffix == ".json":
        return _from_json(text, str(source))
    try:
        # BaseLoader: account 0100 stays a text, 1.10 stays exact, a date stays as written.
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        found = yaml.load(text, Loader=loader)  # noqa: S506 - BaseLoader builds nothing but texts
    except yaml.YAMLError as error:
        raise SeedError(f"{source}: no YAML: {error}") from None
    if not isinstance(found, dict):
        raise SeedError(f"{source}: a seed is a mapping with tenant, environment, principals, companies")
    return dict(found)


def _from_json(text: str, source: str) -> dict[str, Any]:
    try:
        return dict(_texts(from_json(text.encode())))
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        raise SeedError(f"{source}: no JSON object: {error}") from None


def _with_tables(company: Any, folder: Path) -> Any:
    if not isinstance(company, dict):
        return company
    place = f"company {company.get('name', '')!r}"
    return {name: with_tables(section, folder, f"{place}, {name}") for name, section in company.items()}


def _texts(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _texts(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_texts(inner) for inner in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, int | float | Decimal) else value


def apply(world: World, source: Mapping[str, Any]) -> None:
    """Put a seed into the world, on top of what is there. Raises SeedError; companies before the wrong one stay."""
    seed = _convert(source, _Seed, "seed")
    if seed.tenant:
        world.tenant = seed.tenant.lower()
    world.tenant_names += [name for name in seed.tenant_names if name not in world.tenant_names]
    world.environment_name = seed.environment or world.environment_name
    for principal in seed.principals:
        try:
            rights(principal)
        except ValueError as error:
            raise SeedError(str(error)) from None
        principal.client_id = principal.client_id.lower()
        world.principals[principal.client_id] = principal
    if seed.switches:
        kind = type(world.environment.switches)
        merged = msgspec.to_builtins(world.environment.switches) | seed.switches
        world.environment.switches = _convert(merged, kind, "switches")
    for company in seed.companies:
        _company(world, dict(company))
    for name, page in seed.published.items():
        try:
            world.publish(name, page)
        except ValueError as error:
            raise SeedError(f"published: {error}") from None
    world.touched = True


def _company(world: World, given: dict[str, Any]) -> None:
    name = given.pop("name", "")
    if not name:
        raise SeedError("companies: a company needs a name")
    place = f"company {name!r}"
    company_id = given.pop("id", None)
    sections = seed_sections()
    chosen = {key: given.pop(key) for key in list(given) if key in sections}
    environment = world.environment
    company = environment.named(name)
    lives = company is not None
    if company is None:
        chosen = {"information": {}, "journal_templates": [{"name": "GENERAL"}], "item_journals": STANDARD} | chosen
        company = environment.add_company(name, company_id, _convert(given, Setup, place))
    elif given:
        company.setup = _convert(msgspec.to_builtins(company.setup) | given, Setup, place)
    # Records that come to a company that lives already are changed now; the first ones were always there.
    tx = Transaction(stamp(world.clock.now()) if lives else "")
    for key, (kind, seeder) in sections.items():
        if key in chosen:
            try:
                seeder(company, tx, _convert(chosen[key], kind, f"{place}, {key}"))
            except (ValueError, Refusal) as error:
                tx.rollback()
                raise SeedError(f"{place}, {key}: {error}") from None


def _convert(value: Any, kind: Any, place: str) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise SeedError(f"{place}: {error}") from None
