"""The certificate of the sandbox, from a certificate authority of its own. The authority's key is thrown away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography.x509 import load_pem_x509_certificate


def prepare(home: Path) -> tuple[Path, Path]:
    """Paths of ca.pem, to be trusted by clients, and server.pem with key and chain. Kept over restarts while they
    are valid.
    """
    ca_path, server_path = home / "ca.pem", home / "server.pem"
    if ca_path.exists() and server_path.exists() and _valid(ca_path) and _valid(server_path):
        return ca_path, server_path
    ca = trustme.CA(organization_name="Isthmus sandbox")
    issued = ca.issue_cert("127.0.0.1", "localhost", "::1")
    return _keep(home, ca.cert_pem.bytes(), issued.private_key_and_cert_chain_pem.bytes())


def take_over(home: Path, other: Path) -> tuple[Path, Path]:
    """The certificate of another home, kept in this one as well."""
    return _keep(home, (other / "ca.pem").read_bytes(), (other / "server.pem").read_bytes())


def _keep(home: Path, ca: bytes, server: bytes) -> tuple[Path, Path]:
    ca_path, server_path = home / "ca.pem", home / "server.pem"
    server_path.touch(mode=0o600)
    server_path.chmod(0o600)
    server_path.write_bytes(server)
    ca_path.write_bytes(ca)
    return ca_path, server_path


def _valid(path: Path) -> bool:
    text = path.read_bytes()
    start = text.find(b"-----BEGIN CERTIFICATE-----")
    if start < 0:
        return False
    certificate = load_pem_x509_certificate(text[start:])
    return certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=1)
