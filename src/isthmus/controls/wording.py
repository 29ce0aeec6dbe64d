"""Texts on documents: composed from what the record tells, cut to what a journal takes."""

from __future__ import annotations

from unicodedata import category

from isthmus.model.entities.work_orders import CostLine, WorkOrder

#: Business Central's journal description. Counted in UTF-16 units, because that is how its database counts.
LONGEST = 100
#: control characters, half characters, line and paragraph breaks
_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})


def fit(text: str, longest: int = LONGEST) -> str:
    """`text` on one line without control characters, cut with an ellipsis to `longest` UTF-16 units."""
    plain = " ".join("".join(" " if category(character) in _BREAKING else character for character in text).split())
    if _units(plain) <= longest:
        return plain
    kept, used = [], 1  # one unit for the ellipsis
    for character in plain:
        used += _units(character)
        if used > longest:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def line_text(order: WorkOrder, line: CostLine) -> str:
    """Text of a journal line: order, kind of cost, what it was for. Never the employee: a journal is read by many."""
    what = line.description or line.item or order.description or ""
    return fit(f"{order.number} {line.kind} {what}")


def document_text(order: WorkOrder) -> str:
    """Text of the document."""
    return fit(f"Work order {order.number} {order.description or ''}")


def correction_text(number: str, description: str | None) -> str:
    """Text of a document that counters `number`."""
    return fit(f"Correction of {number} {description or ''}")


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
