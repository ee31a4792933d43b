"""The Gmail API as the emulator keeps it: drafts and what becomes of them, threads, labels, search, history, limits."""

import base64
from collections.abc import Iterator

import pytest

from lab.emulator.google import DEFAULT_SCOPES, SCOPE
from tests.lab.emulator.google_local import API, GINA, GoogleLocal, encoded, header, mime, reason
from tests.lab.emulator.local import OTTO, RITA


@pytest.fixture
def gmail() -> Iterator[GoogleLocal]:
    local = GoogleLocal()
    yield local
    local.runner.close()


def test_a_draft_reaches_nobody_and_keeps_its_own_message_id(gmail: GoogleLocal) -> None:
    draft = gmail.drafted(mime(Message_ID="<one@acme-g.example>"))
    assert gmail.ledger() == []
    assert draft["message"]["labelIds"] == ["DRAFT"]
    assert draft["id"] != draft["message"]["id"]
    assert header(gmail.one(draft["message"]), "Message-ID") == "<one@acme-g.example>"


def test_sending_consumes_the_draft_and_makes_a_new_message_in_its_thread(gmail: GoogleLocal) -> None:
    draft = gmail.drafted(mime(Message_ID="<one@acme-g.example>", X_Onbehalf_Delivery="d-1"))
    sent = gmail.submit(draft).json()
    assert sent["labelIds"] == ["SENT"]
    assert sent["id"] != draft["message"]["id"]
    assert sent["threadId"] == draft["message"]["threadId"]
    assert reason(gmail("GET", f"{API}/drafts/{draft['id']}")) == (404, "notFound")
    assert reason(gmail("GET", f"{API}/messages/{draft['message']['id']}")) == (404, "notFound")
    (email,) = gmail.ledger()
    assert (email["via"], email["mailbox"], email["to"]) == ("gmail", GINA, ["anna@example.org"])
    assert (email["internet_message_id"], email["conversation_id"]) == (
        "<one@acme-g.example>",
        sent["threadId"],
    )
    assert email["correlation_id"] == "d-1"


def test_a_draft_is_sent_once_and_a_second_time_is_a_violation_and_not_found(gmail: GoogleLocal) -> None:
    draft = gmail.drafted()
    assert gmail.submit(draft).status_code == 200
    assert reason(gmail.submit(draft)) == (404, "notFound")
    assert len(gmail.ledger()) == 1
    assert gmail.world.violations == [f"{GINA}: an accepted item was submitted again"]


def test_a_deleted_draft_is_never_sent(gmail: GoogleLocal) -> None:
    draft = gmail.drafted()
    assert gmail("DELETE", f"{API}/drafts/{draft['id']}").status_code == 204
    assert reason(gmail("DELETE", f"{API}/drafts/{draft['id']}")) == (404, "notFound")
    assert reason(gmail.submit(draft)) == (404, "notFound")
    assert gmail.ledger() == []
    assert gmail.world.violations == []


def test_a_replaced_draft_keeps_its_id_and_gets_another_message(gmail: GoogleLocal) -> None:
    draft = gmail.drafted()
    changed = gmail(
        "PUT", f"{API}/drafts/{draft['id']}", {"message": {"raw": encoded(mime("Other words"))}}
    ).json()
    assert changed["id"] == draft["id"]
    assert changed["message"]["id"] != draft["message"]["id"]
    gmail.submit(draft)
    (email,) = gmail.ledger()
    assert "Other words" in email["body"]


