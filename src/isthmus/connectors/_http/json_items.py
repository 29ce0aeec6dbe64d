"""The elements of a JSON array of any size, one by one: memory holds a chunk and one element, never the whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from isthmus.connectors._http.decode import NotJson

_CHUNK = 1 << 16
_LARGEST_ELEMENT = 64 << 20
_BLANK = b" \t\r\n"
_STRING = rb'"(?:[^"\\]|\\.)*"'
#: what an element's end is found by: brackets are counted, strings passed over; a quote alone begins one that is cut
_NESTING = re.compile(rb"[{}\[\]]|" + _STRING + rb'|"', re.DOTALL)
_KEY = re.compile(_STRING, re.DOTALL)
_PLAIN = re.compile(rb"[^\s,\]}\[{:\"]+")


class NoList(ValueError):
    """There is no list at the place asked for. Carries nothing of the text."""


def json_items(stream: BinaryIO, place: str) -> Iterator[bytes]:
    """JSON text of each element of the array at `place` (`data.items`; "" is the whole text).

    Raises NoList when nothing or something else stands there, NotJson when the text is not JSON.
    """
    text = _Text(stream)
    text.drop(b"\xef\xbb\xbf")
    for name in [part for part in place.split(".") if part]:
        _enter(text, name)
    if text.peek() != b"[":
        raise NoList
    text.take(1)
    if text.peek() == b"]":
        return
    while True:
        yield text.value()
        sign = text.peek()
        if sign not in {b",", b"]"}:
            raise NotJson
        text.take(1)
        if sign == b"]":
            return


def _enter(text: _Text, name: str) -> None:
    """Go to the value of a member of the object that begins here."""
    if text.peek() != b"{":
        raise NoList
    text.take(1)
    wanted = b'"' + name.encode() + b'"'
    while text.peek() != b"}":
        found = text.key()
        if text.peek() != b":":
            raise NotJson
        text.take(1)
        if found == wanted:
            return
        text.value()
        if text.peek() == b",":
            text.take(1)
    raise NoList


class _Text:
    """A window on the stream."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._window = b""
        self._at = 0

    def drop(self, prefix: bytes) -> None:
        """Pass over a prefix, if it is there."""
        self._more()
        if self._window.startswith(prefix):
            self._at = len(prefix)

    def peek(self) -> bytes:
        """The next sign that is not blank; NotJson at the end."""
        while True:
            while self._at < len(self._window) and self._window[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._window):
                return self._window[self._at : self._at + 1]
            if not self._more():
                raise NotJson

    def take(self, count: int) -> None:
        self._at += count

    def key(self) -> bytes:
        """The string that begins here, with its quotes."""
        self.peek()
        while (match := _KEY.match(self._window, self._at)) is None:
            if not self._more():
                raise NotJson
        self._at = match.end()
        return match[0]

    def value(self) -> bytes:
        """The JSON value that begins here."""
        sign = self.peek()
        if sign == b'"':
            return self.key()
        return self._nested() if sign in {b"{", b"["} else self._plain()

    def _nested(self) -> bytes:
        depth, start = 0, self._at
        scan = start
        while True:
            for match in _NESTING.finditer(self._window, scan):
                sign = match[0]
                if sign == b'"':
                    scan = match.start()
                    break
                scan = match.end()
                if sign in {b"{", b"["}:
                    depth += 1
                elif sign in {b"}", b"]"}:
                    depth -= 1
                    if not depth:
                        self._at = scan
                        return self._window[start:scan]
            kept = len(self._window) - start
            scan -= start
            if kept > _LARGEST_ELEMENT or not self._more():
                raise NotJson
            start, scan = self._at, self._at + scan

    def _plain(self) -> bytes:
        while True:
            match = _PLAIN.match(self._window, self._at)
            if match is None:
                raise NotJson
            if match.end() < len(self._window) or not self._more():
                self._at = match.end()
                return match[0]

    def _more(self) -> bool:
        """Read on, forgetting what is passed. False at the end."""
        chunk = self._stream.read(_CHUNK)
        self._window = self._window[self._at :] + chunk
        self._at = 0
        return bool(chunk)
