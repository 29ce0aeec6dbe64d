"""Excel cells to values: numbers from the XML's text to Decimal, dates by number format. No float on the way.

Facts: ECMA-376 part 1, 18.3.1.4 (c), 18.8.30 (numFmt), 18.17.4 (dates and the two date systems).
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, InvalidOperation, Overflow

from isthmus.connectors.files.raw import Cell
from isthmus.model.spelling import spell_decimal

#: Excel shows and keeps 15 significant digits; the XML holds the 17 of a binary number (183.05000000000001).
_FIFTEEN = Context(prec=15, rounding=ROUND_HALF_EVEN)
#: number formats without an entry in styles.xml: date, date and time, time of day
_BUILT_IN = {
    **dict.fromkeys((14, 15, 16, 17, *range(27, 32), 34, 35, 36, *range(50, 59)), "date"),
    22: "datetime",
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 45, 47), "time"),
}
_NOT_CODE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LAST_DAY = 2958465  # 9999-12-31


def format_kind(number: int, code: str | None) -> str:
    """What a number format shows: "date", "datetime", "time" or "" for plain numbers and elapsed hours ([h]:mm)."""
    if code is None:
        return _BUILT_IN.get(number, "")
    plain = _NOT_CODE.sub("", code.split(";")[0]).lower()
    if _ELAPSED.search(plain) or "general" in plain:
        return ""
    day = "d" in plain or "y" in plain or ("m" in plain and "h" not in plain and "s" not in plain)
    time = "h" in plain or "s" in plain
    return "datetime" if day and time else "date" if day else "time" if time else ""


def number(text: str) -> Decimal:
    """The cell's number with 15 significant digits and one spelling. Raises ValueError."""
    try:
        value = _FIFTEEN.create_decimal(text.strip())
    except (InvalidOperation, Overflow):
        raise ValueError("holds no number") from None
    if not value.is_finite() or abs(value.adjusted()) > 308:
        raise ValueError("holds no number")
    return Decimal(spell_decimal(value))


def moment(serial: Decimal, kind: str, *, since_1904: bool) -> Cell:
    """A serial day number as ISO text: date, time of day, or both without zone. Raises ValueError."""
    if serial < 0 or serial > _LAST_DAY:
        raise ValueError("holds a day that is out of range")
    millis = int((serial * 86_400_000).to_integral_value(ROUND_HALF_UP))
    days, rest = divmod(millis, 86_400_000)
    if kind == "time" and not days:
        return _clock(rest)
    if since_1904:
        start = date(1904, 1, 1)
    elif days == 60:
        raise ValueError("holds 29 February 1900, a day that never was (Excel counts it)")
    else:
        start = date(1899, 12, 30 if days > 60 else 31)
    day = (start + timedelta(days=days)).isoformat()
    return day if kind == "date" and not rest else f"{day}T{_clock(rest)}"


def _clock(millis: int) -> str:
    seconds, fraction = divmod(millis, 1000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{fraction:03}" if fraction else text


def unescaped(text: str) -> str:
    """`_x000D_` and its like as the characters they stand for (ST_Xstring)."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
