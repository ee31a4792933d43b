"""Gmail's hints: what proves one, that it only has a mailbox read now, and that a lost one costs time alone."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import httpx
import pytest
import structlog

from db.core.crypto import Place
from db.mailboxes.credentials import REFRESH
from domain.connection import Provider
from lab.access_records import Credentials, Mailbox, Subscription
from lab.emulator.pubsub import GoogleKey
from lab.factories import World
from lab.listening_records import MailboxRead
from lab.stage import Stage
from lab.tables import ago, ahead

TOPIC, ACCOUNT = "projects/acme-mail/topics/gmail", "push@acme-mail.iam.gserviceaccount.com"


@pytest.fixture
def hook(stage: Stage, site: str) -> str:
    """Where Pub/Sub pushes to, with a topic that Gmail may publish to."""
    stage.runtime.settings = replace(
        stage.runtime.settings, public_url=site, google_pubsub_topic=TOPIC, google_pubsub_account=ACCOUNT
    )
    url = f"{site}/hooks/google"
    stage.emulator.control.push_to(url, topic=TOPIC, account=ACCOUNT)
    return url


@pytest.fixture
def box(stage: Stage, hook: str) -> UUID:
    """A watched mailbox at Google that is to be read in more than a minute."""
    box = stage.google_mailbox(stage.world.member("Gina Holder"))
    stage.check_mailboxes()
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, ("PT0S", "PT1H")))
    stage.send_due()
    stage.read(box)
    stage.later(30)
    return box


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def hinted(stage: Stage) -> bool:
    return stage.only(MailboxRead).hinted_at is not None


def hint(address: str, history_id: object = 9_876_543_210) -> dict[str, object]:
    data = json.dumps({"emailAddress": address, "historyId": history_id}).encode()
    message = {
        "data": base64.b64encode(data).decode(),
        "messageId": "1",
        "publishTime": "2026-11-30T12:00:00Z",
    }
    return {"message": message, "subscription": "projects/acme-mail/subscriptions/gmail-push"}


def post(hook: str, token: str | None, body: object) -> int:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(hook, content=content, headers=headers, trust_env=False, timeout=60).status_code


def good(stage: Stage, **claims: object) -> str:
    return stage.emulator.control.push_token(TOPIC, **claims)


def test_what_comes_in_has_the_mailbox_read_now_and_nothing_else(stage: Stage, box: UUID) -> None:
    before = stage.only(MailboxRead)
    assert before.next_read_at is not None
    assert before.next_read_at > ahead(minutes=1)
    stage.emulator.control.newsletters(stage.address(box), 1)
    wait_for(lambda: hinted(stage))
    after = stage.only(MailboxRead)
    assert after.next_read_at is not None
    assert after.next_read_at <= ago()
    assert (after.watermark, after.read_as_of, after.round) == (
        before.watermark,
        before.read_as_of,
        before.round,
    )


def test_our_own_emails_and_drafts_are_no_hints(stage: Stage, box: UUID, hook: str) -> None:
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, ("PT0S",)))
    stage.send_due()
    stage.emulator.control.newsletters(stage.address(box), 1)
    wait_for(lambda: hinted(stage))
    stage.put(MailboxRead, hinted_at=None)
    stage.world.enroll(stage.world.sequence(stage.owner(box), box, ("PT0S",)))
    stage.send_due()
    # A hint about somebody else, sent by the same way and after it, has arrived; one of ours would have before.
    other = stage.google_mailbox(stage.world.member("Other Holder"))
    stage.check_mailboxes()
    stage.put(MailboxRead, where={"mailbox_id": box}, hinted_at=None)
    with structlog.testing.capture_logs() as logs:
        stage.emulator.control.newsletters(stage.address(other), 1)
        wait_for(lambda: any(each["event"] == "notifications_taken" for each in logs))
    assert [each.hinted_at for each in stage.all(MailboxRead) if each.mailbox_id == box] == [None]


def test_a_hint_that_is_lost_costs_only_time(stage: Stage, box: UUID) -> None:
    stage.emulator.control.switch(google_push_lost=True)
    stage.emulator.control.newsletters(stage.address(box), 1)
    stage.later(600)
    seen = stage.only(MailboxRead).seen
    stage.read(box)
    assert stage.only(MailboxRead).seen > seen
    assert not hinted(stage)


def test_repeated_late_and_disordered_hints_are_harmless(stage: Stage, box: UUID, hook: str) -> None:
    stage.emulator.control.switch(google_push_repeats=3, google_push_delay=0.3)
    stage.emulator.control.newsletters(stage.address(box), 1)
    wait_for(lambda: hinted(stage))
    token = good(stage)
    for history_id in (9, "9", 3, 10**19):
        assert post(hook, token, hint(stage.address(box), history_id)) == 204
    stage.read(box)
    # One that comes just after a reading waits until the mailbox may be read again.
    assert post(hook, token, hint(stage.address(box))) == 204
    planned = stage.only(MailboxRead).next_read_at
    assert planned is not None
    assert planned > ago()
    # One never begins with a mailbox that has nobody to hear from.
    stage.put(MailboxRead, next_read_at=None)
    assert post(hook, token, hint(stage.address(box))) == 204
    assert stage.only(MailboxRead).next_read_at is None


def test_what_the_history_shows_late_is_read_a_moment_later(stage: Stage, box: UUID, hook: str) -> None:
    assert post(hook, good(stage), hint(stage.address(box))) == 204
    stage.read(box)
    planned = stage.only(MailboxRead).next_read_at
    assert planned is not None
    assert ago(seconds=1) < planned <= ahead(seconds=16)
    stage.put(MailboxRead, hinted_at=ago(seconds=20))
    stage.read(box)
    planned = stage.only(MailboxRead).next_read_at
    assert planned is not None
    assert planned > ahead(seconds=60)


def test_the_account_counts_and_not_how_it_is_spelled(stage: Stage, box: UUID, hook: str) -> None:
    assert post(hook, good(stage), hint(stage.address(box).upper())) == 204
    assert hinted(stage)


def connected(stage: Stage, world: World, account: str) -> UUID:
    """A mailbox of an organization, by an alias of the account."""
    box = world.mailbox(world.member("Alia Holder"), provider=Provider.GMAIL)
    known = stage.emulator.world.mailboxes.get(account)
    before = [] if known is None else known.aliases
    stage.emulator.control.add_mailboxes(
        {"address": account, "google": True, "aliases": [*before, stage.address(box)]}
    )
    place = Place(world.organization_id, box, REFRESH)
    sealed = world.keys.encrypt(stage.emulator.control.refresh_token(account), place)
    stage.put(Credentials, box, refresh_token=sealed)
    return box


def test_an_accounts_hint_is_for_its_mailboxes_in_all_organizations_whatever_their_addresses(
    stage: Stage, hook: str
) -> None:
    account, elsewhere = "alia.account@acme.example", World(stage.world.database, keys=stage.world.keys)
    for world in (stage.world, elsewhere):
        connected(stage, world, account)
    stage.google_mailbox(stage.world.member("Gina Holder"))
    stage.check_mailboxes()
    with structlog.testing.capture_logs() as logs:
        assert post(hook, good(stage), hint(account)) == 204
    assert [(each["event"], each["count"]) for each in logs if "count" in each] == [
        ("notifications_taken", 2)
    ]
    codes = [each.subscription_id for each in stage.all(Subscription)]
    assert sorted(codes.count(each) for each in codes) == [1, 2, 2]


def test_an_account_that_nobody_has_connected_is_acknowledged(stage: Stage, box: UUID, hook: str) -> None:
    before = stage.everything(Mailbox, Subscription, MailboxRead)
    assert post(hook, good(stage), hint("nobody@elsewhere.example")) == 204
    assert stage.everything(Mailbox, Subscription, MailboxRead) == before


def test_what_does_not_prove_itself_changes_nothing(stage: Stage, box: UUID, hook: str) -> None:
    now = int(time.time())
    before = stage.everything(Mailbox, Subscription, MailboxRead)
    another = GoogleKey()
    another.id = json.loads(base64.urlsafe_b64decode(good(stage).split(".")[0] + "=="))["kid"]
    claims = {"aud": hook, "email": ACCOUNT, "email_verified": True, "iss": "https://accounts.google.com"}
    forged = another.signed({**claims, "iat": now, "exp": now + 3600})
    head, payload, signature = good(stage).split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    refused: list[tuple[int, str | None]] = [
        (401, None),
        (401, "a.b.c"),
        (401, "é.é.é"),
        (401, forged),
        (401, f"{none}.{payload}."),
        (401, f"{head}.{payload}.{signature[:-8]}AAAAAAAA"),
        (401, f"{head}.{payload}.{signature}" + "A" * 5000),
        (401, good(stage, exp=now - 3600, iat=now - 7200)),
        (401, good(stage, iat=now + 3600, exp=now + 7200)),
        (401, good(stage, aud="https://another.example/hooks/google")),
        (401, good(stage, aud=[hook, "https://another.example"])),
        (401, good(stage, aud=None)),
        (401, good(stage, iss="https://accounts.evil.example")),
        (403, good(stage, email="push@evil.iam.gserviceaccount.com")),
        (403, good(stage, email=None)),
        (403, good(stage, email_verified=False)),
        (403, good(stage, email_verified="true")),
    ]
    for status, token in refused:
        raw = [] if token is None else [(b"Authorization", f"Bearer {token}".encode())]
        answer = httpx.post(hook, json=hint(stage.address(box)), headers=raw, trust_env=False, timeout=60)
        assert (answer.status_code, token) == (status, token)
    assert post(hook, None, {}) == 401
    assert stage.everything(Mailbox, Subscription, MailboxRead) == before
    assert post(hook, good(stage), hint(stage.address(box))) == 204


def test_a_body_that_is_no_hint_is_refused_and_changes_nothing(stage: Stage, box: UUID, hook: str) -> None:
    before, token = stage.everything(Mailbox, Subscription, MailboxRead), good(stage)

    def of(value: bytes) -> dict[str, object]:
        return {"message": {"data": base64.b64encode(value).decode()}}

    bodies: list[object] = [
        b"", b"{", b"\xff\xfe", [], None, 7, "x", {}, {"message": None}, {"message": []}, {"message": {"data": 3}}, {"message": {"data": "%%%"}},
        {"message": {"data": "é"}}, {"message": {"data": "A" * 200_000}}, of(b"no json"), of(b"[]"), of(b"{}"), of(b'{"emailAddress": 3}'), of(b'{"emailAddress": ["a@b.example"]}'),
        of(b'{"emailAddress": "nobody"}'), of(b'{"emailAddress": "a b@acme.example"}'), of(b'{"emailAddress": "a\\u0000@acme.example"}'),
        of(b'{"emailAddress": "' + b"a" * 400 + b'@acme.example"}'), of(b"[" * 3000),
    ]  # fmt: skip
    for body in bodies:
        assert (post(hook, token, body), body) == (400, body)
    assert post(hook, token, b"x" * 300_000) == 413
    assert stage.everything(Mailbox, Subscription, MailboxRead) == before


def test_certificates_are_asked_for_once_however_many_tokens_come(stage: Stage, box: UUID, hook: str) -> None:
    for _ in range(5):
        assert post(hook, good(stage), hint(stage.address(box))) == 204
        assert post(hook, "a.b.c", hint(stage.address(box))) == 401
    assert stage.emulator.control.stats()["requests"]["GET /google/certs"] == 1


def test_without_a_topic_nothing_is_asked_and_nothing_is_accepted(stage: Stage, site: str) -> None:
    box = stage.google_mailbox(stage.world.member("Gina Holder"))
    stage.check_mailboxes()
    assert "POST /gmail/watch" not in stage.emulator.control.stats()["requests"]
    stage.emulator.control.push_to(f"{site}/hooks/google", topic=TOPIC, account=ACCOUNT)
    assert post(f"{site}/hooks/google", good(stage), hint(stage.address(box))) == 404
    assert stage.count(Subscription) == 0


def test_subscriptions_name_no_address(stage: Stage, box: UUID) -> None:
    assert stage.address(box).partition("@")[0] not in stage.only(Subscription).subscription_id
