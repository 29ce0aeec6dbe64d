"""Journal lines of decided costs: the pair of each cost, and what rounding the lines leaves over."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct

from isthmus.controls.book import Book
from isthmus.controls.chart import account_findings
from isthmus.controls.rules import RuleRow, RuleTable
from isthmus.controls.wording import line_text
from isthmus.model.entities.journals import JournalLine
from isthmus.model.entities.work_orders import CostLine, WorkOrder
from isthmus.model.finding import Finding
from isthmus.model.money import round_amount


class Cost(Struct, frozen=True):
    """A cost line with everything decided. `exact` and `amount` (rounded) are in the company's currency."""

    line: CostLine
    row: RuleRow
    exact: Decimal
    amount: Decimal
    dimensions: dict[str, str]
    offset_dimensions: dict[str, str]


def document_amount(costs: Sequence[Cost], book: Book) -> Decimal:
    """What the costs come to: their exact sum, rounded once."""
    return round_amount(sum((cost.exact for cost in costs), Decimal(0)), book.amount_places)


def rounding_lines(
    order: WorkOrder, costs: Sequence[Cost], table: RuleTable, book: Book
) -> tuple[tuple[JournalLine, ...], list[Finding]]:
    """Two lines that book what line rounding left over, against the offset of the largest cost."""
    difference = document_amount(costs, book) - sum((cost.amount for cost in costs), Decimal(0))
    if not difference:
        return (), []
    text = f"{difference} {book.currency}"
    if table.rounding is None:
        missing = Finding(
            "rounding_account_missing",
            "error",
            f"rounding the lines leaves {text}, and no account is named for it",
            field="lines",
            value=str(difference),
            mend=f"Add `rounding: {{account: ..., limit: ...}}` to {table.file}.",
        )
        return (), [missing]
    place = f"the rounding account ({table.place(table.rounding_line)})"
    findings = account_findings(table.rounding.account, place, book)
    if abs(difference) > table.rounding.limit:
        findings.append(
            Finding(
                "rounding_limit",
                "hold",
                f"rounding the lines leaves {text}, above the limit of {table.rounding.limit}",
                field="lines",
                value=str(difference),
                mend=f"Look at the decimals of the cost lines, or raise the limit of {place}.",
            )
        )
    largest = max(costs, key=lambda cost: (abs(cost.exact), cost.line.key))
    text = f"{order.number} rounding"
    return (
        JournalLine(
            key="rounding/difference",  # never ends like the keys of cost lines do, so it cannot meet one
            account=table.rounding.account,
            amount=difference,
            description=text,
            dimensions=largest.dimensions,
            rule="rounding",
        ),
        JournalLine(
            key="rounding/offset",
            account=largest.row.offset,
            amount=-difference,
            description=text,
            dimensions=largest.offset_dimensions,
            rule="rounding",
        ),
    ), findings


def cost_lines(order: WorkOrder, cost: Cost) -> tuple[JournalLine, ...]:
    """The debit of a cost and its offset; nothing where the cost rounds to zero."""
    if not cost.amount:
        return ()
    text = line_text(order, cost.line)
    return (
        JournalLine(
            key=f"{cost.line.key}/d",
            account=cost.row.account,
            amount=cost.amount,
            description=text,
            dimensions=cost.dimensions,
            rule=cost.row.name,
        ),
        JournalLine(
            key=f"{cost.line.key}/o",
            account=cost.row.offset,
            amount=-cost.amount,
            description=text,
            dimensions=cost.offset_dimensions,
            rule=cost.row.name,
        ),
    )
