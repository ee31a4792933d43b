"""A wrong setting stops the inbox process at its start with one line that names it and the fix."""

from pathlib import Path

import pytest

from config import SCHEMA_ONLY, Settings
from domain.errors import OperatorMisconfigured
from inbox.settings import InboxSettings

GOOD = {"INBOX_PORT": "2525", "INBOX_NAME": "Inbox.Example.com"}


def test_without_a_port_it_is_off() -> None:
    assert InboxSettings.from_environment({"INBOX_NAME": "inbox.example.com"}) is None


def test_defaults_listen_on_loopback_without_tls() -> None:
    found = InboxSettings.from_environment(GOOD)
    assert found == InboxSettings("127.0.0.1", 2525, "inbox.example.com", "", "", 25 * 1024 * 1024)
    assert found.tls() is None


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("INBOX_PORT", "smtp", "1 to 65535"),
        ("INBOX_PORT", "0", "1 to 65535"),
        ("INBOX_PORT", "70000", "1 to 65535"),
        ("INBOX_NAME", "", "is not set"),
        ("INBOX_NAME", "localhost", "MX record"),
        ("INBOX_NAME", "in box.example", "MX record"),
        ("INBOX_MAX_MB", "0", "1 to 100"),
        ("INBOX_MAX_MB", "1e3", "1 to 100"),
        ("INBOX_KEY_FILE", "/key.pem", "INBOX_CERTIFICATE_FILE is not"),
        ("INBOX_CERTIFICATE_FILE", "/not/there.pem", "cannot be read"),
        ("INBOX_CERTIFICATE_FILE", __file__, "must hold a certificate"),
    ],
)
def test_a_bad_value_is_named_with_the_fix(name: str, value: str, says: str) -> None:
    with pytest.raises(OperatorMisconfigured) as refused:
        InboxSettings.from_environment(GOOD | {name: value})
    assert name in str(refused.value)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_one_file_may_hold_certificate_and_key(certificate: Path) -> None:
    found = InboxSettings.from_environment(GOOD | {"INBOX_CERTIFICATE_FILE": str(certificate)})
    assert found is not None
    assert found.tls() is not None


def test_the_process_does_not_start_with_keys_that_open_what_is_stored() -> None:
    url = "postgresql://onbehalf_inbox:x@db.example/onbehalf"
    with pytest.raises(OperatorMisconfigured, match="SECRET_KEYS is set for the inbox process"):
        Settings.from_environment(
            {"DATABASE_URL": url, "SECRET_KEYS": "x"}, without=SCHEMA_ONLY, for_inbox=True
        )
    with pytest.raises(OperatorMisconfigured, match="SEALING_PUBLIC_KEY is not set"):
        Settings.from_environment({"DATABASE_URL": url}, without=SCHEMA_ONLY, for_inbox=True)
    found = Settings.from_environment(
        {"DATABASE_URL": url, "SEALING_PUBLIC_KEY": "AAAA"}, without=SCHEMA_ONLY, for_inbox=True
    )
    assert found.secret_keys == ()
    assert found.sealing_public_key == b"\0\0\0"
