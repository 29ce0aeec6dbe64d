"""How a long list is cut into pages. Which parameters ask for a page stands in the list call itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from isthmus.connectors.rest.declared.base import Place, Proven


class _Paged(Proven):
    items: Place = Field(default="", description="Where the records of a page stand; empty: the answer is the list")
    most: int = Field(default=200, ge=1, le=5000, description="Most records of a page")


class PagePaging(_Paged):
    """Numbered pages: `{page}` in the list call."""

    style: Literal["page"] = Field(description="Numbered pages, `{page}`")
    first: int = Field(default=1, ge=0, le=1, description="Number of the first page")
    pages: Place | None = Field(default=None, description="Where the number of pages stands")
    total: Place | None = Field(default=None, description="Where the number of records stands")


class OffsetPaging(_Paged):
    """Records to skip: `{offset}` in the list call."""

    style: Literal["offset"] = Field(description="Records to skip, `{offset}`")
    total: Place | None = Field(default=None, description="Where the number of records stands")


class CursorPaging(_Paged):
    """A token of the answer asks for the next page: `{cursor}` in the list call."""

    style: Literal["cursor"] = Field(description="A token of the last answer, `{cursor}`")
    cursor: Place = Field(description="Where the token of the next page stands; none on the last page")
    more: Place | None = Field(default=None, description="Where it says whether there is more (true, false)")


class LinkPaging(_Paged):
    """The answer holds the address of the next page."""

    style: Literal["link"] = Field(description="The answer holds the address of the next page")
    next: Place | None = Field(default=None, description="Where the address stands; empty: in the header Link")


class SpringPaging(_Paged):
    """Pages as Spring Data gives them: numbered from 0 by `{page}`, with `content`, `totalPages`, `last`."""

    style: Literal["spring"] = Field(description="Pages of Spring Data, `{page}` from 0")
    items: Place = Field(default="content", description="Where the records of a page stand")
    pages: Place = Field(default="totalPages", description="Where the number of pages stands")
    total: Place = Field(default="totalElements", description="Where the number of records stands")
    last: Place = Field(default="last", description="Where it says that this page is the last (true, false)")


class NoPaging(_Paged):
    """One answer holds everything. It is read as a stream and may be of any size."""

    style: Literal["none"] = Field(description="One answer holds all records; read as a stream, of any size")


Paging = Annotated[
    PagePaging | OffsetPaging | CursorPaging | LinkPaging | SpringPaging | NoPaging, Field(discriminator="style")
]
