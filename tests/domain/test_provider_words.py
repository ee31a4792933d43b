"""Sentences about a mailbox name its own provider, and no other."""

import re

import pytest

from domain import errors
from domain.connection import ACCEPTS, Provider
from domain.event_types import EVENT_TYPES
from domain.events import EventKind
from domain.mailbox_notices import cannot_send
from domain.notice import Facts
from domain.provider_words import PROVIDER_WORDS
from domain.verification import verdict_of
from tests.domain.samples import SAMPLES, notice

OTHERS = {
    Provider.GMAIL: re.compile(r"Microsoft|Outlook|Graph|Entra|Exchange"),
    Provider.GRAPH: re.compile(r"Google|Gmail|Workspace"),
    Provider.SMTP: re.compile(r"Google|Gmail|Workspace|Microsoft|Outlook|Graph|Entra"),
}
# About Microsoft's own approvals, assignments and whole tenants, which no other provider has.
MICROSOFTS_OWN = {
    "admin_approved",
    "admin_approval_claimed",
    EventKind.TENANT_LOST,
    EventKind.TENANT_DISCONNECTED,
}
REASONS = sorted(
    {each.reason for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "reason")}
    - {"not_assigned"}  # Entra alone assigns people to apps
)


@pytest.mark.parametrize("provider", OTHERS)
@pytest.mark.parametrize("mine", [True, False])
def test_every_notice_speaks_of_the_mailboxs_own_provider(provider: Provider, mine: bool) -> None:
    for kind in EVENT_TYPES:
        if kind in SAMPLES and kind not in MICROSOFTS_OWN:
            worded = notice(kind, mine=mine, provider=provider)
            found = OTHERS[provider].search(f"{worded.title} {worded.body}")
            assert found is None, f"{kind}: {worded.title}: {worded.body}"


@pytest.mark.parametrize("provider", OTHERS)
@pytest.mark.parametrize(
    "reason", [*REASONS, "sending_blocked", "send_as_denied", "mailbox_full", "same_account"]
)
def test_why_a_mailbox_cannot_send_is_said_of_its_own_provider(provider: Provider, reason: str) -> None:
    payload = {"mailbox": "hans@acme.example", "reason": reason}
    for facts in (
        Facts(payload, mailbox_is_mine=True, provider=provider),
        Facts(payload, mailbox_owner="Hans", provider=provider),
    ):
        worded = cannot_send(facts)
        said = f"{worded.title} {worded.body}"
        assert OTHERS[provider].search(said) is None, said
        assert "{" not in said


@pytest.mark.parametrize("provider", OTHERS)
def test_a_verdict_names_the_mailboxs_own_provider(provider: Provider) -> None:
    for kind in vars(errors).values():
        if (
            isinstance(kind, type)
            and issubclass(kind, errors.ConnectionRefused)
            and kind is not errors.NotAssigned
        ):
            for reason in ("", "sending_blocked", "send_as_denied"):
                error = kind("It is refused.", reason=reason, on_send=True)
                for of_test in (True, False):
                    said = verdict_of(error, "hans@acme.example", provider, of_test=of_test)
                    assert OTHERS[provider].search(f"{said.explanation} {said.fix}") is None, said
                    assert "{" not in said.fix


def test_what_google_lacks_is_named_as_people_find_it() -> None:
    words = PROVIDER_WORDS[Provider.GMAIL]
    said = cannot_send(
        Facts(
            {"mailbox": "gina@acme-g.example", "reason": "admin_approval_required"},
            mailbox_is_mine=True,
            provider=Provider.GMAIL,
        )
    )
    assert "Ask your Google Workspace administrator: in the Google Admin console" in said.body
    assert "Connect again" in [label for label, _ in said.links]
    assert words.sent_folder == "Sent"
    assert set(PROVIDER_WORDS) == set(Provider) == set(ACCEPTS)
