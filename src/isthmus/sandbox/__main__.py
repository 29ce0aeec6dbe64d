"""`python -m isthmus.sandbox`: a sandbox in this process until it is told to end or nobody calls it any more."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from isthmus.sandbox.process import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m isthmus.sandbox", description="Simulators of the outside systems.")
    parser.add_argument("--home", type=Path, required=True, help="folder of state, certificate and sandbox.json")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 is a free one")
    parser.add_argument("--seed", type=Path, help="seed file, used when the home has no state yet")
    parser.add_argument("--idle-exit", type=float, help="end after so many seconds without a call")
    given = parser.parse_args()
    return run(given.home, port=given.port, seed=given.seed, idle_exit=given.idle_exit)


if __name__ == "__main__":
    sys.exit(main())
