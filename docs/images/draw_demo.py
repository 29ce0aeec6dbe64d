"""Draws docs/images/demo.svg: what `isthmus demo` writes to a terminal, run on a copy of the example.

    .venv/bin/python docs/images/draw_demo.py

No fonts are named that a page would have to fetch.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parents[1] / "examples" / "real-data"
COLUMNS = 132


def demo_output() -> str:
    """The demo's output as a terminal of `COLUMNS` gets it. Only stdout is one: progress bars stay away."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "real-data"
        shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns(".isthmus", "*.results.csv"))
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ISTHMUS_")}
        environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        program = subprocess.Popen(  # our own program, no shell
            [sys.executable, "-m", "isthmus.cli.main", "demo", "--check"],
            cwd=project, env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE,
        )  # fmt: skip
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:  # Linux says EIO when the last writer has closed
            pass
        told = program.communicate()[1].decode()
        if program.returncode:
            raise SystemExit(f"the demo ended with {program.returncode}: {told}")
    return b"".join(parts).decode().replace("\r\n", "\n")


def main() -> None:
    """Draw it."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print("$ isthmus demo", style="bold green", highlight=False)
        console.print(Text.from_ansi(demo_output().rstrip()))
        drawn = console.export_svg(title="isthmus demo", unique_id="demo")
    drawn = re.sub(r"\s*(@font-face \{.*?\}|<!--.*?-->)\n", "\n", drawn, flags=re.DOTALL)
    drawn = drawn.replace("font-family: Fira Code,", 'font-family: ui-monospace, "DejaVu Sans Mono",')
    (HERE / "demo.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
