"""An office with everything that pages can show, with long names and addresses; and the table of all pages.

A page is added by one line of ``PAGES``: its layout, keys and accessibility are checked at every size, in light and dark
(tests/web/test_layout.py).
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from actions import handovers, people_imports, withdraw
from actions.people_imports import Doer
from app.heartbeat import Heartbeat
from app.readiness import Readiness
from db.access import api_keys, grant_requests, grants, page_results
from db.core import measurements
from db.events import notice_channels, webhooks
from db.mailboxes import approvals, domains, sender_addresses, senders, tenants
from db.mailboxes import own_hours as own_hours_of
from db.sequences import organization_hours
from db.views import operations
from db.views.messages import Viewer
from db.views.operations import Doubt, Jobs, UnreadMailbox, WaitingLane
from domain.grant import Bounds
from domain.jobs import QUEUES
from domain.processes import Process
from lab.access_records import ApiKey, Lane, Measurement, Member, Organization, Withdrawal
from lab.listening_records import IncomingMessage
from lab.records import Candidate, Delivery, Enrollment, Sequence, Step, Suppression
from lab.stage import Stage
from lab.tables import ago, ahead
from tests.transports.name_server import name_server
from tests.web.visitor import email_of, made_operator
from tests.workers.test_process_mail import comes, letter

LONG = "Dr. Anne-Sophie Hohenlohe-Waldenburg-Schillingsfürst von und zu Gross-Umstadt-Kleestadt"
RTL = "نورا الخطيب"
NAME = "Senior site reliability engineers for the observability platform, Berlin and remote"

PAGES = (
    "/sequences",
    "/sequences?whose=all",
    "/sequences?q=nothing-like-it",
    "/sequences/resume",
    "/sequences/resume?whose=all&act=show",
    "/sequences/sender?from={box}",
    "/sequences/{paused}/resume",
    "/sequences/{own}/resume",
    "/sequences/{draft}/activate",
    "/sequences/new",
    "/sequences/{own}",
    "/sequences/{draft}",
    "/sequences/{own}?tab=people",
    "/sequences/{blocked}?tab=people",
    "/sequences/{paused}?tab=history",
    "/sequences/{own}/people/decide?do=stop&person={first}",
    "/sequences/{own}/people/decide?do=resume&person={first}",
    "/sequences/{own}/deactivate",
    "/sequences/decide?do=archive&sequence={own}&sequence={draft}",
    "/sequences/{own}/settings",
    "/sequences/{own}/answers",
    "/sequences/{own}/steps/new",
    "/sequences/{own}/steps/{step}",
    "/sequences/{own}/steps/{step}/remove",
    "/sequences/{own}/preview?step=2",
    "/sequences/{calling}",
    "/sequences/{calling}?tab=people",
    "/sequences/{calling}/steps/{task}",
    "/sequences/{calling}/preview",
    "/sequences/{blocked}/preview",
    "/sequences/{own}/changes/{change}",
    "/sequences/{own}/archive",
    "/sequences/{own}/hand-over",
    "/sequences/{own}/hand-over?to={rita}",
    "/sequences/{own}/hand-over?to={ada}",
    "/handovers/{taken}",
    "/messages",
    "/messages?which=done",
    "/messages/unassigned",
    "/messages/unassigned/{unassigned}",
    "/people",
    "/people?whose=all&sort=name_down",
    "/people?q=nothing-like-it",
    "/people/import",
    "/people/import/{checked}",
    "/people/import/{refused}",
    "/people/import/{checking}",
    "/people/add",
    "/people/enroll?person={person}",
    "/people/{person}",
    "/people/{person}/messages",
    "/people/{person}/erase",
    "/people/{person}/stop",
    "/people/{person}/address",
    "/people/{person}/suppress",
    "/people/{person}/enrollments/{enrollment}/stop",
    "/outbox",
    "/outbox?whose=all",
    "/outbox?which=held&whose=all",
    "/outbox?which=held&needs=approval",
    "/outbox?q=nobody-like-that",
    "/outbox/decide?do=skip&tick={planned}",
    "/outbox/decide?do=later&tick={planned}",
    "/outbox/decided/{decided}",
    "/outbox/approvals",
    "/outbox/approvals?sequence={approving}",
    "/outbox/{unread}/approve",
    "/outbox/{planned}/edit",
    "/outbox/{planned}/skip",
    "/outbox/{planned}/later",
    "/why",
    "/why?q=weber",
    "/why?person={person}",
    "/attention",
    "/attention?whose=all",
    "/attention?sequence={blocked}",
    "/settings/sequences",
    "/settings/sequences/signature",
    "/settings/sequences/remove",
    "/settings/sequences/grants/{grant}/revoke",
    "/settings/sequences/grants/{asks_first}/first",
    "/settings/sequences/grants/{grant}/first",
    "/settings/sequences/grants/new",
    "/settings/sequences/requests/{asked}",
    "/settings/read",
    "/settings/sent",
    "/settings/email",
    "/settings/email/microsoft",
    "/settings/email/microsoft/disconnect",
    "/settings/sequences/organization",
    "/settings/email/grants/{grant}/end",
    "/settings/email/addresses/{jobs}",
    "/settings/email/addresses/{jobs}/signature",
    "/settings/email/addresses/{jobs}/remove",
    "/settings/mail-server/{jobs}",
    "/settings/mail-server/mine",
    "/settings/mail-server/mine/disable",
    "/settings/answers",
    "/settings/mailboxes/{box}/limits",
    "/settings/mailboxes/{box}/hours",
    "/settings/mailboxes/{box}/hours/changes/{own_hours}",
    "/settings/organization",
    "/settings/organization/changes/{hours}",
    "/settings/holds",
    "/settings/suppressions",
    "/settings/suppressions?which=lifted",
    "/settings/suppressions/{suppression}/lift",
    "/settings/team",
    "/settings/team?which=left",
    "/settings/team/provisioning",
    "/settings/team/{rita}/role",
    "/settings/team/{rita}/end",
    "/settings/team/{left}/hand-over?to={ada}",
    "/settings/api",
    "/settings/api/reference",
    "/settings/api/keys/{key}/end",
    "/settings/api/keys/{key}/replace",
    "/settings/api/webhooks/{webhook}",
    "/settings/api/webhooks/{webhook}/remove",
    "/settings/audit",
    "/settings/audit?what=Permissions&since=2026-11-01",
    "/settings/sessions",
    "/settings/preferences",
    "/notifications",
    "/notifications?show=unread",
    "/numbers",
    "/numbers?by=step&sequence={own}",
    "/numbers?by=sender&weeks=26",
    "/numbers?by=sequence",
    "/operations",
    "/operations?over=day",
    "/operations/runbook",
    "/search",
    "/search?q=weber",
    "/withdrawals/{withdrawal}",
    "/results/{result}",
    "/approve/{approval}",
    "/system",
    "/nothing",
)
TOO_LONG = {"introduction": LONG * 20, "words": LONG * 20}
# Forms that are refused: the page that has one, its address, and what is sent in it. A text that is not named here is sent as ``?``.
REFUSED: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("/sequences/resume?whose=all", "/sequences/resume", {"sequence": ""}),
    ("/sequences/sender?from={box}", "/sequences/sender", {"sender": ""}),
    ("/sequences/new", "/sequences/new", {"name": ""}),
    ("/sequences/{own}/settings", "/sequences/{own}/settings", {}),
    ("/sequences/{own}/steps/new", "/sequences/{own}/steps/new", {}),
    ("/sequences/{own}/steps/{step}", "/sequences/{own}/steps/{step}", {"body": ""}),
    ("/sequences/{own}/hand-over?to={rita}", "/sequences/{own}/hand-over", TOO_LONG),
    ("/sequences/{own}/answers", "/sequences/{own}/answers", {"words": "own", "line": LONG * 20}),
    ("/handovers/{taken}", "/handovers/{taken}/accept", TOO_LONG),
    ("/settings/sequences", "/settings/sequences/requests", {}),
    ("/settings/sequences", "/settings/sequences/default", {"default": "?"}),
    ("/settings/sequences/grants/new", "/settings/sequences/grants", {}),
    ("/settings/sequences/requests/{asked}", "/settings/sequences/requests/{asked}/accept", {}),
    ("/settings/sequences/signature", "/settings/sequences/signature", {"body": LONG * 500}),
    ("/settings/email", "/settings/email/entities", {"name": ""}),
    ("/settings/email", "/settings/email/addresses", {}),
    ("/settings/email", "/settings/email/sender-name", {"kind": "?"}),
    ("/settings/email/addresses/{jobs}/signature", "/settings/email/addresses/{jobs}/signature", {"body": LONG * 500}),
    ("/settings/mail-server/{jobs}", "/settings/mail-server/{jobs}", {}),
    ("/settings/suppressions", "/settings/suppressions/add", {}),
    ("/settings/suppressions", "/settings/suppressions/import", {}),
    ("/settings/suppressions/{suppression}/lift", "/settings/suppressions/{suppression}/lift", {"reason": ""}),
    ("/settings/holds", "/settings/holds", {}),
    ("/settings/answers", "/settings/answers", {}),
    ("/settings/organization", "/settings/organization", {}),
    ("/settings/mailboxes/{box}/limits", "/settings/mailboxes/{box}/limits", {}),
    ("/settings/mailboxes/{box}/hours", "/settings/mailboxes/{box}/hours", {"hours": "set", "opens": "?"}),
    ("/settings/preferences", "/settings/preferences/channels", {}),
    ("/settings/preferences", "/settings/preferences", {"zone": "?"}),
    ("/settings/preferences", "/settings/preferences/notices", {}),
    ("/settings/team", "/settings/team/add", {}),
    ("/settings/team/{rita}/role", "/settings/team/{rita}/role", {"role": "?"}),
    ("/settings/team/{left}/hand-over?to={ada}", "/settings/team/{left}/hand-over", TOO_LONG),
    ("/settings/team/provisioning", "/settings/team/provisioning", {"name": ""}),
    ("/settings/api", "/settings/api/keys", {"name": ""}),
    ("/settings/api", "/settings/api/webhooks", {}),
    ("/settings/api/webhooks/{webhook}", "/settings/api/webhooks/{webhook}", {"which": "some"}),
    ("/people/add", "/people/add", {}),
    ("/people/import", "/people/import/days", {}),
    ("/people/import/{checked}", "/people/import/{checked}", {"a_day": "?"}),
    ("/people/enroll?person={person}", "/people/enroll", {"sequence": ""}),
    ("/people/{person}", "/people/{person}/fields", {"value": LONG * 500}),
    ("/people/{person}/address", "/people/{person}/address", {}),
    ("/people/{person}/suppress", "/people/{person}/suppress", {"reason": "?"}),
    ("/people/{person}/erase", "/people/{person}/erase", {}),
    ("/people/{person}/messages", "/people/{person}/messages", {"text": ""}),
    ("/outbox/approvals", "/outbox/approvals", {"do": "approve"}),
    ("/outbox/{planned}/edit", "/outbox/{planned}/edit", {"text": ""}),
    ("/outbox/{planned}/later", "/outbox/{planned}/later", {}),
    ("/attention?whose=all", "/attention/hours", {}),
    ("/attention?whose=all", "/attention/blocked/{blocked}", {"all": LONG * 500}),
    ("/attention?whose=all", "/attention/addresses/{undelivered}", {}),
    ("/messages/unassigned/{unassigned}", "/messages/unassigned/{unassigned}/assign", {}),
    ("/messages/unassigned/{unassigned}", "/messages/unassigned/{unassigned}/discard", {"because": ""}),
)  # fmt: skip
ALONE = ("/sign-in", "/sign-in?lost=session", "/o/cut-off", "/o/test")  # without a session


@dataclass(frozen=True, slots=True)
class Office:
    """``address``: of an admin. ``named``: the ids that ``PAGES`` and ``REFUSED`` name."""

    address: str
    named: dict[str, Any]

    @property
    def pages(self) -> list[str]:
        """Every path."""
        return self.pages_with()

    @property
    def refused(self) -> list[tuple[str, str, dict[str, str]]]:
        """``REFUSED``."""
        return [(page.format(**self.named), form.format(**self.named), sent) for page, form, sent in REFUSED]

    def pages_with(self, **other: UUID) -> list[str]:
        """Every path, with these ids in place of the admin's."""
        return [each.format(**self.named | other) for each in PAGES]


