"""The program `isthmus`: finds its commands and turns every failure into words and an exit code.

Exit codes: 0 done; 1 usage or configuration; 2 finished, but messages are dead, held or out of time; 3 an outside
system cannot be reached; 130 interrupted.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, cast

import typer
from typer.exceptions import Abort, TyperException

from isthmus.cli.failures import INTERRUPTED, USAGE, Failure, report

_PACKAGE = "isthmus.cli"
_SUFFIX = "_command"
_PIPE_CLOSED = 141


class CommandModule(Protocol):
    """A module of this package whose name ends in `_command`."""

    def register(self, app: typer.Typer) -> None:
        """Add its commands."""


def command_modules() -> Iterator[CommandModule]:
    """All modules with commands, in the order of their names."""
    for found in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if found.name.endswith(_SUFFIX):
            yield cast("CommandModule", importlib.import_module(f"{_PACKAGE}.{found.name}"))


def build_app() -> typer.Typer:
    """The command tree."""
    built = typer.Typer(
        name="isthmus",
        help="Joins operations systems to Microsoft Dynamics 365: each business event in finance exactly once.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # its panels cost as much start-up time as everything else together
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    built.callback()(_root)
    for module in command_modules():
        module.register(built)
    return built


def _root() -> None:
    """Nothing of its own: every option belongs to a command."""


app = build_app()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; every failure is told on stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    own = given[: given.index("--")] if "--" in given else given
    as_json, debug = "--json" in own, "--debug" in own
    try:
        code = app(given, prog_name="isthmus", standalone_mode=False)
        sys.stdout.flush()
    except TyperException as error:
        return _usage(error, as_json=as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: end without complaint
        return _PIPE_CLOSED
    except (Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as error:
        return report(error, as_json=as_json, debug=debug)
    return code if isinstance(code, int) else 0


def _usage(error: TyperException, *, as_json: bool) -> int:
    context = getattr(error, "ctx", None)
    hint = f"See `{context.command_path} --help`." if context is not None else ""
    failure = Failure("usage", f"{error.format_message().strip().rstrip('.')}.", hint)
    if as_json:
        import msgspec

        sys.stderr.write(msgspec.json.encode({"error": failure.told()}).decode() + "\n")
    else:
        from isthmus.cli.output import say

        say(str(failure), style="red", error=True)
    return USAGE


if __name__ == "__main__":
    sys.exit(main())
