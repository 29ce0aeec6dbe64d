"""How notifications of a connection prove where they come from and say what they are about, as its settings tell."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from isthmus.app.project.schema import HookConfig
from isthmus.app.secrets import Secret, resolve
from isthmus.errors import Reject

#: How a time of the header is told from one in milliseconds: seconds reach this number in the year 5138.
_MILLISECONDS = 100_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACES = {"hex": "[0-9a-fA-F]+", "base64": "[A-Za-z0-9+/=_-]+", "time": "[0-9]{1,13}"}


class Recipe:
    """The settings of one connection's hook, ready to be used. `secret` None: the address alone is the proof."""

    def __init__(self, config: HookConfig, secret: Secret | None) -> None:
        self._config = config
        self._secret = secret
        self._form = _pattern(config.form)

    def check(self, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Raises Reject when the notification is not signed as it must be. Header names are lower case."""
        if self._secret is None or self._config.header is None:
            return
        found = self._form.fullmatch(headers.get(self._config.header.lower(), "").strip())
        if found is None:
            raise Reject(f"{self._config.header} is missing or not of its form.", code="hook_unsigned")
        told = found.groupdict()
        signed = b""
        for part in re.split(r"(\{body\}|\{time\})", self._config.signs):
            signed += {"{body}": body, "{time}": told.get("time", "").encode()}.get(part, part.encode())
        right = hmac.digest(self._secret.reveal().encode(), signed, "sha256")
        if not hmac.compare_digest(_signature(told), right):
            raise Reject(f"{self._config.header} does not fit the body.", code="hook_forged")
        if "time" in told and abs(_moment(told["time"]) - now) > self._config.tolerance:
            raise Reject(f"{self._config.header} is of another time.", code="hook_too_old")

    def entities(self, headers: Mapping[str, str], body: bytes) -> frozenset[str] | None:
        """The entities a notification names; None when it names none we know, so that every one may have changed."""
        place = self._config.entity_at
        if place is None:
            return None
        if place.startswith("header:"):
            names: set[object] = {headers.get(place.removeprefix("header:").lower())}
        else:
            try:
                names = set(_values(msgspec.json.decode(body), place.split(".")))
            except (msgspec.DecodeError, TypeError):
                return None
        known = self._config.entities
        if not names or any(not isinstance(name, str) or name not in known for name in names):
            return None
        return frozenset(known[str(name)] for name in names)


def recipe(config: HookConfig, *, folder: Path, environ: Mapping[str, str], connection: str) -> Recipe:
    """The recipe of a connection with its secret read. Raises ConfigurationError."""
    secret = None
    if config.secret is not None:
        at = f"connections.{connection}.hook.secret"
        secret = resolve(config.secret, folder=folder, environ=environ, setting=at)
    return Recipe(config, secret)


def _pattern(form: str) -> re.Pattern[str]:
    parts = re.split(r"\{(hex|base64|time)\}", form)
    pieces = [re.escape(part) if at % 2 == 0 else f"(?P<{part}>{_PLACES[part]})" for at, part in enumerate(parts)]
    return re.compile("".join(pieces))


def _signature(told: Mapping[str, str]) -> bytes:
    try:
        if "hex" in told:
            return bytes.fromhex(told["hex"])
        return base64.b64decode(told["base64"].replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error):
        return b""


def _moment(text: str) -> datetime:
    number = int(text)
    return _EPOCH + timedelta(milliseconds=number if number > _MILLISECONDS else number * 1000)


def _values(data: Any, path: list[str]) -> Iterator[object]:
    """What stands at a path; `*` goes into every element of a list. None where something is missing."""
    if not path:
        yield data
    elif path[0] == "*":
        for element in data if isinstance(data, list) else [None]:
            yield from _values(element, path[1:])
    else:
        yield from _values(data.get(path[0]) if isinstance(data, dict) else None, path[1:])
