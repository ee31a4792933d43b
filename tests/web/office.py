"""An office with everything that pages can show, with long names and addresses; and the table of all pages.

A page is added by one line of ``PAGES``: its layout, keys and accessibility are checked at every size, in light and dark
(tests/web/test_layout.py).
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from actions import handovers, people_imports, withdraw
from actions.people_imports import Doer
from app.heartbeat import Heartbeat
from app.readiness import Readiness
from db.access import api_keys, grant_requests, grants, page_results
from db.core import measurements
from db.events import notice_channels, webhooks
from db.mailboxes import approvals, domains, sender_addresses, senders
from db.views import operations
from db.views.messages import Viewer
from db.views.operations import Doubt, Jobs, UnreadMailbox, WaitingLane
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
    "/sequences/{paused}/resume",
    "/sequences/{own}/resume",
    "/sequences/{draft}/activate",
    "/sequences/new",
    "/sequences/{own}",
    "/sequences/{draft}",
    "/sequences/{own}?tab=people",
    "/sequences/{blocked}?tab=people",
    "/sequences/{own}/settings",
    "/sequences/{own}/answers",
    "/sequences/{own}/steps/new",
    "/sequences/{own}/steps/{step}",
    "/sequences/{own}/steps/{step}/remove",
    "/sequences/{own}/preview?step=2",
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
    "/people?whose=all",
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
    "/people/{person}/enrollments/{enrollment}/stop",
    "/outbox",
    "/outbox?whose=all",
    "/outbox?which=held&whose=all",
    "/outbox?q=nobody-like-that",
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
    "/settings/sequences/remove",
    "/settings/sequences/grants/{grant}/revoke",
    "/settings/sequences/grants/new",
    "/settings/sequences/requests/{asked}",
    "/settings/read",
    "/settings/email",
    "/settings/email/grants/{grant}/end",
    "/settings/email/addresses/{jobs}",
    "/settings/email/addresses/{jobs}/remove",
    "/settings/mail-server/{jobs}",
    "/settings/mail-server/mine",
    "/settings/mail-server/mine/disable",
    "/settings/answers",
    "/settings/holds",
    "/settings/suppressions",
    "/settings/suppressions?which=lifted",
    "/settings/suppressions/{suppression}/lift",
    "/settings/team",
    "/settings/team?which=left",
    "/settings/team/{rita}/role",
    "/settings/team/{rita}/end",
    "/settings/team/{left}/hand-over?to={ada}",
    "/settings/api",
    "/settings/api/reference",
    "/settings/api/keys/{key}/end",
    "/settings/api/webhooks/{webhook}/remove",
    "/settings/audit",
    "/settings/audit?what=Permissions&day=2026-11-01",
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
ALONE = ("/sign-in", "/sign-in?lost=session", "/o/cut-off", "/o/test")  # without a session


@dataclass(frozen=True, slots=True)
class Office:
    """``address``: of an admin. ``pages``: every path."""

    address: str
    pages: list[str]


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
        some, "worker", "worker-send-7d9c5b6f4-x2x9q.onbehalf.svc", 17, sorted(QUEUES), "0.1.0", "2026_11_30_times_of_day", [], [],
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
                },
            }
            for each in range(1, 1440)
            if each not in range(40, 46)  # no scheduler ran
        ),
    )  # fmt: skip


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
    made_operator(stage, ada)
    box, noras = stage.mailbox(ada), stage.mailbox(nora)
    world.put(
        Organization, time_zone="Europe/Berlin", name="Acme Robotics International Holding SE & Co. KGaA"
    )
    own = world.sequence(ada, box, ("PT0S", "P1D"))
    world.put(Sequence, own, name=NAME)
    world.enroll(own, 5, last_name="Weber")
    stage.send_due()
    paused = world.sequence(ada, noras, ("P1D",))
    lent = world.grant(noras, ada)
    world.enroll(paused, 2)
    withdraw.revoke_grant(stage.runtime, lent, actor=RTL)
    stage.run_outbox()  # an incident of Ada's
    stopped = world.sequence(ada, box, ("P1D",))
    world.enroll(stopped, 2)
    withdraw.pause_sequence(stage.runtime, stopped, actor=LONG, reason="holidays")
    blocked = world.sequence(ada, box, ("PT0S",), body="For the {{role}}", fields=("role",))
    world.enroll(blocked, 3)
    world.put(Lane, tokens=4)
    stage.send_due()
    review = world.sequence(ada, box, ("PT0S", "P1D"))
    world.enroll(review, 2)
    world.overwrite(Delivery, where={"sequence_id": review}, state="review", reason="no_trace")
    world.put(Lane, tokens=4)
    failed = world.sequence(ada, box, ("PT0S",))
    world.enroll(failed, 2)
    refusal = "recipient_rejected"
    world.overwrite(Delivery, where={"sequence_id": failed}, state="closed", outcome="failed", reason=refusal)
    world.put(Enrollment, where={"sequence_id": failed}, status="stopped", reason=refusal)
    approving = world.sequence(
        ada, box, ("PT0S",), body=f"Hello {{{{first_name}}}}, {'we are hiring. ' * 30}"
    )
    world.put(Step, world.only(Step, sequence_id=approving).id, kind="approval")
    world.enroll(approving, 2, last_name=LONG)
    world.put(Lane, tokens=4)
    stage.send_due()
    unread = stage.all(Delivery, sequence_id=approving)[0].id
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
        since = approvals.waiting(tx, stage.runtime.web_keys, ada)
        senders.ensure_default(tx, world.organization_id, "mail.example")
        domains.verify(tx, world.organization_id, "acme.example", "operator", actor="test")
        jobs = sender_addresses.put_address(
            tx, world.organization_id, None, "jobs-and-careers-worldwide@acme.example", actor="Ada"
        )
    assert since is not None
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
    step = stage.only(Step, sequence_id=own, position=2).id
    content = {"kind": "RemoveStep", "id": str(step), "version": 1}
    verdict = {
        "title": "The server refuses this sender", "good": False, "code": "550 5.7.60",
        "text": "It says: Client does not have permissions to send as this sender-with-a-long-name@acme.example. " * 2,
        "warnings": ["Its certificate ends in a few days."], "back": "/settings/email",
    }  # fmt: skip
    with world.database.transaction() as tx:
        change = page_results.put(tx, world.organization_id, ada, content)
        result = page_results.put(tx, world.organization_id, ada, verdict)
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
        notice_channels.add(
            tx,
            stage.runtime.keys,
            ada,
            service="Microsoft Teams",
            name="Hiring for the observability platform, everybody",
            url="https://teams.example",
            actor=LONG,
        )
    key = world.all(ApiKey)[0].id
    (person,) = {each.candidate_id for each in stage.all(IncomingMessage) if each.candidate_id}
    enrollment = stage.all(Enrollment, candidate_id=person)[0].id
    planned = next(each.id for each in stage.all(Delivery, sequence_id=own) if each.state == "pending")
    measured(stage)
    named = {
        "approving": approving, "unread": unread, "own": own, "paused": paused, "blocked": blocked, "draft": draft, "step": step, "change": change, "person": person, "grant": grant, "asked": asked,
        "jobs": jobs, "withdrawal": withdrawal, "approval": since[1], "suppression": suppressed,
        "unassigned": unassigned, "planned": planned, "checked": checked, "refused": refused, "checking": checking,
        "rita": rita, "key": key, "ada": ada, "left": left, "taken": taken, "enrollment": enrollment, "result": result, "webhook": webhook,
    }  # fmt: skip
    return Office(email_of(stage, ada), [each.format(**named) for each in PAGES])
