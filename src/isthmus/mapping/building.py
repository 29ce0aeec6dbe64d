"""One rule to one plan: its steps, types and formulas, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from isthmus.mapping.context import NativeInfo
from isthmus.mapping.converters.base import BadOptions
from isthmus.mapping.converters.registry import UnknownConverter, build_converter
from isthmus.mapping.failure import BadValue, quoted
from isthmus.mapping.fitting import advice, fits, in_words, native_kind
from isthmus.mapping.formula.compile import Formula, compile_formula
from isthmus.mapping.formula.syntax import FormulaProblem
from isthmus.mapping.formula.values import BOOL
from isthmus.mapping.plain import Convert, from_state, native_form, to_state
from isthmus.mapping.plan import ABSENT, Kind, Plan, Step
from isthmus.mapping.problems import closest, did_you_mean
from isthmus.mapping.rules import WAYS, Rule
from isthmus.mapping.steps import MISSING, converter_step, lookup_step, ref_step
from isthmus.mapping.surroundings import Natives, Surroundings
from isthmus.model.entity import Field

Elements = Callable[[Rule, Field, Natives | None, Natives | None], tuple[Plan, ...]]
_KINDS = ("at", "value", "join", "formula", "each")
_COMMON = {"when", "way", "note"}
_ALLOWED = {
    "at": _COMMON | {"via", "lookup", "missing", "default", "ref", "cut", "max", "type"},
    "value": _COMMON,
    "join": _COMMON | {"with", "via", "default"},
    "formula": _COMMON | {"default"},
    "each": _COMMON | {"key", "keep"},
}


class RuleBuilder:
    """Builds the plan of one rule; reports problems to the surroundings and then gives no plan."""

    def __init__(
        self,
        around: Surroundings,
        rule: Rule,
        field: Field,
        natives: Natives | None,
        outer: Natives | None,
        used: frozenset[str],
        elements: Elements,
    ) -> None:
        self.around = around
        self.rule = rule
        self.options = rule.options
        self.field = field
        self.natives = natives
        self.outer = outer
        self.used = used
        self.elements = elements
        self.masked = field.sensitivity != "plain"
        self.one_way = ""
        self.read_only = False
        self.failed = False

    def build(self) -> Plan | None:
        """The plan, or None when a problem was reported."""
        kind = self._kind()
        if kind is None:
            return None
        reads, writes = self._ways()
        names = self._native_names(kind)
        info = self._info(names[0]) if kind == "at" and names else NativeInfo("")
        default = self._default(kind)
        steps = self._steps(kind, info, default)
        formula = self._formula("formula") if kind == "formula" else None
        condition = self._formula("when") if "when" in self.options else None
        sub, key = self._list(names) if kind == "each" else ((), "")
        self._direction(kind, reads=reads, writes=writes)
        if kind in {"value", "formula"}:
            writes = False
        if self.failed:
            return None
        return Plan(
            rule=self.rule,
            kind=kind,
            field=self.field,
            natives=names,
            info=info,
            steps=steps,
            to_state=_defaulting(to_state(self.field), default),
            from_state=from_state(self.field),
            native_form=native_form(native_kind(self._type(info))),
            default=default,
            reads=reads,
            writes=writes and not self.read_only and info.writable,
            masked=self.masked,
            one_way=self.one_way if info.writable else "the system does not let it be written",
            formula=formula,
            condition=condition,
            separator=str(self.options.get("with", " ")),
            cut=self.options.get("cut") is True,
            longest=self._longest(info),
            key=key,
            keep=_keep(self.options),
            sub=sub,
            around=self._around(names, sub) if kind == "each" else (),
            frozen=self._frozen(names) if kind == "each" else frozenset(),
        )

    def _report(self, code: str, text: str, suggestion: str = "") -> None:
        self.failed = True
        self.around.problems.append(self.rule.problem(code, text, suggestion))

    def _kind(self) -> Kind | None:
        given = [name for name in _KINDS if name in self.options]
        if len(given) != 1:
            said = f"says {' and '.join(given)}" if given else "says not where the value comes from"
            hint = f"Give exactly one of {', '.join(_KINDS)}."
            if self.rule.sub and not given:
                hint = "A list needs `each: <native list>`."
            self._report("form", f'the rule of "{self.rule.path}" {said}', hint)
            return None
        kind = cast("Kind", given[0])
        for name in self.options:
            if name != kind and name not in _ALLOWED[kind]:
                self._report("form", f'"{name}" cannot stand beside "{kind}" in the rule of "{self.rule.path}"')
        if kind == "each" and (self.field.type != "list" or not self.field.fields):
            self._report("type_mismatch", f'"{self.rule.path}" is {in_words(self.field.type)}, not a list of records')
            return None
        if kind != "each" and self.field.type == "list" and self.field.fields:
            self._report("each_missing", f'"{self.rule.path}" is a list of records', "Use `each:` with `key:`.")
            return None
        return kind

    def _ways(self) -> tuple[bool, bool]:
        way = self.options.get("way", "both")
        if way not in WAYS:
            self._report("form", f"way is {way!r}, it must be one of {', '.join(WAYS)}")
        whole = self.around.way
        return "write" not in {way, whole}, "read" not in {way, whole}

    def _native_names(self, kind: Kind) -> tuple[str, ...]:
        given = self.options.get(kind) if kind in {"at", "join", "each"} else []
        names = [given] if isinstance(given, str) else given
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            hint = "YAML reads words such as No, Yes, On and bare numbers as values: put the name in quotes."
            self._report("form", f'"{kind}" of "{self.rule.path}" must name native fields', hint)
            return ()
        if kind == "join" and len(names) < 2:
            self._report("form", f'"join" of "{self.rule.path}" needs a list of at least two native fields')
        if kind == "join" and not self.options.get("with", " "):
            self._report("form", f'"with" of "{self.rule.path}" must not be empty: writing could not split')
        for name in names:
            if not (kind == "each" and name == "self"):
                self._native_known(name)
        return tuple(names)

    def _native_known(self, name: str) -> None:
        natives = self.natives
        if natives is None or name in natives:
            return
        first = name.split(".", maxsplit=1)[0]
        # An object the native side tells nothing about inside is taken on trust.
        if first in natives and first != name and not any(other.startswith(f"{first}.") for other in natives):
            return
        if any(other.startswith(f"{name}.") for other in natives):
            return
        renamed = closest(name, [other for other in natives if other not in self.used])
        hint = f'Did you mean "{renamed}"? No rule uses it yet.' if renamed else did_you_mean(name, natives)
        self._report("unknown_native", f'the native side has no field "{name}" (for "{self.rule.path}")', hint)

    def _info(self, name: str) -> NativeInfo:
        known = (self.natives or {}).get(name)
        return known if known is not None else NativeInfo("")

    def _type(self, info: NativeInfo) -> str:
        return str(self.options.get("type") or info.type)

    def _default(self, kind: Kind) -> Any:
        name = "value" if kind == "value" else "default"
        if name not in self.options:
            return ABSENT
        given = self.options[name]
        try:
            return to_state(self.field)(given)
        except BadValue as bad:
            text = f'{name} of "{self.rule.path}" is {quoted(given)}, but it needs {bad.expected}'
            self._report("type_mismatch", text)
            return ABSENT

    def _steps(self, kind: Kind, info: NativeInfo, default: Any) -> tuple[Step, ...]:
        if kind not in {"at", "join"}:
            return ()
        steps: list[Step] = []
        current = "text" if kind == "join" else native_kind(self._type(info))
        via = self.options.get("via", [])
        for entry in via if isinstance(via, list) else [via]:
            current = self._converter(entry, current, steps)
        if "lookup" in self.options:
            steps.append(self._lookup(default))
            current = "text"
        elif "missing" in self.options:
            self._report("form", f'"missing" of "{self.rule.path}" needs a lookup')
        if "ref" in self.options:
            steps.append(ref_step(str(self.options["ref"]), masked=self.masked))
            current = "text"
        self._fitting(current, self.field.type)
        return tuple(steps)

    def _converter(self, entry: Any, current: str, steps: list[Step]) -> str:
        try:
            label, converter = build_converter(entry)
        except UnknownConverter as unknown:
            self._report("unknown_converter", f'{unknown} (in the rule of "{self.rule.path}")', unknown.suggestion)
            return "any"
        except BadOptions as bad:
            self._report("converter", f'converter of "{self.rule.path}": {bad}')
            return "any"
        if not fits(current, converter.takes):
            takes, comes = in_words(converter.takes), in_words(current)
            text = f'converter {label} of "{self.rule.path}" takes {takes}, here comes {comes}'
            self._report("type_mismatch", text)
        if converter.one_way:
            self.one_way = converter.one_way
        self.read_only = self.read_only or converter.read_only
        steps.append(converter_step(label, converter))
        return (
            current if converter.gives == converter.takes == "any" and not label.startswith("enum") else converter.gives
        )

    def _fitting(self, source: str, target: str) -> None:
        if not fits(source, target):
            path = self.rule.path
            self._report(
                "type_mismatch",
                f'"{path}" is {in_words(target)}, but {in_words(source)} would come in',
                advice(source, target),
            )

    def _lookup(self, default: Any) -> Step:
        name = str(self.options["lookup"])
        given = self.options.get("missing", "finding")
        missing = "null" if given is None else str(given)  # unquoted null is YAML's own
        tables = self.around.tables
        if missing not in MISSING:
            self._report("form", f'missing is "{missing}", it must be one of {", ".join(MISSING)}')
        if missing == "default" and default is ABSENT:
            self._report("form", f'"{self.rule.path}" says missing: default, but gives no default')
        if tables is not None and name not in tables:
            hint = did_you_mean(name, tables) or "Create it, or correct the name."
            self._report("unknown_table", f'there is no lookup table "{name}" (for "{self.rule.path}")', hint)
        elif tables is not None and not tables[name].invertible:
            value, keys = next(iter(tables[name].repeated.items()))
            self.one_way = f'lookup table {name} gives "{value}" for {", ".join(keys)}'
        return lookup_step(name, missing, default, tables or {}, two_way=self.around.two_way, masked=self.masked)

    def _formula(self, name: str) -> Formula | None:
        text = self.options[name]
        if not isinstance(text, str):
            self._report("form", f'"{name}" of "{self.rule.path}" must be a formula in quotes')
            return None
        natives = None
        if self.natives is not None:
            natives = {n: info.type for n, info in {**(self.outer or {}), **self.natives}.items()}
        try:
            formula = compile_formula(
                text, fields=natives, tables=self.around.tables, expect=BOOL if name == "when" else "any"
            )
        except FormulaProblem as problem:
            self._report("formula", f'{name} of "{self.rule.path}", {problem.message}', problem.suggestion)
            return None
        if name == "formula" and formula.type not in {"any", "null"}:
            self._fitting(formula.type, self.field.type)
        return formula

    def _list(self, names: tuple[str, ...]) -> tuple[tuple[Plan, ...], str]:
        itself = names == ("self",)
        sub = self.elements(self.rule, self.field, *self._element_natives(names))
        key = self.options.get("key")
        wanted = next((field.path for field in self.field.fields if field.key), "")
        if key is None:
            if not itself:
                hint = f"Add `key: {wanted}`." if wanted else "Add `key: <field of the elements>`."
                self._report("each_without_key", f'"{self.rule.path}" has no key: lists merge by it', hint)
            return sub, wanted if itself else ""
        known = [field.path for field in self.field.fields]
        if key not in known:
            hint = did_you_mean(str(key), known)
            self._report("unknown_field", f'key "{key}" is no field of the elements of "{self.rule.path}"', hint)
        elif not any(rule.parts == (key,) for rule in self.rule.sub):
            self._report(
                "each_without_key", f'key "{key}" of "{self.rule.path}" is not mapped', f"Add a rule for {key}."
            )
        return sub, str(key)

    def _element_natives(self, names: tuple[str, ...]) -> tuple[Natives | None, Natives | None]:
        if names == ("self",) or not names:
            return self.natives, self.outer
        prefix = f"{names[0]}."
        found = {name[len(prefix) :]: info for name, info in (self.natives or {}).items() if name.startswith(prefix)}
        return (found or None), self.natives

    def _around(self, names: tuple[str, ...], sub: tuple[Plan, ...]) -> tuple[str, ...]:
        """Fields of this level that formulas of the elements name; known only where the native side is."""
        inner, outer = self._element_natives(names)
        formulas = [formula for plan in sub for formula in (plan.formula, plan.condition) if formula is not None]
        used = [name for formula in formulas for name in formula.fields]
        if names == ("self",) or inner is None or outer is None:
            return ()
        return tuple(dict.fromkeys(name for name in used if name not in inner and name in outer))

    def _frozen(self, names: tuple[str, ...]) -> frozenset[str]:
        inner, _ = self._element_natives(names)
        return frozenset(name for name, info in (inner or {}).items() if not info.writable)

    def _direction(self, kind: Kind, *, reads: bool, writes: bool) -> None:
        if kind == "formula":
            self.one_way = "a formula has no inverse"
        if kind == "value":
            self.one_way = "a constant is not written"
        if self.around.two_way and reads and writes and self.one_way and kind != "value":
            self._report(
                "one_way",
                f'"{self.rule.path}" cannot be written back: {self.one_way}',
                "Add `way: read` if edits of this field need not travel back, or use a rule that can be inverted.",
            )

    def _longest(self, info: NativeInfo) -> int | None:
        given = self.options.get("max")
        if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 1):
            self._report("form", f'max of "{self.rule.path}" must be a number of characters')
            return None
        limits = [limit for limit in (given, info.max_length) if limit is not None]
        return min(limits) if limits else None


def _keep(options: Any) -> tuple[str, ...]:
    given = options.get("keep")
    return tuple(str(name) for name in given) if isinstance(given, list) else ()


def _defaulting(convert: Convert, default: Any) -> Convert:
    """A blank value becomes the default. Blank is nothing or the empty text."""
    if default is ABSENT:
        return convert
    return lambda value: default if value is None or value == "" else convert(value)
