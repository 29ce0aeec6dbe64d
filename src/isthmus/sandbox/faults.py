"""Misbehaviour on request: rules that say which calls go wrong, and how. Deterministic: a chance is drawn from a
seed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from isthmus.sandbox.business_central import errors
from isthmus.sandbox.business_central.errors import Refusal
from isthmus.sandbox.business_central.paths import named
from isthmus.sandbox.wire import JSON_HEADERS, Request, Response

Kind = Literal[
    "status",
    "latency",
    "lose_before",
    "lose_after",
    "late_commit",
    "cut_mid_batch",
    "lie_201",
    "posted_but_400",
    "expired_token",
    "lock_409",
    "entity_changed_409",
    "drift",
    "webhook_lost",
    "webhook_repeated",
    "webhook_reordered",
    "webhook_delayed",
    "subscription_dropped",
]
#: Faults of notifications, never of a call.
_NOTIFICATIONS = frozenset({"webhook_lost", "webhook_repeated", "webhook_reordered", "webhook_delayed"})
#: Faults that answer instead of doing; on a batch they take the whole of it when it is matched itself, else the
#: matched parts.
_ANSWERS = frozenset({"status", "lock_409", "entity_changed_409"})
#: Faults of one operation, never of a batch as a whole.
_OPERATIONS = frozenset({"lie_201", "posted_but_400"})


class Fault(msgspec.Struct, forbid_unknown_fields=True):
    """What goes wrong. Which of the rest a kind reads is in docs/sandbox.md."""

    kind: Kind
    code: int = 503
    retry_after: int | None = None
    seconds: float = 0.0
    after: int = 1
    #: status: carry the operation out all the same and only lie about it, as a gateway that lost patience does.
    done: bool = False
    set: str = ""
    field: str = ""
    to: str = ""


class Match(msgspec.Struct, forbid_unknown_fields=True):
    """Which calls. Everything given must hold; a batch is matched by itself (entity `$batch`) or by any of its
    parts.
    """

    method: str = ""
    path: str = ""
    entity: str = ""
    action: str = ""
    nth: int | list[int] = 0
    probability: float = 1.0
    seed: int = 0


#: Entity and action a path names, by its looks only: every imitated API has paths of its own.
Naming = Callable[[str], tuple[str, str]]


class Counted(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A match, how often it fires, and how often it did. `times` limits it; 0 is no limit."""

    match: Match = msgspec.field(default_factory=Match)
    times: int = 0
    seen: int = 0
    fired: int = 0

    def fires(self) -> bool:
        """Count a match, and say whether the fault happens this time."""
        self.seen += 1
        if self.times and self.fired >= self.times:
            return False
        nth = self.match.nth
        if nth and self.seen not in (nth if isinstance(nth, list) else [nth]):
            return False
        if self.match.probability < 1:
            drawn = random.Random(f"{self.match.seed}:{self.seen}").random()  # noqa: S311 - repeatable, no secret
            if drawn >= self.match.probability:
                return False
        self.fired += 1
        return True


class Rule(Counted, forbid_unknown_fields=True, kw_only=True):
    """A fault with its match."""

    fault: Fault

    def suits(self, request: Request, path: str, naming: Naming = named) -> bool:
        match = self.match
        if match.method and match.method.upper() != request.method:
            return False
        if match.path and not re.search(match.path, path):
            return False
        if not match.entity and not match.action:
            return True
        entity, action = naming(path)
        return (not match.entity or match.entity == entity) and (not match.action or match.action.lower() == action)


@dataclass(slots=True)
class Plan:
    """What will happen to one call."""

    latency: float = 0.0
    lose_before: bool = False
    lose_after: bool = False
    late: float | None = None
    cut_after: int | None = None
    expire_token: bool = False
    answer: Response | None = None
    answer_done: bool = False
    parts: dict[int, Fault] = field(default_factory=dict)

    @property
    def decided(self) -> bool:
        """How the call ends is settled: the first rule wins, and a later one is kept for the next call."""
        lost = self.lose_before or self.lose_after or self.late is not None or self.cut_after is not None
        return lost or self.expire_token or self.answer is not None