@pytest.mark.parametrize(
    ("subject", "names_it", "with_thread", "joins"),
    [
        ("Re: An offer", True, True, True),
        ("An offer", True, True, True),
        ("Another offer", True, True, False),
        ("Re: An offer", False, True, False),
        ("Re: An offer", True, False, False),
    ],
)
def test_an_email_joins_a_thread_by_its_id_its_references_and_its_subject(
    gmail: GoogleLocal, subject: str, names_it: bool, with_thread: bool, joins: bool
) -> None:
    first = gmail.sent(mime(Message_ID="<one@acme-g.example>"))
    headers = (
        {"In_Reply_To": "<one@acme-g.example>", "References": "<one@acme-g.example>"} if names_it else {}
    )
    second = gmail.sent(mime("Again", subject=subject, **headers), first["threadId"] if with_thread else "")
    assert (second["threadId"] == first["threadId"]) is joins
    thread = gmail("GET", f"{API}/threads/{first['threadId']}").json()
    assert [each["id"] for each in thread["messages"]] == [first["id"], *([second["id"]] if joins else [])]


def test_an_unknown_thread_is_refused(gmail: GoogleLocal) -> None:
    body = {"message": {"raw": encoded(mime()), "threadId": "19a0000000000fff"}}
    assert reason(gmail("POST", f"{API}/drafts", body)) == (400, "invalidArgument")


def test_one_email_is_seen_by_recipients_at_both_providers(gmail: GoogleLocal) -> None:
    gmail.control("mailboxes", mailboxes=[{"address": "gus@acme-g.example", "google": True}])
    sent = gmail.sent(mime(to=f"{RITA}, gus@acme-g.example", Message_ID="<one@acme-g.example>"))
    (at_microsoft,) = gmail("GET", "/v1.0/me/messages", token=gmail.microsoft).json()["value"]
    assert at_microsoft["internetMessageId"] == "<one@acme-g.example>"
    (at_google,) = gmail("GET", f"{API}/messages", token=gmail.google("gus@acme-g.example")).json()[
        "messages"
    ]
    assert at_google["id"] != sent["id"]
    assert len(gmail.ledger()) == 1


def test_an_email_from_exchange_arrives_at_gmail_and_its_answer_joins_both_conversations(
    gmail: GoogleLocal,
) -> None:
    body = {"contentType": "text", "content": "Hello"}
    people = [{"emailAddress": {"address": GINA}}]
    made = gmail(
        "POST",
        "/v1.0/me/messages",
        {"subject": "An offer", "body": body, "toRecipients": people},
        token=gmail.microsoft,
    ).json()
    gmail(
        "POST",
        f"/v1.0/me/messages/{made['id'].replace('/', '%2F').replace('+', '%2B')}/send",
        token=gmail.microsoft,
    )
    (received,) = gmail.search("in:inbox")
    named = header(gmail.one(received, format="metadata"), "Message-ID")
    answer = gmail.sent(
        mime("Yes", to=RITA, subject="Re: An offer", In_Reply_To=named, References=named),
        received["threadId"],
    )
    assert answer["threadId"] == received["threadId"]
    inbox = gmail("GET", "/v1.0/me/mailFolders/inbox/messages", token=gmail.microsoft).json()["value"]
    assert [each["conversationId"] for each in inbox] == [made["conversationId"]]


def test_labels_say_where_an_item_is(gmail: GoogleLocal) -> None:
    gmail.sent()
    gmail.drafted()
    gmail.control("incoming", mailbox=GINA, values={"from": "anna@example.org", "subject": "Yes"})
    gmail.control(
        "incoming", mailbox=GINA, values={"from": "x@example.org", "subject": "Win", "folder": "junkemail"}
    )

    def labels(**query: str) -> list[list[str]]:
        return sorted(gmail.one(each)["labelIds"] for each in gmail.search(**query))

    assert labels() == [["DRAFT"], ["INBOX", "UNREAD"], ["SENT"]]
    assert labels(includeSpamTrash="true") == [["DRAFT"], ["INBOX", "UNREAD"], ["SENT"], ["SPAM", "UNREAD"]]
    assert labels(labelIds="SENT") == [["SENT"]]


