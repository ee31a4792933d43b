"""What the inbox process reads from the environment besides ``config.Settings``. The port turns it on."""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.errors import OperatorMisconfigured

_NAME = re.compile(r"(?=.{1,253}$)([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z0-9-]{2,63}")
_DEFAULT_MEGABYTES = 25
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class InboxSettings:
    """Where and how to listen. ``name``: this host's, as its MX record has it. ``max_size``: bytes of one message.

    ``certificate`` and ``key``: paths of PEM files, the key's empty if the certificate's file holds it; without a certificate
    there is no STARTTLS.
    """

    host: str
    port: int
    name: str
    certificate: str = ""
    key: str = ""
    max_size: int = _DEFAULT_MEGABYTES * _MEGABYTE

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "InboxSettings | None":
        """Read and validate; None without a port. Raises ``OperatorMisconfigured``, whose line names the variable and the fix."""

        def given(name: str) -> str:
            return environment.get(name, "").strip()

        if not given("INBOX_PORT"):
            return None
        port = _number("INBOX_PORT", given("INBOX_PORT"), 65535)
        name = given("INBOX_NAME").lower()
        if not _NAME.fullmatch(name):
            said = f"is {name[:80]!r}" if name else "is not set"
            raise OperatorMisconfigured(
                f"INBOX_NAME {said}. Give this host's name as the MX record of DEFAULT_MAIL_DOMAIN has it, such as"
                " inbox.example.com."
            )
        if given("INBOX_KEY_FILE") and not given("INBOX_CERTIFICATE_FILE"):
            raise OperatorMisconfigured(
                "INBOX_KEY_FILE is set and INBOX_CERTIFICATE_FILE is not. Give the path of the key's certificate too."
            )
        settings = cls(
            given("INBOX_HOST") or "127.0.0.1",
            port,
            name,
            given("INBOX_CERTIFICATE_FILE"),
            given("INBOX_KEY_FILE"),
            _number("INBOX_MAX_MB", given("INBOX_MAX_MB") or str(_DEFAULT_MEGABYTES), 100) * _MEGABYTE,
        )
        settings.tls()
        return settings

    def tls(self) -> ssl.SSLContext | None:
        """Read the certificate; None without one. Raises ``OperatorMisconfigured``."""
        if not self.certificate:
            return None
        for name, path in (("INBOX_CERTIFICATE_FILE", self.certificate), ("INBOX_KEY_FILE", self.key)):
            try:
                if path:
                    Path(path).read_bytes()
            except OSError as error:
                raise OperatorMisconfigured(f"{name}: {path} cannot be read ({error.strerror}).") from None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            # An encrypted key would have OpenSSL ask for its password on the terminal.
            context.load_cert_chain(self.certificate, self.key or None, password=lambda: "")
        except (ssl.SSLError, ValueError):
            raise OperatorMisconfigured(
                f"INBOX_CERTIFICATE_FILE: {self.certificate} must hold a certificate as PEM, and it or INBOX_KEY_FILE the"
                " certificate's private key, unencrypted."
            ) from None
        return context


def _number(name: str, value: str, most: int) -> int:
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= most):
        raise OperatorMisconfigured(f"{name} is {value[:20]!r}. Give a whole number from 1 to {most}.")
    return int(value)
