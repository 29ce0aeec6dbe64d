"""Converters of codes: enums, GUIDs, units, the option names of Business Central."""

from __future__ import annotations

import re
from typing import Any

from isthmus.mapping.converters.base import BadOptions, Converter, Kind, Options, fixed, one_of
from isthmus.mapping.converters.words import need_text
from isthmus.mapping.failure import BadValue
from isthmus.mapping.tables import table_text
from isthmus.model.quantity import BUILT_IN_UNITS

BLANK_GUID = "00000000-0000-0000-0000-000000000000"


def _enum(options: Options) -> Converter:
    if not options:
        raise BadOptions("enum needs its pairs: {enum: {Draft: open, Released: in_progress}}")
    forward = {str(native): value for native, value in options.items()}
    back: dict[str, str] = {}
    for native, value in forward.items():
        if value is not None and not isinstance(value, str | bool | int):
            raise BadOptions(f"the value of {native!r} must be a plain word")
        back.setdefault(table_text(value), native)
    one_way = ""
    if len(back) < len(forward):
        twice = next(v for v in forward.values() if [table_text(x) for x in forward.values()].count(table_text(v)) > 1)
        one_way = f"several native words give {table_text(twice)!r}, so writing could not choose"
    expected = f"one of {', '.join(repr(native) for native in forward)}"

    def read(value: Any) -> Any:
        text = table_text(value)
        if text in forward:
            return forward[text]
        if text == "":
            return None
        raise BadValue(expected)

    def write(value: Any) -> Any:
        native = back.get(table_text(value))
        if native is None and value is None:
            return None
        if native is None:
            raise BadValue(f"one of {', '.join(repr(word) for word in back)}")
        return native

    return Converter("any", "any", read, write, one_way=one_way, nulls=None in forward.values())


_ENCODED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def decode_name(text: str) -> str:
    """`G_x002F_L_x0020_Account` -> `G/L Account` (bc.md §4)."""
    return _ENCODED.sub(lambda match: chr(int(match[1], 16)), text)


def encode_name(text: str) -> str:
    """`G/L Account` -> `G_x002F_L_x0020_Account`: all but ASCII letters, digits and _ ; a leading digit as well.

    As seen in bc.json (`_x0031__x0020_day`). An underscore that would read as an escape is escaped itself, as XML name
    encoding does; for Business Central that last case is assumed.
    """
    encoded = []
    for index, char in enumerate(text):
        plain = char.isascii() and (char.isalnum() or char == "_")
        if char == "_" and text[index + 1 : index + 2] == "x":
            plain = False
        if index == 0 and char.isdigit():
            plain = False
        if plain:
            encoded.append(char)
        else:
            units = char.encode("utf-16-be")
            encoded.extend(f"_x{units[i]:02X}{units[i + 1]:02X}_" for i in range(0, len(units), 2))
    return "".join(encoded)


def _bc_enum(options: Options) -> Converter:
    blank = options.get("blank")
    if blank is not None and not isinstance(blank, str):
        raise BadOptions("blank is the canonical word for the blank option")

    def read(value: Any) -> Any:
        text = decode_name(need_text(value))
        try:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise BadValue("an option name") from None
        return blank if text.strip() == "" else text

    def write(value: Any) -> str:
        if value is None or value in ("", blank):
            return "_x0020_"
        return encode_name(need_text(value))

    return Converter("text", "text", read, write, lossy=True, nulls=blank is None)


_GUID = re.compile(r"\{?([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})\}?").fullmatch
_HEX = re.compile(r"[0-9a-fA-F]{32}").fullmatch


def _guid(options: Options) -> Converter:
    form = one_of(options, "form", ("lower", "upper", "braces", "plain"), "lower")

    def read(value: Any) -> str | None:
        text = need_text(value)
        if text == "":
            return None
        match = _GUID(text)
        if match and text.startswith("{") == text.endswith("}"):
            return match[1].lower()
        if _HEX(text):
            return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:])).lower()
        raise BadValue("a GUID such as 6f9619ff-8b86-d011-b42d-00cf4fc964ff")

    def write(value: Any) -> str | None:
        guid = read(value)
        if guid is None:
            return None
        forms = {"upper": guid.upper(), "braces": "{" + guid.upper() + "}", "plain": guid.replace("-", "")}
        return forms.get(form, guid)

    return Converter("text", "text", read, write, lossy=True)


def _blank_guid(value: Any) -> Any:
    return None if value == "" or (isinstance(value, str) and value.strip("{}") == BLANK_GUID) else value


def _unit(options: Options) -> Converter:
    known = {str(code): str(unit) for code, unit in options.items()}
    for code, unit in known.items():
        if unit not in BUILT_IN_UNITS and not unit.startswith("uom:"):
            raise BadOptions(f"{code}: {unit!r} is not a unit: {', '.join(sorted(BUILT_IN_UNITS))} or uom:CODE")
    back: dict[str, str] = {}
    for code, unit in known.items():
        back.setdefault(unit, code)
    one_way = "several native units give the same unit" if len(back) < len(known) else ""

    def read(value: Any) -> str | None:
        code = need_text(value)
        return None if code == "" else known.get(code, f"uom:{code}")

    def write(value: Any) -> str:
        unit = need_text(value)
        if unit in back:
            return back[unit]
        if not unit.startswith("uom:") or len(unit) == 4 or unit[4:] in known:
            raise BadValue("a unit that has a native code: add it to the unit converter")
        return unit[4:]

    return Converter("text", "text", read, write, one_way=one_way)


KINDS: tuple[Kind, ...] = (
    Kind("enum", _enum, "native word <-> canonical word, all others are a finding", open=True),
    Kind(
        "bc_enum",
        _bc_enum,
        "option names as Business Central encodes them (G_x002F_L_x0020_Account); `_x0020_` <-> nothing, or `blank`",
        ("blank",),
        "blank",
    ),
    Kind("guid", _guid, "GUIDs in lower case with dashes; `form` for the native spelling", ("form",), "form"),
    Kind(
        "blank_guid",
        fixed(
            Converter(
                "text",
                "text",
                _blank_guid,
                lambda value: BLANK_GUID if value is None else value,
                lossy=True,
                nulls=True,
            )
        ),
        "the GUID of zeros <-> nothing (Business Central, bc.md §4)",
    ),
    Kind("unit", _unit, "native unit code <-> each, hour ...; unknown codes become uom:CODE", open=True),
)
