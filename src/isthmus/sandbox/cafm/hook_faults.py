"""Webhooks that go astray on request: lost, repeated, late, out of order."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from isthmus.sandbox.faults import Counted

HookKind = Literal["hook_lose", "hook_repeat", "hook_delay", "hook_reorder"]
#: How long an event held back for a later one waits when none comes, in sandbox seconds.
_HELD_SECONDS = 60.0


class HookFault(msgspec.Struct, forbid_unknown_fields=True):
    """What goes wrong with an event.

    hook_repeat: sent `after` times more. hook_delay: `seconds` late. hook_reorder: behind the next `after` events of
    its webhook, at most `seconds` late.
    """

    kind: HookKind
    after: int = 1
    seconds: float = 0.0


class HookRule(Counted, forbid_unknown_fields=True, kw_only=True):
    """A fault with its match: `entity` and `action`, which is the event."""

    fault: HookFault

    def suits(self, entity: str, event: str) -> bool:
        match = self.match
        return (not match.entity or match.entity == entity) and (not match.action or match.action == event)


class Fate(msgspec.Struct):
    """What becomes of one event for one webhook."""

    lost: bool = False
    copies: int = 1
    seconds: float = 0.0
    behind: int = 0


class HookFaults:
    """The rules in force; every one that fires adds to the fate of an event."""

    def __init__(self) -> None:
        self.rules: list[HookRule] = []

    def fate(self, entity: str, event: str) -> Fate:
        """Decide once per event and webhook."""
        fate = Fate()
        for rule in self.rules:
            if not rule.suits(entity, event) or not rule.fires():
                continue
            fault = rule.fault
            if fault.kind == "hook_lose":
                fate.lost = True
            elif fault.kind == "hook_repeat":
                fate.copies += fault.after
            elif fault.kind == "hook_delay":
                fate.seconds = max(fate.seconds, fault.seconds)
            else:
                fate.behind = fault.after
                fate.seconds = max(fate.seconds, fault.seconds or _HELD_SECONDS)
        return fate

    def report(self) -> list[dict[str, Any]]:
        return [{"id": at, **msgspec.to_builtins(rule)} for at, rule in enumerate(self.rules)]


def is_hook_fault(kind: object) -> bool:
    """Whether a fault is one of webhooks."""
    return isinstance(kind, str) and kind.startswith("hook_")
