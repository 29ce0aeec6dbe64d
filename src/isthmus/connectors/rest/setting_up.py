"""What a profile and the settings of a connection say together: address, headers, parameters, secrets."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from isthmus.connectors.rest.config import RestConfig
from isthmus.connectors.rest.declared.profile import Profile
from isthmus.connectors.rest.templates import compiled, spelt
from isthmus.errors import ConfigurationError


def base_of(profile: Profile, config: RestConfig) -> str:
    """The address all paths begin at. Raises ConfigurationError where neither connection nor profile has one."""
    address = config.url or spelt(compiled(profile.url)(names_of(profile, config)) or "")
    if not address.startswith(("http://", "https://")):
        raise ConfigurationError(
            f"the profile {profile.profile} has no address of its own.", hint="Give `url` of the connection."
        )
    return address


def names_of(profile: Profile, config: RestConfig) -> dict[str, Any]:
    """Values the templates of every call may use."""
    names: dict[str, Any] = {"parameters": parameters_of(profile, config)}
    if config.company:
        names["company"] = config.company
    return names


def parameters_of(profile: Profile, config: RestConfig) -> dict[str, str]:
    """Values of what the profile asks for. Raises ConfigurationError for a missing or an unknown one."""
    if unknown := sorted(config.parameters.keys() - profile.parameters.keys()):
        raise ConfigurationError(
            f"the profile {profile.profile} asks for no parameter {unknown[0]!r}.",
            hint=f"It asks for: {', '.join(profile.parameters) or 'none'}.",
        )
    found = {}
    for name, declared in profile.parameters.items():
        value = config.parameters.get(name, declared.default)
        if value is None:
            raise ConfigurationError(
                f"the profile {profile.profile} needs the parameter {name}: {declared.about}.",
                hint=f"Write parameters: {{{name}: …}} into the connection.",
            )
        found[name] = value
    return found


def headers_of(profile: Profile, config: RestConfig) -> dict[str, str]:
    """Headers of every call."""
    names = names_of(profile, config)
    return {name: spelt(value) for name, text in profile.headers.items() if (value := compiled(text)(names))}


def secrets_of(config: RestConfig) -> dict[str, str | None]:
    """What a sign-in may need, revealed."""
    found: dict[str, str | None] = {}
    for name in ("api_key", "user", "password", "client_id", "client_secret", "refresh_token"):
        value = getattr(config, name)
        found[name] = value.get_secret_value() if isinstance(value, SecretStr) else value
    return found
