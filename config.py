"""A process's settings, read from the environment once, by entry points only (``Settings.from_environment()``).

A missing or malformed value raises ``OperatorMisconfigured``, whose one line names the variable and the fix.
"""

import base64
import binascii
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from config_urls import check_scheme, emulator_url, public_url, web_url
from domain.errors import OperatorMisconfigured

_HOST_NAME = re.compile(r"(?=.{1,253}$)([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z0-9-]{2,63}")
# "projects/my-project/topics/my-topic"; a project of a domain is "example.com:my-project" (Pub/Sub's "Naming a resource").
_TOPIC = re.compile(r"projects/[a-z][a-z0-9.:-]{3,127}/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}")
_ACCOUNT = re.compile(r"[^@\s]{1,64}@[a-z0-9.-]{3,190}")
_ADDRESS_LITERAL = re.compile(r"\[[0-9a-fA-F.:]{2,45}\]|\[IPv6:[0-9a-fA-F:.]{2,45}\]")
# Variables that a process without requests to Microsoft does not need, and below, one that only changes the schema.
NO_MICROSOFT = ("MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET", "GOOGLE_CLIENT_SECRET")
# How the Entra app authenticates (MICROSOFT_CREDENTIAL): the variable that each way needs, and its content.
CREDENTIALS = {
    "secret": ("MICROSOFT_CLIENT_SECRET", "Give the client secret of your Entra app."),
    "certificate": (
        "MICROSOFT_CERTIFICATE_FILE",
        "Give the path of a PEM file that holds the app's certificate and its private key.",
    ),
    "workload-identity": (
        "AZURE_FEDERATED_TOKEN_FILE",
        'Azure\'s webhook sets it in pods labelled azure.workload.identity/use: "true".',
    ),
    "managed-identity": (
        "AZURE_CLIENT_ID",
        "Give the client id of the user-assigned managed identity that your Entra app trusts.",
    ),
}
SCHEMA_ONLY = (*NO_MICROSOFT, "REDIS_URL")
KEYS_ONLY = (*SCHEMA_ONLY, "DATABASE_URL")
_PRINT_KEYS = "Print it where SECRET_KEYS is: onbehalf keys web"
PUBLIC_ENTRA_URL = "https://login.microsoftonline.com"
PUBLIC_GRAPH_URL = "https://graph.microsoft.com"
PUBLIC_GOOGLE_URL = "https://accounts.google.com"  # the pages for people


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. ``secret_keys`` are 32-byte keys, newest first; ``repr`` shows no secret.

    The web process has no ``secret_keys``. It has ``web_secret_keys`` and ``sealing_public_key``, which derive from them; the
    inbox process has the latter alone.
    """

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_keys: tuple[bytes, ...] = field(repr=False)
    microsoft_client_id: str = ""
    microsoft_client_secret: str = field(default="", repr=False)
    microsoft_credential: str = "secret"
    microsoft_certificate: str = field(default="", repr=False)  # PEM: the certificate and its private key
    azure_federated_token_file: str = ""
    azure_client_id: str = ""
    entra_url: str = PUBLIC_ENTRA_URL
    graph_url: str = PUBLIC_GRAPH_URL
    google_client_id: str = ""
    google_client_secret: str = field(default="", repr=False)
    google_personal: bool = False  # accounts outside a Workspace may connect
    google_url: str = ""  # an emulator's, instead of Google's own addresses
    google_pubsub_topic: str = ""  # where Gmail publishes what changes; empty: nowhere
    google_pubsub_account: str = ""  # the service account as which Pub/Sub calls us
    graph_one_click: bool = False  # Exchange lets List-Unsubscribe-Post through, as probe-graph says
    public_url: str = "http://localhost:8000"
    default_mail_url: str = field(default="", repr=False)
    default_mail_domain: str = ""
    smtp_ehlo_name: str = "[127.0.0.1]"
    keep_months: int | None = None
    health_port: int | None = None
    health_host: str = "127.0.0.1"
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    log_format: str = "auto"
    log_level: str = "info"
    one_environment: bool = False  # the host gives all processes the same variables
    web_secret_keys: tuple[bytes, ...] = field(default=(), repr=False)
    sealing_public_key: bytes = b""

    @property
    def emulated(self) -> bool:
        """Is Microsoft an emulator on this machine? Then mail servers may be local too."""
        return self.graph_url.startswith("http://")

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] = os.environ,
        *,
        without: Collection[str] = (),
        for_web: bool = False,
        for_inbox: bool = False,
    ) -> "Settings":
        """Read and validate every value. ``without``: variables this process does not need. Raises ``OperatorMisconfigured``.

        ``for_web``, ``for_inbox``: for these processes, which have their own keys and refuse to hold the workers'.
        """

        def need(name: str, fix: str) -> str:
            value = environment.get(name, "").strip()
            if not value and name not in without:
                raise OperatorMisconfigured(f"{name} is not set. {fix}")
            return value

        database_url = need(
            "DATABASE_URL",
            "Give a Postgres URL, for example postgresql://user:password@host/onbehalf.",
        )
        if database_url:
            check_scheme("DATABASE_URL", database_url, {"postgres", "postgresql", "postgresql+psycopg"})
        if redis_url := need("REDIS_URL", "Give a Redis URL, for example redis://host:6379/0."):
            check_scheme("REDIS_URL", redis_url, {"redis", "rediss", "unix", "sentinel", "sentinels"})
        entra_url = web_url("ENTRA_URL", environment.get("ENTRA_URL", PUBLIC_ENTRA_URL))
        graph_url = web_url("GRAPH_URL", environment.get("GRAPH_URL", PUBLIC_GRAPH_URL))
        credential = _choice(environment, "MICROSOFT_CREDENTIAL", "secret", set(CREDENTIALS))
        if "MICROSOFT_CLIENT_SECRET" not in without:
            need(*CREDENTIALS[credential])
        if google_id := environment.get("GOOGLE_CLIENT_ID", "").strip():
            need("GOOGLE_CLIENT_SECRET", "Give the client secret that belongs to GOOGLE_CLIENT_ID.")
        if mail_url := environment.get("DEFAULT_MAIL_URL", "").strip():
            check_scheme("DEFAULT_MAIL_URL", mail_url, {"smtp", "smtps", "smtp+starttls"})
        return cls(
            database_url=database_url,
            redis_url=redis_url,
            **_keys(environment, need, for_web=for_web, for_inbox=for_inbox),
            microsoft_client_id=need(
                "MICROSOFT_CLIENT_ID",
                "Give the application (client) id of your Entra app.",
            ),
            microsoft_client_secret=environment.get("MICROSOFT_CLIENT_SECRET", "").strip(),
            microsoft_credential=credential,
            microsoft_certificate=_certificate(environment.get("MICROSOFT_CERTIFICATE_FILE", "").strip()),
            azure_federated_token_file=environment.get("AZURE_FEDERATED_TOKEN_FILE", "").strip(),
            azure_client_id=environment.get("AZURE_CLIENT_ID", "").strip(),
            entra_url=entra_url,
            graph_url=graph_url,
            google_client_id=google_id,
            google_client_secret=environment.get("GOOGLE_CLIENT_SECRET", "").strip(),
            google_personal=_choice(environment, "GOOGLE_PERSONAL_ACCOUNTS", "no", {"yes", "no"}) == "yes",
            google_url=emulator_url("GOOGLE_URL", environment.get("GOOGLE_URL", "")),
            **_pubsub(environment),
            graph_one_click=_choice(environment, "GRAPH_ONE_CLICK", "no", {"yes", "no"}) == "yes",
            public_url=public_url(environment.get("PUBLIC_URL", "http://localhost:8000")),
            default_mail_url=mail_url,
            default_mail_domain=environment.get("DEFAULT_MAIL_DOMAIN", "").strip() or "onbehalf.invalid",
            smtp_ehlo_name=_ehlo_name(environment),
            keep_months=_months(environment.get("KEEP_MONTHS", "").strip()),
            health_port=_port("HEALTH_PORT", environment.get("HEALTH_PORT", "").strip()),
            health_host=environment.get("HEALTH_HOST", "").strip() or "127.0.0.1",
            metrics_port=_port("METRICS_PORT", environment.get("METRICS_PORT", "").strip()),
            metrics_host=environment.get("METRICS_HOST", "").strip() or "127.0.0.1",
            one_environment=_choice(environment, "ONE_ENVIRONMENT", "no", {"yes", "no"}) == "yes",
            log_format=_choice(environment, "LOG_FORMAT", "auto", {"auto", "json", "pretty"}),
            log_level=_choice(environment, "LOG_LEVEL", "info", {"debug", "info", "warning", "error"}),
        )


def _pubsub(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the topic and the account of Gmail's hints: both or none."""
    topic = environment.get("GOOGLE_PUBSUB_TOPIC", "").strip()
    account = environment.get("GOOGLE_PUBSUB_ACCOUNT", "").strip().lower()
    if topic and not _TOPIC.fullmatch(topic):
        raise OperatorMisconfigured(
            f"GOOGLE_PUBSUB_TOPIC is {topic[:80]!r}. Write it like projects/PROJECT/topics/TOPIC."
        )
    if topic and not _ACCOUNT.fullmatch(account):
        raise OperatorMisconfigured(
            f"GOOGLE_PUBSUB_ACCOUNT is {account[:80]!r}. Give the service account that the push subscription of"
            " GOOGLE_PUBSUB_TOPIC authenticates as, such as push@PROJECT.iam.gserviceaccount.com."
        )
    return {"google_pubsub_topic": topic, "google_pubsub_account": account if topic else ""}