def nobodys(stage: Stage) -> UUID:
    """A message to the organization's default address, of somebody whom nobody knows."""
    with stage.world.database.transaction() as tx:
        box = senders.sender_of(tx, stage.world.organization_id, None)
    assert box is not None
    with name_server({}) as resolver:
        stage.runtime.__dict__["resolver"] = resolver
        sender = "somebody-with-a-long-name.and-a-longer-surname@research.conglomerate.example"
        comes(stage, box, letter(stage, sender, f"Is the job {'still ' * 40}open?"), peer="203.0.113.9")
    (found,) = [each.id for each in stage.all(IncomingMessage) if each.status == "unassigned"]
    return found


def uploaded_people(stage: Stage, member: UUID, sequence: UUID) -> tuple[UUID, UUID, UUID]:
    """Files of people: one that was checked, one without addresses, and one that nobody has read yet."""
    doer = Doer(Viewer(stage.world.organization_id, None), member, "Ada", admin=True)
    known = stage.all(Candidate)[0].email
    rows = f"{LONG},first@research.conglomerate.example,{'Head of everything ' * 4}\n{RTL},{known},\nNobody,none,\n"

    def upload(text: str) -> UUID:
        name = "people-of-the-november-meetup-in-berlin-and-elsewhere.csv"
        return people_imports.upload(
            stage.runtime, doer, name=name, content=text.encode(), sequence_id=sequence
        )

    read = (
        upload(f"Full name,Email,A very long title of a column that somebody chose\n{rows}"),
        upload("a,b\n1,2\n"),
    )
    stage.run_outbox()
    return *read, upload("Email\nlater@example.org\n")


