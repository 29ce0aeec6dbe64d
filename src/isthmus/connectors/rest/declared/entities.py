"""Entities: which canonical record is which set of the system, how it is read, told apart, changed and found again."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from isthmus.connectors.rest.declared.base import Declared, Duration, Many, Place, Proven, Template
from isthmus.connectors.rest.declared.calls import Calls, Filter, Part, Rooted, WriteCall
from isthmus.connectors.rest.declared.fields import Spec
from isthmus.connectors.rest.declared.paging import Paging
from isthmus.model.values import Action

_TWO_SECONDS = timedelta(seconds=2)


class IdSpec(Proven):
    """A record's own id. Whatever it is on the wire, it is text in Isthmus."""

    at: Place = Field(default="id", description="Where it stands")
    wire: Literal["text", "number"] = Field(default="text", description="What it is on the wire")


class VersionSpec(Proven):
    """What tells one state of a record from the next."""

    at: Place = Field(default="version", description="Where it stands")
    guard: Literal["sent", "read", "none"] = Field(
        default="none",
        description="An update of an outdated version is refused: `sent`: by the system, because the calls carry "
        "`{version}`; `read`: by Isthmus, which reads the record before it writes; `none`: it is not",
    )


class DeletedSpec(Proven):
    """What marks a record as deleted that can still be read."""

    at: Place = Field(description="Where the mark stands")
    values: Many[str] = Field(default=(), description="Words that mean deleted; empty: any value does")


class KeySpec(Proven):
    """What a record is found again by after a lost answer, where its id is not known."""

    fields: Many[str] = Field(description="Native fields that together tell it apart", min_length=1)
    mark: str = Field(
        default="",
        description="One of them that Isthmus fills with a mark of its own, for records that have no number of theirs",
    )
    unique: bool = Field(default=False, description="The system itself refuses a second record with this key")
    ignore_case: bool = Field(default=False, description="Upper and lower case are the same to the system")


class StatusSpec(Proven):
    """A status that is not changed like other fields but by a call, step by step."""

    at: str = Field(description="Native field it stands in")
    call: WriteCall | None = Field(
        default=None, description="Call that changes it, with `{status}`; empty: it is a field like any other"
    )
    moves: dict[str, Many[str]] = Field(
        default={}, description="Status to those that can follow by the call; empty: each can follow each"
    )
    at_creation: Many[str] = Field(default=(), description="Words a new record may be made with; others are called for")


class RangeSpec(Proven):
    """How records of a range of days are asked for."""

    since: str = Field(default="", description="Query parameter of the first day")
    until: str = Field(default="", description="Query parameter of the last day")
    format: str = Field(default="iso", description="Its form: `iso`, `unix_seconds`, `unix_millis`, or a pattern")


class Filtered(Proven):
    """Changes are asked for by time: the list call knows `{since}`."""

    how: Literal["filter"] = Field(description="Changes are asked for by time, `{since}`")
    at: Place = Field(description="Where a record says when it was changed")
    format: str = Field(
        default="iso",
        description="Form of that time and of `{since}`: `iso`, `unix_seconds`, `unix_millis`, or a pattern",
    )
    zone: str = Field(default="UTC", description="Zone of times that come without one")
    inclusive: bool = Field(default=True, description="`{since}` itself is among what is shown")
    overlap: Duration = Field(
        default=_TWO_SECONDS, description="How much later than its time of change a record may first be shown"
    )
    sorted: bool = Field(default=False, description="The oldest change comes first, always")
    query: dict[str, Template] = Field(
        default={}, description="Query parameters of such a read besides those of the list call"
    )


class Scanned(Proven):
    """There is no way to ask for changes: everything is read each time and compared by content."""

    how: Literal["scan"] = Field(description="Everything is read each time and compared by content")
    query: dict[str, Template] = Field(
        default={}, description="Query parameters of such a read besides those of the list call"
    )


class Unwatched(Proven):
    """Changes are not followed; single records can be read."""

    how: Literal["none"] = Field(description="Changes are not followed")


Changes = Annotated[Filtered | Scanned | Unwatched, Field(discriminator="how")]