def test_an_email_is_found_by_its_message_id_also_in_trash_if_asked_for(gmail: GoogleLocal) -> None:
    sent = gmail.sent(mime(Message_ID="<one@acme-g.example>"))
    gmail.sent(mime(Message_ID="<two@acme-g.example>"))
    assert [each["id"] for each in gmail.search("rfc822msgid:one@acme-g.example")] == [sent["id"]]
    assert [each["id"] for each in gmail.search("rfc822msgid:<one@acme-g.example>")] == [sent["id"]]
    gmail.world.mailboxes[GINA].messages[sent["id"]].folder = "deleteditems"
    assert gmail.search("rfc822msgid:one@acme-g.example") == []
    found = gmail.search("rfc822msgid:one@acme-g.example", includeSpamTrash="true")
    assert [each["id"] for each in found] == [sent["id"]]


def test_an_operator_that_nobody_modelled_is_an_error(gmail: GoogleLocal) -> None:
    gmail.sent()
    answer = gmail("GET", f"{API}/messages", params={"q": "larger:5M"})
    assert reason(answer) == (400, "invalidArgument")


def test_search_may_lag_behind(gmail: GoogleLocal) -> None:
    gmail.switch(google_search_delay=60)
    gmail.sent()
    assert gmail.search() == []


@pytest.mark.parametrize("keeps", [True, False])
def test_sending_keeps_the_message_id_or_not(gmail: GoogleLocal, keeps: bool) -> None:
    gmail.switch(google_keeps_message_id=keeps)
    sent = gmail.one(gmail.sent(mime(Message_ID="<one@acme-g.example>")))
    (email,) = gmail.ledger()
    assert (header(sent, "Message-ID") == "<one@acme-g.example>") is keeps
    assert email["internet_message_id"] == header(sent, "Message-ID")


@pytest.mark.parametrize(
    ("author", "arrives"),
    [(GINA, GINA), ("sales@acme-g.example", "sales@acme-g.example"), ("boss@elsewhere.example", GINA)],
)
def test_from_is_the_account_or_one_of_its_aliases(gmail: GoogleLocal, author: str, arrives: str) -> None:
    gmail.control("mailboxes", mailboxes=[{"address": GINA, "aliases": ["sales@acme-g.example"]}])
    gmail.sent(mime(From=author))
    (email,) = gmail.ledger()
    assert email["sender"] == arrives
    addresses = [each["sendAsEmail"] for each in gmail("GET", f"{API}/settings/sendAs").json()["sendAs"]]
    assert addresses == [GINA, "sales@acme-g.example"]


@pytest.mark.parametrize("to", ["", "nobody"])
def test_an_email_to_nobody_is_refused_and_stays_a_draft(gmail: GoogleLocal, to: str) -> None:
    draft = gmail.drafted(mime(to=to))
    assert reason(gmail.submit(draft)) == (400, "invalidArgument")
    assert gmail("GET", f"{API}/drafts/{draft['id']}").status_code == 200
    assert gmail.ledger() == []


def test_formats_show_what_was_written(gmail: GoogleLocal) -> None:
    message = mime("Grüße", Message_ID="<one@acme-g.example>")
    message.add_attachment(b"\x00\x01", maintype="application", subtype="pdf", filename="offer.pdf")
    sent = gmail.sent(message)
    raw = base64.urlsafe_b64decode(gmail.one(sent, format="raw")["raw"])
    assert b"Message-ID: <one@acme-g.example>" in raw
    few = gmail.one(sent, format="metadata", metadataHeaders="Subject")
    assert [each["name"] for each in few["payload"]["headers"]] == ["Subject"]
    assert "payload" not in gmail.one(sent, format="minimal")
    text, file = gmail.one(sent, format="full")["payload"]["parts"]
    assert base64.urlsafe_b64decode(text["body"]["data"]).decode().strip() == "Grüße"
    assert file["filename"] == "offer.pdf"
    content = gmail("GET", f"{API}/messages/{sent['id']}/attachments/{file['body']['attachmentId']}").json()
    assert base64.urlsafe_b64decode(content["data"]) == b"\x00\x01"


