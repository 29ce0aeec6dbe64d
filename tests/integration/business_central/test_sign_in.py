"""Signing in to Entra ID, and what is said when it fails."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import jwt
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from isthmus.errors import ConfigurationError, SignInFailed, Unreachable

if TYPE_CHECKING:
    from integration.business_central.conftest import Bench


async def test_many_calls_at_once_share_one_token(bench: Bench) -> None:
    connector = bench.connector()
    await asyncio.gather(*(bench.read(connector, "accounts") for _ in range(8)))
    assert connector.traffic.token_requests == 1
    assert bench.box.calls()["tokens"] == 1


async def test_a_token_is_renewed_before_it_ends(bench: Bench) -> None:
    connector = bench.connector()
    await bench.read(connector, "accounts")
    await bench.clock.sleep(3599 - 200)
    await bench.read(connector, "accounts")
    assert connector.traffic.token_requests == 2
    assert bench.box.calls()["statuses"].get("401", 0) == 0


async def test_a_token_refused_early_is_renewed_once_for_all_calls(bench: Bench) -> None:
    connector = bench.connector()
    await bench.read(connector, "accounts")
    bench.box.fault("expired_token", times=1)
    pages = await asyncio.gather(*(bench.read(connector, "accounts") for _ in range(5)))
    assert all(page.records for page in pages)
    assert connector.traffic.token_requests == 2


@pytest.mark.parametrize(
    ("changes", "code", "setting"),
    [
        ({"secret": "wrong-value-1"}, "AADSTS7000215", "secret"),
        ({"client_id": "11111111-2222-3333-4444-555555555555"}, "AADSTS700016", "client_id"),
        ({"tenant": "nowhere.example"}, "AADSTS90002", "tenant"),
    ],
)
async def test_what_is_wrong_is_named_by_its_setting_and_never_by_its_value(
    bench: Bench, changes: dict[str, str], code: str, setting: str
) -> None:
    connector = bench.connector(**changes)
    with pytest.raises(SignInFailed) as caught:
        await bench.read(connector, "accounts")
    assert caught.value.code == code
    assert f"`{setting}`" in caught.value.hint
    assert "wrong-value-1" not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__!r}"
    finding = (await connector.check())[0]
    assert (finding.code, finding.severity) == (code, "error")


async def test_an_expired_secret_is_told_apart_from_a_wrong_one(bench: Bench) -> None:
    bench.box.seed(
        {
            "principals": [
                {
                    "client_id": "22222222-2222-3333-4444-555555555555",
                    "secret": "old",
                    "secret_expires": "2020-01-01T00:00:00Z",
                }
            ]
        }
    )
    connector = bench.connector(client_id="22222222-2222-3333-4444-555555555555", secret="old")
    with pytest.raises(SignInFailed) as caught:
        await bench.read(connector, "accounts")
    assert caught.value.code == "AADSTS7000222"


async def test_a_certificate_or_a_federated_token_signs_in_as_well(bench: Bench, tmp_path: Path) -> None:
    leaf = trustme.CA().issue_cert("app.example", key_type=trustme.KeyType.RSA)
    private, certificate = leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes()
    public = x509.load_pem_x509_certificate(certificate).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    clients = ["55555555-2222-3333-4444-555555555555", "66666666-2222-3333-4444-555555555555"]
    bench.box.seed(
        {
            "principals": [
                {"client_id": clients[0], "certificate": certificate.decode()},
                {"client_id": clients[1], "federated_key": pem.decode(), "federated_subject": "isthmus"},
            ]
        }
    )
    key_file, token_file = tmp_path / "app.pem", tmp_path / "token"
    key_file.write_bytes(private + certificate)
    claims = {"sub": "isthmus", "aud": "api://AzureADTokenExchange", "exp": bench.clock.now() + timedelta(minutes=5)}
    token_file.write_text(jwt.encode(claims, private, "RS256"), encoding="utf-8")
    ways = ({"certificate": str(key_file)}, {"assertion_file": str(token_file)})
    for client, way in zip(clients, ways, strict=True):
        connector = bench.connector(client_id=client, secret=None, **way)
        assert (await bench.read(connector, "accounts")).records


async def test_a_file_that_is_missing_is_told_by_its_setting(bench: Bench, tmp_path: Path) -> None:
    for setting in ("certificate", "assertion_file"):
        connector = bench.connector(secret=None, **{setting: str(tmp_path / "missing")})
        with pytest.raises(ConfigurationError):
            await bench.read(connector, "accounts")


async def test_an_application_business_central_does_not_know_is_told_where_to_be_entered(bench: Bench) -> None:
    client = "33333333-2222-3333-4444-555555555555"
    bench.box.seed({"principals": [{"client_id": client, "secret": "s", "registered": False}]})
    connector = bench.connector(client_id=client, secret="s")
    with pytest.raises(SignInFailed) as caught:
        await bench.read(connector, "accounts")
    assert "Microsoft Entra Applications" in caught.value.hint


async def test_a_missing_right_is_told_by_check(bench: Bench) -> None:
    client = "44444444-2222-3333-4444-555555555555"
    bench.box.seed({"principals": [{"client_id": client, "secret": "s", "permissions": ["accounts:read"]}]})
    findings = await bench.connector(client_id=client, secret="s").check()
    unreadable = {finding.value for finding in findings if finding.code == "set_unreadable"}
    assert "dimensions" in unreadable
    assert "accounts" not in unreadable


async def test_a_service_that_cannot_be_reached_is_one_finding(bench: Bench) -> None:
    connector = bench.connector(url="https://127.0.0.1:9", authority=bench.box.url)
    (finding,) = await connector.check()
    assert (finding.code, finding.severity) == ("unreachable", "error")
    with pytest.raises(Unreachable):
        await bench.read(bench.connector(authority="https://127.0.0.1:9"), "accounts")


async def test_an_untrusted_certificate_is_told_as_such(bench: Bench) -> None:
    with pytest.raises(Unreachable):
        await bench.read(bench.connector(ca=None), "accounts")


async def test_a_company_that_is_missing_is_told_with_those_that_exist(bench: Bench) -> None:
    findings = await bench.connector(companies=("CRONUS", "ATLANTIS")).check()
    (missing,) = [finding for finding in findings if finding.severity == "error"]
    assert (missing.code, missing.value) == ("company_missing", "ATLANTIS")
    assert "CRONUS" in missing.text


async def test_check_tells_what_cannot_be_seen_from_outside(bench: Bench) -> None:
    codes = {finding.code for finding in await bench.connector().check()}
    assert codes == {"journal_rights_untested", "posting_series_unseen", "services_unused"}
