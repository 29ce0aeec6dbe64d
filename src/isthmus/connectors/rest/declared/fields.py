"""Fields: what kind of value stands where, and how it is written on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from isthmus.connectors.rest.declared.base import Declared, Many, Proven

#: kinds there are without a word in `kinds`
BUILT_IN = ("text", "id", "int", "decimal", "money", "flag", "date", "time", "choice", "object", "list", "pairs", "any")
#: number: JSON number; text: JSON string with a decimal point; cents: whole number of the smallest unit
Wire = Literal["number", "text", "cents"]


class ListPatch(Declared):
    """How an update says a changed list, where it is not simply given whole."""

    id: str = Field(description="Field that tells the elements apart")
    remove: dict[str, Any] = Field(
        description="What an element is sent as that shall go, besides its id, such as `{delete: true}`"
    )


class FieldSpec(Proven):
    """One field. A plain word instead of this map is its `kind`."""

    kind: str = Field(
        description="`text`, `id`, `int`, `decimal`, `money`, `flag`, `date`, `time`, `choice`, `object`, `list`, "
        "`pairs` (a list of names and values that mappings see as an object), `any`, or a name of `kinds`"
    )
    wire: Wire | None = Field(
        default=None,
        description="On the wire: `number`, `text` (a string), or `cents` (whole number of the smallest unit, with "
        "`places`); money: as `money` says; id: as the record's own id; decimal: `number`",
    )
    places: int | None = Field(default=None, ge=0, le=10, description="Decimals the system takes")
    round: bool = Field(
        default=False, description="More decimals are rounded half up when written; else such a value is refused"
    )
    length: int | None = Field(default=None, ge=1, description="Longest text")
    values: Many[str] = Field(default=(), description="Words of a choice")
    words: dict[str, str] = Field(
        default={}, description="Of a choice: word or number on the wire to the word that mappings see"
    )
    format: str = Field(
        default="iso",
        description="Form of a time or date: `iso`, `unix_seconds`, `unix_millis`, or a pattern such as `%m/%d/%Y`",
    )
    zone: str = Field(default="UTC", description="Zone of times that come without one")
    day: str = Field(
        default="", description="Of a time: native field to be added that holds its day in the connection's `time_zone`"
    )
    name_at: str = Field(default="name", description="Of pairs: field of an element that holds the name")
    value_at: str = Field(default="value", description="Of pairs: field of an element that holds the value")
    required: bool = Field(default=False, description="A record cannot be made without it")
    computed: bool = Field(default=False, description="The system fills it; it is never sent")
    personal: bool = Field(default=False, description="Says something of a person: its value stands in no text")
    fields: dict[str, Spec] = Field(default={}, description="Fields of an object, or of each element of a list")
    patch: ListPatch | None = Field(
        default=None, description="How an update says a changed list; empty: the list is given whole"
    )

    @model_validator(mode="after")
    def _fits(self) -> FieldSpec:
        if self.wire == "cents" and self.places is None:
            raise ValueError("says wire: cents without places: how many decimals does the smallest unit have?")
        return self


def _spelled_out(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


Spec = Annotated[FieldSpec, BeforeValidator(_spelled_out)]
FieldSpec.model_rebuild()