def test_history_tells_what_came_changed_and_went(gmail: GoogleLocal) -> None:
    start = gmail("GET", f"{API}/profile").json()["historyId"]
    arrived = gmail.control("incoming", mailbox=GINA, values={"from": "anna@example.org", "subject": "Yes"})[
        "id"
    ]
    assert _changes(gmail, start) == [("messagesAdded", arrived)]
    gmail.world.mailboxes[GINA].messages[arrived].folder = "deleteditems"
    assert _changes(gmail, start)[1:] == [("labelsAdded", arrived), ("labelsRemoved", arrived)]
    gmail.control("delete", mailbox=GINA, id=arrived)
    assert _changes(gmail, start)[3:] == [("messagesDeleted", arrived)]
    assert _changes(gmail, start, historyTypes="messageAdded") == [("messagesAdded", arrived)]


def test_history_comes_in_pages(gmail: GoogleLocal) -> None:
    start = gmail("GET", f"{API}/profile").json()["historyId"]
    for number in range(3):
        gmail.control("incoming", mailbox=GINA, values={"from": "a@example.org", "subject": str(number)})
    first = gmail("GET", f"{API}/history", params={"startHistoryId": start, "maxResults": "2"}).json()
    more = {"startHistoryId": start, "maxResults": "2", "pageToken": first["nextPageToken"]}
    second = gmail("GET", f"{API}/history", params=more).json()
    assert (len(first["history"]), len(second["history"])) == (2, 1)
    assert "nextPageToken" not in second


@pytest.mark.parametrize("start", ["1", "99999999999999"])
def test_history_ids_too_old_or_foreign_are_not_found(gmail: GoogleLocal, start: str) -> None:
    assert reason(gmail("GET", f"{API}/history", params={"startHistoryId": start})) == (404, "notFound")


def test_forgotten_history_is_too_old(gmail: GoogleLocal) -> None:
    start = gmail("GET", f"{API}/profile").json()["historyId"]
    gmail.drafted()
    gmail.control("forget-history")
    answer = gmail("GET", f"{API}/history", params={"startHistoryId": start})
    assert reason(answer) == (404, "notFound")


def _changes(gmail: GoogleLocal, start: str, **query: str) -> list[tuple[str, str]]:
    answer = gmail("GET", f"{API}/history", params={"startHistoryId": start, **query}).json()
    return [
        (kind, record["messages"][0]["id"])
        for record in answer.get("history", [])
        for kind in record
        if kind not in ("id", "messages")
    ]


def test_a_watch_ends_after_seven_days_and_wants_a_topic(gmail: GoogleLocal) -> None:
    assert reason(gmail("POST", f"{API}/watch", {"topicName": "here"})) == (400, "invalidArgument")
    answer = gmail("POST", f"{API}/watch", {"topicName": "projects/p/topics/t"}).json()
    assert set(answer) == {"historyId", "expiration"}
    assert gmail("POST", f"{API}/stop").status_code == 204


def test_vacation_settings_are_shown_as_they_were_set(gmail: GoogleLocal) -> None:
    assert gmail("GET", f"{API}/settings/vacation").json() == {"enableAutoReply": False}
    settings = {"enableAutoReply": True, "startTime": "1794000000000", "endTime": "1795000000000"}
    gmail.control("mailboxes", mailboxes=[{"address": GINA, "vacation": settings}])
    assert gmail("GET", f"{API}/settings/vacation").json() == settings


