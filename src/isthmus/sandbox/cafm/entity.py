"""What an entity is: its fields, what it is looked up by, its statuses, and what happens around a change of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isthmus.sandbox.cafm.kinds import ByCode, Code, Kind, Reading, Record, Text
from isthmus.sandbox.cafm.problems import conflict

if TYPE_CHECKING:
    from isthmus.sandbox.cafm.world import World

#: Fields of every record, never taken from a body.
SYSTEM = ("id", "version", "createdAt", "updatedAt", "createdBy", "updatedBy", "deletedAt", "integration")
#: Entities whose ids begin here show whether a caller keeps more than 32 bits.
FIRST_ID = 2_147_483_640


@dataclass(frozen=True)
class Field:
    """A field of a record or of a line.

    `kind` None: computed, ignored in bodies. `members`: an object with these fields. `lines`: a list of lines with
    these.
    """

    name: str
    kind: Kind | None = None
    required: bool = False
    default: Any = None
    members: tuple[Field, ...] = ()
    lines: tuple[Field, ...] = ()

    @property
    def computed(self) -> bool:
        return self.kind is None and not self.members and not self.lines

    @property
    def blank(self) -> Any:
        """Its value in a record that says nothing of it."""
        if self.lines:
            return []
        if self.members:
            return {member.name: member.blank for member in self.members}
        return list(self.default) if isinstance(self.default, list) else self.default


@dataclass(frozen=True)
class Statuses:
    """The statuses of an entity and the ways between them. `free`: any of them may be given at creation.

    `internal`: changes that other records bring about, never the action `status`.
    """

    ways: Mapping[str, tuple[str, ...]]
    field: str = "status"
    free: bool = False
    internal: Mapping[str, tuple[str, ...]] | None = None

    @property
    def first(self) -> str:
        return next(iter(self.ways))

    def path(self, start: str, end: str) -> list[str]:
        """The shortest way from one status to another, without the first; empty when there is none."""
        ways: list[list[str]] = [[start]]
        seen = {start}
        for way in ways:
            for following in self.ways[way[-1]]:
                if following == end:
                    return [*way[1:], end]
                if following not in seen:
                    seen.add(following)
                    ways.append([*way, following])
        return []


@dataclass
class Work:
    """One operation: who does it, and when."""

    world: World
    actor: str
    now: str
    lenient: bool = False

    def reading(self) -> Reading:
        return Reading(self.world, lenient=self.lenient)


#: An action of an entity's own: makes a record, perhaps of another entity.
Action = Callable[["Work", Record, Mapping[str, Any]], tuple["Entity", Record]]


class Entity:
    """A kind of record. Entities with more to them than fields override what happens around a change.

    `unique`: fields that together name a record; `filters`: what lists filter by; `since`: parameters that filter by a
    time at or after; `referenced`: where else its id or code stands, so that what is in use is not deleted.
    """

    unique: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    #: looked up by, but no parameter of a list
    looked_up: tuple[str, ...] = ()
    since: Mapping[str, str] = {}
    statuses: Statuses | None = None
    prefix = ""
    first_id = FIRST_ID
    events = True
    #: (entity, field, own field it holds)
    referenced: tuple[tuple[str, str, str], ...] = ()
    #: other records name it by its code, which is therefore fixed
    code_fixed = False
    permission = ""

    def __init__(self, name: str, fields: tuple[Field, ...], **settings: Any) -> None:
        self.name = name
        self.permission = name
        for key, value in settings.items():
            if not hasattr(type(self), key):
                raise TypeError(f"{name} has no setting {key}")
            setattr(self, key, value)
        self.fields = self._whole(fields)
        self.by_name = {field.name: field for field in self.fields}
        #: codes and numbers, which are compared regardless of case
        self.folded = {field.name for field in self.fields if isinstance(field.kind, ByCode | Code)} | {"number"}
        self.actions: dict[str, Action] = {}

    def _whole(self, fields: tuple[Field, ...]) -> tuple[Field, ...]:
        """The fields with those every record has around them."""
        number = (Field("number"),) if self.prefix else ()
        own = (Field("externalId", Text(64)),)
        system = tuple(Field(name) for name in SYSTEM)
        return (*system[:2], *number, *fields, *own, *system[2:])

    @property
    def indexed(self) -> tuple[str, ...]:
        """Fields records are found by."""
        number = ("number",) if self.prefix else ()
        external = ("externalNumber",) if "externalNumber" in self.by_name else ()
        status = (self.statuses.field,) if self.statuses else ()
        found = ("externalId", *number, *external, *status, *self.filters, *self.looked_up)
        return tuple(dict.fromkeys(found))

    # around a change; `record` may be changed until it is stored

    def complete(self, work: Work, record: Record, before: Record | None, reading: Reading) -> None:
        """Fill in what is computed and check what goes across fields, noting what is wrong in the reading. Raises
        Problem.
        """

    def editable(self, record: Record, changed: frozenset[str]) -> None:
        """Raises Problem when these fields may not be changed now."""
        if self.code_fixed and changed & set(self.unique):
            raise conflict("not_editable", "Other records name this one by its code; it is fixed.", self.unique[-1])

    def moving(self, work: Work, record: Record, status: str) -> None:
        """Before a status is changed by its action; may set further fields. Raises Problem."""

    def deletable(self, work: Work, record: Record) -> None:
        """Raises Problem."""

    def stored(self, work: Work, record: Record, before: Record | None) -> None:
        """After a record was stored: what it brings about elsewhere. Checked before, so that it cannot fail."""

    def show(self, world: World, record: Record) -> Record:
        """The record as it is answered."""
        return record
