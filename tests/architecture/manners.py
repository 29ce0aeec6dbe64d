"""Names, docstrings, and what may stand in no file of the repository."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from architecture.tree import modules

#: names that say nothing of what a file holds, or tell its history
VAGUE = re.compile(r"(^|_)(utils?|helpers?|managers?|common|misc|stuff|legacy|old|new|tmp|v\d+|phase\d+)(_|$)")
BINARY = {".png", ".ico", ".gif", ".jpg", ".woff2", ".xlsx", ".gz", ".zip", ".pem"}
#: lines of a lock that would say where to download from
OPTIONS = ("-i ", "-f ", "--index", "--extra-index", "--find-links", "--trusted")
#: files full of hashes, or of text that is not ours
NOT_OURS = {"LICENSE", "requirements/dev.lock", "requirements/run.lock", "requirements/bootstrap.lock"}

#: file -> why a folder of the machine is named there
PATHS: Mapping[str, str] = {
    "docs/operating.md": "operators are told about these folders by name",
    "src/isthmus/ledger/cluster.py": "a socket's path holds some 100 bytes; TMPDIR may be longer",
    "src/isthmus/ledger/upgrade.py": "a socket's path holds some 100 bytes; TMPDIR may be longer",
}


def _any(*pieces: tuple[str, str]) -> str:
    """Alternatives spelled in two pieces, so that this file does not complain of itself."""
    return "|".join(first + second for first, second in pieces)


_FOLDERS = _any(("wo", "rk"), ("ro", "ot"), ("tm", "p"), ("ho", "me"), ("Us", "ers"))
MACHINE_PATH = re.compile(rf"(?<![\w.}}/:-])/(?:{_FOLDERS})(?=/|[\"'\s)`]|$)")
_HOSTS = _any(("pypi", r"\.org"), ("python", "hosted"), ("npm", r"js\.(?:org|com)"), ("crates", r"\.io"))
REGISTRY = re.compile(rf"\b(?:{_HOSTS})\b")
_WORDS = _any(("clau", "de"), ("anthro", "pic"), ("chat", "gpt"), ("sub-?ag", "ents?"), ("co-?wor", "kers?"))
_MARKS = _any(("TO", "DO"), ("FIX", "ME"), ("XX", "X"))
WORK_WORDS = re.compile(rf"\b(?:(?i:{_WORDS})|(?:{_MARKS})(?![-\w]))\b")
COMPLAINTS = {
    "a path of one machine": MACHINE_PATH,
    "a package registry": REGISTRY,
    "not about the product": WORK_WORDS,
}


def vague_names(root: Path) -> Iterator[str]:
    """Files and folders whose name does not tell what is inside."""
    for module in modules(root, "src/isthmus", "tests"):
        for part in Path(module.place).with_suffix("").parts:
            if VAGUE.search(part.removeprefix("test_")):
                yield f"{module.place}: {part!r} does not say what is inside"


def packages_without_docstring(root: Path) -> Iterator[str]:
    """Packages whose __init__ does not say what lives there."""
    for module in modules(root):
        if module.place.endswith("/__init__.py") and not ast.get_docstring(module.tree):
            yield f"{module.place}:1: says nothing of what lives here and what may import it"


def forbidden_texts(root: Path) -> Iterator[str]:
    """Paths of one machine, hosts of package registries, and words about how the work is organised."""
    for place in tracked(root):
        path = root / place
        if place in NOT_OURS or path.suffix in BINARY or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            for what, pattern in COMPLAINTS.items():
                match = pattern.search(line)
                if match and not (pattern is MACHINE_PATH and place in PATHS):
                    yield f"{place}:{number}: {what}: {match[0]}"


def addresses_in_locks(root: Path) -> Iterator[str]:
    """Locks hold versions and hashes; where they come from is the installing machine's business."""
    for path in sorted((root / "requirements").glob("*.lock")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if (
                "://" in line
                or " @ " in line
                or line.lstrip().startswith(("-i ", "--index", "--extra", "--find", "-f "))
            ):
                yield f"requirements/{path.name}:{number}: an address: {line.strip()}"


def tracked(root: Path) -> list[str]:
    """Files git knows, sorted; in a tree without git, all of them."""
    if (root / ".git").exists():
        listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=True)
        return sorted(name for name in listed.stdout.decode().split("\0") if name)
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