@pytest.mark.parametrize(
    ("verb", "path", "suffices"),
    [
        ("GET", "/messages", "gmail.readonly"),
        ("GET", "/messages", "gmail.modify"),
        ("POST", "/drafts", "gmail.compose"),
        ("POST", "/drafts/send", "gmail.modify"),
        ("GET", "/settings/vacation", "gmail.settings.basic"),
        ("GET", "/settings/sendAs", "gmail.modify"),
        ("GET", "/history", "gmail.readonly"),
    ],
)
def test_each_method_wants_one_of_its_scopes(gmail: GoogleLocal, verb: str, path: str, suffices: str) -> None:
    body: dict[str, str] | None = {} if verb == "POST" else None
    without = gmail(verb, API + path, body, token=gmail.google(GINA, "openid"))
    assert reason(without) == (403, "insufficientPermissions")
    assert gmail(verb, API + path, body, token=gmail.google(GINA, SCOPE + suffices)).status_code != 403


def test_tokens_open_their_own_mailbox_at_their_own_provider(gmail: GoogleLocal) -> None:
    assert reason(gmail("GET", f"/gmail/v1/users/{OTTO}/profile")) == (403, "forbidden")
    assert gmail("GET", f"/gmail/v1/users/{GINA}/profile").status_code == 200
    assert reason(gmail("GET", f"{API}/profile", token=gmail.microsoft)) == (401, "authError")
    assert gmail("GET", "/v1.0/me").status_code == 401


def test_a_user_has_so_many_quota_units_a_minute(gmail: GoogleLocal) -> None:
    gmail.switch(google_units_a_minute=115)
    draft = gmail.drafted()
    assert gmail.submit(draft).status_code == 200
    assert gmail("GET", f"{API}/messages").status_code == 200
    assert reason(gmail("GET", f"{API}/messages")) == (403, "userRateLimitExceeded")


def test_a_user_sends_so_many_emails_a_day(gmail: GoogleLocal) -> None:
    gmail.switch(emails_a_day=1)
    gmail.sent()
    draft = gmail.drafted()
    answer = gmail.submit(draft)
    assert reason(answer) == (429, "rateLimitExceeded")
    assert "Retry after 20" in answer.json()["error"]["message"]
    assert len(gmail.ledger()) == 1


def test_too_many_requests_at_once_are_refused_and_counted(gmail: GoogleLocal) -> None:
    gmail.switch(latency=0.05)
    mine = {"headers": {"Authorization": f"Bearer {gmail.token}"}}
    answers = gmail.call(*[("GET", f"{API}/messages", mine)] * 5)
    assert sorted(each.status_code for each in answers) == [200, 200, 200, 200, 429]
    assert gmail.world.violations == [f"{GINA}: 5 requests at once"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fault_strikes_before_or_after_the_effect(gmail: GoogleLocal, when: str) -> None:
    draft = gmail.drafted()
    gmail.control("faults", route="POST /gmail/drafts/send", when=when, status=503)
    assert reason(gmail.submit(draft)) == (503, "backendError")
    assert len(gmail.ledger()) == (1 if when == "after" else 0)


def test_a_refusal_has_googles_words(gmail: GoogleLocal) -> None:
    gmail.control("faults", route="POST /gmail/drafts/send", refusal="gmail_policy")
    assert reason(gmail.submit(gmail.drafted())) == (403, "domainPolicy")


def test_an_account_without_gmail_says_so(gmail: GoogleLocal) -> None:
    gmail.control("mailboxes", mailboxes=[{"address": GINA, "has_mailbox": False}])
    assert reason(gmail("GET", f"{API}/profile")) == (400, "failedPrecondition")


def test_the_world_survives_a_restart(gmail: GoogleLocal) -> None:
    from lab.emulator.snapshot import restore, snapshot
    from lab.emulator.world import World

    draft, world = gmail.drafted(), World()
    restore(world, snapshot(gmail.world), [])
    (kept,) = world.mailboxes[GINA].messages.values()
    assert (kept.draft_id, kept.folder) == (draft["id"], "drafts")
    assert world.mailboxes[GINA].google
    assert DEFAULT_SCOPES in {each.scopes for each in world.refresh.values()}
