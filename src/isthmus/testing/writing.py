"""The contract of writing, as tests: every operation gets its outcome, and its effect exactly once."""

from __future__ import annotations

import pytest

from isthmus.contract.capabilities import EntitySupport
from isthmus.contract.connector import Connector
from isthmus.testing.claims import claim, claim_equal
from isthmus.testing.harness import Harness
from isthmus.testing.ways import deliver_until_done, writable, write_all


class WritingSuite:
    """Tests of `write`, `look_up` and `discard`. Needs the fixtures `harness` and `connector`."""

    async def test_every_operation_gets_one_outcome_and_one_effect(
        self, harness: Harness, connector: Connector
    ) -> None:
        for entity, support in _targets(connector):
            count = min(support.batch, 12)
            operations = [harness.operation(entity, serial, delivery="first") for serial in range(count)]
            outcomes = await write_all(connector, operations)
            claim_equal(set(outcomes), {op.key for op in operations}, f"outcomes of {entity}")
            for operation in operations:
                outcome = outcomes[operation.key]
                claim_equal(
                    outcome.result, "done" if support.booked else "saved", f"result of {entity}: {outcome.text}"
                )
                claim(outcome.native_id or outcome.number, f"a done {entity} has neither id nor number")
                claim_equal(await harness.effects(operation), 1, f"effects of one {entity}")
            claim_equal(await harness.left_over(), 0, f"half-done work left by a good delivery of {entity}")

    async def test_one_bad_document_does_not_stop_the_good_ones(self, harness: Harness, connector: Connector) -> None:
        for entity, support in _targets(connector):
            bad = harness.refused(entity, 100, delivery="mixed")
            if bad is None or support.batch < 5:
                continue
            good = [harness.operation(entity, serial, delivery="mixed") for serial in range(101, 105)]
            operations = [*good[:2], bad.operation, *good[2:]]
            outcomes = await write_all(connector, operations)
            refused = outcomes[bad.operation.key]
            claim_equal((refused.result, refused.code), ("reject", bad.code), f"outcome of the bad {entity}")
            claim(refused.text and refused.field and refused.mend, "a refusal names field, cause and where to mend it")
            claim_equal(await harness.effects(bad.operation), 0, f"effects of the bad {entity}")
            for operation in good:
                good_result = "done" if support.booked else "saved"
                claim_equal(outcomes[operation.key].result, good_result, f"outcome of a good {entity}")
                claim_equal(await harness.effects(operation), 1, f"effects of a good {entity}")
            claim_equal(await harness.left_over(), 0, "half-done work left behind")

    async def test_a_look_up_finds_what_is_there_and_nothing_else(self, harness: Harness, connector: Connector) -> None:
        for entity, _ in _targets(connector):
            there = [harness.operation(entity, serial, delivery="there") for serial in (200, 201)]
            missing = harness.operation(entity, 202, delivery="missing")
            claim_equal(
                dict(await connector.look_up([*there, missing])), {}, "what a look-up finds before anything was sent"
            )
            sent = await write_all(connector, there)
            found = await connector.look_up([*there, missing])
            claim_equal(set(found), {op.key for op in there}, f"{entity} found by look-up")
            for operation in there:
                claim_equal(found[operation.key].result, sent[operation.key].result, "result by look-up")
                claim_equal(found[operation.key].number, sent[operation.key].number, "number by look-up")

    async def test_another_process_finds_it_as_well(self, harness: Harness, connector: Connector) -> None:
        for entity, _ in _targets(connector):
            operation = harness.operation(entity, 210, delivery="one")
            await write_all(connector, [operation])
            other = harness.connector()
            try:
                claim(operation.key in await other.look_up([operation]), f"another process does not find the {entity}")
            finally:
                await other.close()

    async def test_a_second_delivery_of_a_done_document_has_no_second_effect(
        self, harness: Harness, connector: Connector
    ) -> None:
        """The core looks up first; a target key, or the connector itself, should hold even if it did not."""
        for entity, support in _targets(connector):
            if support.idempotency not in {"client_key", "natural_key"}:
                continue
            await write_all(connector, [harness.operation(entity, 220, delivery="once")])
            again = harness.operation(entity, 220, delivery="twice")
            found = await connector.look_up([again])
            outcomes = found or await write_all(connector, [again])
            claim_equal(outcomes[again.key].result, "done" if support.booked else "saved", "the second delivery")
            claim_equal(await harness.effects(again), 1, f"effects of a {entity} delivered twice")

    async def test_discard_with_nothing_to_discard_is_harmless(self, harness: Harness, connector: Connector) -> None:
        for entity, _ in _targets(connector):
            done = harness.operation(entity, 230, delivery="done", earlier=("never-happened",))
            await write_all(connector, [done])
            await connector.discard([done])
            await connector.discard([done])
            claim_equal(await harness.effects(done), 1, f"effects of a {entity} after a discard")

    async def test_an_action_the_connector_does_not_have_is_refused_not_ignored(
        self, harness: Harness, connector: Connector
    ) -> None:
        for entity, support in _targets(connector):
            if "delete" in support.actions:
                continue
            operation = harness.operation(entity, 240, delivery="wrong")
            wrong = type(operation)(key=operation.key, entity=entity, action="delete", company=operation.company)
            outcomes = await write_all(connector, [wrong])
            claim_equal(outcomes[wrong.key].result, "reject", "an action the connector does not have")


