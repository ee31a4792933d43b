"""Runs jobs in the test's own process, as the scheduler and the workers would, and reads from the ledger what left."""

import base64
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from actions import tenant
from actions.connect import connect_mailbox
from app.runtime import Runtime
from config import Settings
from db.core.session import Database
from db.events import outbox
from db.listening import reads
from db.mailboxes import checks, tenants
from db.sending import dispatch, drafts
from domain.connection import Provider
from domain.jobs import Announce, FanOut, NotifyOwner, PauseSequence, ReconcileDelivery, SendStep
from importing import import_people
from lab.access_records import Credentials, Lane, Mailbox, Member, Organization
from lab.emulator.app_only import PERMISSIONS
from lab.emulator.background import Running
from lab.emulator.world import LedgerEntry
from lab.factories import World
from lab.listening_records import MailboxRead
from lab.records import Candidate, Delivery, Notice, OutboxJob
from lab.tables import Tables, ago
from workers import (
    announce,
    call_webhook,
    check_drafts,
    check_mailbox,
    fan_out,
    notify_channel,
    notify_owner,
    pause_sequence,
    process_mail,
    read_mailbox,
    reconcile_delivery,
    run_errand,
    send_step,
)

_BODIES: dict[str, Callable[[Runtime, UUID], None]] = {
    FanOut.actor: fan_out.spread,
    PauseSequence.actor: pause_sequence.pause,
    Announce.actor: announce.announce_event,
    NotifyOwner.actor: notify_owner.notify,
    "check_mailbox": check_mailbox.check,
    "check_drafts": check_drafts.check,
    "call_webhook": call_webhook.call,
    "notify_channel": notify_channel.notify,
    "run_errand": run_errand.do,
    "process_mail": process_mail.process,
    "import_people": import_people.do,
}


def as_environment(settings: Settings) -> dict[str, str]:
    """The environment that a separate process needs to work with the same settings."""
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEYS": ",".join(base64.b64encode(key).decode() for key in settings.secret_keys),
        "MICROSOFT_CLIENT_ID": settings.microsoft_client_id,
        "MICROSOFT_CLIENT_SECRET": settings.microsoft_client_secret,
        "ENTRA_URL": settings.entra_url,
        "GRAPH_URL": settings.graph_url,
        "GOOGLE_CLIENT_ID": settings.google_client_id,
        "GOOGLE_CLIENT_SECRET": settings.google_client_secret,
        "GOOGLE_URL": settings.google_url,
        "GOOGLE_PUBSUB_TOPIC": settings.google_pubsub_topic,
        "GOOGLE_PUBSUB_ACCOUNT": settings.google_pubsub_account,
        "DEFAULT_MAIL_URL": settings.default_mail_url,
        "DEFAULT_MAIL_DOMAIN": settings.default_mail_domain,
    }


