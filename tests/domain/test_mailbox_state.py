"""Each state of a mailbox has a word, and none is a code."""

import pytest

from domain.mailbox_notices import _TROUBLES
from domain.mailbox_state import mailbox_state


@pytest.mark.parametrize(
    ("status", "reason", "word", "colour"),
    [
        ("connected", None, "Connected", "ok"),
        ("never_connected", None, "Not connected", ""),
        ("disconnected", "removed", "Removed", ""),
        ("disconnected", "disabled", "Disabled", ""),
        ("disconnected", "admin_approval_required", "Waits for IT", "info"),
        ("disconnected", "mailbox_full", "Full", "bad"),
        ("disconnected", "mailbox_unsuitable", "Unsuitable", "bad"),
        ("disconnected", "member_deactivated", "Left", ""),
        ("disconnected", "sending_blocked", "Blocked", "bad"),
        ("disconnected", "revoked", "Sign-in needed", "bad"),
        ("disconnected", "of a later release", "Sign-in needed", "bad"),
    ],
)
def test_a_state_is_one_word_with_a_colour(status: str, reason: str | None, word: str, colour: str) -> None:
    assert mailbox_state(status, reason) == (word, colour)


@pytest.mark.parametrize("reason", sorted(_TROUBLES))
def test_no_reason_is_shown_as_its_code(reason: str) -> None:
    word = mailbox_state("disconnected", reason).word
    assert "_" not in word
    assert word[:1].isupper()
