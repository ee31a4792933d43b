"""The JSON API can do what pages can: records, notifications, answers, unassigned mail, hand-overs and mail servers of members."""

# ruff: noqa: F811 - fixtures are asked for by the name they are imported by

from uuid import UUID, uuid4

import httpx
import pytest

from db.mailboxes import senders
from lab.access_records import Grant, Mailbox, Member, Withdrawal
from lab.listening_records import IncomingMessage
from lab.records import AuditEntry, Candidate, Delivery, Enrollment, Sequence, Suppression
from lab.stage import Stage
from tests.transports.name_server import name_server
from tests.web.test_api import Api, api, client, grant, is_problem, key_of  # noqa: F401 - fixtures
from tests.web.test_api_addresses import server
from tests.workers.test_process_mail import comes, letter


@pytest.fixture
def rita(stage: Stage) -> UUID:
    """Rita wrote to Priya, from her own mailbox."""
    rita = stage.world.member("Rita Recruiter")
    sequence = stage.world.sequence(rita, stage.mailbox(rita), ("PT0S", "P1D"))
    stage.world.enroll(sequence, email="priya@kestrel.example", first_name="Priya")
    stage.send_due()
    return rita


def answered(stage: Stage, text: str) -> str:
    """Priya answers; returns the message."""
    (entry,) = stage.left()
    box = stage.only(Mailbox).id
    stage.emulator.control.incoming(
        stage.address(box), sender=entry.to[0], subject="Re: it", text=text, in_reply_to=entry.internet_message_id
    )  # fmt: skip
    stage.read(box)
    return str(stage.only(IncomingMessage).id)


def test_a_receipt_says_on_whose_authority_an_email_left(stage: Stage, rita: UUID, api: Api) -> None:
    sent, waits = stage.only(Delivery, state="sent").id, stage.only(Delivery, state="pending").id
    found = api.get(f"/deliveries/{sent}/receipt").json()
    assert (found["receipt"]["authority"], found["matches_audit_trail"]) == ("own_mailbox", True)
    assert {each["check"] for each in found["receipt"]["checks"]} >= {"sequence", "mailbox"}
    assert "has not been sent" in is_problem(api.get(f"/deliveries/{waits}/receipt"), 404)


def test_the_result_of_a_withdrawal_is_shown_again(stage: Stage, api: Api, grant: UUID) -> None:
    api.post(f"/grants/{grant}/revoke")
    withdrawal = stage.only(Withdrawal).id
    found = api.get(f"/withdrawals/{withdrawal}").json()
    assert (found["stopped"], found["already_sent"], found["doubts"]) == (2, 0, [])
    assert [each["emails"] for each in found["touched"]] == [2]
    is_problem(api.get(f"/withdrawals/{uuid4()}"), 404)


def test_what_was_read_of_a_mailbox_is_shown_with_why(stage: Stage, rita: UUID, api: Api) -> None:
    message = answered(stage, "Tell me more.")
    found = api.get(f"/members/{rita}/readings").json()
    assert [(each["id"], each["person"]) for each in found["items"]] == [(message, "Priya")]
    assert [each["matched"] for each in found["mailboxes"]] == [1]
    assert api.get(f"/members/{rita}/readings", before=message).json()["items"] == []


def test_notifications_are_listed_and_marked_as_read(stage: Stage, rita: UUID, api: Api) -> None:
    answered(stage, "Tell me more.")
    stage.run_outbox()
    here = f"/members/{rita}/notifications"
    found = api.get(here, unread=True).json()
    assert (len(found["items"]), found["unread"], found["next_before"]) == (1, 1, None)
    other = stage.world.member("Mona Member")
    (notice,) = (each["id"] for each in found["items"])
    is_problem(api.post(f"/members/{other}/notifications/read", {"notification_id": notice}), 404)
    assert api.get(here).json()["unread"] == 1
    assert api.post(f"{here}/read", {"notification_id": notice}).json() == {"unread": 0}
    assert api.get(here, unread=True).json()["items"] == []
    assert api.get(here).json()["items"][0]["read_at"]
    assert api.post(f"{here}/read", {}).json() == {"unread": 0}


