"""XML read as a stream of events, refusing what a workbook never needs and an attacker does: DTDs and entities."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NamedTuple
from xml.parsers import expat

_CHUNK = 1 << 16


class Start(NamedTuple):
    name: str
    attributes: Mapping[str, str]


class End(NamedTuple):
    name: str
    #: characters directly inside the element
    text: str


class NotAllowed(ValueError):
    """The XML has a document type or an entity of its own."""


def events(stream: BinaryIO) -> Iterator[Start | End]:
    """Start and end of each element, names without namespace. Raises NotAllowed, expat.ExpatError, OSError."""
    found: deque[Start | End] = deque()
    texts: list[list[str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        found.append(Start(name.rpartition(" ")[2], attributes))
        texts.append([])

    def end(name: str) -> None:
        found.append(End(name.rpartition(" ")[2], "".join(texts.pop())))

    def characters(text: str) -> None:
        if texts:
            texts[-1].append(text)

    def refuse(*_: object) -> None:
        raise NotAllowed("it has a document type")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    while chunk := stream.read(_CHUNK):
        parser.Parse(chunk, False)
        while found:
            yield found.popleft()
    parser.Parse(b"", True)
    yield from found
