"""Stock transactions by an action of the tenant's own: what is sent, and what the item ledger makes of it.

The simulator has no apps of tenants, so the action is stood in for: its address is taken over, its contract kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from isthmus.connectors.dynamics.business_central.connector import BusinessCentral
from isthmus.errors import Reject, Uncertain

if TYPE_CHECKING:
    from integration.business_central.stockroom import Stockroom

PAGE = "api/contoso/stock/v1.0/companies({company_id})/stockPostings"


class Tenant:
    """The tenant's action: it books through a line of the item journal that is posted at once."""

    def __init__(self, stockroom: Stockroom, connector: BusinessCentral) -> None:
        self.room = stockroom
        self.books = connector._service(connector._config.published_root)
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.answers: list[Exception | None] = []
        self.posts = True

    async def send(self, method: str, path: str, body: Any = None, *, etag: str = "") -> Any:
        self.calls.append((f"{method} {path}", body))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Reject):
            raise answer
        line = msgspec.json.decode(body["lines"]) if "lines" in body else body
        await self.books.send(
            "POST",
            "Company('CRONUS')/ItemJournal",
            {
                "Journal_Template_Name": "ITEM",
                "Journal_Batch_Name": "ISTHMUS",
                "Posting_Date": line["postingDate"],
                "Entry_Type": "Positive Adjmt." if Decimal(str(line["quantity"])) > 0 else "Negative Adjmt.",
                "Document_No": line["documentNumber"],
                "Item_No": line["itemNumber"],
                "Quantity": abs(Decimal(str(line["quantity"]))),
                "Location_Code": line["locationCode"],
                "Lot_No": line["lotNumber"],
            },
        )
        if self.posts:
            self.room.box.post_item_journal(batch="ISTHMUS", template="ITEM", company="CRONUS")
        if answer is not None:
            raise answer
        return None


@pytest.fixture
async def connector(stockroom: Stockroom) -> BusinessCentral:
    made = stockroom.connector(stock="custom_action", stock_action=PAGE)
    assert isinstance(made, BusinessCentral)
    return made


@pytest.fixture
async def tenant(stockroom: Stockroom, connector: BusinessCentral) -> Tenant:
    tenant = Tenant(stockroom, connector)
    connector._ways["inventory_transaction", "post"]._site.environment.send = tenant.send  # type: ignore[attr-defined]
    return tenant


async def test_one_call_per_transaction_and_the_ledger_tells_the_rest(
    stockroom: Stockroom, connector: BusinessCentral, tenant: Tenant
) -> None:
    move = stockroom.move(1, workOrder="WO-7", unitCost=Decimal("2.75"))
    done = (await stockroom.write(connector, move))["move-1"]
    assert (done.result, done.number) == ("done", "IS-MARK0001")
    ((call, body),) = tenant.calls
    assert call.startswith("POST api/contoso/stock/v1.0/companies(")
    assert "{" not in call
    assert (body["documentNumber"], body["quantity"], body["baseQuantity"], body["workOrder"]) == (
        "IS-MARK0001",
        Decimal(-2),
        Decimal(-2),
        "WO-7",
    )
    assert (body["type"], body["unitCost"], body["postingDate"]) == ("issue", Decimal("2.75"), "2026-03-05")
    assert (await connector.look_up([move]))["move-1"].result == "done"
    assert (await stockroom.write(connector, move))["move-1"].result == "done"
    assert len(tenant.calls) == 1
    assert stockroom.stock() == {"EAST": "-2"}


async def test_lots_can_be_given_to_an_action(stockroom: Stockroom, connector: BusinessCentral, tenant: Tenant) -> None:
    move = stockroom.move(1, "return", itemNumber="1001", lotNumber="L-1")
    assert (await stockroom.write(connector, move))["move-1"].result == "done"
    assert stockroom.stock("1001") == {"EAST": "2"}


async def test_a_lost_answer_is_found_in_the_ledger(
    stockroom: Stockroom, connector: BusinessCentral, tenant: Tenant
) -> None:
    tenant.answers = [Uncertain("cut", code="cut")]
    moves = [stockroom.move(serial) for serial in (1, 2)]
    outcomes = await stockroom.write(connector, *moves)
    assert [(outcomes[key].result, outcomes[key].code) for key in ("move-1", "move-2")] == [
        ("uncertain", "cut"),
        ("retry", "not_sent"),
    ]
    found = await connector.look_up(moves)
    assert {key: outcome.result for key, outcome in found.items()} == {"move-1": "done"}


async def test_a_refusal_is_told_and_the_others_go_on(
    stockroom: Stockroom, connector: BusinessCentral, tenant: Tenant
) -> None:
    tenant.answers = [Reject("No stock there.", code="Application_DialogException")]
    outcomes = await stockroom.write(connector, stockroom.move(1), stockroom.move(2))
    assert (outcomes["move-1"].result, outcomes["move-1"].text) == ("reject", "No stock there.")
    assert outcomes["move-2"].result == "done"


async def test_what_was_taken_and_not_booked_yet_is_saved(
    stockroom: Stockroom, connector: BusinessCentral, tenant: Tenant
) -> None:
    tenant.posts = False
    move = stockroom.move(1)
    outcome = (await stockroom.write(connector, move))["move-1"]
    assert (outcome.result, outcome.code) == ("saved", "action_accepted")
    stockroom.box.post_item_journal(batch="ISTHMUS", template="ITEM", company="CRONUS")
    assert (await connector.look_up([move]))["move-1"].result == "done"


async def test_a_codeunit_gets_the_line_as_text_in_its_parameter(stockroom: Stockroom) -> None:
    connector = stockroom.connector(
        stock="custom_action", stock_action="ODataV4/Stock_Post?company={company}", stock_parameter="lines"
    )
    assert isinstance(connector, BusinessCentral)
    tenant = Tenant(stockroom, connector)
    connector._ways["inventory_transaction", "post"]._site.environment.send = tenant.send  # type: ignore[attr-defined]
    assert (await stockroom.write(connector, stockroom.move(1)))["move-1"].result == "done"
    ((call, body),) = tenant.calls
    assert call == "POST ODataV4/Stock_Post?company=CRONUS"
    assert set(body) == {"lines"}


async def test_an_action_nobody_published_is_asked_for_again_later(stockroom: Stockroom) -> None:
    connector = stockroom.connector(stock="custom_action", stock_action=PAGE)
    outcome = (await stockroom.write(connector, stockroom.move(1)))["move-1"]
    assert outcome.result == "retry"


@pytest.mark.parametrize("address", ["https://elsewhere.example/stock", "/api/x", "api/../../x"])
def test_the_address_stays_within_the_environment(stockroom: Stockroom, address: str) -> None:
    with pytest.raises(ValueError, match="below the environment"):
        stockroom.connector(stock="custom_action", stock_action=address)


def test_the_action_needs_an_address(stockroom: Stockroom) -> None:
    with pytest.raises(ValueError, match="needs stock_action"):
        stockroom.connector(stock="custom_action")
