"""A wrong setting stops a process at its start with one line that names it and the fix, and reveals no secret."""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from config import NO_MICROSOFT, SCHEMA_ONLY, Settings
from domain.errors import OperatorMisconfigured
from tests.transports.mailer import make_certificate

GOOD = {
    "DATABASE_URL": "postgresql://user:hush-db@db.example/onbehalf",
    "REDIS_URL": "rediss://:hush-redis@redis.example:6379/0",
    "SECRET_KEYS": base64.b64encode(b"h" * 32).decode(),
    "MICROSOFT_CLIENT_ID": "client",
    "MICROSOFT_CLIENT_SECRET": "hush-secret",
    "DEFAULT_MAIL_URL": "smtp+starttls://relay:hush-mail@mail.example:587",
}
BAD = [
    ("DATABASE_URL", "", "is not set"),
    ("DATABASE_URL", "mysql://user:hush@db/onbehalf", "postgresql"),
    ("DATABASE_URL", "db.example", "must be a URL"),
    ("REDIS_URL", "", "is not set"),
    ("REDIS_URL", "http://redis.example", "rediss"),
    ("SECRET_KEYS", "", "is not set"),
    ("SECRET_KEYS", "hush", "key 1 is not 32 bytes"),
    ("SECRET_KEYS", f"{GOOD['SECRET_KEYS']},{base64.b64encode(b'hush').decode()}", "key 2 is not 32 bytes"),
    ("MICROSOFT_CLIENT_ID", " ", "is not set"),
    ("MICROSOFT_CLIENT_SECRET", "", "is not set"),
    ("MICROSOFT_CREDENTIAL", "password", "managed-identity, secret, workload-identity"),
    ("GRAPH_URL", "http://graph.example", "loopback"),
    ("GRAPH_URL", "graph.microsoft.com", "https URL"),
    ("GRAPH_URL", "https://[::1", "https URL"),
    ("GRAPH_URL", "https://hush:hush@graph.example", "https URL"),
    ("ENTRA_URL", "http://localhost.example", "loopback"),
    ("ENTRA_URL", "ftp://login.example", "https URL"),
    ("GOOGLE_URL", "https://gmail.googleapis.com", "emulator on loopback only"),
    ("GOOGLE_URL", "http://gmail.example", "loopback"),
    ("GOOGLE_CLIENT_ID", "client.apps.example", "GOOGLE_CLIENT_SECRET is not set"),
    ("GOOGLE_PUBSUB_TOPIC", "inbox", "projects/PROJECT/topics/TOPIC"),
    ("GOOGLE_PUBSUB_TOPIC", "projects/acme/topics/goog\n", "GOOGLE_PUBSUB_ACCOUNT"),
    ("PUBLIC_URL", "javascript:alert(1)", "https URL"),
    ("PUBLIC_URL", "http://onbehalf.example", "loopback"),
    ("PUBLIC_URL", "https://onbehalf.example:99999", "https URL"),
    ("PUBLIC_URL", "https://onbehalf.example:0", "https URL"),
    ("PUBLIC_URL", "https://onbehalf.example/a?b=c", "leave out"),
    ("PUBLIC_URL", "https://onbehalf.example/a#b", "leave out"),
    ("PUBLIC_URL", "https://onbehalf.example/a/../b", "path"),
    ("PUBLIC_URL", "https://onbehalf.example/a b", "path"),
    ("PUBLIC_URL", "https://onbehalf.example//a", "path"),
    ("DEFAULT_MAIL_URL", "mail.example", "smtp"),
    ("LOG_FORMAT", "xml", "json"),
    ("LOG_LEVEL", "loud", "warning"),
]


def test_defaults_are_the_public_cloud() -> None:
    settings = Settings.from_environment(GOOD)
    assert settings.graph_url == "https://graph.microsoft.com"
    assert settings.entra_url == "https://login.microsoftonline.com"
    assert settings.log_format == "auto"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://localhost:9/", "http://[::1]:9"])
def test_an_emulator_on_loopback_may_speak_plain_http(url: str) -> None:
    assert Settings.from_environment(GOOD | {"GRAPH_URL": url}).graph_url == url.rstrip("/")


@pytest.mark.parametrize(("name", "value", "says"), BAD)
def test_a_bad_value_is_named_with_the_fix(name: str, value: str, says: str) -> None:
    with pytest.raises(OperatorMisconfigured) as refused:
        Settings.from_environment(GOOD | {name: value})
    line = str(refused.value)
    assert name in line
    assert says in line
    assert "hush" not in line
    assert "\n" not in line


