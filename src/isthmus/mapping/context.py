"""What a lens needs from outside while it runs, and what the compiler needs to know of native fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from msgspec import Struct

from isthmus.mapping.tables import LookupTable

NativeType = Literal["text", "decimal", "int", "bool", "date", "time", "guid", "enum", "list", "struct", "any"]


class NativeInfo(Struct, frozen=True):
    """What is known of a native field. `any` = not known. `max_length` in characters, None = no limit known.

    Fields of list elements stand under `list.field`.
    """

    name: str
    type: NativeType = "any"
    writable: bool = True
    max_length: int | None = None


class Refs(Protocol):
    """Links of one connection: native id <-> number people know the record by. Answers from memory, no I/O."""

    def number(self, entity: str, native_id: str) -> str | None:
        """The number of the record that is linked to `native_id`, None when there is no link."""

    def native_id(self, entity: str, number: str) -> str | None:
        """The native id of the record of that number, None when there is no link."""


@dataclass(frozen=True, slots=True)
class LensContext:
    """What stands still during one call: lookup tables by name, and the links."""

    tables: Mapping[str, LookupTable] = field(default_factory=dict)
    refs: Refs | None = None


EMPTY_CONTEXT = LensContext()
