"""Progress of long work on the terminal; silent when nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from isthmus.ledger.idle import Idle


@contextmanager
def show_progress(*, quiet: bool) -> Iterator[Callable[[Idle], None] | None]:
    """A callback that shows what is left; None when output is JSON or no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[left]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("reading and delivering", total=None, left="")
        most = 0

        def show(standing: Idle) -> None:
            nonlocal most
            most = max(most, standing.messages)
            bar.update(
                task,
                total=most or None,
                completed=most - standing.messages,
                left=f"{standing.messages:,} to deliver" if standing.messages else "reading",
            )

        yield show
