"""Drift: what a lens uses against what the live system has."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from isthmus.mapping.lens import Lens
from isthmus.mapping.plan import Plan
from isthmus.mapping.problems import likeness
from isthmus.model.finding import Finding

#: Below this likeness a proposal would be noise.
LEAST = 0.55


def drift(lens: Lens, live_fields: Collection[str]) -> tuple[Finding, ...]:
    """One finding `native_field_missing` per native name the live system does not have.

    Names within list elements are compared where `live_fields` has entries of the form `list.field`. Each proposal is
    a live name no rule uses, and no name is proposed twice.
    """
    live = set(live_fields)
    uses = list(_uses(lens.plans, "", live))
    uses += [(name, lens.file, f"keep of {lens.entity.name}") for name in lens.keep]
    used = {name for name, _, _ in uses}
    missing: dict[str, tuple[str, list[str]]] = {}
    for name, where, path in uses:
        if not _has(live, name):
            missing.setdefault(name, (where, []))[1].append(path)
    proposals = _assign(list(missing), sorted(live - used))
    return tuple(_finding(lens, name, *missing[name], proposals.get(name)) for name in missing)


def _uses(plans: tuple[Plan, ...], prefix: str, live: set[str]) -> Iterator[tuple[str, str, str]]:
    """(native name, place of the rule, canonical path)."""
    for plan in plans:
        itself = plan.natives == ("self",)
        if not itself or plan.kind != "each":
            yield from ((prefix + name, plan.rule.place, plan.path) for name in plan.natives)
        for formula in (plan.formula, plan.condition):
            if formula is not None:
                yield from ((_in_scope(name, prefix, live), plan.rule.place, plan.path) for name in formula.fields)
        if plan.kind == "each":
            inner = prefix if itself else f"{prefix}{plan.natives[0]}."
            if itself or any(name.startswith(inner) for name in live):
                yield from _uses(plan.sub, inner, live)


def _in_scope(name: str, prefix: str, live: set[str]) -> str:
    """A formula within elements may mean a field of the record around."""
    return name if prefix and prefix + name not in live and name in live else prefix + name


def _has(live: set[str], name: str) -> bool:
    if name in live:
        return True
    first = name.split(".", maxsplit=1)[0]
    # Objects are listed by their own name where the live system does not tell what is inside.
    return first in live and not any(other.startswith(f"{first}.") for other in live)


def _assign(missing: list[str], free: list[str]) -> dict[str, str]:
    """The best pairs first, each name once."""
    scored = sorted(
        ((likeness(old.rpartition(".")[2], new.rpartition(".")[2]), old, new) for old in missing for new in free
         if old.rpartition(".")[0] == new.rpartition(".")[0]),
        key=lambda entry: (-entry[0], entry[1], entry[2]),
    )  # fmt: skip
    pairs: dict[str, str] = {}
    for score, old, new in scored:
        if score >= LEAST and old not in pairs and new not in pairs.values():
            pairs[old] = new
    return pairs


def _finding(lens: Lens, name: str, where: str, paths: list[str], proposal: str | None) -> Finding:
    feeds = ", ".join(dict.fromkeys(paths))
    text = f'The field "{name}" of {lens.native} does not exist any more; the mapping reads {feeds} from it.'
    if proposal:
        text += f' Perhaps it is called "{proposal}" now.'
    mend = f'{where}: write "{proposal}" instead of "{name}".' if proposal else f"{where}: change or remove the rule."
    return Finding("native_field_missing", "error", text, field=name, value=proposal or "", mend=mend)
