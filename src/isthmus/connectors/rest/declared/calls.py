"""Calls: method, address, body, and what the answer holds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from isthmus.connectors.rest.declared.base import Many, Place, Proven, Template

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
#: what a good answer to a write holds
Answer = Literal["record", "id", "nothing"]


def rooted(value: str) -> str:
    """A path below the system's address, or a whole one. Raises ValueError for anything else."""
    if not value.startswith(("/", "http://", "https://")):
        raise ValueError(f"path {value!r} must begin with / (below url) or be a whole address")
    return value


Rooted = Annotated[str, AfterValidator(rooted)]


class Call(Proven):
    """One call. Texts may hold `{names}`, see the page on profiles for which; what has no value is left out."""

    method: Method = Field(default="GET", description="HTTP method")
    path: Rooted = Field(description="Path below `url`, or a whole address")
    query: dict[str, Template] = Field(default={}, description="Query parameters; a list is a repeated parameter")
    headers: dict[str, str] = Field(default={}, description="Headers besides those of the profile")
    body: Template = Field(default=None, description="Body as it is sent")
    form: Literal["json", "form"] = Field(default="json", description="How the body is written")


class ListCall(Call):
    """The call that shows many records."""

    items: Place | None = Field(default=None, description="Where the records stand; empty: as `paging` says")
    variants: Many[dict[str, Template]] = Field(
        default=(),
        description="Query parameters the list is read with one after the other, where no single call shows all "
        "records, such as `[{status: all}, {status: canceled}]`",
    )
    partial: bool = Field(
        default=False, description="A listed record is incomplete: each one is read by `get` as well, a call each"
    )


class GetCall(Call):
    """The call that shows one record."""

    record: Place | None = Field(default=None, description="Where the record stands; empty: as the profile says")


class WriteCall(Call):
    """A call that changes something."""

    answer: Answer = Field(
        default="record", description="What a good answer holds: the whole record, its id, or nothing of use"
    )
    record: Place | None = Field(default=None, description="Where the record stands; empty: as the profile says")
    id: Place | None = Field(default=None, description="With `answer: id`: where the id stands")
    reread: bool = Field(
        default=False, description="Read the record again after the write, because the answer does not show it whole"
    )


class NoteCall(WriteCall):
    """The call that tells the system what became of one of its records."""

    states: dict[str, str] = Field(
        default={},
        description="State of a message (`done`, `saved`, `held`, `dead`, `waiting`, `skipped`, `cancelled`) to the "
        "word of the system; a state that is not listed is not told",
    )
    longest: int = Field(default=500, ge=20, description="Longest text; a longer one is cut")


class Calls(Proven):
    """The calls of an entity. What the profile says for all holds where an entity says nothing; `null` removes one."""

    list: ListCall | None = Field(default=None, description="Shows many records")
    get: GetCall | None = Field(default=None, description="Shows one record")
    create: WriteCall | None = Field(default=None, description="Makes a record")
    update: WriteCall | None = Field(default=None, description="Changes fields of a record")
    delete: WriteCall | None = Field(default=None, description="Removes a record")
    post: WriteCall | None = Field(default=None, description="Makes a document and books it, in one call")
    note: NoteCall | None = Field(default=None, description="Tells the system what became of its record")


class Filter(Proven):
    """How records are asked for by the value of a field."""

    parameter: str = Field(default="", description="Query parameter of the list call that takes the values")
    most: int = Field(default=1, ge=1, le=200, description="Most values of one call")
    separator: str = Field(
        default="", description="Sign between several values of the parameter; empty: it is repeated for each"
    )
    query: dict[str, Template] = Field(default={}, description="Further query parameters of such a call")
    call: ListCall | None = Field(
        default=None, description="A call of its own instead of the list call; it knows `{value}` and `{values}`"
    )
    ignore_case: bool = Field(default=False, description="The system compares the values without regard to case")


class Part(Proven):
    """A list of a record that needs a call of its own, such as the cost lines of a work order."""

    path: Rooted = Field(description="Path of the call, with `{id}`")
    query: dict[str, Template] = Field(default={}, description="Query parameters")
    items: Place = Field(default="", description="Where its elements stand")