def measured(stage: Stage) -> None:
    """What a scheduler measured: a day of it, and now a line of each sort that operators may see."""
    some, name = UUID(int=7), stage.only(Organization).name
    for kind, queues in (("scheduler", ()), ("worker", QUEUES[:-1])):
        Heartbeat(stage.world.database, kind, Readiness(stage.world.database), queues=queues).beat()
    lanes = [
        WaitingLane(some, name, provider, state, reason, 100, ago(minutes=9), 12, 1000, ahead(minutes=4), 31)
        for provider, state, reason in (
            ("graph", "overdue", None),
            ("microsoft_smtp", "asked_to_wait", "sending_limit_reached"),
            ("smtp", "daily_limit", None),
            ("default", "pace", None),
        )
    ]
    said = "A stored token needs a key that SECRET_KEYS does not hold (id 00112233445566778899). Put the old key back."
    process = Process(
        some, "worker", "worker-send-7d9c5b6f4-x2x9q.onbehalf.svc", 17, sorted(QUEUES), "0.1.0", "2026_11_30_gmail_push", [], [],
        True, ago(hours=3), ago(seconds=3), ago(seconds=8), None,
    )  # fmt: skip
    with stage.world.database.transaction() as tx:
        found = operations.measure(tx, dict.fromkeys(QUEUES, 12))
        found = replace(
            found,
            lanes=lanes,
            unread=[UnreadMailbox(some, name, "graph", ago(hours=3), ago(hours=2), 4, "ErrorAccessDenied", ahead(minutes=9))],
            reading=replace(found.reading, mailboxes=128, unread=1, oldest=ago(hours=3)),
            doubts=[Doubt(some, name, "graph", ago(minutes=6), 4, ahead(seconds=40), ahead(minutes=4))],
            jobs=[Jobs("pause_sequence", 1, 2, ago(minutes=2))],
            processes=[
                process,
                replace(process, troubles=[said], works=False),
                replace(process, kind="inbox", queues=[], works=False),
                replace(process, seen_at=ago(minutes=9)),
                replace(process, stopped_at=ago(hours=1)),
            ],
        )  # fmt: skip
        measurements.keep(tx, operations.figures(found), operations.as_json(found))
    minute = stage.only(Measurement).minute
    stage.add(
        Measurement,
        *(
            {
                "minute": minute - timedelta(minutes=each),
                "figures": {
                    "sent_last_minute": 100 + each * 37 % 113, "due": each * 3, "overdue_for_no_reason": int(each == 20) * 4,
                    "queue_lag": each % 7 * 1.3, "in_doubt": each // 15 % 3, "unread": int(each > 30),
                    "lags": [each % 5, *[3] * 16], "attempts": 100, "attempts_failed": each % 9,
                },
            }
            for each in range(1, 1440)
            if each not in range(40, 46)  # no scheduler ran
        ),
    )  # fmt: skip


