"""The systems this installation knows: how to connect to each, and where its lenses are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module, resources
from typing import Any

from msgspec import Struct
from pydantic import ValidationError

from isthmus.app.project.systems import SYSTEMS
from isthmus.contract.clock import Clock
from isthmus.contract.connector import Connector
from isthmus.errors import ConfigurationError
from isthmus.model.document import Document, parse_document


class Plug(Struct, frozen=True):
    """A system's code: module with `connect(config, clock)`, and the package folder of its lenses ("" for none).

    profiles   module whose `lens_documents(profile)` gives the lenses of a profile, for systems that have profiles
    """

    module: str
    lenses: str = ""
    profiles: str = ""


_PLUGS: Mapping[str, Plug] = {
    "business_central": Plug(
        "isthmus.connectors.dynamics.business_central.connector", "isthmus.connectors.dynamics.business_central"
    ),
    "files": Plug("isthmus.connectors.files.connector"),
    "rest": Plug("isthmus.connectors.rest.connector", profiles="isthmus.connectors.rest.declared.loading"),
}


def connect(system: str, settings: Mapping[str, Any], clock: Clock) -> Connector:
    """A connector for one connection. Raises ConfigurationError for an unknown system; opens nothing yet."""
    plug = _PLUGS.get(system)
    if plug is None:
        raise ConfigurationError(f"unknown system {system!r}", hint=f"Known are: {', '.join(sorted(_PLUGS))}.")
    try:
        config = SYSTEMS[system].model().model_validate(dict(settings))
    except ValidationError as error:  # where a single setting is wrong, the project was not loaded at all
        said = "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors(include_input=False))
        raise ConfigurationError(f"system {system}: {said}.", hint="Mend the connection in isthmus.yaml.") from None
    open_connector: Callable[[Any, Clock], Connector] = import_module(plug.module).connect
    return open_connector(config, clock)


@cache
def shipped_lenses(system: str, profile: str = "") -> Mapping[str, Document]:
    """Lens documents a connector ships, by entity; of a system with profiles, those that come along with one."""
    plug = _PLUGS.get(system)
    if plug is not None and plug.profiles and profile:
        documents: Mapping[str, Document] = import_module(plug.profiles).lens_documents(profile)
        return documents
    if plug is None or not plug.lenses:
        return {}
    found = {}
    for file in sorted(resources.files(plug.lenses).joinpath("lenses").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".yaml"):
            document = parse_document(file.read_text(encoding="utf-8"), f"{system}/lenses/{file.name}")
            found[str(document.data["entity"])] = document
    return found
