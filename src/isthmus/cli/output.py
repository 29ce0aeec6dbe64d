"""What commands write: JSON lines for programs, tables and words for people.

Colours only on a terminal and without NO_COLOR. Text from outside is shown without control characters, so that no file
can steer the terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any
from unicodedata import category

import msgspec

if TYPE_CHECKING:
    from rich.console import Console

#: Wide enough that nothing is folded where no terminal says how wide it is (a file, a pipe).
_UNBOUNDED = 1000
_ENCODER = msgspec.json.Encoder(decimal_format="string")
_STATE_STYLES = {
    "ready": "cyan", "sending": "cyan", "uncertain": "yellow", "retrying": "yellow", "waiting": "yellow",
    "held": "magenta", "saved": "blue", "dead": "red", "done": "green", "skipped": "dim", "cancelled": "dim",
}  # fmt: skip


def write_json(value: Any) -> None:
    """One object on one line of stdout: keys as given, Decimals as strings, times in ISO form with zone."""
    sys.stdout.write(_ENCODER.encode(value).decode() + "\n")


def say(text: str, *, style: str = "", error: bool = False) -> None:
    """One paragraph for people, on stderr for what went wrong."""
    console = _console(error=error)
    console.print(plain(text), style=style or None, markup=False, highlight=False, emoji=False, soft_wrap=True)


def heading(text: str) -> None:
    """A heading between parts of an output."""
    say(text, style="bold")


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    right: Sequence[int] = (),
    states: int | None = None,
    title: str = "",
    keep: Sequence[int] = (),
) -> None:
    """A table. `right`: columns aligned right; `states`: the column that holds message states, coloured; `keep`:
    columns never folded, however narrow the terminal is (numbers always are)."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console = _console()
    made = Table(
        box=box.SIMPLE_HEAD if console.is_terminal else None,
        title=title or None,
        title_justify="left",
        header_style="bold",
        pad_edge=False,
    )
    for index, header in enumerate(headers):
        numeric = index in right
        made.add_column(
            header, justify="right" if numeric else "left", no_wrap=numeric or index in keep, overflow="fold"
        )
    for row in rows:
        cells = [plain(str(cell)) for cell in row]
        made.add_row(*(Text(c, style=_STATE_STYLES.get(c, "") if i == states else "") for i, c in enumerate(cells)))
    console.print(made)


def state_style(state: str) -> str:
    """The colour of a message state."""
    return _STATE_STYLES.get(state, "")


def money(amount: Decimal | str | None, currency: str | None = "") -> str:
    """`17,506,068.13 USD`: thousands separators, the currency's places and never fewer than the amount has."""
    if amount is None or amount == "":
        return ""
    from isthmus.model.money import currency_digits

    value = Decimal(amount)
    exponent = value.normalize().as_tuple().exponent
    own = -exponent if isinstance(exponent, int) else 0
    places = max(own, currency_digits(currency or "USD"))
    return f"{value:,.{places}f} {currency or ''}".rstrip()


def plain(text: str) -> str:
    """`text` without control characters but line breaks: what a terminal shows and nothing that steers it."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or category(c) not in {"Cc", "Cf", "Cs"} else " " for c in text)


def _console(*, error: bool = False) -> Console:
    stream = sys.stderr if error else sys.stdout
    return _console_on(stream, error)


@cache
def _console_on(stream: Any, error: bool) -> Console:
    from rich.console import Console

    del error
    watched = stream.isatty()
    return Console(file=stream, width=None if watched else _UNBOUNDED, force_terminal=None if watched else False)