class UncertaintySuite:
    """Promise 1: one effect per event, whatever fails, at whatever call. Needs `harness` and `connector`."""

    @pytest.mark.parametrize(
        "fault",
        [
            "lost_before",
            "lost_after",
            "late_commit",
            "unavailable",
            "throttle",
            "cut_batch",
            "error_but_done",
            "denied_but_done",
            "accepted_but_lost",
            "locked",
            "token_expired",
        ],
    )
    async def test_one_effect_whichever_writing_call_goes_wrong(
        self, harness: Harness, connector: Connector, fault: str
    ) -> None:
        harness.need(fault)
        for entity, support in _targets(connector):
            if harness.spares(entity, fault):
                continue
            serials = list(range(300, 300 + min(3, support.batch)))
            for nth in range(1, 12):
                await harness.clear_faults()
                await harness.fault(fault, write=True, nth=nth)
                final = await deliver_until_done(harness, connector, support, entity, serials)
                struck = await harness.fired()
                await harness.clear_faults()
                await harness.pass_time(support.settle.total_seconds())
                for serial in serials:
                    operation = harness.operation(entity, serial, delivery="check")
                    where = f"{fault} at writing call {nth}"
                    outcome = final.get(serial)
                    claim(outcome is not None, f"{where}: {entity} {serial} never got a final outcome")
                    claim_equal(await harness.effects(operation), 1, f"{where}: effects of {entity} {serial}")
                claim_equal(await harness.left_over(), 0, f"{fault} at writing call {nth}: half-done work left")
                serials = [serial + 10 for serial in serials]
                if not struck:
                    claim(nth > 1, f"{fault} never struck: no writing call was made")
                    break

    async def test_a_lost_answer_is_uncertain_and_not_sent_again(self, harness: Harness, connector: Connector) -> None:
        harness.need("lost_after")
        for entity, _ in _targets(connector):
            await harness.fault("lost_after", write=True, nth=1)
            operation = harness.operation(entity, 400, delivery="lost")
            outcomes = await write_all(connector, [operation])
            outcome = outcomes.get(operation.key)
            claim(outcome is None or outcome.result == "uncertain", f"a lost answer is called {outcome}")
            claim(await harness.effects(operation) <= 1, "a lost answer was sent again")
            await harness.clear_faults()


def _targets(connector: Connector) -> list[tuple[str, EntitySupport]]:
    found = [(entity, support) for entity, support, _ in writable(connector)]
    if not found:
        pytest.skip("the connector writes nothing")
    return found
