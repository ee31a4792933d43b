"""The web process stores tokens and passwords and can decrypt none of them. Workers do what needs one."""

from datetime import timedelta
from uuid import UUID

import pytest

from actions import keys, withdraw
from config import Settings
from db.core.crypto import KeyRing, Place, Unreadable
from db.mailboxes import smtp_settings
from db.mailboxes.credentials import ACCESS, REFRESH
from db.mailboxes.smtp_settings import PASSWORD
from domain.errors import OperatorMisconfigured
from lab.factories import KEY
from lab.stage import Stage, as_environment
from tests.web.visitor import Visitor, as_web, email_of, known_account

SETTINGS = "/settings/sequences"


@pytest.fixture
def hans(stage: Stage) -> Visitor:
    """Signed in, and his mailbox connected by the web process."""
    member = stage.world.member("Hans")
    address = email_of(stage, member)
    known_account(stage, address)
    visitor = Visitor(stage).sign_in(address)
    visitor.get(SETTINGS)
    visitor.send("/settings/sequences/connect")
    visitor.come_back(visitor.at_microsoft(address))
    assert stage.world.one("SELECT status FROM mailboxes") == "connected", visitor.text
    return visitor


def test_what_the_web_process_stores_only_workers_read(stage: Stage, hans: Visitor) -> None:
    web = as_web(stage)
    ((mailbox_id, access, refresh),) = stage.world.rows(
        "SELECT mailbox_id, access_token, refresh_token FROM credentials"
    )
    assert isinstance(access, bytes)
    assert isinstance(refresh, bytes)
    for column, sealed in ((ACCESS, access), (REFRESH, refresh)):
        place = Place(stage.world.organization_id, mailbox_id, column)  # type: ignore[arg-type]  # a UUID
        assert stage.runtime.keys.decrypt(sealed, place)
        # A dump of the row, and all keys of the web process.
        assert web.settings.secret_keys == ()
        with pytest.raises(OperatorMisconfigured, match="no SECRET_KEYS"):
            _ = web.keys
        for ring in (web.web_keys, KeyRing((web.settings.sealing_public_key[8:],))):
            with pytest.raises(Unreadable):
                ring.decrypt(sealed, place)


def test_a_password_is_sealed_for_the_server_that_it_was_typed_for(stage: Stage, hans: Visitor) -> None:
    hans.get("/settings/mail-server/mine")
    account = str(stage.world.one("SELECT address FROM mailboxes"))
    fields = {"host": "smtp.invalid", "port": "587", "encryption": "starttls", "account": account}
    hans.send("/settings/mail-server/mine", None, **fields, password="hunter2")
    assert hans.status == 303, hans.text
    ((mailbox_id, sealed),) = stage.world.rows("SELECT mailbox_id, password FROM smtp_settings")
    assert isinstance(sealed, bytes)
    organization = stage.world.organization_id
    there = Place(organization, mailbox_id, f"{PASSWORD} smtp.invalid")  # type: ignore[arg-type]  # a UUID
    assert stage.runtime.keys.decrypt(sealed, there) == "hunter2"
    stage.world.run("UPDATE smtp_settings SET host = 'smtp.evil.example'")
    with pytest.raises(Unreadable), stage.world.database.transaction() as tx:
        smtp_settings.load(tx, stage.runtime.keys, mailbox_id, "smtp")  # type: ignore[arg-type]  # a UUID


def test_a_test_email_that_no_worker_begins_in_time_is_never_sent(
    stage: Stage, hans: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.leave()
    monkeypatch.setattr("actions.errands.BEGINS_WITHIN", timedelta(seconds=0.3))
    hans.get(SETTINGS)
    hans.send("/settings/sequences/test")
    assert hans.status == 503
    assert "workers are not answering" in hans.text
    assert stage.run_outbox() >= 1
    assert stage.left() == []


def test_a_withdrawal_returns_when_no_worker_answers_and_leaves_no_token(
    stage: Stage, hans: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = stage.world
    ((mailbox_id, owner_id),) = world.rows("SELECT id, owner_id FROM mailboxes")
    world.enroll(world.sequence(owner_id, mailbox_id), 3)  # type: ignore[arg-type]  # UUIDs
    world.force(
        "UPDATE deliveries SET state = 'drafted', draft_id = 'AAMk', lease_until = now() + interval '1 minute',"
        " lease_token = gen_random_uuid(), correlation_id = id::text"
    )
    stage.leave()
    monkeypatch.setattr("actions.withdraw.BEGINS_WITHIN", timedelta(seconds=0.3))
    answer = withdraw.disconnect_mailbox(
        as_web(stage).for_tenant(world.organization_id), UUID(str(mailbox_id)), actor="Hans"
    )
    assert answer.stopped == 3
    assert answer.seconds < 15
    assert world.rows(
        "SELECT access_token, refresh_token, last_token, last_token_until FROM credentials"
    ) == [(None, None, None, None)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"SECRET_KEYS": "b25iZWhhbGY="}, "SECRET_KEYS is set for the web process"),
        ({"WEB_SECRET_KEYS": ""}, "WEB_SECRET_KEYS is not set"),
        ({"SEALING_PUBLIC_KEY": ""}, "SEALING_PUBLIC_KEY is not set"),
        ({"SEALING_PUBLIC_KEY": "?"}, "SEALING_PUBLIC_KEY is not in base64"),
    ],
)
def test_the_web_process_takes_its_own_keys_and_refuses_the_workers(
    stage: Stage, change: dict[str, str], said: str
) -> None:
    good = {**as_environment(stage.runtime.settings), **keys.of_web((KEY,)), "SECRET_KEYS": ""}
    settings = Settings.from_environment(good, for_web=True)
    assert (settings.secret_keys, settings.sealing_public_key) == ((), stage.runtime.keys.public_key)
    with pytest.raises(OperatorMisconfigured, match=said.replace("?", r"\?")):
        Settings.from_environment(good | change, for_web=True)