def in_every_state(stage: Stage, owner: UUID, box: UUID, name: str) -> dict[str, UUID]:
    """Sequences of an owner of which one runs, and each other one waits for somebody in its own way; ids by their name in ``PAGES``."""
    world, actor = stage.world, stage.only(Member, owner).name

    def send_due() -> None:
        world.put(Lane, tokens=4)
        stage.send_due()

    own = world.sequence(owner, box, ("PT0S", "P1D"))
    world.put(Sequence, own, name=name)
    world.enroll(own, 5, last_name="Weber")
    send_due()
    stopped = world.sequence(owner, box, ("P1D",))
    world.enroll(stopped, 2)
    withdraw.pause_sequence(stage.runtime, stopped, actor=actor, reason="holidays")
    blocked = world.sequence(owner, box, ("PT0S",), body="For the {{role}}", fields=("role",))
    world.enroll(blocked, 3)
    send_due()
    review = world.sequence(owner, box, ("PT0S", "P1D"))
    world.enroll(review, 2)
    world.overwrite(Delivery, where={"sequence_id": review}, state="review", reason="no_trace")
    failed = world.sequence(owner, box, ("PT0S",))
    world.enroll(failed, 2)
    refusal = "recipient_rejected"
    world.overwrite(Delivery, where={"sequence_id": failed}, state="closed", outcome="failed", reason=refusal)
    world.put(Enrollment, where={"sequence_id": failed}, status="stopped", reason=refusal)
    approving = world.sequence(
        owner, box, ("PT0S",), body=f"Hello {{{{first_name}}}}, {'we are hiring. ' * 30}"
    )
    world.put(Step, world.only(Step, sequence_id=approving).id, kind="approval")
    world.enroll(approving, 2, last_name=LONG)
    calling = world.sequence(owner, box, ("PT0S",))
    task = world.only(Step, sequence_id=calling).id
    world.put(
        Step, task, kind="task", subject=None, body=f"Call {{{{full_name}}}}\n\n{'Ask about the team. ' * 9}"
    )
    world.enroll(calling, 2, last_name=LONG)
    send_due()
    first = stage.all(Enrollment, sequence_id=own)[0]
    return {
        "own": own, "stopped": stopped, "blocked": blocked, "approving": approving, "calling": calling, "task": task,
        "unread": stage.all(Delivery, sequence_id=approving)[0].id,
        "step": stage.only(Step, sequence_id=own, position=2).id,
        "planned": next(each.id for each in stage.all(Delivery, sequence_id=own) if each.state == "pending"),
        "undelivered": stage.all(Delivery, sequence_id=failed)[0].id,
        "first": first.id, "enrollment": first.id, "person": first.candidate_id,
    }  # fmt: skip


