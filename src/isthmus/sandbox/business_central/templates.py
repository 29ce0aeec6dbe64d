"""Config. Templates: what a new record gets that the API cannot set, posting groups above all (bc.md section 13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isthmus.sandbox.business_central.company import Company
from isthmus.sandbox.business_central.tables import Values


def settle(company: Company, section: str, templates: list[dict[str, Any]]) -> None:
    """Keep the templates of a seed section, in their order. Each: `when` (property -> value) and what it gives."""
    company.settings[section] = templates


def given_by(company: Company, section: str, values: Values) -> Mapping[str, str]:
    """What the first template gives whose rules the record meets; nothing without one. Rules compare as text, without
    regard to case.
    """
    for template in company.settings.get(section, ()):
        if all(str(values.get(name)).lower() == wanted.lower() for name, wanted in template["when"].items()):
            return {name: value for name, value in template.items() if name != "when"}
    return {}
