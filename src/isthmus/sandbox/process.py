"""The sandbox as a process: ready when it prints one line of JSON, ended by a signal or by nobody calling."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from isthmus.sandbox.seed import SeedError
from isthmus.sandbox.serving import HomeInUse, Serving
from isthmus.sandbox.state import StateError


def run(home: Path, *, port: int = 0, seed: Path | None = None, idle_exit: float | None = None) -> int:
    """Serve in this process, main thread, until SIGTERM, SIGINT or the idle exit. Returns the exit code.

    Prints the content of sandbox.json when ready; what stands in the way goes to stderr, with code 1.
    """
    try:
        serving = Serving(home, seed, port, idle_exit)
    except (HomeInUse, SeedError, StateError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    # uvicorn raises the signal that ended it once more; the end was clean, so nothing is left to do.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    asyncio.run(_serve(serving))
    return 0


async def _serve(serving: Serving) -> None:
    running = asyncio.create_task(serving.run())
    about = serving.home / "sandbox.json"
    while not about.exists() and not running.done():
        await asyncio.sleep(0.01)
    if not running.done():
        sys.stdout.write(about.read_text("utf-8") + "\n")
        sys.stdout.flush()
    await running