def busy_office(stage: Stage) -> Office:
    """An admin with a long name, and everything that pages can show."""
    world = stage.world
    ada = world.member(LONG, role="admin")
    world.put(
        Member,
        ada,
        email="anne-sophie.hohenlohe-waldenburg-schillingsfuerst.recruiting@engineering.acme-robotics.example",
    )
    nora, rita = world.member(RTL), world.member("Rita Recruiter")
    world.put(Member, nora, email="nora.alkhatib@acme.example")
    trusted = stage.emulator.world.mailboxes[made_operator(stage, ada)].tenant_id
    with world.database.transaction() as tx:
        tenants.connect(tx, world.organization_id, trusted, actor=LONG)
    box, noras = stage.mailbox(ada), stage.mailbox(nora)
    world.put(
        Organization, time_zone="Europe/Berlin", name="Acme Robotics International Holding SE & Co. KGaA"
    )
    ids = in_every_state(stage, ada, box, NAME)
    paused = world.sequence(ada, noras, ("P1D",))
    lent = world.grant(noras, ada)
    world.enroll(paused, 2)
    withdraw.revoke_grant(stage.runtime, lent, actor=RTL)
    stage.run_outbox()  # an incident of Ada's
    draft = world.sequence(ada, box, status="draft")
    left = world.member("Karin Holm of the former office in Brno", active=False)
    world.enroll(world.sequence(left, noras, ("P1D",), status="draft"), 2)
    taken = handovers.ask(
        stage.runtime, world.sequence(nora, noras), ada, words="From May on, for both offices. " * 4, by=nora, actor=RTL
    )  # fmt: skip
    grant = world.grant(box, rita)
    world.grant(noras, None)
    with world.database.transaction() as tx:
        approvals.wait_for(tx, world.organization_id, ada)
        asked = grant_requests.ask(
            tx, mailbox=stage.address(box), requester_id=nora, words="For designers " * 8, actor=RTL
        )
        grants.give(tx, mailbox_id=box, mailbox_owner_id=ada, grantee_id=None, actor=LONG)
        first_email = grants.give(
            tx,
            mailbox_id=box,
            mailbox_owner_id=ada,
            grantee_id=nora,
            actor=LONG,
            bounds=Bounds(reads_first=True),
        )
        since = approvals.waiting(tx, stage.runtime.web_keys, ada)
        senders.ensure_default(tx, world.organization_id, "mail.example")
        domains.verify(tx, world.organization_id, "acme.example", "operator", actor="test")
        jobs = sender_addresses.put_address(
            tx, world.organization_id, None, "jobs-and-careers-worldwide@acme.example", actor="Ada"
        )
    assert since is not None
    world.enroll(world.sequence(nora, box), 2)
    stage.send_due()
    stage.run_outbox()
    sent = stage.left()[0]
    stage.emulator.control.incoming(
        stage.address(box),
        sender=sent.to[0],
        from_name=LONG,
        subject=f"Re: {sent.subject}",
        text="Tell me more, please.\n\nOn Thu 19 Nov, you wrote:\n> Hello",
        in_reply_to=sent.internet_message_id,
    )
    stage.read(box)
    own, step = ids["own"], ids["step"]
    content = {"kind": "RemoveStep", "id": str(step), "version": 1}
    verdict = {
        "title": "The server refuses this sender", "good": False, "code": "550 5.7.60",
        "text": "It says: Client does not have permissions to send as this sender-with-a-long-name@acme.example. " * 2,
        "warnings": ["Its certificate ends in a few days."], "back": "/settings/email",
    }  # fmt: skip
    with world.database.transaction() as tx:
        change = page_results.put(tx, world.organization_id, ada, content)
        result = page_results.put(tx, world.organization_id, ada, verdict)
        lines = [
            {
                "person": name,
                "position": 2,
                "changed": done,
                "refused": why,
                "said": "Skipped.",
                "due_at": None,
            }
            for name, done, why in (
                (RTL, True, ""),
                (LONG, False, ""),
                (LONG, False, "This email is leaving right now, and nobody can stop it any more."),
            )
        ]
        decided = page_results.put(tx, world.organization_id, ada, {"decided": lines, "back": "/outbox"})
        closed = {"zone": "Europe/Berlin", "days": ["sun"], "from": "03:00", "to": "04:00", "holidays": []}
        hours = page_results.put(
            tx,
            world.organization_id,
            ada,
            {
                "hours": {"time_zone": "Europe/Berlin", "sending": closed},
                "version": organization_hours.of(tx, world.organization_id).version,
            },
        )
        own_hours = page_results.put(
            tx,
            world.organization_id,
            ada,
            {"mailbox": str(box), "own_hours": closed, "version": own_hours_of.of(tx, box).version},
        )
        webhook, _ = webhooks.add(
            tx,
            stage.runtime.keys,
            stage.runtime.web_keys,
            world.organization_id,
            "https://events-of-the-applicant-tracking-system.conglomerate.example/onbehalf",
            actor=LONG,
        )
    unassigned = nobodys(stage)
    checked, refused, checking = uploaded_people(stage, ada, own)
    world.suppress("somebody-with-a-long-name@subsidiary.conglomerate.example")
    suppressed = world.all(Suppression)[0].id
    withdrawal = world.all(Withdrawal)[0].id
    with world.database.transaction() as tx:
        api_keys.make(
            tx,
            world.organization_id,
            "The applicant tracking system of the whole group",
            ["read", "manage"],
            actor=LONG,
        )
        api_keys.make(
            tx, world.organization_id, "The directory of the whole group", [api_keys.PROVISION], actor=LONG
        )
        notice_channels.add(
            tx,
            stage.runtime.keys,
            ada,
            service="Microsoft Teams",
            name="Hiring for the observability platform, everybody",
            url="https://teams.example",
            actor=LONG,
        )
    key = world.only(ApiKey, name="The applicant tracking system of the whole group").id
    planned = next(each.id for each in stage.all(Delivery, sequence_id=own) if each.state == "pending")
    (person,) = {each.candidate_id for each in stage.all(IncomingMessage) if each.candidate_id}
    enrollment = stage.all(Enrollment, candidate_id=person)[0].id
    measured(stage)
    named: dict[str, Any] = {
        **ids, "planned": planned, "paused": paused, "draft": draft, "change": change, "person": person, "grant": grant, "asks_first": first_email, "asked": asked,
        "jobs": jobs, "withdrawal": withdrawal, "approval": since[1], "suppression": suppressed,
        "unassigned": unassigned, "decided": decided, "checked": checked, "refused": refused, "checking": checking,
        "rita": rita, "key": key, "hours": hours, "own_hours": own_hours, "box": box, "ada": ada, "left": left, "taken": taken, "enrollment": enrollment, "result": result, "webhook": webhook,
    }  # fmt: skip
    return Office(email_of(stage, ada), named)


