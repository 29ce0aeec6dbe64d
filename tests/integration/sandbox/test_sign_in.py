"""Signing in with Entra ID, and what Business Central makes of a token."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any

import jwt
import msal
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import CertificateCredential, ClientAssertionCredential, ClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from isthmus.sandbox.server import Sandbox

TENANT = "0f6d8c52-6f0e-4b55-9e3b-3c1d1b0f7a10"
SCOPE = "https://api.businesscentral.dynamics.com/.default"
CLIENT = "11111111-0000-4000-8000-000000000001"


@pytest.fixture(scope="module")
def signer() -> tuple[str, str]:
    """A private key and its self-signed certificate, both PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "isthmus")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    certificate = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=2)).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def options(box: Sandbox) -> dict[str, Any]:
    return {"authority": box.url, "disable_instance_discovery": True, "connection_verify": str(box.ca)}


async def test_azure_identity_signs_in_with_a_secret(box: Sandbox, bc: Any) -> None:
    async with ClientSecretCredential(TENANT, CLIENT, "full-secret", **options(box)) as credential:
        token = await credential.get_token(SCOPE)
        bc.token = token.token
        assert (await bc.get("/companies")).status == 200
        again = await credential.get_token(SCOPE)
    assert again.token == token.token
    assert box.calls()["tokens"] == 2  # the fixture's and ours: the second one came from the cache


async def test_azure_identity_says_why_a_secret_is_refused(box: Sandbox) -> None:
    async with ClientSecretCredential(TENANT, CLIENT, "wrong", **options(box)) as credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            await credential.get_token(SCOPE)


async def test_a_certificate_signs_in(box: Sandbox, bc: Any, signer: tuple[str, str]) -> None:
    private, certificate = signer
    client = "11111111-0000-4000-8000-00000000000c"
    box.seed({"principals": [{"client_id": client, "certificate": certificate}]})
    data = (private + certificate).encode()
    async with CertificateCredential(TENANT, client, certificate_data=data, **options(box)) as credential:
        bc.token = (await credential.get_token(SCOPE)).token
    assert (await bc.get("accounts")).status == 200


async def test_a_federated_assertion_signs_in(box: Sandbox, bc: Any, signer: tuple[str, str]) -> None:
    private, certificate = signer
    public = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    client = "11111111-0000-4000-8000-00000000000d"
    box.seed({"principals": [{"client_id": client, "federated_key": pem, "federated_subject": "system:isthmus"}]})

    async def token_of(subject: str) -> str:
        def assertion() -> str:
            now = dt.datetime.now(dt.UTC)
            claims = {"sub": subject, "aud": "api://AzureADTokenExchange", "exp": now + dt.timedelta(minutes=5)}
            return jwt.encode(claims, private, "RS256")

        async with ClientAssertionCredential(TENANT, client, assertion, **options(box)) as credential:
            return (await credential.get_token(SCOPE)).token

    bc.token = await token_of("system:isthmus")
    assert (await bc.get("accounts")).status == 200
    with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
        await token_of("system:somebody-else")


async def test_an_unknown_key_does_not_sign_in(box: Sandbox, signer: tuple[str, str]) -> None:
    private, certificate = signer
    async with CertificateCredential(
        TENANT, CLIENT, certificate_data=(private + certificate).encode(), **options(box)
    ) as credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
            await credential.get_token(SCOPE)


async def test_plain_msal_signs_in_and_reads_the_refusal(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    # requests prefers a bundle of the environment to the one MSAL was given.
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)

    def acquire(secret: str) -> dict[str, Any]:
        app = msal.ConfidentialClientApplication(
            CLIENT,
            client_credential=secret,
            authority=f"{box.url}/{TENANT}",
            instance_discovery=False,
            verify=str(box.ca),
        )
        found = app.acquire_token_for_client([SCOPE])
        assert isinstance(found, dict)
        return found

    assert "access_token" in await asyncio.to_thread(acquire, "full-secret")
    refused = await asyncio.to_thread(acquire, "wrong")
    assert refused["error"] == "invalid_client"
    assert refused["error_codes"] == [7000215]


