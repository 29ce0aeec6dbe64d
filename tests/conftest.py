"""Every test runs alone: no settings of this machine, no traffic but to itself.

Environment variables that steer the product are dropped before anything of it is imported. Connections and look-ups
beyond loopback are refused as a dead network would refuse them, and the test that tried them fails, even where the code
under test swallows the refusal. Programs that a test starts inherit the environment; their traffic is not watched.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

DROPPED = ("ISTHMUS_", "PG", "AZURE_", "OTEL_", "UVICORN_")
for name in list(os.environ):
    if name.startswith(DROPPED) or name == "DATABASE_URL" or name.upper().endswith("_PROXY"):
        del os.environ[name]

# A shared machine may pause any example; how long one takes says nothing about the code.
settings.register_profile("isthmus", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("isthmus")

#: places beyond this machine that the running test tried to reach
ATTEMPTS: list[str] = []
# reserved names (RFC 2606, 6761) cannot belong to anybody: a test may try them, and they never resolve
NOWHERE = (".invalid", ".test", ".example", "example.com", "example.org", "example.net")


def _own(host: str) -> bool:
    if host in {"", "localhost"} or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _guard(event: str, args: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"}:
        family, address = args[0].family, args[1]
        if family in {socket.AF_INET, socket.AF_INET6} and not _own(str(address[0])):
            ATTEMPTS.append(f"{address[0]}:{address[1]}")
            raise ConnectionRefusedError(f"tests reach loopback only, not {address[0]}")
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = args[0].decode() if isinstance(args[0], bytes) else args[0]
        if host and not _own(host):
            if not host.rstrip(".").endswith(NOWHERE):
                ATTEMPTS.append(host)
            if not host.replace(".", "").isdigit() and ":" not in host:  # a literal address needs no look-up
                raise socket.gaierror(socket.EAI_NONAME, f"tests look up no names, not {host}")


# An audit hook sees every way to a socket that Python takes, asyncio too. It cannot be removed.
sys.addaudithook(_guard)


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[list[str]]:
    """Fail the test that tried to reach another machine."""
    ATTEMPTS.clear()
    yield ATTEMPTS
    if ATTEMPTS:
        pytest.fail(f"this test tried to reach {', '.join(sorted(set(ATTEMPTS)))}", pytrace=False)
