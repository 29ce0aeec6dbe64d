"""The contract of reading, as tests."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from isthmus.contract.capabilities import EntitySupport
from isthmus.contract.connector import Connector
from isthmus.contract.records import ReadRequest
from isthmus.testing.claims import claim, claim_distinct, claim_equal
from isthmus.testing.harness import Harness
from isthmus.testing.ways import nothing_known, read_stream, readable

_RECORDS = 7


class ReadingSuite:
    """Tests of `read` and `fetch`. Needs the fixtures `harness` and `connector`."""

    async def test_a_stream_is_complete_and_without_doubles_at_any_page_size(
        self, harness: Harness, connector: Connector
    ) -> None:
        for entity, support in _streams(connector):
            await harness.seed(entity, _RECORDS)
            total = await harness.total(entity)
            for limit in (1, 3, total, 500):
                stream = await read_stream(connector, support.native, harness.company, limit=limit)
                claim_distinct(stream.ids, f"records of {entity} in pages of {limit}")
                claim_equal(len(stream.ids), total, f"records of {entity} in pages of {limit}")
                claim(not stream.pages[-1].more, f"the last page of {entity} says there is more")

    async def test_a_second_read_from_the_cursor_brings_only_what_changed(
        self, harness: Harness, connector: Connector
    ) -> None:
        for entity, support in _streams(connector, "watermark", "append"):
            await harness.seed(entity, _RECORDS)
            first = await read_stream(connector, support.native, harness.company)
            again = await read_stream(connector, support.native, harness.company, cursor=first.cursor)
            claim_equal(again.ids, [], f"records of {entity} that come again though nothing changed")

    async def test_an_edit_is_seen_by_the_next_read_with_a_new_version(
        self, harness: Harness, connector: Connector
    ) -> None:
        tried = 0
        for entity, support in _streams(connector, "watermark", "scan"):
            await harness.seed(entity, _RECORDS)
            first = await read_stream(connector, support.native, harness.company)
            target = first.records[len(first.records) // 2]
            await harness.pass_time(1)
            if not await harness.edit(entity, target):
                continue
            tried += 1
            after = await read_stream(connector, support.native, harness.company, cursor=first.cursor)
            edited = [record for record in after.records if record.id == target.id]
            claim_equal(len(edited), 1, f"times the edited record of {entity} is read")
            claim(edited[0].version != target.version, f"the edited record of {entity} has its old version")
        if not tried:
            pytest.skip("the target has no door to edit a record")

    async def test_new_records_of_a_growing_ledger_are_seen(self, harness: Harness, connector: Connector) -> None:
        for entity, support in _streams(connector, "append"):
            await harness.seed(entity, _RECORDS)
            first = await read_stream(connector, support.native, harness.company)
            before = await harness.total(entity)
            await harness.seed(entity, _RECORDS)
            after = await read_stream(connector, support.native, harness.company, cursor=first.cursor)
            claim_equal(len(after.ids), await harness.total(entity) - before, f"new records of {entity}")

    async def test_a_scan_ends_and_a_deleted_record_is_missing_from_the_next(
        self, harness: Harness, connector: Connector
    ) -> None:
        for entity, support in _streams(connector, "scan"):
            await harness.seed(entity, _RECORDS)
            first = await read_stream(connector, support.native, harness.company, limit=3)
            claim(all(page.scan for page in first.pages), f"a page of the scan of {entity} has no scan id")
            claim_equal(len({page.scan for page in first.pages}), 1, f"scans of {entity} in one read")
            claim_equal([page.scan_done for page in first.pages][-1], True, f"the end of the scan of {entity}")
            if support.sees_deletes and await harness.remove(entity, first.records[0]):
                after = await read_stream(connector, support.native, harness.company, cursor=first.cursor)
                claim(first.records[0].id not in after.ids, f"a deleted record of {entity} is still shown")

    async def test_another_process_goes_on_in_the_middle_of_a_stream(
        self, harness: Harness, connector: Connector
    ) -> None:
        for entity, support in _streams(connector):
            await harness.seed(entity, _RECORDS)
            request = ReadRequest(native=support.native, company=harness.company, limit=3)
            page = await connector.read(request, nothing_known)
            other = harness.connector()
            try:
                rest = (
                    await read_stream(other, support.native, harness.company, cursor=page.cursor) if page.more else None
                )
            finally:
                await other.close()
            ids = [record.id for record in page.records] + (rest.ids if rest else [])
            claim_distinct(ids, f"records of {entity} read by two processes")
            claim_equal(len(ids), await harness.total(entity), f"records of {entity} read by two processes")

    async def test_a_narrow_read_finds_exactly_the_records_named(self, harness: Harness, connector: Connector) -> None:
        for entity, support in _streams(connector):
            await harness.seed(entity, _RECORDS)
            field = harness.key_field(entity)
            everything = await read_stream(connector, support.native, harness.company)
            wanted = everything.records[:5]
            values = tuple(sorted({str(record.data[field]) for record in wanted}))
            request = ReadRequest(native=support.native, company=harness.company, equals={field: values})
            page = await connector.read(request, nothing_known)
            expected = {record.id for record in everything.records if str(record.data[field]) in values}
            claim_equal({record.id for record in page.records}, expected, f"records of {entity} by {field}")
            claim(not page.more, f"a narrow read of {entity} says there is more")

    async def test_quotes_and_blanks_in_a_narrow_read_find_nothing_and_break_nothing(
        self, harness: Harness, connector: Connector
    ) -> None:
        for entity, support in _streams(connector):
            field = harness.key_field(entity)
            record = (await read_stream(connector, support.native, harness.company)).records
            if record and not isinstance(record[0].data.get(field), str):
                continue
            request = ReadRequest(
                native=support.native, company=harness.company, equals={field: ("o'b rien&x=1 or 1 eq 1", "ü/#?")}
            )
            page = await connector.read(request, nothing_known)
            claim_equal(page.records, (), f"records of {entity} under a number that does not exist")

    async def test_single_records_come_back_and_gone_ones_are_marked(
        self, harness: Harness, connector: Connector
    ) -> None:
        for entity, support in _streams(connector):
            await harness.seed(entity, _RECORDS)
            stream = await read_stream(connector, support.native, harness.company)
            wanted = stream.records[0]
            unknown = _unlike(wanted.id)
            found = await connector.fetch(support.native, harness.company, [wanted.id, unknown])
            by_id = {record.id: record for record in found}
            claim_equal(set(by_id), {wanted.id, unknown}, f"records of {entity} fetched")
            claim_equal(by_id[wanted.id].version, wanted.version, f"version of a fetched record of {entity}")
            claim(by_id[unknown].deleted, f"a record of {entity} that does not exist is not marked deleted")

    async def test_values_are_exact_and_texts_are_whole(self, harness: Harness, connector: Connector) -> None:
        texts: list[str] = []
        for entity, support in _streams(connector):
            await harness.seed(entity, _RECORDS)
            for record in (await read_stream(connector, support.native, harness.company)).records:
                claim(isinstance(record.id, str) and record.id, f"a record of {entity} has no text as id")
                _walk(record.data, partial(_claim_exact, entity))
                texts += [value for value in record.data.values() if isinstance(value, str)]
        claim(any("ünïcödé ✓" in text for text in texts), "the text ünïcödé ✓ of the seed arrives nowhere")

    async def test_what_is_not_there_to_be_read_is_refused_in_words(
        self, harness: Harness, connector: Connector
    ) -> None:
        with pytest.raises(Exception, match="no_such_set"):
            await connector.read(ReadRequest(native="no_such_set", company=harness.company), nothing_known)


def _streams(connector: Connector, *detections: str) -> list[tuple[str, EntitySupport]]:
    found = [
        (entity, support) for entity, support in readable(connector) if not detections or support.changes in detections
    ]
    if not found:
        pytest.skip(f"no entity is read by {' or '.join(detections) or 'anything'}")
    return found


def _unlike(native_id: str) -> str:
    """An id of the same form that does not exist."""
    return native_id[:-4] + ("0f0e" if not native_id.endswith("0f0e") else "1a1b")


def _walk(value: Any, check: Callable[[Any], None]) -> None:
    if isinstance(value, dict):
        for item in value.values():
            _walk(item, check)
    elif isinstance(value, list | tuple):
        for item in value:
            _walk(item, check)
    else:
        check(value)


def _claim_exact(entity: str, value: Any) -> None:
    plain = value is None or isinstance(value, str | bool | int | Decimal)
    claim(plain and not isinstance(value, float), f"a value of {entity} is a {type(value).__name__}")
