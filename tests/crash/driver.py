"""What the crash tests start and kill: `isthmus run` without its output, as a program of its own.

    python driver.py PROJECT
    python driver.py PROJECT HOOK     take a webhook for connection HOOK as `isthmus serve` does

The rest comes from the environment, as for a command: ISTHMUS_HOME, ISTHMUS_DATA, DATABASE_URL, ISTHMUS_CRASH_AT,
ISTHMUS_SETTLE.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from isthmus.app.hooks import hooks_app
from isthmus.cli.opening import Place, Session, open_session
from isthmus.sync.door import Door


async def main() -> None:
    async with open_session(Place(Path(sys.argv[1]), {}), jumps=True) as session:
        print("open", flush=True)
        if len(sys.argv) > 2:
            await knock(session, sys.argv[2])
            return
        idle = await session.runtime.until_idle(simulated=True)
        print("idle", idle.pending, flush=True)


async def knock(session: Session, connection: str) -> None:
    """One webhook through the very app that answers them."""
    app = hooks_app(session.runtime.world, session.runtime.engine, Door("", "token"))
    path = f"/hooks/{connection}/token"
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": [], "http_version": "1.1", "scheme": "http"}  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        print(message.get("status", ""), flush=True)

    await app(scope, receive, send)


if __name__ == "__main__":
    asyncio.run(main())
