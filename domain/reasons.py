"""Why an email waits or does not leave, and why somebody is paused or has stopped: one table from what is stored to words."""

import re
from collections.abc import Mapping

# Each as a clause that goes on after "because" or a colon.
WORDS: Mapping[str, str] = {
    # What the person, or somebody for them, said or did.
    "answered": "they answered",
    "left_company": "they have left their company",
    "sender_wrote": "somebody wrote to them from the mailbox",
    "opted_out": "they want no more emails",
    "unsubscribed": "they want no more emails",
    "complained": "they reported an email",
    "opt_out": "they want no more emails",
    "opt_out_proposed": "they may want no more emails, and somebody has to decide",
    "bounced": "their address takes no emails",
    "suppressed": "their address is on the suppression list",
    "imported": "their address came with a list of suppressions",
    "erased": "they were erased",
    "unclear_answer": "they wrote, and we could not tell what it means",
    "person_away": "they are away",
    "soft_bounce": "their address took no emails lately",
    # What somebody here decided.
    "by_hand": "somebody decided so",
    "stopped": "somebody stopped it",
    "cancelled": "somebody cancelled it",
    "skipped_by_hand": "somebody skipped it",
    "cancelled_by_hand": "somebody cancelled it",
    "left_out_by_hand": "somebody left it out",
    "edited_meanwhile": "somebody edited it just now",
    "overruled": "somebody took back what followed from a message",
    "waits_for_approval": "somebody has to approve it",
    "handed_over": "the sequence was handed over",
    "sender_changed": "the sequence has another sender now",
    "step_removed": "the step was removed",
    "stale_at_resume": "it was too late when the sequence resumed",
    "sequence_archived": "the sequence was archived",
    "sequence_paused": "the sequence was paused",
    "sequence_draft": "the sequence is a draft",
    "sequence_not_active": "the sequence is a draft",
    "enrollment_paused": "the sequence was paused for this person",
    "enrollment_stopped": "the sequence was stopped for this person",
    "enrollment_archived": "this person was taken out of the sequence",
    "enrollment_finished": "this person has finished the sequence",
    "previous_step_not_sent": "the step before it has not been sent",
    # What a mailbox, a member or a permission lacks.
    "grant_expired": "the permission has ended",
    "grant_revoked": "the permission has ended",
    "grant_missing": "there is no permission",
    "member_deactivated": "a member has left",
    "mailbox_disconnected": "the mailbox is not connected",
    "consent_missing": "the mailbox lacks a right at Microsoft",
    "sender_away": "the sender is away",
    "on_hold": "sending is held",
    # Time and pace.
    "not_due": "it is not due yet",
    "pace": "the mailbox sends others first",
    "daily_cap": "today's limit of the mailbox is used up",
    "permission_used_up_today": "today's limit of the permission is used up",
    "sending_limit_reached": "the provider's limit of the mailbox is used up",
    "outside_sending_window": "sending hours have not begun",
    "reading_mailbox_settings": "we are reading the mailbox's settings",
    "mailbox_not_read": "we could not read the mailbox just now",
    "mailbox_read_first": "we first read what came into the mailbox",
    "previous_email_still_in_drafts": "the email before it is still in Drafts",
    # What a provider said, or did not say.
    "throttled": "the provider asked us to wait",
    "provider_unavailable": "the provider could not be reached",
    "operator_misconfigured": "Onbehalf itself is not set up correctly",
    "recipient_rejected": "the provider refused the address",
    "message_rejected": "the provider refused the email",
    "refused_without_reason": "the provider refused it and gave no reason",
    "given_up_without_reason": "the provider refused it several times and gave no reason",
    "bad_template": "its text has a field that nobody can fill",
    "bad_subject": "its subject cannot be sent",
    "empty_message": "it has no text",
    "message_too_large": "it is too large",
    # In doubt, and in review.
    "answer_lost": "the provider's answer was lost",
    "worker_lost": "a worker ended while it sent the email",
    "trace_missing": "we have not found it in the mailbox yet",
    "no_trace": "we found no copy of it in the mailbox",
    "refused_after_doubt": "the provider refused it after an answer was lost",
    "still_in_drafts": "it was sent twice and is still in Drafts",
    "in_doubt_too_often": "it was in doubt again and again",
    "crashed_repeatedly": "workers ended again and again while they sent it",
    "mailbox_out_of_reach": "we may not search the mailbox any more",
    "nobody_to_ask": "its mail server cannot be searched",
}
_MISSING = "missing_merge_field"
_CODE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+|[A-Z][A-Za-z0-9]*[a-z][A-Z][A-Za-z0-9]*|[0-9][0-9. ]*")


def because(reason: str | None) -> str:
    """Return a stored reason as a clause: what a person wrote as it is, and nothing for a provider's own code."""
    code, _, detail = (reason or "").strip().partition(": ")
    if code == _MISSING:
        return f"{detail.replace('_', ' ')} is missing" if detail else "a field is missing"
    if code in WORDS:
        return WORDS[code]
    return "" if _CODE.fullmatch(code) else (reason or "").strip()


def after(mark: str, reason: str | None) -> str:
    """Return ``mark`` and the reason as a clause, or nothing if there is none to say."""
    clause = because(reason)
    return f"{mark}{clause}" if clause else ""