@pytest.mark.parametrize(
    ("form", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": ""}, 401, "invalid_client", 7000218),
        ({"client_id": "22222222-0000-4000-8000-000000000001"}, 400, "unauthorized_client", 700016),
        ({"tenant": "33333333-0000-4000-8000-000000000001"}, 400, "invalid_request", 90002),
        ({"scope": "https://api.businesscentral.dynamics.com/API.ReadWrite.All"}, 400, "invalid_scope", 1002012),
        ({"scope": "nonsense"}, 400, "invalid_scope", 70011),
        ({"scope": ""}, 400, "invalid_request", 900144),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
    ],
)
async def test_each_refusal_has_its_code(
    standing: Any, form: dict[str, str], status: int, error: str, number: int
) -> None:
    answer = await standing.sign_in(**form)
    assert (answer.status, answer.body["error"], answer.body["error_codes"]) == (status, error, [number])
    assert answer.body["error_description"].startswith(f"AADSTS{number}: ")


async def test_a_secret_expires_by_the_sandbox_clock(box: Sandbox, make_client: Callable[..., Any]) -> None:
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    principal = {"client_id": "11111111-0000-4000-8000-00000000000e", "secret": "s", "secret_expires": expires}
    box.seed({"principals": [principal]})
    client = make_client(principal)
    assert (await client.sign_in()).status == 200
    box.advance(3601)
    assert (await client.sign_in()).body["error_codes"] == [7000222]


async def test_the_tenant_may_be_named_by_its_domain(standing: Any) -> None:
    assert (await standing.sign_in(tenant="contoso.example")).status == 200


async def test_a_token_expires_by_the_sandbox_clock(box: Sandbox, bc: Any) -> None:
    box.advance(3590)
    assert (await bc.get("/companies")).status == 200
    box.advance(10)
    answer = await bc.get("/companies")
    assert (answer.status, answer.code) == (401, "Authentication_InvalidCredentials")
    await bc.sign_in()
    assert (await bc.get("/companies")).status == 200


@pytest.mark.parametrize("token", ["", "nonsense", "eyJhbGciOiJub25lIn0.e30."])
async def test_no_token_of_ours_is_401(standing: Any, token: str) -> None:
    standing.token = token
    assert (await standing.get("/companies")).code == "Authentication_InvalidCredentials"


async def test_a_token_for_another_service_is_401(standing: Any) -> None:
    await standing.sign_in(scope="https://graph.microsoft.com/.default")
    assert (await standing.get("/companies")).status == 401


async def test_an_application_unknown_to_business_central_is_401(box: Sandbox, make_client: Callable[..., Any]) -> None:
    principal = {"client_id": "11111111-0000-4000-8000-00000000000f", "secret": "s", "registered": False}
    box.seed({"principals": [principal]})
    client = make_client(principal)
    assert (await client.sign_in()).status == 200
    assert (await client.get("/companies")).status == 401


async def test_missing_permissions_name_the_table(reader: Any) -> None:
    journal = await reader.journal()
    answer = await reader.line(journal, "8450", 1)
    assert (answer.status, answer.code) == (403, "Internal_ServerError")
    wanted = "Sorry, the current permissions prevented the action. (TableData 81 Gen. Journal Line Insert: "
    assert answer.text.startswith(wanted)
    assert (await reader.post_journal(journal)).code == "Internal_ServerError"
    assert (await reader.get("generalLedgerEntries")).status == 200


async def test_super_is_no_permission_set_of_an_application(standing_box: Sandbox) -> None:
    with pytest.raises(RuntimeError, match="SUPER"):
        standing_box.seed({"principals": [{"client_id": "x", "secret": "s", "permissions": ["SUPER"]}]})


async def test_instance_discovery_names_this_host(box: Sandbox, bc: Any) -> None:
    async with bc.session.get(f"{box.url}/common/discovery/instance") as response:
        assert (await response.json())["metadata"][0]["preferred_network"] == box.url.removeprefix("https://")
