"""Settings of a connection."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from isthmus.connectors.dynamics._auth import Masked
from isthmus.connectors.dynamics.business_central.config import BusinessCentralConfig
from isthmus.connectors.dynamics.business_central.connector import connect
from isthmus.contract.clock import SystemClock


def config(**changes: Any) -> BusinessCentralConfig:
    return BusinessCentralConfig(**({"tenant": "contoso.example", "client_id": "app", "secret": "s3cr3t"} | changes))


def test_the_address_is_that_of_the_standard_apis() -> None:
    expected = "https://api.businesscentral.dynamics.com/v2.0/contoso.example/My%20Box/api/v2.0"
    assert config(environment="My Box").root == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": None},
        {"certificate": "a.pem"},
        {"url": "http://127.0.0.1"},
        {"authority": "http://127.0.0.1"},
        {"documents_per_journal": 51},
        {"concurrency": 6},
        {"nonsense": 1},
        {"tenant": ""},
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**changes)


def test_the_secret_shows_nowhere() -> None:
    given = config()
    connector = connect(given, SystemClock())
    for text in (
        repr(given),
        str(given),
        given.model_dump_json(),
        repr(connector),
        repr(Masked("s3cr3t")),
        str(Masked("s3cr3t")),
    ):
        assert "s3cr3t" not in text


def test_capabilities_follow_the_settings() -> None:
    journal = connect(config(posting="save", documents_per_journal=7), SystemClock()).capabilities.entities[
        "journal_entry"
    ]
    assert (journal.booked, journal.batch) == (False, 7)
