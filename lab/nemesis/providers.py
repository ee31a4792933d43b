"""Trouble with whoever takes our emails: Graph and Gmail, a mail server, the relay for notices."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from db.core.session import retry_while_unavailable
from domain.delivery import LEASE
from lab.nemesis.arena import RELAY_DOMAIN, Arena
from lab.nemesis.processes import age_leases, execute
from lab.nemesis.troubles import trouble

if TYPE_CHECKING:
    from lab.nemesis.nemesis import Nemesis

SEND = "POST /me/messages/{id}/send"
CREATE = "POST /me/messages"
REPLY = "POST /me/messages/{id}/createReplyAll"
SEARCH = "GET /me/messages"
HISTORY = "GET /gmail/history"  # what readings ask at Gmail once they have a bookmark
# The same at Gmail, where some desks are. An answer to a follow-up is a draft like any other there.
_AT_GMAIL = {
    SEND: "POST /gmail/drafts/send",
    CREATE: "POST /gmail/drafts",
    REPLY: "POST /gmail/drafts",
    SEARCH: "GET /gmail/messages",
    "GET /me/messages/{id}/$value": "GET /gmail/messages/{id}",
    "GET /me/messages/{id}": "GET /gmail/messages/{id}",
}
_REFUSED_AT_GMAIL = {
    "request_rate": "gmail_user_rate",
    "too_many_requests": "gmail_queries",
    "mailbox_concurrency": "gmail_concurrent",
    "server_busy": "gmail_backend",
    "bandwidth": "gmail_rate",
    "message_limit": "gmail_sending_limit",
    "submission_quota": "gmail_sending_limit",
    "tenant_limit": "gmail_sending_limit",
    "hourly_limit": "gmail_sending_limit",
}
_THROTTLES = (
    ("takes few", "", "421 4.7.0 mail.onbehalf.example Error: too many connections from 127.0.0.1"),
    ("says later", "SMTP MAIL", "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending"),
    ("refuses", "", ""),
    ("says later", "SMTP RCPT", "451 4.7.1 Please try again later (rate limit)"),
    ("takes few", "", "421 4.3.2 Service not available, too many connections"),
    ("says later", "SMTP MAIL", "421 4.7.0 Try again later, closing connection."),
    ("says later", "SMTP DATA", "451 4.7.0 Temporary server error. Please try again later. PRX2"),
    ("says later", "SMTP RCPT", "450 4.7.1 <notices@onbehalf.example>: too many recipients in this minute"),
)  # fmt: skip


def strike_both(arena: Arena, route: str, **values: object) -> None:
    """Script a fault of Graph's route, and the same of Gmail's."""
    arena.control.fault(route, **values)
    if route in _AT_GMAIL:
        if "refusal" in values:
            values["refusal"] = _REFUSED_AT_GMAIL[str(values["refusal"])]
        arena.control.fault(_AT_GMAIL[route], **values)
        if route == SEARCH:
            arena.control.fault(HISTORY, **values)


@trouble(weight=4, leaves_no_doubt=True)
def relay_throttles(nemesis: "Nemesis", pick: int, size: float) -> None:
    """The relay for notices asks to wait, in the words of various servers.

    It does so at its greeting, at the sender, the recipient or the text, by refusing connections, or by accepting
    only a few at once.
    """
    relay = nemesis.arena.links["relay"]
    way, command, reply = _THROTTLES[pick % len(_THROTTLES)]
    if way == "refuses":
        relay.refusing = True
        nemesis.arena.proxy.ask(relay.reset_all)
    elif way == "takes few":
        relay.at_most, relay.turned_away = pick // len(_THROTTLES) % 3, f"{reply}\r\n".encode()
    else:
        whom = "" if command == "SMTP RCPT" else f"notices@{RELAY_DOMAIN}"
        times = 2 + int(12 * size)
        for mailbox in [whom] if whom else _recipients(nemesis.arena):
            nemesis.arena.control.fault(
                command, mailbox=mailbox, times=times, status=int(reply[:3]), body=reply[4:]
            )
        return
    nemesis.later(2 + 8 * size, lambda: nemesis.arena.proxy.ask(relay.heal))


def _recipients(arena: Arena) -> set[str]:
    """Addresses that get notices."""
    return {each for desk in arena.company.desks for each in (desk.owner_email, desk.mailbox_owner_email)}


@trouble(weight=9)
def graph_after(nemesis: "Nemesis", pick: int, size: float) -> None:
    """The provider acts, and the answer is lost, wrong or late."""
    answers: list[dict[str, object]] = [
        {"status": 504},
        {"status": 500},
        {"status": 503},
        {"reset": True},
        {"status": 202, "headers": {"Retry-After": "2"}},
        {"delay": 1 + 3 * size},
        {"hang": 5.0},
        {"status": 404},
    ]
    route = [SEND, SEND, SEND, CREATE, REPLY][pick % 5]
    answer = answers[pick // 5 % len(answers)]
    strike_both(nemesis.arena, route, when="after", times=1 + int(5 * size), **answer)


@trouble(weight=3)
def graph_before(nemesis: "Nemesis", pick: int, size: float) -> None:
    """The provider does not act. Some of these answers look just like those of ``graph_after``."""
    answers: list[dict[str, object]] = [
        {"status": 503},
        {"status": 500},
        {"reset": True},
        {"status": 401},
        {"delay": 1 + 3 * size},
        {"status": 504},
        {"hang": 5.0},
    ]
    route = [SEND, SEND, CREATE, REPLY, SEARCH][pick % 5]
    answer = answers[pick // 5 % len(answers)]
    strike_both(nemesis.arena, route, when="before", times=1 + int(3 * size), **answer)


@trouble(weight=1)
def graph_claims(nemesis: "Nemesis", _pick: int, _size: float) -> None:
    """A claims challenge (continuous access evaluation) for the next draft."""
    challenge = 'Bearer error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
    headers = {"WWW-Authenticate": challenge}
    nemesis.arena.control.fault(CREATE, when="before", status=401, headers=headers)


@trouble(weight=2, leaves_no_doubt=True)
def throttle(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Answer 429 before anything is done."""
    route = [SEND, CREATE, "*"][pick % 3]
    headers = {"Retry-After": str(1 + int(2 * size))}
    strike_both(nemesis.arena, route, when="before", times=3 + int(5 * size), status=429, headers=headers)


