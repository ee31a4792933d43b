"""The web process stores tokens and passwords and can decrypt none of them. Workers do what needs one."""

from datetime import timedelta

import pytest

from actions import keys, withdraw
from config import Settings
from db.core.crypto import KeyRing, Place, Unreadable
from db.core.ids import new_id
from db.mailboxes import smtp_settings
from db.mailboxes.credentials import ACCESS, REFRESH
from db.mailboxes.smtp_settings import PASSWORD
from domain.errors import OperatorMisconfigured
from lab.access_records import Credentials, Mailbox, SmtpSettings
from lab.factories import KEY
from lab.records import Delivery
from lab.stage import Stage, as_environment
from lab.tables import ahead
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
    assert stage.only(Mailbox).status == "connected", visitor.text
    return visitor


def test_what_the_web_process_stores_only_workers_read(stage: Stage, hans: Visitor) -> None:
    web = as_web(stage)
    stored = stage.only(Credentials)
    for column, sealed in ((ACCESS, stored.access_token), (REFRESH, stored.refresh_token)):
        assert sealed is not None
        place = Place(stage.world.organization_id, stored.mailbox_id, column)
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
    account = stage.only(Mailbox).address
    fields = {"host": "smtp.invalid", "port": "587", "encryption": "starttls", "account": account}
    hans.send("/settings/mail-server/mine", None, **fields, password="hunter2")
    assert hans.status == 303, hans.text
    stored = stage.only(SmtpSettings)
    assert stored.password is not None
    there = Place(stage.world.organization_id, stored.mailbox_id, f"{PASSWORD} smtp.invalid")
    assert stage.runtime.keys.decrypt(stored.password, there) == "hunter2"
    stage.put(SmtpSettings, host="smtp.evil.example")
    with pytest.raises(Unreadable), stage.world.database.transaction() as tx:
        smtp_settings.load(tx, stage.runtime.keys, stored.mailbox_id, "smtp")


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
    box = world.only(Mailbox).id
    world.enroll(world.sequence(stage.owner(box), box), 3)
    for each in world.all(Delivery):
        world.overwrite(
            Delivery,
            each.id,
            state="drafted",
            draft_id="AAMk",
            lease_token=new_id(),
            lease_until=ahead(minutes=1),
            correlation_id=str(each.id),
        )
    stage.leave()
    monkeypatch.setattr("actions.draining.BEGINS_WITHIN", timedelta(seconds=0.3))
    answer = withdraw.disconnect_mailbox(as_web(stage).for_tenant(world.organization_id), box, actor="Hans")
    assert answer.stopped == 3
    assert answer.seconds < 15
    credentials = world.only(Credentials)
    assert (
        credentials.access_token,
        credentials.refresh_token,
        credentials.last_token,
        credentials.last_token_until,
    ) == (None, None, None, None)


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
