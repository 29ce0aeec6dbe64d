"""Write a new project folder from the files in `content/`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from isthmus.errors import ConfigurationError

SkeletonKind = Literal["files-business-central", "sandbox"]
#: What each kind is for, in the order `isthmus init` offers them.
KINDS: Mapping[SkeletonKind, str] = MappingProxyType(
    {
        "sandbox": "try it out: a small list of work orders and a simulated Business Central",
        "files-business-central": "a folder of CSV or Excel files, and your own Business Central",
    }
)
_PLACEHOLDER = "project: my-project"
#: Names that would act on this repository if they stood in it as such.
_RENAMED = MappingProxyType({"gitignore.txt": ".gitignore"})


def write_skeleton(target: Path, kind: str) -> tuple[Path, ...]:
    """Write a project of this kind into `target`, which must be new or empty. Returns the files, in order.

    Raises ConfigurationError for an unknown kind, a folder that holds anything, and a folder that cannot be written.
    """
    if kind not in get_args(SkeletonKind):
        raise ConfigurationError(f"there is no kind of project {kind!r}.", hint=f"Choose {' or '.join(KINDS)}.")
    if target.exists() and not target.is_dir():
        raise ConfigurationError(f"{target} is a file.", hint="Name a new folder.")
    if target.is_dir() and any(target.iterdir()):
        raise ConfigurationError(f"the folder {target} is not empty.", hint="Name a new folder; nothing was written.")
    reason = ""
    written: list[Path] = []
    try:
        for name, text in sorted(_content(kind)):
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(_PLACEHOLDER, f"project: {_name(target)}"), encoding="utf-8", newline="\n")
            written.append(path)
    except OSError as error:
        reason = error.strerror or "unknown reason"
    if reason:
        raise ConfigurationError(f"cannot write into {target}: {reason}.")
    return tuple(written)


def _content(kind: str) -> Iterator[tuple[str, str]]:
    """Relative name and text of each file: what all kinds share, then what is of this kind."""
    content = files("isthmus.app.skeletons") / "content"
    for part in ("common", kind):
        yield from _walk(content / part, "")


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + _RENAMED.get(entry.name, entry.name), entry.read_text(encoding="utf-8")


def _name(target: Path) -> str:
    """A project name made of the folder's: `Mine 7` becomes `mine-7`."""
    name = re.sub(r"[^a-z0-9_-]+", "-", target.resolve().name.lower()).strip("-_")
    return name[:60] or "project"
