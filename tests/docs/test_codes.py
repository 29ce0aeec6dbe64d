"""Every code the product can say is explained in docs/findings.md, and nothing is explained that it cannot say."""

from __future__ import annotations

from pathlib import Path

from docs.codes import documented_codes, literals, used_codes
from docs.pages import ROOT


def test_every_code_of_the_controls_is_explained() -> None:
    used = {code: place for code, place in used_codes(ROOT).items() if place.startswith("src/isthmus/controls/")}
    assert {code: place for code, place in used.items() if code not in documented_codes(ROOT)} == {}


def test_every_code_is_explained() -> None:
    documented = documented_codes(ROOT)
    assert {code: place for code, place in used_codes(ROOT).items() if code not in documented} == {}


def test_nothing_is_explained_that_cannot_be_said() -> None:
    assert documented_codes(ROOT) - literals(ROOT) - used_codes(ROOT).keys() == set()


SOURCE = """
from isthmus.errors import Reject

BEHIND = "behind"


class Broken(Reject):
    code: str = "broken"


def f(late):
    raise Reject("text", code="refused" if late else "doubled")
    yield Finding("first", "error", "text")
    yield Outcome(key="k", result="reject", code=late or "fallback")
    yield write(state="waiting", code=BEHIND)
    yield other("not_a_code", reason="not_this", code=f"{late}")
    yield exit(code=1)
"""


def test_codes_are_found_where_they_are_said(tmp_path: Path) -> None:
    for place, text in (
        ("sync/a.py", SOURCE),
        ("ledger/b.py", "q = \"update message set code = 'interrupted' where state = 'sending'\""),
        ("sandbox/c.py", 'error(code="Application_Error")\nerror(code="theirs")'),
    ):
        path = tmp_path / "src/isthmus" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert set(used_codes(tmp_path)) == {
        "broken", "refused", "doubled", "first", "fallback", "behind", "interrupted",
    }  # fmt: skip
    assert used_codes(tmp_path)["broken"] == "src/isthmus/sync/a.py:8"


def test_codes_are_read_from_the_tables_only(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    severities = "| severity | x |\n|---|---|\n| `error` | `no` |\n\n"
    text = severities + "| code | y |\n|---|---|\n| `account_unmapped` † | `no` |\n`no`\n"
    (tmp_path / "docs" / "findings.md").write_text(text, encoding="utf-8")
    assert documented_codes(tmp_path) == {"account_unmapped"}