@trouble(weight=3, leaves_no_doubt=True)
def throttle_after(nemesis: "Nemesis", _pick: int, size: float) -> None:
    """Take a submission and answer 429, which has been seen in practice."""
    headers = {"Retry-After": "1"}
    strike_both(nemesis.arena, SEND, when="after", times=1 + int(5 * size), status=429, headers=headers)


@trouble(weight=3, leaves_no_doubt=True)
def throttle_bursts(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Refuse many requests, at one desk or at all, whether or not they are carried out."""
    refusals = ["request_rate", "too_many_requests", "mailbox_concurrency", "server_busy", "bandwidth"]
    desks = [desk for desk in nemesis.arena.company.desks if not desk.by_smtp]
    strike_both(
        nemesis.arena,
        SEND,
        mailbox=["", desks[pick % len(desks)].address][pick % 2],
        when=["before", "after"][pick // 2 % 2],
        times=4 + int(12 * size),
        refusal=refusals[pick // 4 % len(refusals)],
        headers={"Retry-After": str(1 + int(3 * size))},
    )


@trouble(weight=2, leaves_no_doubt=True)
def sending_limit(nemesis: "Nemesis", pick: int, size: float) -> None:
    """One mailbox, or all, reach the sending limit. It ends while everybody still waits for it."""
    limits = ["message_limit", "submission_quota", "tenant_limit", "hourly_limit"]
    desks = [desk for desk in nemesis.arena.company.desks if not desk.by_smtp]
    strike_both(
        nemesis.arena,
        SEND,
        mailbox=["", desks[pick % len(desks)].address][pick % 2],
        times=1 + int(4 * size),
        refusal=limits[pick // 2 % len(limits)],
    )


@trouble(weight=3, leaves_no_doubt=True)
def never_left(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Accept an email and keep it in Drafts forever, whether or not its copy has left."""
    stuck = ["kept", "copied"][pick % 2]
    nemesis.arena.control.fault(SEND, times=1 + int(2 * size), stuck=stuck)


@trouble(weight=3)
def late_drafts(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Make drafts slowly, and end their workers' leases before they are made, so that duplicates appear."""
    strike_both(nemesis.arena, CREATE, when="before", times=4 + pick % 5, delay=2 + 2 * size)
    nemesis.later(1.5, lambda: age_leases(nemesis.arena))


@trouble(weight=3)
def duplicates(nemesis: "Nemesis", pick: int, _size: float) -> None:
    """The worst combination, at one desk.

    A draft is made after its worker was given up and another has made its own, the answers to submissions are
    lost, and a rule of the mailbox's owner empties Sent Items.
    """
    desks = [desk for desk in nemesis.arena.company.desks if not desk.by_smtp]
    desk = desks[pick % len(desks)]
    for route in (CREATE, REPLY):
        for skip in (0, 1, 1):  # the first attempt at an email, not the second
            strike_both(
                nemesis.arena, route, mailbox=desk.address, when="before", times=1, skip=skip, delay=8.0
            )
    strike_both(nemesis.arena, SEND, mailbox=desk.address, when="after", times=30, status=504)
    if not nemesis.troubled:
        nemesis.later(0.3, partial(_give_up_drafters, nemesis))
    nemesis.troubled[desk.address] = desk.mailbox_id


def _give_up_drafters(nemesis: "Nemesis") -> None:
    """Give up each worker that drafts in such a mailbox for over a second, once per email, and run the owner's rule."""
    for mailbox_id in list(nemesis.troubled.values()):
        statement = (
            "UPDATE deliveries SET lease_until = lease_until - interval '60 seconds' WHERE mailbox_id = :id"
            " AND state = 'preparing' AND attempts = 1 AND lease_until < clock_timestamp() + :rest"
        )
        rest = LEASE - timedelta(seconds=1)
        retry_while_unavailable(partial(execute, nemesis.arena, statement, id=mailbox_id, rest=rest), 60)
    nemesis.tidy()
    nemesis.later(0.3, partial(_give_up_drafters, nemesis))


@trouble(weight=4)
def slow_sends(nemesis: "Nemesis", _pick: int, size: float) -> None:
    """Submissions take effect late, so a withdrawal meanwhile has to wait for them."""
    strike_both(nemesis.arena, SEND, when="before", times=10 + int(20 * size), delay=0.8 + 2 * size)


@trouble(weight=3)
def slow_answers(nemesis: "Nemesis", _pick: int, size: float) -> None:
    """The email is accepted, and the answer comes later than a recall, while the copy is still in the mailbox."""
    nemesis.arena.control.switch(copy_delay=6.0)
    strike_both(nemesis.arena, SEND, when="after", times=8, delay=3.5 + 2 * size)


@trouble(weight=3, leaves_no_doubt=True)
def mail_server_hangs_up(nemesis: "Nemesis", pick: int, _size: float) -> None:
    """Hang up instead of the last reply, with or without having taken the email: two emails of each SMTP desk."""
    when = ["before", "after"][pick % 2]
    for desk in nemesis.arena.company.desks:
        if desk.by_smtp:
            nemesis.arena.control.fault("SMTP DATA", mailbox=desk.address, when=when, reset=True, times=2)


@trouble(weight=2)
def slow_sent_copies(nemesis: "Nemesis", pick: int, size: float) -> None:
    """Accepted emails move to Sent Items late, or are in neither folder for a while."""
    nemesis.linger(25 * size)
    nemesis.arena.control.switch(sent_gap=[0.0, 5.0][pick % 2], copy_delay=[0.0, 5.0][pick // 2 % 2])


@trouble(weight=1)
def other_ids(nemesis: "Nemesis", pick: int, _size: float) -> None:
    """The mailbox gives items new ids or Message-IDs when they move."""
    nemesis.arena.control.switch(
        immutable_id_survives=pick % 2 == 0, keeps_internet_message_id=pick // 2 % 2 == 0
    )


def tidy(arena: Arena, address: str) -> None:
    """Empty a mailbox's folder of sent emails for good, so that a search there finds no trace."""
    for item in arena.control.messages(address):
        if item["folder"] == "sentitems" and item["copied"]:
            arena.control.delete(address, item["id"])
