"""One level of a mapping (a record, or the elements of a list): rules against fields, types and the native side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from isthmus.mapping.building import RuleBuilder
from isthmus.mapping.plan import Plan
from isthmus.mapping.problems import Problem, did_you_mean
from isthmus.mapping.rules import Rule
from isthmus.mapping.surroundings import Natives, Surroundings
from isthmus.model.document import Document
from isthmus.model.entity import Field


class LevelCompiler:
    """Compiles the rules of one level and collects problems in the surroundings."""

    def __init__(
        self,
        around: Surroundings,
        fields: tuple[Field, ...],
        natives: Natives | None,
        *,
        name: str = "",
        outer: Natives | None = None,
        head: Rule | None = None,
    ) -> None:
        self.around = around
        self.fields = fields
        self.natives = natives
        self.name = name
        #: native fields of the record around, which formulas of elements may read
        self.outer = outer
        #: the list rule whose elements these are
        self.head = head

    def compile(self, rules: Sequence[Rule]) -> tuple[Plan, ...]:
        """Plans of all rules without fault."""
        plans: list[Plan] = []
        taken: dict[tuple[str, ...], Rule] = {}
        used = _written_names(rules)
        for rule in rules:
            if self._duplicate(rule, taken):
                continue
            taken[rule.parts] = rule
            field = self._field(rule)
            if field is not None:
                plan = RuleBuilder(self.around, rule, field, self.natives, self.outer, used, self._elements).build()
                if plan is not None:
                    plans.append(replace(plan, drop_null=self._in_map(rule.parts)))
        self._required(taken)
        if self.around.two_way:
            self._doubled(plans)
        return _masked(plans)

    def _elements(self, rule: Rule, field: Field, natives: Natives | None, outer: Natives | None) -> tuple[Plan, ...]:
        """Plans of the elements of a list rule."""
        name = f"{self.name}.{field.path}"
        return LevelCompiler(self.around, field.fields, natives, name=name, outer=outer, head=rule).compile(rule.sub)

    def check_keep(self, names: tuple[str, ...], document: Document) -> None:
        """Reports kept native names that do not exist."""
        for name in names:
            if self.natives is not None and name not in self.natives:
                text = f'"{name}" is not a field of the native side'
                line = document.line(("keep",))
                hint = did_you_mean(name, self.natives)
                self.around.problems.append(Problem("unknown_native", text, document.file, line, "", hint))

    def _duplicate(self, rule: Rule, taken: Mapping[tuple[str, ...], Rule]) -> bool:
        """The same target twice, or a part of something that is mapped as a whole."""
        for parts, other in taken.items():
            shorter = min(len(parts), len(rule.parts))
            if parts[:shorter] != rule.parts[:shorter]:
                continue
            if parts[0] == "extra" and parts != rule.parts:
                continue
            same = (
                f'"{rule.path}" is mapped twice' if parts == rule.parts else f'"{rule.path}" and "{other.path}" overlap'
            )
            self.around.problems.append(
                rule.problem("duplicate_target", same, f"The other rule stands at {other.place}: keep one.")
            )
            return True
        return False

    def _field(self, rule: Rule) -> Field | None:
        found = _resolve(self.fields, rule.parts)
        if found is not None:
            return found
        name = ".".join(rule.parts)
        known = [path for field in self.fields for path in _paths(field, "")]
        hint = did_you_mean(name, known) or f"{self.name} has {', '.join(field.path for field in self.fields)}."
        self.around.problems.append(rule.problem("unknown_field", f'{self.name} has no field "{name}"', hint))
        return None

    def _in_map(self, parts: tuple[str, ...]) -> bool:
        """Entries of a map (not of custom fields) hold values only, never null."""
        parent = _resolve(self.fields, parts[:-1]) if len(parts) > 1 and parts[0] != "extra" else None
        return parent is not None and parent.type == "map"

    def _required(self, taken: Mapping[tuple[str, ...], Rule]) -> None:
        if self.around.way == "write":
            return
        for path, field in _required_paths(self.fields, (), taken):
            whole = ".".join(path)
            line = self.head.line if self.head else 1
            file = self.head.file if self.head else self.around.file
            prefix = f"{self.head.path}." if self.head else ""
            self.around.problems.append(
                Problem(
                    "required_unmapped",
                    f'"{prefix}{whole}" ({field.description}) must be mapped: {self.name} cannot do without it',
                    file,
                    line,
                    prefix + whole,
                    f"Add `{whole}: {{at: NativeField}}` or `{whole}: {{value: ...}}`.",
                )
            )

    def _doubled(self, plans: Sequence[Plan]) -> None:
        """Two rules that write one native field would overwrite each other."""
        writers: dict[str, Plan] = {}
        for plan in plans:
            for name in plan.natives if plan.writes and plan.natives != ("self",) else ():
                other = writers.setdefault(name, plan)
                if other is not plan:
                    self.around.problems.append(
                        plan.rule.problem(
                            "duplicate_native",
                            f'"{plan.path}" and "{other.path}" would both write "{name}"',
                            "Add `way: read` to one of them.",
                        )
                    )


def _masked(plans: Sequence[Plan]) -> tuple[Plan, ...]:
    """A formula that reads a native field which is personal elsewhere shows no values either."""
    hidden = {name for plan in plans if plan.masked for name in plan.natives}
    result = []
    for plan in plans:
        read = {name for formula in (plan.formula, plan.condition) if formula is not None for name in formula.fields}
        result.append(replace(plan, masked=True) if read & hidden and not plan.masked else plan)
    return tuple(result)


def _written_names(rules: Sequence[Rule]) -> frozenset[str]:
    """Native names that rules of this level name, for proposals of names nobody uses."""
    names: set[str] = set()
    for rule in rules:
        for key in ("at", "each"):
            names.add(str(rule.options.get(key)))
        joined = rule.options.get("join")
        names.update(str(name) for name in (joined if isinstance(joined, list) else ()))
    return frozenset(names)


def _resolve(fields: tuple[Field, ...], parts: tuple[str, ...]) -> Field | None:
    """The field of a path; entries of a map are fields of any name, custom fields of any type."""
    if parts[0] == "extra" and len(parts) == 2:
        return _entry(".".join(parts), "any", "Custom field")
    found: Field | None = None
    for index, part in enumerate(parts):
        if found is not None and found.type == "list":
            return None
        if found is not None and found.type == "map":
            return _entry(part, "text", found.description, found) if index == len(parts) - 1 else None
        found = next((field for field in fields if field.path == part), None)
        if found is None:
            return None
        fields = found.fields
    return found


def _entry(path: str, kind: str, description: str, of: Field | None = None) -> Field:
    return Field(
        path=path,
        type=kind,
        required=False,
        nullable=True,
        description=description,
        owner=of.owner if of else "operations",
        sensitivity=of.sensitivity if of else "plain",
        key=False,
    )


def _paths(field: Field, prefix: str) -> list[str]:
    own = prefix + field.path
    inner = [] if field.type == "list" else [path for sub in field.fields for path in _paths(sub, f"{own}.")]
    return [own, *inner]


def _required_paths(
    fields: tuple[Field, ...], prefix: tuple[str, ...], taken: Mapping[tuple[str, ...], Rule]
) -> list[tuple[tuple[str, ...], Field]]:
    missing = []
    for field in fields:
        path = (*prefix, field.path)
        inside = any(parts[: len(path)] == path for parts in taken)
        if field.required and not inside:
            missing.append((path, field))
        elif field.type == "struct" and inside and path not in taken:
            missing += _required_paths(field.fields, path, taken)
    return missing
