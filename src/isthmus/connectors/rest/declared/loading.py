"""Finding a profile and reading it: one that comes along, by its name, or a file of the project, by its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from isthmus.connectors.rest.declared.auth import needed_settings
from isthmus.connectors.rest.declared.checking import check_profile
from isthmus.connectors.rest.declared.profile import Profile
from isthmus.errors import ConfigurationError
from isthmus.model.document import Document, parse_document

#: what a document of a profile is read as
MODEL = Profile
_PACKAGE = "isthmus.connectors.rest"
_FILE = "profile.yaml"
_ENDINGS = (".yaml", ".yml")


def is_file(name: str) -> bool:
    """Whether a connection names a file of its own, and not a profile that comes along."""
    return name.endswith(_ENDINGS)


def shipped_names() -> tuple[str, ...]:
    """Names of the profiles that come along, sorted."""
    return tuple(sorted(folder.name for folder in _home().iterdir() if folder.joinpath(_FILE).is_file()))


def profile_document(name: str) -> Document:
    """The YAML of a profile, by its name or path. Raises ConfigurationError when there is none."""
    return parse_document(profile_text(name), name if is_file(name) else f"profiles/{name}/{_FILE}")


def profile_text(name: str) -> str:
    """The same before it is parsed."""
    if is_file(name):
        return _text(Path(name))
    if name not in shipped_names():
        raise ConfigurationError(
            f"there is no profile {name!r}: {', '.join(shipped_names())} come along.",
            code="profile_missing",
            hint="Write one of these, or the path of your own, profiles/NAME.yaml.",
        )
    return _home().joinpath(name, _FILE).read_text(encoding="utf-8")


def lens_documents(name: str) -> Mapping[str, Document]:
    """Mappings that come along with a profile, by entity; none with a file of one's own."""
    folder = _home().joinpath(name, "lenses") if not is_file(name) else None
    if folder is None or not folder.is_dir():
        return {}
    found = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(_ENDINGS):
            document = parse_document(file.read_text(encoding="utf-8"), f"profiles/{name}/lenses/{file.name}")
            found[str(document.data["entity"])] = document
    return found


@lru_cache(maxsize=64)
def _shipped(name: str) -> Profile:
    return read_profile(profile_document(name))


def load_profile(name: str) -> Profile:
    """The profile itself. Raises ConfigurationError with file and line of the first thing that is wrong."""
    return read_profile(profile_document(name)) if is_file(name) else _shipped(name)


def problems_of(profile: Profile, document: Document) -> Iterator[ConfigurationError]:
    """What of a profile does not fit together, each with its line."""
    return check_profile(profile, document)


def missing_settings(profile: Profile, settings: Mapping[str, Any], *, simulated: bool) -> Iterator[str]:
    """Settings a connection has to have by its profile and does not have."""
    if not simulated and not profile.url and not settings.get("url"):
        yield "url"
    if not simulated:
        yield from (name for name in needed_settings(profile.auth) if not settings.get(name))
    given = settings.get("parameters")
    for name, declared in profile.parameters.items():
        if declared.default is None and not (isinstance(given, Mapping) and given.get(name)):
            yield f"parameters.{name}"


def read_profile(document: Document) -> Profile:
    """A document as a profile; whether its parts fit together is the matter of `checking`."""
    detail: Mapping[str, Any] = {}
    try:
        return Profile.model_validate(document.data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        detail = dict(found[0])
    path = _path(detail["loc"], document.data)
    place = ".".join(str(part) for part in detail["loc"])
    raise document.error(path, f"{place}: {detail['msg']}.", hint="See docs/profiles.md.")


def _path(location: tuple[int | str, ...], data: Any) -> tuple[str | int, ...]:
    """The part of a pydantic location that stands in the document."""
    path: list[str | int] = []
    for part in location:
        known = part in data if isinstance(data, Mapping) else isinstance(data, list) and part in range(len(data))
        if known:
            data = data[part]
            path.append(part)
    return tuple(path)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        reason = "is not there"
    except UnicodeDecodeError:
        reason = "is not UTF-8 text: save it as UTF-8"
    except OSError as error:
        reason = f"cannot be read: {error.strerror or 'unknown reason'}"
    raise ConfigurationError(f"the profile {path} {reason}.", code="profile_missing", file=str(path))


def _home() -> Traversable:
    return resources.files(_PACKAGE).joinpath("profiles")