class Shared(Proven):
    """What an entity says, or the profile for all of them."""

    calls: Calls = Field(default=Calls(), description="The calls")
    paging: Paging | None = Field(default=None, description="How a long list is cut into pages")
    changes: Changes | None = Field(default=None, description="How changes are found")
    id: IdSpec | None = Field(default=None, description="The record's own id")
    number: Place | None = Field(default=None, description="Where the number stands that people know a record by")
    version: VersionSpec | None = Field(
        default=None, description="What tells one state from the next; empty: the whole content does"
    )
    deleted: DeletedSpec | None = Field(default=None, description="What marks a record as deleted")
    external_id: str = Field(default="", description="Native field that keeps the id of the other side")
    filters: dict[str, Filter | None] = Field(
        default={}, description="Native field to how records are asked for by its value; `id` fetches several at once"
    )
    ranges: dict[str, RangeSpec | None] = Field(
        default={}, description="Native field to how records of a range of days are asked for"
    )
    fields: dict[str, Spec | None] = Field(
        default={}, description="Fields and their kinds; what is not listed travels as it is on the wire"
    )


class Joined(Proven):
    """A field of another record that this one refers to by its id, for systems that show nothing but ids."""

    by: str = Field(description="Native field that holds the id of the other record")
    set: str = Field(description="Native set of the other record; it needs a filter `id`, or a call `get`")
    at: Place = Field(description="Where the field stands in the other record")


class Settle(Proven):
    """How long a call may go on at the system. A time alone says it in short."""

    at_most: Duration = Field(description="Longest time the system may go on with a call whose answer was lost")


def _at_most(value: Any) -> Any:
    return {"at_most": value} if isinstance(value, str) else value


SettleTime = Annotated[Settle, BeforeValidator(_at_most)]


class EntitySpec(Shared):
    """One entity of Isthmus in this system."""

    native: str = Field(description="Name of the set in the system; `{set}` in calls", min_length=1)
    actions: Many[Action] = Field(
        default=(), description="What may be written: `create`, `update`, `delete`, `post`, `note`"
    )
    key: KeySpec | None = Field(default=None, description="What a record is found again by after a lost answer")
    status: StatusSpec | None = Field(default=None, description="A status that is changed by a call")
    parts: dict[str, Part] = Field(
        default={}, description="Native list to the call it is read by, where the record itself does not hold it"
    )
    united: dict[str, Many[str]] = Field(
        default={},
        description="List to be added, made of several native lists: each element also holds `list`, the name of the "
        "list it comes from, and `lineKey`. Read only",
    )
    joins: dict[str, Joined] = Field(
        default={}, description="Field to be added, taken from a record this one refers to. Read only"
    )
    settle: SettleTime | None = Field(
        default=None, description="How long a call may go on at the system; empty: as the profile says"
    )
    events: bool = Field(default=True, description="Webhooks tell of it")


class Batch(Proven):
    """Several writing calls in one."""

    path: Rooted = Field(description="Path of the batch call")
    body: Template = Field(description="Its body, with `{operations}`")
    operation: Template = Field(
        description="One operation, with `{position}`, `{method}`, `{path}`, `{document}`, `{version}`"
    )
    most: int = Field(description="Most operations of one batch", ge=1, le=1000)
    results: Place = Field(description="Where the list of results stands in the answer")
    position: str = Field(
        default="", description="Field of a result that repeats `{position}`; empty: results come in the same order"
    )
    status: str = Field(default="status", description="Field of a result that holds its HTTP status")
    result: str = Field(default="body", description="Field of a result that holds what a single call would answer")
    actions: Many[Action] = Field(
        default=("create", "update", "delete", "note"), description="What may travel in a batch"
    )
    each: bool = Field(default=True, description="Each operation counts against the limit like a call of its own")


class Declaration(Declared):
    """Names a profile gives to field kinds, and a parameter it asks for."""

    about: str = Field(description="What it is, for the person who fills it in")
    default: str | None = Field(default=None, description="Value where the connection gives none; empty: it must")
