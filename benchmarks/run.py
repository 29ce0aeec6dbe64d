"""`make bench`: what a record costs inside the machine, and the whole path beside a script without a ledger.

Prints tables and keeps everything measured as JSON in benchmarks/results/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import micro
import whole_path

RESULTS = Path(__file__).resolve().parent / "results"


def show_micro(cases: list[dict[str, Any]], records: int) -> None:
    """One row per step."""
    print(f"{'before anything leaves':26}{'CPU µs/record':>14}{'records/s':>12}   ({records:,} records)")
    for case in cases:
        print(f"{case['case']:26}{case['cpu_us_per_record']:>14,.1f}{case['records_per_s']:>12,}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    print(f"peak memory {peak:.0f} MB\n")


ROWS = (
    ("wall, s", "wall_s"),
    ("records/s", "records_per_s"),
    ("CPU of the program, s", "cpu_s"),
    ("CPU of the ledger, s", "ledger_cpu_s"),
    ("CPU of the simulator, s", "simulator_cpu_s"),
    ("peak memory, MB", "peak_mb"),
    ("requests", "requests"),
    ("simulated minutes used", "simulated_minutes"),
    ("answers lost", "lost_answers"),
    ("documents booked", "documents"),
    ("documents booked twice", "doubled"),
    ("books wrong by", "wrong_by"),
)


def show_whole_path(cases: list[dict[str, Any]]) -> None:
    """Per fault a table: Isthmus, the script, and how many times as much."""
    for faults in dict.fromkeys(case["faults"] for case in cases):
        ours, theirs = (case for case in cases if case["faults"] == faults)
        print(f"{'faults: ' + faults:26}{'isthmus':>16}{'naive':>16}{'ratio':>8}   ({ours['rows']:,} rows)")
        for title, name in ROWS:
            left, right = ours.get(name, ""), theirs.get(name, "")
            ratio = f"{left / right:.2f}" if right and not isinstance(left, str) and name != "simulated_minutes" else ""
            print(f"{title:26}{_shown(left):>16}{_shown(right):>16}{ratio:>8}")
        print()


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def wrong(cases: list[dict[str, Any]]) -> list[str]:
    """What must not be, of Isthmus: lost, doubled, other sums."""
    return [
        f"{case['faults']}: {case['documents']} of {case['expected']} documents, {case['doubled']} twice, "
        f"wrong by {case['wrong_by']}"
        for case in cases
        if case["case"] == "isthmus"
        and (case["documents"] != case["expected"] or case["doubled"] or float(case["wrong_by"]))
    ]


def main() -> int:
    """Run what is asked for. Returns 1 when Isthmus booked anything but what it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000, help="records of the cases inside the machine; 0: none")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each; the median counts")
    parser.add_argument("--rows", type=int, default=4_000, help="work orders of the whole path; 0: none")
    asked = parser.parse_args()
    now = datetime.now(UTC)
    told: dict[str, Any] = {
        "at": now.isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
    }
    if asked.records:
        told["inside"] = micro.cases(asked.records, asked.rounds)
        show_micro(told["inside"], asked.records)
    if asked.rows:
        told["whole_path"] = whole_path.cases(asked.rows)
        show_whole_path(told["whole_path"])
    RESULTS.mkdir(exist_ok=True)
    kept = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    kept.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(f"kept in benchmarks/results/{kept.name}")
    faults = wrong(told.get("whole_path", []))
    for fault in faults:
        print(f"WRONG: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