class Faults:
    """The rules in force, in the order they were set.

    `naming` and `dialect` are those of the imitated API: how its paths name things, and how it says that it refuses;
    Business Central's unless given.
    """

    def __init__(self, naming: Naming = named, dialect: Callable[[Fault], Response] | None = None) -> None:
        self.rules: list[Rule] = []
        self._naming = naming
        #: What a fault says instead of doing anything.
        self.answer = dialect or answer

    def plan(self, request: Request, path: str, parts: list[Request] | None) -> Plan:
        """Decide once per call. A single operation is part 0 of itself."""
        plan = Plan()
        for rule in self.rules:
            kind = rule.fault.kind
            if kind in _NOTIFICATIONS:
                continue
            outer = rule.suits(request, path, self._naming)
            matched = [i for i, part in enumerate(parts or ()) if rule.suits(part, part.path, self._naming)]
            if parts is None and kind in _OPERATIONS:
                matched = [0] if outer else []
            if kind in _OPERATIONS or (kind in _ANSWERS and not outer):
                for index in matched:
                    if index not in plan.parts and rule.fires():
                        plan.parts[index] = rule.fault
            elif (outer or matched) and (kind == "latency" or not plan.decided) and rule.fires():
                _apply(plan, rule.fault, self.answer)
        return plan

    def token_plan(self, request: Request) -> Plan:
        """For the token endpoint: only rules that name it, by entity `token` or by a path."""
        plan = Plan()
        for rule in self.rules:
            if (rule.match.entity == "token" or rule.match.path) and rule.suits(request, request.path) and rule.fires():
                _apply(plan, rule.fault, self.answer)
        return plan

    def of_notification(self, request: Request, path: str) -> Fault | None:
        """What goes wrong with one notification; its method is NOTIFY, its path that of the record."""
        for rule in self.rules:
            if rule.fault.kind in _NOTIFICATIONS and rule.suits(request, path) and rule.fires():
                return rule.fault
        return None

    def report(self) -> list[dict[str, Any]]:
        return [{"id": at, **msgspec.to_builtins(rule)} for at, rule in enumerate(self.rules)]


def _apply(plan: Plan, fault: Fault, dialect: Callable[[Fault], Response]) -> None:
    if fault.kind == "latency":
        plan.latency += fault.seconds
    elif fault.kind == "lose_before":
        plan.lose_before = True
    elif fault.kind == "lose_after":
        plan.lose_after = True
    elif fault.kind == "late_commit":
        plan.late = fault.seconds
    elif fault.kind == "cut_mid_batch":
        plan.cut_after = fault.after
    elif fault.kind == "expired_token":
        plan.expire_token = True
    else:
        plan.answer, plan.answer_done = dialect(fault), fault.done


_GATEWAY_TEXTS = {502: "Bad Gateway", 503: "The service is unavailable.", 504: "Gateway Timeout"}


def answer(fault: Fault) -> Response:
    """What a fault says instead of doing anything. A gateway's answer is no JSON (bc.md section 9)."""
    if fault.kind == "lock_409":
        return errors.record_locked("Gen. Journal Line").response()
    if fault.kind == "entity_changed_409":
        return errors.entity_changed().response()
    headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    if fault.code in _GATEWAY_TEXTS:
        return Response(fault.code, _GATEWAY_TEXTS[fault.code].encode(), {"content-type": "text/plain", **headers})
    if fault.code == 429:
        return errors.too_many(101, 100, fault.retry_after).response()
    if fault.code == 401:
        return errors.bad_credentials().response()
    text = "The operation took longer than the allowed time." if fault.code == 408 else "Something went wrong."
    return Refusal(fault.code, "Internal_ServerError", text, headers={**JSON_HEADERS, **headers}).response()


def posted_all_the_same() -> Response:
    """The refusal that old versions gave after they had posted (bc.md section 15)."""
    text = "There is no Gen. Journal Line within the filter."
    return Refusal(400, "Internal_DataNotFoundFilter", text).response()
