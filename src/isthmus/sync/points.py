"""Named points at the commits that matter. Tests and crash drills arm them; unarmed they cost one dict look-up.

Armed by `arm` in this process or by ISTHMUS_CRASH_AT=NAME[:NTH] (the process kills itself with SIGKILL at the NTH
passing, default the first). The names are those of POINTS.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

POINTS = (
    "before_intent",
    "after_intent",
    "after_call",
    "before_confirm",
    "after_confirm",
    "before_page",
    "after_page",
    "after_fence",
    "before_look_up",
    "after_look_up",
    "after_note",
    "after_hook",
)

_armed: dict[str, Callable[[], None]] = {}


def reach(name: str) -> None:
    """Pass the point `name`."""
    if _armed and (action := _armed.get(name)) is not None:
        action()


def arm(name: str, action: Callable[[], None]) -> None:
    """Run `action` whenever the point is passed. Raises KeyError for a name that is not a point."""
    if name not in POINTS:
        raise KeyError(name)
    _armed[name] = action


def disarm() -> None:
    """Forget all armed points."""
    _armed.clear()


def arm_from(setting: str) -> None:
    """Arm a SIGKILL of this process from a `NAME[:NTH]` setting."""
    name, _, nth = setting.partition(":")
    left = int(nth or 1)

    def kill() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    arm(name, kill)
