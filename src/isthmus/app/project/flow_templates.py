"""Ready-made flows: the settings a flow file need not repeat."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from isthmus.app.project.spelling import suggestion
from isthmus.model.document import Document, parse_document


@cache
def flow_templates() -> Mapping[str, Document]:
    """All templates by name."""
    found = {}
    for entry in sorted((files("isthmus.app.project") / "templates" / "flows").iterdir(), key=lambda file: file.name):
        if entry.name.endswith(".yaml"):
            found[entry.name.removesuffix(".yaml")] = parse_document(entry.read_text("utf-8"), f"template {entry.name}")
    return MappingProxyType(found)


def with_template(document: Document) -> Document:
    """The flow with what its template says where the file itself is silent; the lines stay those of the file.

    Raises ConfigurationError when there is no such template.
    """
    name = document.data.get("template")
    if not isinstance(name, str):
        return document
    template = flow_templates().get(name)
    if template is None:
        hint = suggestion(name, flow_templates())
        raise document.error(("template",), f"there is no flow template {name!r}:", hint=hint)
    return Document(document.file, _merged(template.data, document.data), document.lines)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Maps are merged, everything else of `above` replaces what is below. An explicit null replaces too."""
    result = dict(below)
    for name, value in above.items():
        under = result.get(name)
        result[name] = _merged(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return result
