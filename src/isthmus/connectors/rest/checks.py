"""What would fail later, found now: reach, sign-in, rights of the key, every set the profile names. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlsplit

from isthmus.connectors.rest.client import Answer, RestClient, ready
from isthmus.connectors.rest.declared.profile import Profile, SystemSpec
from isthmus.connectors.rest.facts import Facts
from isthmus.connectors.rest.moments import NotTime, time_form
from isthmus.connectors.rest.narrow import Narrow
from isthmus.connectors.rest.places import getter, text_at
from isthmus.connectors.rest.templates import UNSET
from isthmus.contract.clock import Clock
from isthmus.contract.records import ReadRequest
from isthmus.errors import Halt, IsthmusError, Retry
from isthmus.model.finding import Finding

_SOON = timedelta(days=14)


class Checks:
    """Checks of one connection."""

    def __init__(self, profile: Profile, client: RestClient, narrow: Narrow, clock: Clock) -> None:
        self._profile = profile
        self._client = client
        self._narrow = narrow
        self._clock = clock

    async def fingerprint(self) -> Mapping[str, str]:
        """What identifies the installation, by the profile's call; else its address alone."""
        system = self._profile.system
        if system is None:
            return {"url": self._client.base}
        answer = await self._ask(system)
        return {name: text_at(answer.body, getter(place)) for name, place in system.identity.items()}

    async def findings(self, facts: Sequence[Facts]) -> list[Finding]:
        """Everything at once; of a system that cannot be reached or refuses the sign-in, that alone."""
        system = self._profile.system
        found = self._in_clear()
        if system is not None:
            try:
                answer = await self._ask(system)
            except IsthmusError as error:
                return [of_error(error)]
            found += self._identity(system, answer)
            found += _rights(system, answer.body, facts)
            found += self._expiry(system, answer.body)
        for one in facts:
            try:
                await self.sample(one, 1)
            except (Retry, Halt) as error:
                found.append(of_error(error, one.native))
                if system is None:
                    return found
            except IsthmusError as error:
                found.append(of_error(error, one.native))
        return found

    async def sample(self, facts: Facts, count: int) -> Sequence[Any]:
        """A few records of a set, empty where it cannot be listed."""
        if facts.listing is None:
            return []
        return await self._narrow.first(facts, ReadRequest(native=facts.native, limit=count))

    async def _ask(self, system: SystemSpec) -> Answer:
        return await self._client.call(ready(system.call), {})

    def _in_clear(self) -> list[Finding]:
        """A key that travels unencrypted over a network."""
        parts = urlsplit(self._client.base)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if parts.scheme == "https" or local or self._profile.auth.kind == "none":
            return []
        text = f"{parts.hostname} is called without encryption: everybody on the way can read the key and the data."
        return [Finding("unencrypted", "notice", text, field="url", mend="Write https:// if the system offers it.")]

    def _identity(self, system: SystemSpec, answer: Answer) -> list[Finding]:
        missing = [name for name, place in system.identity.items() if not text_at(answer.body, getter(place))]
        if not missing:
            return []
        text = f"{self._profile.title} does not tell {', '.join(missing)}: it cannot be told from another installation."
        return [Finding("identity_missing", "error", text, mend="Mend system.identity in the profile.")]

    def _expiry(self, system: SystemSpec, body: Any) -> list[Finding]:
        value = getter(system.expires)(body) if system.expires else None
        if value in (None, UNSET, ""):
            return []
        try:
            ends = time_form("iso", "UTC").read(value)
        except NotTime:
            return []
        if ends - self._clock.now() > _SOON:
            return []
        text = f"the key of {self._profile.title} ends on {ends.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
        return [Finding("key_ends", "notice", text, field="api_key", mend="Have a new one made in time.")]


def _rights(system: SystemSpec, body: Any, facts: Sequence[Facts]) -> list[Finding]:
    rights = getter(system.rights)(body) if system.rights else None
    if not isinstance(rights, list):
        return []
    held = {str(right) for right in rights}
    found = []
    for one in facts:
        for template, needed in ((system.read, one.listing is not None), (system.write, bool(one.whole.own.actions))):
            right = template.replace("{set}", one.native)
            every = template.replace("{set}", system.every) if system.every else right
            if template and needed and not {right, every, system.every} & held:
                text = f"the key lacks the right {right}."
                mend = "Give it to the key in the system, if a flow uses this entity."
                found.append(Finding("right_missing", "notice", text, field=one.native, value=right, mend=mend))
    return found


def of_error(error: IsthmusError, native: str = "") -> Finding:
    """An error as a finding about a set."""
    text = f"{native}: {error.message}" if native else error.message
    return Finding(error.code, "error", text, field=native, mend=error.hint)
