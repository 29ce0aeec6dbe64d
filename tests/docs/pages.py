"""The documents as the tests read them: pages, headings, links, and what stands in backticks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^\s*(```|~~~)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True)
class Page:
    """One Markdown file. `prose` are its lines outside fences, `fenced` those inside, each with its number."""

    place: str
    prose: tuple[tuple[int, str], ...]
    fenced: tuple[tuple[int, str], ...]

    def headings(self) -> Iterator[str]:
        """Texts of the headings, without marks."""
        for _, line in self.prose:
            if match := re.match(r"#{1,6}\s+(.*?)\s*#*$", line):
                yield match[1].replace("`", "")

    def anchors(self) -> set[str]:
        """What `#...` of a link may name: the headings as the forges slug them."""
        slugs: set[str] = set()
        for heading in self.headings():
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            count = 1
            unique = slug
            while unique in slugs:
                unique, count = f"{slug}-{count}", count + 1
            slugs.add(unique)
        return slugs

    def links(self) -> Iterator[tuple[int, str]]:
        """Line and target of each link."""
        for number, line in self.prose:
            for match in LINK.finditer(INLINE.sub("", line)):
                yield number, match[1]

    def codes(self) -> Iterator[tuple[int, str]]:
        """Line and text of everything in backticks."""
        for number, line in self.prose:
            for match in INLINE.finditer(line):
                yield number, match[1]

    def commands(self) -> Iterator[tuple[int, str]]:
        """Command lines: in backticks and in fences, without prompt and comment."""
        yield from self.codes()
        for number, line in self.fenced:
            yield number, re.sub(r"\s+#.*$", "", line.strip().removeprefix("$ "))


def read_page(root: Path, path: Path) -> Page:
    """A page by its path."""
    prose: list[tuple[int, str]] = []
    fenced: list[tuple[int, str]] = []
    inside = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if FENCE.match(line):
            inside = not inside
        else:
            (fenced if inside else prose).append((number, line))
    return Page(path.relative_to(root).as_posix(), tuple(prose), tuple(fenced))


def pages(root: Path) -> Iterator[Page]:
    """All pages a reader meets: at the top, in docs, beside examples and beside code."""
    found = {*root.glob("*.md")}
    for folder in ("docs", "examples", "benchmarks", "src"):
        found |= {*(root / folder).rglob("*.md")}
    return (read_page(root, path) for path in sorted(found))


def broken_links(root: Path) -> Iterator[str]:
    """Links inside the repository that lead nowhere, the heading counted."""
    for page in pages(root):
        for number, target in page.links():
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            name, _, anchor = target.partition("#")
            path = (root / page.place).parent / name if name else root / page.place
            if not path.exists():
                yield f"{page.place}:{number}: {target} does not exist"
            elif anchor and path.suffix == ".md" and anchor not in read_page(path.parent, path).anchors():
                yield f"{page.place}:{number}: {name or 'this page'} has no heading #{anchor}"


def pages_without_entry(root: Path) -> Iterator[str]:
    """Pages in docs/ that neither its index links nor the index of their folder."""
    indexes = sorted((root / "docs").rglob("README.md"))
    linked = {root / "docs" / "README.md"}
    for index in indexes:
        for _, target in read_page(root, index).links():
            linked.add((index.parent / target.partition("#")[0]).resolve())
    for page in pages(root):
        if page.place.startswith("docs/") and (root / page.place).resolve() not in linked:
            yield f"{page.place} is linked from no index"