def _certificate(name: str) -> str:
    if not name:
        return ""
    try:
        pem = Path(name).read_bytes()
        load_pem_x509_certificate(pem)
        load_pem_private_key(pem, None)
    except OSError as error:
        raise OperatorMisconfigured(
            f"MICROSOFT_CERTIFICATE_FILE: {name} cannot be read ({error.strerror})."
        ) from None
    except (ValueError, TypeError):
        raise OperatorMisconfigured(
            f"MICROSOFT_CERTIFICATE_FILE: {name} must hold a certificate and its private key, unencrypted, as PEM."
        ) from None
    return pem.decode()


def _choice(environment: Mapping[str, str], name: str, default: str, allowed: set[str]) -> str:
    value = environment.get(name, default).strip().lower()
    if value not in allowed:
        raise OperatorMisconfigured(f"{name} is {value!r}. Use one of: {', '.join(sorted(allowed))}.")
    return value


def _ehlo_name(environment: Mapping[str, str]) -> str:
    """Return the name for EHLO: as configured, or the host of PUBLIC_URL."""
    value = environment.get("SMTP_EHLO_NAME", "").strip()
    if not value:
        host = urlsplit(environment.get("PUBLIC_URL", "")).hostname or ""
        return host if "." in host and not host.replace(".", "").isdigit() else "[127.0.0.1]"
    if not _HOST_NAME.fullmatch(value) and not _ADDRESS_LITERAL.fullmatch(value):
        raise OperatorMisconfigured(
            f"SMTP_EHLO_NAME is {value[:80]!r}. Give this host's name, such as send.example.com, or leave it out."
        )
    return value