def test_the_example_names_every_variable_and_holds_none_that_works() -> None:
    root = Path(__file__).parents[1]
    example = dict(
        line.split("=", 1)
        for line in (root / "deploy/env.example").read_text().splitlines()
        if line and not line.startswith("#")
    )
    read = set(
        re.findall(
            r'"([A-Z]+_[A-Z_]+)"',
            "".join(
                (root / name).read_text()
                for name in ("config.py", "commands/common.py", "scheduler/metrics.py", "inbox/settings.py")
            ),
        )
    )
    # Passwords, images and where the inbox is published are for the compose file alone (tests/deploy/test_manifests.py).
    of_compose = ("_PASSWORD", "_IMAGE", "_PUBLISHED", "_FOLDER")
    of_processes = {name for name in example if not name.endswith(of_compose)}
    assert of_processes == {name for name in read if not name.startswith("PUBLIC_ENTRA")} | {
        "UVICORN_HOST",
        "UVICORN_PORT",
        "FORWARDED_ALLOW_IPS",  # uvicorn's too
        "OTEL_EXPORTER_OTLP_ENDPOINT",  # OpenTelemetry's, as app/telemetry.py checks them
        "OTEL_EXPORTER_OTLP_HEADERS",
        "SENTRY_DSN",
        "SENTRY_ENVIRONMENT",
    }
    with pytest.raises(OperatorMisconfigured, match="SECRET_KEYS"):
        Settings.from_environment(example)
    Settings.from_environment(example | {"SECRET_KEYS": GOOD["SECRET_KEYS"]})
    # OpenSSL reads it, and nothing of ours: a mail server of a private authority needs it.
    assert "SSL_CERT_FILE" in (root / "deploy/env.example").read_text()


def test_no_secret_is_shown() -> None:
    assert "hush" not in repr(Settings.from_environment(GOOD))
    assert base64.b64encode(b"h" * 32).decode() not in repr(Settings.from_environment(GOOD))


@pytest.mark.parametrize("process", [["-m", "scheduler"], ["-m", "workers"], ["-m", "cli", "status"]])
def test_every_process_stops_at_its_start_with_one_line(process: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in GOOD}
    done = subprocess.run(
        [sys.executable, *process],
        cwd=Path(__file__).parents[1],
        env=environment | GOOD | {"SECRET_KEYS": "hush"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "SECRET_KEYS: key 1 is not 32 bytes" in said
    assert "Traceback" not in said
    assert "hush" not in said


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Onbehalf.Example", "https://onbehalf.example"),
        ("HTTPS://onbehalf.example/", "https://onbehalf.example"),
        ("https://onbehalf.example:443", "https://onbehalf.example"),
        ("https://onbehalf.example:8443/", "https://onbehalf.example:8443"),
        ("http://localhost:80", "http://localhost"),
        ("https://Tools.acme.example/Onbehalf/", "https://tools.acme.example/Onbehalf"),
        ("https://büro.example", "https://xn--bro-hoa.example"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
    ],
)
def test_the_public_address_is_kept_as_browsers_write_it(given: str, kept: str) -> None:
    assert Settings.from_environment({**GOOD, "PUBLIC_URL": given}).public_url == kept


def test_a_process_may_do_without_what_it_never_uses() -> None:
    without = {name: value for name, value in GOOD.items() if name not in SCHEMA_ONLY}
    settings = Settings.from_environment(without, without=SCHEMA_ONLY)
    assert (settings.redis_url, settings.microsoft_client_secret) == ("", "")
    with pytest.raises(OperatorMisconfigured, match="REDIS_URL"):
        Settings.from_environment(without, without=NO_MICROSOFT)


@pytest.mark.parametrize(
    ("credential", "variable"),
    [
        ("secret", "MICROSOFT_CLIENT_SECRET"),
        ("certificate", "MICROSOFT_CERTIFICATE_FILE"),
        ("workload-identity", "AZURE_FEDERATED_TOKEN_FILE"),
        ("managed-identity", "AZURE_CLIENT_ID"),
    ],
)
def test_each_way_to_prove_the_app_needs_its_own_variable_and_no_other(
    credential: str, variable: str, tmp_path: Path
) -> None:
    rest = {name: value for name, value in GOOD.items() if name != "MICROSOFT_CLIENT_SECRET"}
    chosen = {**rest, "MICROSOFT_CREDENTIAL": credential}
    with pytest.raises(OperatorMisconfigured, match=f"{variable} is not set"):
        Settings.from_environment(chosen)
    value = "value"
    if credential == "certificate":
        value = str(make_certificate(tmp_path))
    assert Settings.from_environment({**chosen, variable: value}).microsoft_credential == credential
    assert Settings.from_environment(chosen, without=NO_MICROSOFT)


@pytest.mark.parametrize(
    "content", [None, "", "-----BEGIN CERTIFICATE-----\nhush\n-----END CERTIFICATE-----\n"]
)
def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "app.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(OperatorMisconfigured, match=r"MICROSOFT_CERTIFICATE_FILE: .*app\.pem") as refused:
        Settings.from_environment(GOOD | {"MICROSOFT_CERTIFICATE_FILE": str(file)})
    assert "hush" not in str(refused.value)
