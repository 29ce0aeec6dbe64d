"""Findings: the gravest decides."""

from __future__ import annotations

from itertools import permutations
from typing import get_args

import pytest

from isthmus.model.finding import Finding, Severity, worst

GRAVE = ("error", "hold", "wait", "skip", "notice")


def test_nothing_found_decides_nothing():
    assert worst(()) is None


def test_every_severity_has_its_rank():
    assert set(GRAVE) == set(get_args(Severity))


@pytest.mark.parametrize("index", range(len(GRAVE)))
def test_the_gravest_decides_in_any_order(index):
    findings = [Finding("code", severity, "text") for severity in GRAVE[index:]]
    for order in permutations(findings):
        assert worst(order) == GRAVE[index]


def test_a_finding_reads_as_text_and_mend():
    assert str(Finding("c", "hold", "no account", mend="Add one.")).endswith("Add one.")
    assert str(Finding("c", "hold", "no account")) == "no account"
