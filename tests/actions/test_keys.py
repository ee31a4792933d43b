"""Operators rotate keys: nothing stays under an older one, and each organization's audit trail records it."""

from uuid import UUID

from sqlalchemy import LargeBinary, select

from actions import keys, people_imports, sign_in
from actions.people_imports import Doer
from db.access import sessions
from db.core.crypto import KeyRing
from db.events import notice_channels, webhook_settings, webhooks
from db.listening import received, redirected, unassigned
from db.mailboxes import credentials, smtp_settings
from db.schema.models import metadata
from db.views.messages import Viewer
from db.withdrawing import last_tokens
from domain.connection import SmtpServer, SmtpSettings
from domain.listening.kinds import Judged, Kind
from domain.listening.message import File
from domain.listening.unassigned import UnassignedReason
from lab.factories import KEY, World
from lab.listening_records import ReceivedMail
from lab.records import AuditEntry
from lab.stage import Stage
from lab.tables import ago, ahead

NEW = b"n" * 32
# Binary columns that are not encrypted: digests, keyed codes, and ids of keys.
NOT_ENCRYPTED = {
    "address_proofs.code_hash",
    "api_keys.former_hash",
    "api_keys.key_hash",
    "column_mappings.headers",
    "idempotency_keys.request_hash",
    "incoming_messages.digest",
    "notice_channels.url_digest",
    "received_mail.digest",
    "sessions.token_hash",
    "sign_ins.browser_hash",
    "sign_ins.state_hash",
    "subscriptions.key_id",
    "suppressions.address_hash",
    "webhooks.url_code",
}


def test_security_16_a_rotation_is_in_every_organizations_trail(stage: Stage) -> None:
    World(stage.world.database)
    stage.mailbox(stage.world.member())
    keys.rotate(stage.runtime, actor="operator")
    found = stage.all(AuditEntry, action="keys_rotated")
    assert [(each.actor_name, each.data["count"]) for each in found] == [("operator", 0)] * 2


def key_ids(stage: Stage) -> dict[str, set[bytes]]:
    """Encrypted column -> the keys of its values."""
    with stage.world.database.transaction() as tx:
        return {
            name: {
                KeyRing.key_id_of(bytes(sealed)) for sealed in tx.execute(select(column)).scalars() if sealed
            }
            for table in metadata.sorted_tables
            for column in table.c
            if isinstance(column.type, LargeBinary)
            and (name := f"{table.name}.{column.name}") not in NOT_ENCRYPTED
        }


def fill(stage: Stage) -> tuple[UUID, UUID]:
    """Store something in every encrypted column; returns a message that came, and one that is not processed yet."""
    runtime, organization = stage.runtime, stage.world.organization_id
    file = b"email,first_name\nann@example.org,Ann\nnobody,\n"
    doer = Doer(Viewer(organization, None), None, "test", admin=True)
    people_imports.upload(runtime, doer, name="people.csv", content=file, sequence_id=None)
    stage.run_outbox()
    holder = stage.world.member()
    box, withdrawn = stage.world.mailbox(holder), stage.world.mailbox(stage.world.member())
    sign_in.begin_sign_in(runtime, browser="browser", redirect_uri="https://onbehalf.example/back")
    settings = SmtpSettings(SmtpServer("mail.example.org", 587, "starttls"), "box", "secret")
    arrived = redirected.Arrived(
        organization,
        box,
        digest=b"d" * 32,
        sender="jo@example.org",
        received_at=ago(),
        judged=Judged(Kind.ANSWER, None, None, None, None, "A person wrote it."),
        proof={},
        reason=UnassignedReason.UNKNOWN_SENDER,
        text="Gladly.",
        html="<p>Gladly.",
        files=[File("cv.pdf", "application/pdf", 3, b"pdf")],
    )
    arrival = received.Arrival(b"raw", b"r" * 32, "jo@example.org", "192.0.2.7", "mx", encrypted=True)
    with stage.world.database.transaction() as tx:
        for each in (box, withdrawn):
            credentials.store_connected(
                tx,
                runtime.keys,
                organization,
                each,
                access_token="access",
                expires_at=ahead(hours=1),
                refresh_token="refresh",
            )
        last_tokens.put_aside(tx, [withdrawn])
        smtp_settings.save(tx, runtime.keys, organization, box, "smtp", settings, actor="test")
        webhooks.add(tx, runtime.keys, runtime.web_keys, organization, "https://acme.example", actor="test")
        (webhook,) = webhooks.listing(tx, organization)
        webhook_settings.new_secret(tx, runtime.keys, organization, webhook["id"], actor="test")
        notice_channels.add(
            tx, runtime.keys, holder, service="Slack", name="Hiring", url="https://x.example", actor="test"
        )
        token = runtime.keys.encrypt("refresh", sessions.place(organization, holder))
        sessions.open_session(tx, holder, refresh_token=token)
        assert redirected.record(tx, runtime.web_keys, arrived)
        received.store(tx, runtime.keys, arrival, [received.Recipient(organization, box, "acme")])
    return arrived.id, stage.only(ReceivedMail).id


def test_a_rotation_leaves_nothing_under_an_older_key(stage: Stage) -> None:
    message, mail = fill(stage)
    empty = [name for name, ids in key_ids(stage).items() if not ids]
    assert empty == [], "fill it, or list it in NOT_ENCRYPTED"
    stage.runtime.keys = KeyRing((NEW, KEY))
    keys.rotate(stage.runtime, actor="operator")
    after = {stage.runtime.keys.newest_id, stage.runtime.web_keys.newest_id}
    assert [name for name, ids in key_ids(stage).items() if not ids <= after] == []
    stage.runtime.keys = KeyRing((NEW,))
    with stage.world.database.transaction() as tx:
        text, _ = unassigned.text_of(tx, stage.runtime.web_keys, message)
        (file,) = unassigned.files_of(tx, stage.runtime.web_keys, message)
        kept = received.begin(tx, stage.runtime.keys, mail)
    assert (text, file.content) == ("Gladly.", b"pdf")
    assert kept is not None
    assert kept.raw == b"raw"


def test_a_rotation_goes_through_more_than_one_batch(stage: Stage) -> None:
    for _ in range(5):
        sign_in.begin_sign_in(stage.runtime, browser="browser", redirect_uri="https://onbehalf.example/back")
    stage.runtime.keys = KeyRing((NEW, KEY))
    assert keys.rotate(stage.runtime, actor="operator", batch=2) == 5
    assert key_ids(stage)["sign_ins.flow"] == {stage.runtime.web_keys.newest_id}
    assert keys.rotate(stage.runtime, actor="operator") == 0
