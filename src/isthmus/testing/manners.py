"""The contract of manners, as tests: limits, waiting, traffic, words."""

from __future__ import annotations

import asyncio

import pytest

from isthmus.contract.capabilities import EntitySupport
from isthmus.contract.connector import Connector
from isthmus.contract.records import ReadRequest
from isthmus.errors import IsthmusError, Retry
from isthmus.testing.claims import claim, claim_equal
from isthmus.testing.harness import Harness
from isthmus.testing.ways import nothing_known, read_stream, readable, writable, write_all


class MannersSuite:
    """Tests of throttling, concurrency, traffic, error texts, closing. Needs `harness` and `connector`."""

    async def test_a_throttled_read_waits_as_asked_and_succeeds(self, harness: Harness, connector: Connector) -> None:
        harness.need("throttle")
        entity, support = _first_readable(connector)
        await harness.seed(entity, 3)
        await harness.fault("throttle", write=False, nth=1)
        stream = await read_stream(connector, support.native, harness.company)
        claim_equal(len(stream.ids), await harness.total(entity), f"records of {entity} read in spite of throttling")
        claim(connector.traffic.throttled >= 1, "a throttled call was not counted")
        claim(connector.traffic.waited_seconds > 0, "the time waited was not counted")

    async def test_an_unavailable_target_is_told_to_the_caller_who_decides(
        self, harness: Harness, connector: Connector
    ) -> None:
        harness.need("unavailable")
        entity, support = _first_readable(connector)
        await harness.seed(entity, 3)
        await read_stream(connector, support.native, harness.company)
        await harness.fault("unavailable", write=False, nth=1)
        request = ReadRequest(native=support.native, company=harness.company)
        with pytest.raises(Retry):
            await connector.read(request, nothing_known)
        page = await connector.read(request, nothing_known)
        claim(page.records, "the read after the trouble brings nothing")

    async def test_a_lost_answer_of_a_read_may_simply_be_asked_again(
        self, harness: Harness, connector: Connector
    ) -> None:
        harness.need("lost_after")
        entity, support = _first_readable(connector)
        await harness.seed(entity, 3)
        await harness.fault("lost_after", write=False, nth=1)
        request = ReadRequest(native=support.native, company=harness.company)
        try:
            page = await connector.read(request, nothing_known)
        except Retry:
            page = await connector.read(request, nothing_known)
        claim(page.records, "the read after the trouble brings nothing")

    async def test_never_more_calls_at_once_than_the_capabilities_say(
        self, harness: Harness, connector: Connector
    ) -> None:
        entity, support = _first_readable(connector)
        await harness.seed(entity, 3)
        await harness.reset_calls()
        request = ReadRequest(native=support.native, company=harness.company)
        await asyncio.gather(*(connector.read(request, nothing_known) for _ in range(25)))
        calls = await harness.calls()
        if calls is None:
            pytest.skip("the target cannot count")
        claim(
            calls.most_at_once <= connector.capabilities.concurrency,
            f"{calls.most_at_once} calls at once, {connector.capabilities.concurrency} allowed",
        )

    async def test_traffic_is_counted_as_the_target_counts_it(self, harness: Harness, connector: Connector) -> None:
        entity, support = _first_readable(connector)
        await harness.seed(entity, 3)
        await harness.reset_calls()
        before = connector.traffic.requests
        await read_stream(connector, support.native, harness.company, limit=1)
        for target, _, _ in writable(connector):
            await write_all(connector, [harness.operation(target, 500, delivery="counted")])
        calls = await harness.calls()
        if calls is None:
            pytest.skip("the target cannot count")
        counted = connector.traffic.requests - before
        claim(counted >= calls.requests, f"{calls.requests} requests arrived, only {counted} were counted")

    async def test_errors_show_no_secret_and_no_payload(self, harness: Harness, connector: Connector) -> None:
        texts: list[str] = [repr(connector), str(connector)]
        for fault in ("unavailable", "lost_after"):
            if fault not in harness.faults:
                continue
            entity, support = _first_readable(connector)
            await harness.fault(fault, write=False, nth=1)
            request = ReadRequest(
                native=support.native, company=harness.company, equals={harness.key_field(entity): ("PAYLOAD-7",)}
            )
            try:
                await connector.read(request, nothing_known)
            except IsthmusError as error:
                texts += [str(error), repr(error), repr(error.__cause__)]
            await harness.clear_faults()
        for target, _, _ in writable(connector):
            operation = harness.operation(target, 510, delivery="secret")
            if "unavailable" in harness.faults:
                await harness.fault("unavailable", write=True, nth=1)
            texts += [f"{o.text} {o.mend} {o.code}" for o in (await write_all(connector, [operation])).values()]
            bad = harness.refused(target, 511, delivery="words")
            if bad is not None:
                texts += [f"{o.text} {o.mend}" for o in (await write_all(connector, [bad.operation])).values()]
            await harness.clear_faults()
        for secret in (*harness.secrets, "PAYLOAD-7", "ünïcödé ✓"):
            claim(not any(secret in text for text in texts), f"an error shows {secret[:4]}…")

    async def test_check_says_nothing_wrong_of_a_good_target_and_writes_nothing(
        self, harness: Harness, connector: Connector
    ) -> None:
        findings = await connector.check()
        wrong = [str(finding) for finding in findings if finding.severity == "error"]
        claim_equal(wrong, [], "errors found at a good target")
        claim_equal(connector.traffic.writes, 0, "writing calls of a check")

    async def test_the_fingerprint_is_the_same_every_time(self, harness: Harness, connector: Connector) -> None:
        other = harness.connector()
        try:
            first, second = await connector.fingerprint(), await other.fingerprint()
        finally:
            await other.close()
        claim(first, "the fingerprint is empty")
        claim_equal(dict(first), dict(second), "fingerprint seen by another process")

    async def test_closing_twice_is_harmless(self, harness: Harness) -> None:
        other = harness.connector()
        await other.fingerprint()
        await other.close()
        await other.close()


def _first_readable(connector: Connector) -> tuple[str, EntitySupport]:
    found = readable(connector)
    if not found:
        pytest.skip("the connector reads nothing")
    return found[0]
