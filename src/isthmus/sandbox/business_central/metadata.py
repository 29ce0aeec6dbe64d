"""`$metadata`: the EDMX of the sets this sandbox has. Names of the enum types are assumed (bc.md section 20)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.sax.saxutils import quoteattr

from isthmus.sandbox.business_central.entity import EntitySet
from isthmus.sandbox.business_central.environment import Environment
from isthmus.sandbox.business_central.fields import Field, Kind, Options

HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
    '<Schema Namespace="Microsoft.NAV" xmlns="http://docs.oasis-open.org/odata/ns/edm">'
)
TAIL = "</Schema></edmx:DataServices></edmx:Edmx>"


def document(environment: Environment, sets: Mapping[str, EntitySet]) -> bytes:
    """The whole document, with drifted names as they are now."""
    parts = [HEAD]
    for entity_set in sets.values():
        parts += _entity(entity_set, sets, environment.drift.get(entity_set.name, {}))
    parts += _enums(sets)
    parts.append('<EntityContainer Name="NAV">')
    for entity_set in sets.values():
        parts.append(f'<EntitySet Name="{entity_set.name}" EntityType="Microsoft.NAV.{entity_set.entity}"/>')
    parts += ["</EntityContainer>", TAIL]
    return "".join(parts).encode()


def _entity(entity_set: EntitySet, sets: Mapping[str, EntitySet], renamed: Mapping[str, str]) -> Iterator[str]:
    key = entity_set.fields[0].name
    yield f'<EntityType Name="{entity_set.entity}"><Key><PropertyRef Name="{renamed.get(key, key)}"/></Key>'
    for field in entity_set.fields:
        yield property_of(field, renamed.get(field.name, field.name))
    for navigation in entity_set.navigations:
        kind = f"Microsoft.NAV.{sets[navigation.target].entity}"
        many = f"Collection({kind})" if navigation.many else kind
        contained = ' ContainsTarget="true"' if navigation.many else ""
        yield f'<NavigationProperty Name="{navigation.name}" Type="{many}"{contained}/>'
    yield "</EntityType>"
    cased = {name.lower(): name for name in entity_set.action_names}
    for action in entity_set.actions:
        yield (
            f'<Action Name="{cased.get(action, action)}" IsBound="true">'
            f'<Parameter Name="bindingParameter" Type="Microsoft.NAV.{entity_set.entity}"/></Action>'
        )


def property_of(field: Field, name: str, *, plain: bool = False) -> str:
    """One property; with `plain` an enum is a string."""
    nullable = ' Nullable="false"' if field.name == "id" else ""
    size = f' MaxLength="{field.size}"' if field.size else ""
    scale = ' Scale="Variable"' if field.kind is Kind.DECIMAL else ""
    kind = "Edm.String" if field.kind in {Kind.CODE, Kind.ENUM} else field.kind.value
    if field.options is not None and not plain:
        kind = f"Microsoft.NAV.{type_name(field.options)}"
    return f'<Property Name="{name}" Type="{kind}"{nullable}{size}{scale}/>'


def type_name(options: Options) -> str:
    words = "".join(word for word in options.name.replace("/", "").replace(".", "").title().split())
    return words[0].lower() + words[1:]


def _enums(sets: Mapping[str, EntitySet]) -> Iterator[str]:
    enums = {f.options.name: f.options for s in sets.values() for f in s.fields if f.options is not None}
    for options in enums.values():
        yield f'<EnumType Name="{type_name(options)}">'
        for value, name in enumerate(options.members):
            yield f"<Member Name={quoteattr(name)} Value={quoteattr(str(value))}/>"
        yield "</EnumType>"
