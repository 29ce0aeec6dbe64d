"""The pages this sandbox can publish, by their number."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping

from isthmus.sandbox.business_central import published
from isthmus.sandbox.business_central.published.page import Page


@functools.cache
def pages() -> Mapping[int, type[Page]]:
    """Every page of the modules of this package that export PAGES."""
    names = sorted(module.name for module in pkgutil.iter_modules(published.__path__))
    modules = [importlib.import_module(f"{published.__name__}.{name}") for name in names]
    return {page.number: page for module in modules for page in getattr(module, "PAGES", ())}


@functools.cache
def service(name: str, number: int) -> Page:
    """The page published under a name. Raises ValueError for one this sandbox does not have."""
    found = pages().get(number)
    if found is None:
        known = ", ".join(f"{one} {page.title_of_page}" for one, page in sorted(pages().items()))
        raise ValueError(f"service {name!r}: the sandbox has no page {number}; it has {known}")
    return found(name)


def check_name(name: str) -> None:
    """Raises ValueError for a name that no web service can have: it becomes a part of addresses."""
    if not name.isidentifier() or not name.isascii():
        raise ValueError(f"service {name!r}: use letters, digits and _")
