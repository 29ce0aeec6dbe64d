"""The connector suite over the generic REST connector with the profile of a plain CAFM."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from isthmus.contract.connector import Connector
from isthmus.testing.harness import Harness
from isthmus.testing.reading import ReadingSuite
from isthmus.testing.suite import ConnectorSuite


class TestCafm(ConnectorSuite):
    """Against the sandbox, see conftest.py: a key that is unique, a pair of keys, a mark of ours, and read only."""


@pytest.mark.slow
class TestWholeCafm(ReadingSuite):
    """Reading of every entity of the profile."""

    whole = True

    @pytest.fixture
    async def connector(self, harness: Harness) -> AsyncIterator[Connector]:
        connector = harness.connector()
        yield connector
        await connector.close()
