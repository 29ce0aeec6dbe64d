"""What all parts of a profile have in common: strictness, and where each fact comes from."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from isthmus.model.durations import duration_of

T = TypeVar("T")


class Declared(BaseModel):
    """Base: nothing unknown, nothing converted silently, nothing changed afterwards."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


class Proven(Declared):
    """A fact about the outside system. Without a word of its own it is as proven as the part around it."""

    verified: str = Field(default="", description="Where it is proved: a document and its place, or what was observed")
    assumed: bool = Field(default=False, description="Nothing proves it: it is shown with a badge until somebody does")

    @model_validator(mode="after")
    def _one_of_both(self) -> Proven:
        if self.verified and self.assumed:
            raise ValueError("says both verified and assumed: keep one")
        return self


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


#: a list in YAML, a tuple in Python
Many = Annotated[tuple[T, ...], BeforeValidator(_tuple)]
Duration = Annotated[timedelta, BeforeValidator(duration_of)]
#: a place in a JSON value: `data.items`, `lines[0].id`; "" is the whole of it
Place = Annotated[str, Field(pattern=r"^$|^[^.\[\]]+(\[\d+\])*(\.[^.\[\]]+(\[\d+\])*)*$")]
#: a JSON value whose texts may hold `{names}`
Template = Any
