"""Whom we believe is read once, and again when it changes: no connection pays for it, and no operator has to restart anything."""

import os
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.transports.certificates import self_signed
from transports import trust


def test_connections_share_what_was_read_until_the_authorities_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "authorities.pem"
    first = authority(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    shared = trust.context()
    assert believed() == {first}
    assert trust.context() is shared

    second = authority(bundle)
    os.utime(bundle, ns=(1, 1))  # whatever steps the file system counts in
    assert believed() == {second}

    other = tmp_path / "other.pem"
    third = authority(other)
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    assert believed() == {third}


def authority(path: Path) -> bytes:
    """Write a new one; return it."""
    pem = self_signed(ec.generate_private_key(ec.SECP256R1())).decode()
    path.write_text(pem)
    return ssl.PEM_cert_to_DER_cert(pem)


def believed() -> set[bytes]:
    """Authorities of the file; those of a folder are read when a connection needs them."""
    return set(trust.context().get_ca_certs(binary_form=True))
