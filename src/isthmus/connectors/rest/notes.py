"""Telling the system what became of its records: the body of the core's notes as the names of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isthmus.connectors.rest.facts import Facts, note_call
from isthmus.contract.operations import Operation


def note_names(facts: Facts, operation: Operation) -> Mapping[str, Any] | None:
    """Values of the names of a note's call; None when the profile has no word for the state: nothing is told then."""
    spec, body = note_call(facts), operation.native
    if spec is None:
        return None
    state = spec.states.get(str(body.get("state", "")))
    if state is None:
        return None
    text = str(body.get("message") or "")
    names: dict[str, Any] = {
        "state": state,
        "text": text if len(text) <= spec.longest else text[: spec.longest - 1] + "…",
        "number": str(body.get("document") or "") or None,
        "booked_on": body.get("booked_on") or None,
        "amount": body.get("amount") or None,
        "currency": body.get("currency") or None,
    }
    return names