@dataclass
class Stage(Tables):
    """Test data, its emulator, and the verbs that make the product work."""

    world: World
    runtime: Runtime
    emulator: Running
    web_database: Database  # the same database, with the web process's role
    _helper: threading.Thread | None = None
    _done: list[Future[None]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.database = self.world.database

    def attend(self) -> None:
        """From now on, do the errands of web requests at once, as a worker beside it would."""
        if self._helper is None:
            self._helper = threading.Thread(target=self._attend, name="errands", daemon=True)
            self._helper.start()

    def leave(self) -> None:
        """Do no more errands."""
        self._over.set()
        if self._helper is not None:
            self._helper.join(60)
        for each in self._done:
            each.result()

    def _attend(self) -> None:
        started: set[object] = set()
        with ThreadPoolExecutor(4) as pool:
            while not self._over.wait(0.02):
                for job in self.all(OutboxJob, kind="run_errand", done_at=None):
                    if job.id not in started:
                        started.add(job.id)
                        self._done.append(pool.submit(run_errand.do, self.runtime, job.id))

    def mailbox(self, owner_id: UUID, **values: object) -> UUID:
        """Create a connected mailbox that the emulator knows."""
        mailbox_id = self.world.mailbox(owner_id)
        address = self.address(mailbox_id)
        self.emulator.control.add_mailboxes({"address": address, **values})
        self.give_token(mailbox_id)
        return mailbox_id

    def google_mailbox(self, owner_id: UUID, **values: object) -> UUID:
        """Create a connected mailbox at the emulator's Google."""
        mailbox_id = self.world.mailbox(owner_id, provider=Provider.GMAIL)
        self.emulator.control.add_mailboxes({"address": self.address(mailbox_id), "google": True, **values})
        self.give_token(mailbox_id)
        return mailbox_id

    def mailbox_at(self, provider: str, owner_id: UUID) -> UUID:
        """Create a connected mailbox that is connected in this way."""
        make = {Provider.GMAIL: self.google_mailbox, Provider.TENANT: self.tenant_mailbox}
        return make.get(Provider(provider), self.mailbox)(owner_id)

    def tenant_mailbox(self, owner_id: UUID, **values: object) -> UUID:
        """Create a mailbox whose owner has consented to the organization's tenant-wide connection, which there is from then on."""
        mailbox_id = self.world.mailbox(owner_id, provider=Provider.TENANT, refresh_token=None)
        address = self.address(mailbox_id)
        (made,) = self.emulator.control.add_mailboxes({"address": address, **values})
        self.emulator.control.app_access(address, consented=PERMISSIONS)
        tenant, account = made["tenant_id"], made["user_id"]
        self.put(Organization, self.world.organization_id, tenant_id=tenant)
        self.put(Mailbox, mailbox_id, tenant_id=tenant, account_id=account)
        self.put(Member, owner_id, account_id=account)
        with self.world.database.transaction() as tx:
            if tenants.of_organization(tx, self.world.organization_id) is None:
                tenants.connect(tx, self.world.organization_id, tenant, actor="test")
            tenants.consent(tx, mailbox_id)
        return mailbox_id

    def connect_again(self, mailbox_id: UUID, provider: Provider, *, actor: str) -> None:
        """Connect a removed mailbox as its owner would."""
        if provider == Provider.TENANT:
            tenant.join(self.runtime, self.owner(mailbox_id), actor=actor)
            return
        token = self.emulator.control.refresh_token(self.address(mailbox_id))
        connect_mailbox(self.runtime, mailbox_id, refresh_token=token, actor=actor, provider=provider)

    def give_token(self, mailbox_id: UUID) -> None:
        """Store a refresh token that the emulator accepts."""
        from db.core.crypto import Place
        from db.mailboxes.credentials import REFRESH

        token = self.emulator.control.refresh_token(self.address(mailbox_id))
        sealed = self.world.keys.encrypt(token, Place(self.world.organization_id, mailbox_id, REFRESH))
        self.put(Credentials, mailbox_id, refresh_token=sealed)

    def address(self, mailbox_id: UUID) -> str:
        """Return the mailbox's address."""
        return self.only(Mailbox, mailbox_id).address

    def owner(self, mailbox_id: UUID) -> UUID:
        """Return the person whose mailbox it is."""
        owner_id = self.only(Mailbox, mailbox_id).owner_id
        assert owner_id is not None
        return owner_id

    def due(self) -> list[SendStep]:
        """C0: return what a tick would enqueue now."""
        with self.world.database.transaction() as tx:
            return dispatch.queue_due(tx)

    def send_due(self) -> int:
        """Queue and send everything due now, round after round. Returns the number of attempts."""
        attempts = 0
        while jobs := self.due():
            for job in jobs:
                send_step.send(self.runtime, job)
                attempts += 1
        return attempts

    def look(self) -> int:
        """Make every reconcile attempt that is due, once."""
        with self.world.database.transaction() as tx:
            jobs: list[ReconcileDelivery] = dispatch.plan_attempts(tx)
        for job in jobs:
            reconcile_delivery.reconcile(self.runtime, job)
        return len(jobs)

    def run_outbox(self) -> int:
        """Run outbox jobs until there are none."""
        done = 0
        for _ in range(200):
            self.put(OutboxJob, where={"done_at": None}, available_at=ago(seconds=1))
            with self.world.database.transaction() as tx:
                rows = outbox.take_unpublished(tx)
            if not rows:
                return done
            for row in rows:
                _BODIES[row.actor](self.runtime, row.id)
                done += 1
        raise AssertionError("the outbox does not empty")

    def check_mailboxes(self) -> None:
        """Check every mailbox that is ever checked, as if it were due."""
        with self.world.database.transaction() as tx:
            checks.plan(tx, every=timedelta(0), lost_every=timedelta(0))
        self.run_outbox()

    def check_drafts(self) -> None:
        """Check Drafts wherever an accepted email should have left it."""
        with self.world.database.transaction() as tx:
            drafts.plan(tx)
        self.run_outbox()

    def later(self, seconds: float) -> None:
        """Let time pass for every delivery, lane, reading, person away and job: what falls into that time is due now."""
        self.older(
            Delivery,
            "due_at",
            "not_before",
            "sent_at",
            "first_failed_at",
            "left_check_at",
            "send_started_at",
            "lease_until",
            "grace_until",
            "queued_at",
            seconds=seconds,
        )
        self.older(
            Lane,
            "next_due_at",
            "retry_after_until",
            "drafts_checked_at",
            "refilled_at",
            "slot_until",
            seconds=seconds,
        )
        self.older(
            MailboxRead,
            "read_as_of",
            "next_read_at",
            "lease_until",
            "failing_since",
            "log_newest_at",
            seconds=seconds,
        )
        self.older(Candidate, "away_until", "unclear_until", seconds=seconds)
        self.older(OutboxJob, "published_at", where={"done_at": None}, seconds=seconds)

    def read(self, mailbox_id: UUID) -> bool:
        """Read what arrived in a mailbox, now; returns whether it is read to its end."""
        return read_mailbox.read(self.runtime, mailbox_id)

    def read_due(self) -> int:
        """Read every mailbox whose turn it is, as planned; returns how many there were."""
        with self.world.database.transaction() as tx:
            reads.watch(tx)
            jobs = reads.plan(tx)
        for job in jobs:
            read_mailbox.read(self.runtime, job.mailbox_id, job.round)
        return len(jobs)

    def sweep(self) -> None:
        """Take back expired leases."""
        with self.world.database.transaction() as tx:
            dispatch.expire_leases(tx, grace=timedelta(minutes=10))

    def left(self, via: str = "graph") -> list[LedgerEntry]:
        """Return the emails that left mailboxes, by the emulator's ledger."""
        return [entry for entry in self.emulator.control.ledger() if entry.via == via]

    def notices(self, **where: object) -> list[Notice]:
        """Return the notices that match (``owner_id``, ``channel``), oldest first."""
        return self.all(Notice, **where)
