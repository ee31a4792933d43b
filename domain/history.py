"""What happened to one person besides their messages, in a word or two: what their page shows of the audit trail."""

from collections.abc import Mapping

ENROLLED = "enrolled"  # no entry of the trail: the enrollment itself says so

# Action -> what it says, and the picture beside it.
SAID: Mapping[str, tuple[str, str]] = {
    ENROLLED: ("Enrolled", "plus"),
    "enrollment_paused": ("Paused", "pause"),
    "enrollment_resumed": ("Resumed", "play"),
    "enrollment_stopped": ("Stopped", "ban"),
    "enrollment_archived": ("Archived", "ban"),
    "sequence_handed_over": ("Handed over", "people"),
    "delivery_skipped": ("Skipped", "ban"),
    "delivery_cancelled": ("Cancelled", "ban"),
    "delivery_moved": ("Moved to another time", "clock"),
    "delivery_edited": ("Edited for this person", "edit"),
    "delivery_approved": ("Approved", "check"),
    "delivery_retried": ("Tried again", "play"),
    "candidate_filled_in": ("Field changed", "edit"),
    "candidate_address_corrected": ("Address corrected", "edit"),
    "candidate_suppressed": ("Suppressed", "ban"),
    "person_held": ("Held until somebody decides", "clock"),
    "person_blocked": ("Blocked: a field is missing", "attention"),
}
# Why, as the trail has it -> in words. Whatever is not here is what somebody wrote, or nothing.
WHY: Mapping[str, str] = {
    "answered": "they answered",
    "bounced": "the address does not exist",
    "left_company": "they left the company",
    "opted_out": "they opted out",
    "opt_out_proposed": "their words sound like an opt-out",
    "sender_wrote": "the mailbox owner wrote by hand",
    "suppressed": "the address is suppressed",
    "stopped": "we decided not to write to them",
    "unsubscribed": "they asked for no more emails",
    "unclear_answer": "we could not tell who wrote",
    "left_out_by_hand": "left out by hand",
}