def others_of(stage: Stage, office: Office) -> dict[str, tuple[UUID, list[str]]]:
    """A recruiter, an owner of sequences and a lender of a mailbox, who are members, and the pages with what is theirs; of the rest, the admin's."""
    world, rita = stage.world, office.named["rita"]
    # Rita writes from her own mailbox, and the other owner from a colleague's, who ends it.
    ritas = in_every_state(stage, rita, stage.mailbox(rita), "Data engineers")
    owner, lender = world.member("Omar Haddad of the office in Gothenburg"), world.member(f"Vera {LONG}")
    box = stage.mailbox(lender)
    lent = world.grant(box, owner)
    owners = in_every_state(stage, owner, box, f"{NAME}, from Gothenburg")
    withdraw.revoke_grant(stage.runtime, lent, actor=LONG)
    stage.run_outbox()
    owners |= {"paused": owners["own"], "draft": world.sequence(owner, box, status="draft")}
    with world.database.transaction() as tx:
        asked = grant_requests.ask(
            tx, mailbox=stage.address(box), requester_id=owner, words="For designers " * 8, actor=RTL
        )
        given = grants.give(
            tx, mailbox_id=box, mailbox_owner_id=lender, grantee_id=rita, actor=LONG, bounds=Bounds(reads_first=True)
        )  # fmt: skip
    world.enroll(world.sequence(rita, box), 2)
    world.put(Lane, tokens=4)
    stage.send_due()
    return {
        "a recruiter": (rita, office.pages_with(**ritas)),
        "an owner": (owner, office.pages_with(**owners)),
        "a lender": (lender, office.pages_with(grant=given, asks_first=given, asked=asked, box=box)),
    }
