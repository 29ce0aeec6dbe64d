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
    server_path.touch(mode=0o600)
    server_path.chmod(0o600)
    server_path.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    ca.cert_pem.write_to_path(ca_path)
    return ca_path, server_path


def _valid(path: Path) -> bool:
    text = path.read_bytes()
    start = text.find(b"-----BEGIN CERTIFICATE-----")
    if start < 0:
        return False
    certificate = load_pem_x509_certificate(text[start:])
    return certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=1)
