"""What Azure puts around a process: a metadata endpoint, or a pod's token and an Entra that is reached over TLS."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from db.core import entra_login
from lab.emulator.background import Running
from tests.transports.certificates import self_signed

_VARIABLES = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST",
              "AZURE_POD_IDENTITY_AUTHORITY_HOST", "IDENTITY_ENDPOINT", "MSI_ENDPOINT")  # fmt: skip


@contextmanager
def azure_host(kind: str, emulator: Running, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host whose identity has the object id ``host-object``. ``kind``: ``managed`` or ``workload`` identity."""
    for name in _VARIABLES:
        patch.delenv(name, raising=False)
    patch.setenv("AZURE_CLIENT_ID", "host-client")
    emulator.control.identities(hosts={"host-client": "host-object"})
    entra_login._identity.cache_clear()
    try:
        if kind == "managed":
            patch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", emulator.url)
            yield
            return
        (folder / "token").write_text("the.pods.token")
        emulator.control.identities(kubernetes={"the.pods.token": "host-client"})
        with _over_tls(emulator.url, folder) as (url, certificate):
            patch.setenv("AZURE_TENANT_ID", "00000000-0000-0000-0000-00000000000a")
            patch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(folder / "token"))
            patch.setenv("AZURE_AUTHORITY_HOST", url)
            patch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
            yield
    finally:
        if entra_login._identity.cache_info().currsize:
            entra_login._identity().close()
        entra_login._identity.cache_clear()


@contextmanager
def _over_tls(url: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """The emulator behind a TLS server, because azure-identity uses only https for Entra.

    Yields its URL and certificate.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both, certificate = folder / "tls.pem", folder / "ca.pem"
    certificate.write_bytes(self_signed(key))
    both.write_bytes(private + certificate.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    port = int(url.rpartition(":")[2])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            behind = HTTPConnection("127.0.0.1", port)
            behind.request("POST", self.path, body, dict(self.headers.items()))
            answer = behind.getresponse()
            content = answer.read()
            behind.close()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}", certificate
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