def test_a_member_reads_times_in_a_zone_of_their_own(rita: UUID, api: Api) -> None:
    here = f"/members/{rita}/time-zone"
    assert api.get(here).json() == {"zone": None}
    assert api.post(here, {"zone": "Asia/Tokyo"}).json() == {"zone": "Asia/Tokyo"}
    is_problem(api.post(here, {"zone": "Atlantis"}), 422)
    assert api.get(here).json() == {"zone": "Asia/Tokyo"}
    assert api.post(here, {}).json() == {"zone": None}


def test_what_an_answer_ends_is_set_for_all_and_for_one_sequence(stage: Stage, rita: UUID, api: Api) -> None:
    wanted = {"stop_scope": "organization", "away_days": 7, "opt_out_line": "No more? Say so."}
    assert api.post("/organization/answers", wanted).json() == wanted
    assert api.get("/organization/answers").json() == wanted
    is_problem(api.post("/organization/answers", {**wanted, "away_days": 0}), 422)
    here = f"/sequences/{stage.only(Sequence).id}/answers"
    assert api.get(here).json() == {"stop_scope": None, "opt_out_line": None}
    own = {"stop_scope": "sequence", "opt_out_line": ""}
    assert api.post(here, own).json() == own
    assert api.get(here).json() == own
    assert stage.count(AuditEntry, action="answer_settings_changed") == 2


def test_what_a_message_led_to_is_confirmed_or_overruled(stage: Stage, rita: UUID, api: Api) -> None:
    message = answered(stage, "Please take me off your list.")
    assert stage.only(Enrollment).reason == "opt_out_proposed"
    is_problem(api.post(f"/messages/{message}/overrule", {"reason": ""}), 422)
    done = api.post(f"/messages/{message}/overrule", {"reason": "she meant another list"}).json()
    assert done == {"id": message, "overruled": True, "sequences": 1}
    assert stage.only(Enrollment).status == "active"
    assert api.post(f"/messages/{message}/overrule", {"reason": "again"}).json()["overruled"] is False


def test_an_opt_out_is_confirmed(stage: Stage, rita: UUID, api: Api) -> None:
    message = answered(stage, "Please take me off your list.")
    assert api.post(f"/messages/{message}/confirm-opt-out").json()["complete"] is True
    assert stage.only(Enrollment).status == "stopped"
    assert stage.count(Suppression) == 1
    is_problem(api.post(f"/messages/{uuid4()}/confirm-opt-out"), 404)


def test_what_suppressing_would_do_is_foreseen(
    stage: Stage, rita: UUID, api: Api, client: httpx.Client
) -> None:
    asked = {"values": ["priya@kestrel.example", "acme.example"]}
    reader = Api(client, key_of(stage.world, "read"))
    assert reader.post("/suppressions/preview", asked).json() == {"added": 2, "known": 0, "people": 1}
    assert stage.count(Suppression) == 0
    assert stage.only(Enrollment).status == "active"
    is_problem(reader.post("/suppressions/preview", {"values": ["no address"]}), 422)


def test_mail_that_is_nobodys_is_listed_and_decided_on(stage: Stage, rita: UUID, api: Api) -> None:
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "onbehalf.example")
        box = senders.sender_of(tx, stage.world.organization_id, None)
    assert box is not None
    with name_server({}) as resolver:
        stage.runtime.__dict__["resolver"] = resolver
        for sender in ("olga@personal.example", "ben@personal.example", "shop@personal.example"):
            comes(stage, box, letter(stage, sender, "Is the job <b>still</b> open?"), peer="203.0.113.9")
    page = api.get("/unassigned", limit=2).json()
    rest = api.get("/unassigned", limit=2, before=page["next_before"]).json()
    ids = [each["id"] for each in [*page["items"], *rest["items"]]]
    assert len(set(ids)) == 3
    assert rest["next_before"] is None
    shop, bens, olgas = ids
    shown = api.get(f"/unassigned/{olgas}").json()
    assert (shown["text"], shown["proven"]) == ("Is the job <b>still</b> open?", False)
    assert shown["because"]
    is_problem(api.post(f"/unassigned/{shop}/discard", {"reason": ""}), 422)
    assert api.post(f"/unassigned/{shop}/discard", {"reason": "an advert"}).json()["status"] == "discarded"
    assert "already" in is_problem(api.post(f"/unassigned/{shop}/discard", {"reason": "an advert"}), 409)
    is_problem(api.post(f"/unassigned/{bens}/assign", {"address": "nobody@example.org"}), 404)
    priya = str(stage.only(Candidate).id)
    assigned = api.post(f"/unassigned/{bens}/assign", {"address": "priya@kestrel.example"}).json()
    assert assigned == {"id": bens, "candidate_id": priya}
    made = api.post(f"/unassigned/{olgas}/person").json()["candidate_id"]
    assert stage.only(Candidate, UUID(made)).email == "olga@personal.example"
    assert api.get("/unassigned").json()["items"] == []
    assert [each["id"] for each in api.get("/unassigned", status="discarded").json()["items"]] == [shop]


