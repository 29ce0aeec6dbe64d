"""`python -m isthmus.sandbox`: a sandbox in this process until it is told to end or nobody calls it any more."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from isthmus.sandbox.seed import SeedError
from isthmus.sandbox.serving import HomeInUse, Serving
from isthmus.sandbox.state import StateError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m isthmus.sandbox", description="Simulators of the outside systems.")
    parser.add_argument(
        "--home", type=Path, required=True, help="folder of the state, the certificate and sandbox.json"
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 is a free one")
    parser.add_argument("--seed", type=Path, help="seed file, used when the home has no state yet")
    parser.add_argument("--idle-exit", type=float, help="end after so many seconds without a call")
    given = parser.parse_args()
    try:
        serving = Serving(given.home, given.seed, given.port, given.idle_exit)
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
    while not (serving.home / "sandbox.json").exists() and not running.done():
        await asyncio.sleep(0.01)
    if not running.done():
        ready = (serving.home / "sandbox.json").read_bytes()
        sys.stdout.buffer.write(msgspec.json.encode(msgspec.json.decode(ready)) + b"\n")
        sys.stdout.flush()
    await running


if __name__ == "__main__":
    sys.exit(main())
