"""What Graph refuses, and so does the emulator: scopes, concurrency, headers, filters, read-only properties."""

from collections.abc import Iterator

import pytest

from tests.lab.emulator.local import MESSAGES, OTTO, RITA, SCOPES, Local, at, code, filtering, letter, to


@pytest.fixture
def graph() -> Iterator[Local]:
    local = Local()
    yield local
    local.runner.close()


@pytest.mark.parametrize(
    ("verb", "path", "scope"),
    [
        ("GET", "/v1.0/me", "User.Read"),
        ("GET", "/v1.0/me/mailboxSettings", "MailboxSettings.Read"),
        ("GET", MESSAGES, "Mail.ReadWrite"),
        ("POST", MESSAGES, "Mail.ReadWrite"),
        ("POST", at("unknown", "/send"), "Mail.Send"),
        ("POST", at("unknown", "/createReply"), "Mail.ReadWrite"),
        ("POST", at("unknown", "/permanentDelete"), "Mail.ReadWrite"),
        ("POST", "/v1.0/me/sendMail", "Mail.Send"),
    ],
)
def test_each_route_wants_its_scope_and_no_other(graph: Local, verb: str, path: str, scope: str) -> None:
    others = " ".join(each for each in SCOPES.split() if each != scope)
    assert code(graph(verb, path, token=graph.sign_in(RITA, others))) == (403, "ErrorAccessDenied")
    assert graph(verb, path, token=graph.sign_in(RITA, scope)).status_code != 403


def test_a_fifth_request_at_once_is_refused_and_counted_for_its_mailbox_only(graph: Local) -> None:
    graph.switch(latency=0.05)
    mine = {"headers": {"Authorization": f"Bearer {graph.token}"}}
    others = {"headers": {"Authorization": f"Bearer {graph.sign_in(OTTO)}"}}
    *answers, other = graph.call(*[("GET", MESSAGES, mine)] * 5, ("GET", MESSAGES, others))
    assert sorted(each.status_code for each in answers) == [200, 200, 200, 200, 429]
    (refused,) = (each for each in answers if each.status_code == 429)
    assert code(refused) == (429, "ApplicationThrottled")
    assert other.status_code == 200
    assert graph.world.violations == [f"{RITA}: 5 requests at once"]
    assert graph("GET", MESSAGES).status_code == 200


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (["x-one", "X-two", "x-3", "x-4", "x-5"], None),
        (["x-one", "In-Reply-To"], "InvalidInternetMessageHeader"),
        ([f"x-{number}" for number in range(6)], "InvalidInternetMessageHeaderCollection"),
    ],
)
def test_headers_start_with_x_and_are_five_at_most(graph: Local, names: list[str], error: str | None) -> None:
    headers = [{"name": name, "value": "v"} for name in names]
    answer = graph("POST", MESSAGES, letter(internetMessageHeaders=headers))
    if error is not None:
        assert (code(answer), graph.listed()) == ((400, error), [])
        return
    created = answer.json()
    assert "internetMessageHeaders" not in created
    chosen = graph("GET", at(created), params={"$select": "internetMessageHeaders"}).json()
    assert chosen == {"id": created["id"], "internetMessageHeaders": headers}


def test_a_filter_and_an_order_together_are_inefficient_and_an_unknown_filter_is_refused(
    graph: Local,
) -> None:
    ordered = filtering() | {"$orderby": "receivedDateTime desc"}
    assert code(graph("GET", MESSAGES, params=ordered)) == (400, "InefficientFilter")
    unknown = {"$filter": "startswith(subject,'An')"}
    assert code(graph("GET", MESSAGES, params=unknown)) == (400, "BadRequest")


def test_a_page_holds_ten_items_unless_asked_otherwise(graph: Local) -> None:
    for _ in range(12):
        graph.draft()
    assert [len(graph.listed()), len(graph.listed(**{"$top": "12"}))] == [10, 12]


def test_an_email_wants_recipients_that_are_addresses(graph: Local) -> None:
    assert code(graph.send(graph.draft(letter(toRecipients=[])))) == (400, "ErrorInvalidRecipients")
    broken = letter(toRecipients=to("anna at example"))
    assert code(graph("POST", MESSAGES, broken)) == (400, "ErrorInvalidRecipients")
    assert graph.ledger() == []


def test_a_draft_can_be_changed_and_what_was_sent_cannot(graph: Local) -> None:
    draft = graph.draft()
    changed = graph("PATCH", at(draft), {"subject": "Another offer"}).json()
    assert changed["subject"] == "Another offer"
    assert changed["changeKey"] != draft["changeKey"]
    assert code(graph("PATCH", at(draft), {"conversationId": "mine"})) == (400, "BadRequest")
    graph.send(draft)
    assert code(graph("PATCH", at(draft), {"subject": "Third"})) == (400, "ErrorInvalidPropertySet")
    assert graph("GET", at(draft)).json()["subject"] == graph.ledger()[0]["subject"] == "Another offer"


def test_a_token_opens_its_own_mailbox_only(graph: Local) -> None:
    draft = graph.draft()
    for own in (RITA.title(), graph("GET", "/v1.0/me").json()["id"]):
        assert graph("GET", at(draft).replace("/me/", f"/users/{own}/")).json()["id"] == draft["id"]
    assert code(graph("GET", f"/v1.0/users/{OTTO}/messages")) == (403, "ErrorAccessDenied")
    assert code(graph("GET", at(draft), token=graph.sign_in(OTTO))) == (404, "ErrorItemNotFound")


def test_a_user_without_a_mailbox_has_a_profile_and_no_mail(graph: Local) -> None:
    graph.control("mailboxes", mailboxes=[{"address": RITA, "has_mailbox": False, "name": "Rita R."}])
    assert graph("GET", "/v1.0/me").json()["displayName"] == "Rita R."
    assert code(graph("POST", MESSAGES, letter())) == (404, "MailboxNotEnabledForRESTAPI")


def test_mailbox_settings_are_those_given(graph: Local) -> None:
    away = {"status": "alwaysEnabled"}
    given = {"address": RITA, "purpose": "shared", "time_zone": "UTC+12", "automatic_replies": away}
    graph.control("mailboxes", mailboxes=[given])
    answer = graph("GET", "/v1.0/me/mailboxSettings").json()
    assert (answer["timeZone"], answer["userPurpose"]) == ("UTC+12", {"value": "shared"})
    assert answer["automaticRepliesSetting"] == away
