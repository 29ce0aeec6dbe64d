"""The example as people run it: each command a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from integration.cost_lines.bench import Quarries

PROGRAM = "import sys; from isthmus.cli.main import main; sys.exit(main(sys.argv[1:]))"


def run(quarries: Quarries, command: str) -> tuple[int, str]:
    """Exit code and everything said."""
    assert quarries.box
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, command, "--project", str(quarries.project)],
        env=os.environ | quarries.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_check_plan_sync_status_and_reconcile(quarries: Quarries) -> None:
    quarries.save()
    for command, said in (
        ("check", "0 to mend"),
        ("plan", "cost_lines.csv lines 2-6: ready"),
        ("sync", "3,209.54 USD"),
        ("status", "3,590.84 NZD"),
        ("reconcile", "Source and target agree."),
    ):
        code, text = run(quarries, command)
        assert code == 0, f"{command}: {text}"
        assert said in text


def test_check_refuses_a_source_without_offset(quarries: Quarries) -> None:
    quarries.save()
    quarries.edit("rules/maintenance-costs.yaml", '    offset: "6290"\n', "")
    code, text = run(quarries, "check")
    assert code == 1
    assert "row 'own hours' has no offset for costs of source payroll" in text
