"""Runs a program and prints what it took as JSON: wall and CPU seconds, peak memory in MB. Its errors go to stderr.

A process of its own, and a small one: on Linux the peak memory told of a child is never below that of whom it was
forked from.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main(command: list[str]) -> int:
    """Run it and return its exit code."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    told = {
        "wall_s": round(time.perf_counter() - started, 2),
        "cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "peak_mb": round(used.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)),
    }
    print(json.dumps(told))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
