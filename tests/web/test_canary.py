"""No secret is where it must not be: in a database dump, in Redis, in the logs of processes."""

import httpx
import pytest
import redis

from actions import webhooks
from lab.access_records import Credentials, SmtpSettings
from lab.stage import Stage
from lab.tables import ago
from tests.web.test_api import Api, key_of
from tests.web.test_sequences_settings import PAGE, at_settings, connect, member
from tests.web.visitor import email_of

PASSWORD = "a pass-word that nobody else has"


def test_after_whole_visits_no_secret_can_be_read_anywhere(
    stage: Stage, site: str, capfd: pytest.CaptureFixture[str], redis_url: str
) -> None:
    hans = member(stage, "Hans Holder")
    visitor = connect(stage, at_settings(stage, hans), email_of(stage, hans))
    visitor.get(PAGE).send(f"{PAGE}/test")
    stage.put(Credentials, access_expires_at=ago())
    visitor.get(PAGE).send(f"{PAGE}/verify")  # renews the token
    visitor.get("/settings/mail-server/mine").send(
        "/settings/mail-server/mine", host="localhost", port=str(stage.emulator.smtp_port), encryption="starttls",
        account=email_of(stage, hans), password=PASSWORD,
    )  # fmt: skip
    assert stage.only(SmtpSettings).password is not None
    _, signing = webhooks.add_webhook(
        stage.runtime, stage.world.organization_id, "http://127.0.0.1:9/hook", actor="Hans"
    )
    key = key_of(stage.world, "read", "manage")
    with httpx.Client(base_url=site, trust_env=False) as client:
        assert Api(client, key).get("/mailboxes").status_code == 200
    world = stage.emulator.world
    secrets = {
        key,
        signing,
        PASSWORD,
        stage.runtime.settings.microsoft_client_secret,
        *world.refresh,
        *world.access,
        *(value for name, value in visitor.cookies.items()),
    }
    assert len(secrets) >= 8
    dump = stage.dump()
    broker = redis.Redis.from_url(redis_url)
    kept = b"".join(broker.dump(name) or b"" for name in broker.scan_iter())
    logged = "".join(capfd.readouterr())
    assert "hans" in dump  # it is a dump
    for secret in secrets:
        assert secret not in dump
        assert secret.encode() not in kept
        assert secret not in logged
