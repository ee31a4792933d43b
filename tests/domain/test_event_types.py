"""Each kind of event has all its parts, a complete payload, and the notice that is written down."""

from dataclasses import MISSING, fields, replace
from pathlib import Path

import pytest

from domain.event_rules import Also, Names, Touches
from domain.event_types import EVENT_TYPES
from domain.events import EventKind
from tests.domain.samples import SAMPLES, notice, shown

NOTICES = Path(__file__).with_name("notices.txt").read_text()
KINDS = list(EventKind)
# The payload fields needed to find its sequences, its recipients and its people.
_ASKS: dict[Touches | Also | Names, set[str]] = {
    Touches.SEQUENCE: {"sequence_id"},
    Touches.MAILBOX: {"mailbox_id"},
    Touches.RUNNING_OF_MAILBOX: {"mailbox_id"},
    Touches.RUNNING_OF_ORGANIZATION: set(),
    Touches.PAUSED_OF_MAILBOX: {"mailbox_id"},
    Touches.TENANT: {"tenant_version"},
    Touches.MEMBER: {"member_id"},
    Touches.UNAUTHORIZED: {"mailbox_id", "grantee_id"},
    Touches.RUNNING_OF_GRANT: {"mailbox_id", "grantee_id", "grant_id"},
    Touches.PAUSED_OF_GRANT: {"mailbox_id", "grantee_id", "grant_id"},
    Touches.WAITING_FOR_SENDER: {"mailbox_id", "grantee_id", "ends"},
    Touches.WITH_EMAILS_IN_DRAFTS: {"mailbox_id"},
    Touches.NOBODY: {"recipient"},
    Also.MAILBOX_OWNER: {"mailbox_id"},
    Also.MAILBOX_OWNER_OF_GRANT: {"mailbox_id", "grant_id"},
    Also.MAILBOX_OWNER_IF_BY_ITSELF: {"mailbox_id"},
    Also.MAILBOX_OWNERS_OF_ORGANIZATION: set(),
    Also.ADMINS: set(),
    Also.MAILBOX_OWNERS_OF_TENANT: {"tenant_version"},
    Also.ADMINS_OF_SENDER_ADDRESS: {"mailbox_id"},
    Also.GRANTEE: {"grantee_id", "grant_id"},
    Also.GRANTEES_OF_MAILBOX: {"mailbox_id"},
    Also.GRANTEES_OF_MEMBER: {"member_id"},
    Names.NOBODY: set(),
    Names.BLOCKED: {"sequence_id", "blocked_reason"},
    Names.FAILED: {"sequence_id", "failed_reason"},
    Names.IN_REVIEW: {"mailbox_id", "delivery_id", "incident"},
    Names.IN_DRAFTS: {"mailbox_id", "incident"},
    Names.SUMMARIZED: {"notices"},
}


def test_every_kind_is_in_the_table_once_and_nothing_else_is() -> None:
    assert set(EVENT_TYPES) == set(EventKind) == set(SAMPLES)
    assert len({each.payload for each in EVENT_TYPES.values()}) == len(EVENT_TYPES)
    types = [each.webhook.type for each in EVENT_TYPES.values() if each.webhook is not None]
    assert len(set(types)) == len(types)


@pytest.mark.parametrize("kind", KINDS)
def test_its_payload_has_what_its_other_parts_ask_of_it(kind: EventKind) -> None:
    type_ = EVENT_TYPES[kind]
    names = {each.name for each in fields(type_.payload)}
    parts: tuple[Touches | Also | Names, ...] = (type_.touches, *type_.also, type_.names)
    asked = set().union(*(_ASKS[each] for each in parts))
    told = set() if type_.webhook is None else set(type_.webhook.fields)
    assert asked | told <= names
    assert type_.payload.kind is kind


@pytest.mark.parametrize("kind", KINDS)
def test_its_payload_is_complete_when_it_is_recorded(kind: EventKind) -> None:
    payload = SAMPLES[kind]
    values = {each.name: getattr(payload, each.name) for each in fields(payload)}
    needed = [each.name for each in fields(payload) if each.default is MISSING]
    assert needed
    for name in needed:
        with pytest.raises(TypeError):
            type(payload)(**{key: value for key, value in values.items() if key != name})
        with pytest.raises(ValueError, match=name):
            replace(payload, **{name: None}).to_json()
    with pytest.raises(TypeError):
        type(payload)(**{**values, "colour": "red"})
    stored = payload.to_json()
    assert set(needed) <= set(stored) <= set(values)
    assert all(isinstance(each, str) for each in stored.values())


@pytest.mark.parametrize("kind", KINDS)
def test_its_notice_reads_as_written_down(kind: EventKind) -> None:
    (written,) = [
        each for each in NOTICES.rstrip().split("\n\n== ") if each.split("\n")[0].endswith(kind.value)
    ]
    assert shown(kind) == f"== {written.removeprefix('== ')}"


@pytest.mark.parametrize("kind", KINDS)
def test_its_notice_is_sentences_with_a_way_on(kind: EventKind) -> None:
    for each in (notice(kind), notice(kind, mine=True)):
        assert each.title
        assert "\n" not in each.title
        assert each.body
        assert ".." not in each.body
        for text in (each.title, each.body, *(label for label, _ in each.links)):
            assert "{" not in text
            # Advice that no page lets anybody follow.
            for dead_end in ("choose another sender", "another owner", "fallback", "mark it as sent"):
                assert dead_end not in text.lower()
        assert all(path.startswith("/") for _, path in each.links)
        assert "https://onbehalf.example/notifications" in each.as_email("https://onbehalf.example")


def test_what_pauses_is_what_says_why() -> None:
    assert {kind.value for kind, each in EVENT_TYPES.items() if each.pauses} == {
        "GrantRevoked",
        "GrantExpired",
        "GrantMissing",
        "MailboxDisconnected",
        "ConnectionLost",
        "TenantDisconnected",
        "TenantLost",
        "MemberDeactivated",
        "SequencePaused",
        "StepRefused",
    }
    assert {kind.value for kind, each in EVENT_TYPES.items() if each.about_emails} == {
        "DeliveryInReview",
        "StillInDrafts",
    }
