"""What configuration needs to know of each system: the model of its settings, its paths, whether it ships lenses."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from pydantic import BaseModel


class System(Struct, frozen=True):
    """A system a connection may name.

    config         module and class of its settings; imported late, because a connector brings its libraries along
    paths          settings that are paths; a relative one counts from the project folder
    ships_lenses   the connector brings lenses; else the project names one per entity
    sets           setting whose entries each declare an `entity` and a `key`; "": the system has ids of its own
    filled         settings a simulator fills in when the connection says `sandbox:`; empty: it has no simulator
    profile        setting that names a profile: one that comes along, or a file of the project; "": it has none
    profiles       module that finds profiles and holds their model, for systems that have some
    """

    config: tuple[str, str]
    paths: tuple[str, ...] = ()
    ships_lenses: bool = True
    sets: str = ""
    filled: tuple[str, ...] = ()
    profile: str = ""
    profiles: str = ""

    def model(self) -> type[BaseModel]:
        """The model of the settings."""
        module, name = self.config
        model = getattr(import_module(module), name)
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"{module}.{name} is no model of settings")
        return model

    def with_whole_paths(self, settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
        """`settings` with absolute paths only."""
        return {
            name: str(folder / Path(value).expanduser()) if self._is_path(name, value) else value
            for name, value in settings.items()
        }

    def _is_path(self, name: str, value: Any) -> bool:
        if name == self.profile and _is_text(value):
            return str(value).endswith((".yaml", ".yml"))
        return name in self.paths and _is_text(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


SYSTEMS: Mapping[str, System] = MappingProxyType(
    {
        "business_central": System(
            ("isthmus.connectors.dynamics.business_central.config", "BusinessCentralConfig"),
            paths=("ca", "certificate", "assertion_file"),
            filled=("url", "authority", "ca", "secret"),
        ),
        "files": System(
            ("isthmus.connectors.files.config", "FilesConfig"),
            paths=("folder", "results", "fallback_results"),
            ships_lenses=False,
            sets="sets",
        ),
        "rest": System(
            ("isthmus.connectors.rest.config", "RestConfig"),
            paths=("ca",),
            filled=("url", "api_key", "ca"),
            profile="profile",
            profiles="isthmus.connectors.rest.declared.loading",
        ),
    }
)