def _months(value: str) -> int | None:
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 1200):
        raise OperatorMisconfigured(
            f"KEEP_MONTHS is {value!r}. Give a number of months from 1 to 1200, or leave it out to keep everything."
        )
    return int(value)


def _port(name: str, value: str) -> int | None:
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= 65535):
        raise OperatorMisconfigured(
            f"{name} is {value[:20]!r}. Give a port from 1 to 65535, or leave it out."
        )
    return int(value)


def _keys(
    environment: Mapping[str, str], need: Callable[[str, str], str], *, for_web: bool, for_inbox: bool
) -> dict[str, Any]:
    """Return the workers' keys, or those of the web process or the inbox process."""
    if not (for_web or for_inbox):
        fix = "Give one or more 32-byte keys in base64, newest first, separated by commas."
        return {"secret_keys": _secret_keys("SECRET_KEYS", need("SECRET_KEYS", fix))}
    if environment.get("SECRET_KEYS", "").strip():
        own = "WEB_SECRET_KEYS and SEALING_PUBLIC_KEY" if for_web else "SEALING_PUBLIC_KEY"
        raise OperatorMisconfigured(
            f"SECRET_KEYS is set for the {'web' if for_web else 'inbox'} process, which must not be able to read what is"
            f" stored. Take it out, and set {own} instead. {_PRINT_KEYS}"
            " Where the host gives all processes one environment, set ONE_ENVIRONMENT=yes."
        )
    try:
        public_key = base64.b64decode(need("SEALING_PUBLIC_KEY", _PRINT_KEYS), validate=True)
    except binascii.Error:
        raise OperatorMisconfigured(f"SEALING_PUBLIC_KEY is not in base64. {_PRINT_KEYS}") from None
    if for_inbox:
        return {"secret_keys": (), "sealing_public_key": public_key}
    web_keys = _secret_keys("WEB_SECRET_KEYS", need("WEB_SECRET_KEYS", _PRINT_KEYS))
    return {"secret_keys": (), "web_secret_keys": web_keys, "sealing_public_key": public_key}


def _secret_keys(name: str, text: str) -> tuple[bytes, ...]:
    keys = []
    for number, part in enumerate(text.split(","), start=1):
        try:
            key = base64.b64decode(part.strip(), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != 32:
            raise OperatorMisconfigured(
                f"{name}: key {number} is not 32 bytes in base64. Make one with: openssl rand -base64 32"
            )
        keys.append(key)
    return tuple(keys)
