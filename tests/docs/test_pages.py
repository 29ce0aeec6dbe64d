"""Links lead somewhere, and every page can be found from the index."""

from __future__ import annotations

from pathlib import Path

from docs.pages import ROOT, broken_links, pages_without_entry, read_page


def test_links_resolve() -> None:
    assert list(broken_links(ROOT)) == []


def test_every_page_is_in_the_index() -> None:
    assert list(pages_without_entry(ROOT)) == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "b.md").write_text("# Money, dates & `codes`\n", encoding="utf-8")
    lines = [
        "[gone](a.md) [right](docs/b.md#money-dates--codes) [far](https://example.test/x)",
        "[no heading](docs/b.md#money) `[code](c.md)`",
        "```",
        "[fenced](c.md)",
        "```",
        "[here](#nowhere)",
    ]
    (tmp_path / "README.md").write_text("\n".join(lines), encoding="utf-8")
    assert list(broken_links(tmp_path)) == [
        "README.md:1: a.md does not exist",
        "README.md:2: docs/b.md has no heading #money",
        "README.md:6: this page has no heading #nowhere",
    ]


def test_a_page_outside_the_index_is_seen(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name, text in (("README.md", "[a](a.md#b)"), ("a.md", "# b"), ("lost.md", "")):
        (tmp_path / "docs" / name).write_text(text, encoding="utf-8")
    assert list(pages_without_entry(tmp_path)) == ["docs/lost.md is linked from no index"]


def test_headings_that_repeat_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Why\n## Costs\n# Why\n```\n# not a heading\n```\n", encoding="utf-8")
    assert read_page(tmp_path, tmp_path / "a.md").anchors() == {"why", "costs", "why-1"}