def test_a_hand_over_is_accepted_or_declined_for_whoever_is_asked(stage: Stage, rita: UUID, api: Api) -> None:
    sequence, mona = stage.only(Sequence).id, stage.world.member("Mona Member")
    box = stage.mailbox(mona)
    here = f"/sequences/{sequence}/hand-over"
    asked = api.post(here, {"to": str(mona)}).json()["request_id"]
    assert api.post(f"/hand-overs/{asked}/decline").json() == {"id": asked}
    assert "answered already" in is_problem(api.post(f"/hand-overs/{asked}/decline"), 409)
    asked = api.post(here, {"to": str(mona)}).json()["request_id"]
    done = api.post(f"/hand-overs/{asked}/accept", {"sender_id": str(box)}).json()
    assert done["complete"] is True
    found = stage.only(Sequence, sequence)
    assert (found.owner_id, found.mailbox_id, found.status) == (mona, box, "paused")
    is_problem(api.post(f"/hand-overs/{uuid4()}/accept", {}), 404)


def test_a_request_for_permission_is_declined_and_can_only_be_accepted_on_a_page(
    stage: Stage, rita: UUID, api: Api
) -> None:
    mona = stage.world.member("Mona Member")
    address = stage.address(stage.only(Mailbox).id)
    asked = api.post("/grant-requests", {"mailbox": address, "requester_id": str(mona)}).json()["id"]
    assert api.post(f"/grant-requests/{asked}/accept").status_code == 404
    assert api.post(f"/grant-requests/{asked}/decline").json() == {"id": asked, "status": "declined"}
    assert [each["status"] for each in api.get("/grant-requests").json()["items"]] == ["declined"]
    assert stage.count(Grant) == 0
    is_problem(api.post(f"/grant-requests/{asked}/decline"), 404)


@pytest.mark.usefixtures("trusted_mail_server")
def test_a_members_own_mailbox_gets_a_mail_server_and_is_taken_out_of_use(stage: Stage, api: Api) -> None:
    hans = stage.world.member("Hans Holder")
    stage.emulator.control.add_mailboxes({"address": stage.only(Member, hans).email})
    box = api.post(f"/members/{hans}/mailbox").json()["id"]
    assert api.post(f"/members/{hans}/mailbox").json() == {"id": box}
    saved = api.post(f"/mailboxes/{box}/mail-server", server(stage)).json()
    assert saved["outcome"] == "verified", saved
    assert api.post(f"/mailboxes/{box}/activate").json()["outcome"] == "verified"
    assert (stage.only(Mailbox).status, stage.only(Mailbox).provider) == ("connected", "smtp")
    assert api.post(f"/mailboxes/{box}/disable").json()["complete"] is True
    assert (stage.only(Mailbox).status, stage.only(Mailbox).status_reason) == ("disconnected", "disabled")


def test_a_sender_address_is_no_members_mailbox(stage: Stage, api: Api) -> None:
    with stage.world.database.transaction() as tx:
        senders.ensure_default(tx, stage.world.organization_id, "onbehalf.example")
        box = senders.sender_of(tx, stage.world.organization_id, None)
    for verb, body in (("mail-server", server(stage)), ("activate", None), ("disable", None)):
        is_problem(api.post(f"/mailboxes/{box}/{verb}", body), 404)
