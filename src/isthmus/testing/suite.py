"""The connector suite: the whole contract as tests, inherited by each connector's own test file.

```python
class TestMySystem(ConnectorSuite):
    @pytest.fixture
    async def harness(self, tmp_path):
        async with my_simulator(tmp_path) as simulator:
            yield MyHarness(simulator)
```
What the connector's capabilities do not offer, or the target cannot be made to do, is skipped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from isthmus.contract.connector import Connector
from isthmus.testing.harness import Harness
from isthmus.testing.manners import MannersSuite
from isthmus.testing.reading import ReadingSuite
from isthmus.testing.writing import UncertaintySuite, WritingSuite


class ConnectorSuite(ReadingSuite, WritingSuite, UncertaintySuite, MannersSuite):
    """Everything a connector promises. Subclasses give the `harness` fixture."""

    @pytest.fixture
    async def connector(self, harness: Harness) -> AsyncIterator[Connector]:
        """The connector under test, closed at the end."""
        connector = harness.connector()
        yield connector
        await connector.close()
