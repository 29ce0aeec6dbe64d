"""`isthmus up`, `worker` and `down`: work until told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer

from isthmus.cli.options import Debug, Json, Project, Sets, place_of
from isthmus.cli.output import say, write_json

Host = Annotated[str, typer.Option("--host", help="Address the webhook door listens on.")]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of the webhook door; 0: a free one.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("up")(up)
    app.command("worker")(worker)
    app.command("down")(down)


def up(
    project: Project = None,
    sets: Sets = None,
    host: Host = "127.0.0.1",
    port: Port = 8099,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Serve this home: a worker, the webhook door with health, daily backups of an embedded ledger."""
    del debug
    asyncio.run(_up(place_of(project, sets), host, port, as_json))


def worker(project: Project = None, sets: Sets = None, debug: Debug = False) -> None:
    """One more worker on the same ledger, on this machine or another."""
    del debug
    asyncio.run(_worker(place_of(project, sets)))


def down(project: Project = None, sets: Sets = None, as_json: Json = False, debug: Debug = False) -> None:
    """Stop the `up` of this home: running turns finish, then it ends. Simulators it left running end too."""
    del debug
    from isthmus.app.serving import stop_server
    from isthmus.cli.simulation import stop_simulation

    loaded = place_of(project, sets).load()
    pid = stop_server(loaded.home)
    boxes = stop_simulation(loaded)
    if as_json:
        write_json({"stopped": pid, "simulators": boxes})
    else:
        say(f"asked process {pid} to end" if pid else "nothing was up")


async def _up(place: Any, host: str, port: int, as_json: bool) -> None:
    from isthmus.app.hooks import hooks_app, recipes, server_door, use_door
    from isthmus.app.serving import announce, hold_home
    from isthmus.cli.opening import open_session

    loaded = place.load()
    with hold_home(loaded.home) as held:
        async with open_session(place, keep_simulators=True) as session:
            await session.refuse_changed_environment()
            world, engine = session.runtime.world, session.runtime.engine
            door = server_door(loaded)
            await use_door(world, engine, door)
            async with _door(hooks_app(world, engine, door, recipes(loaded)), host, port) as url:
                announce(held, url)
                address, health = door.at(url).address("CONNECTION"), f"{url}/health"
                public = door.address("CONNECTION") if door.url else None
                if as_json:
                    write_json({"url": url, "hooks": address, "public": public, "health": health})
                    sys.stdout.flush()  # whoever reads it waits for this line
                else:
                    shown = f"{door.masked(public or address)} (token in keys/hooks)"
                    say(f"up: health at {health}, webhooks at {shown}")
                await _until_told(session)


async def _worker(place: Any) -> None:
    from isthmus.app.hooks import worker_door
    from isthmus.cli.opening import open_session

    async with open_session(place, keep_simulators=True) as session:
        await session.refuse_changed_environment()
        session.runtime.engine.door = worker_door(session.project)
        say("working")
        await _until_told(session)


async def _until_told(session: Any) -> None:
    """Serve until SIGTERM or SIGINT; then running turns finish and commit."""
    from isthmus.app.upkeep import keep_up

    engine = session.runtime.engine
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, engine.stop)
    chores = asyncio.create_task(keep_up(session.runtime))
    try:
        await session.runtime.serve()
    finally:
        chores.cancel()


@asynccontextmanager
async def _door(app: Any, host: str, port: int) -> AsyncIterator[str]:
    """The hooks app on a socket of our own, so that a taken port is told in clear words."""
    import uvicorn

    from isthmus.errors import ConfigurationError

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # from the moment the address is told, calls wait instead of being refused
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}.", hint="Choose another one with --host and --port."
        ) from None
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # ours drain the engine
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()
