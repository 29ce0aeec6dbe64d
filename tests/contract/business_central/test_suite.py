"""The connector suite over Business Central."""

from __future__ import annotations

from isthmus.testing.suite import ConnectorSuite


class TestBusinessCentral(ConnectorSuite):
    """Runs against the sandbox; see conftest.py."""
