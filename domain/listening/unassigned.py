"""Why an email that came to a default address is nobody's yet."""

from datetime import timedelta
from enum import StrEnum

KEPT_FOR = timedelta(days=180)


class UnassignedReason(StrEnum):
    """Stored by its value; ``SENTENCES`` is what people read."""

    UNKNOWN_SENDER = "unknown_sender"
    UNKNOWN_REPORT = "unknown_report"
    UNREADABLE = "unreadable"
    NOT_PROCESSED = "not_processed"


SENTENCES = {
    UnassignedReason.UNKNOWN_SENDER: "No person has this address, and it answers no email of ours.",
    UnassignedReason.UNKNOWN_REPORT: "A server reports on an email, and it is none that we know of.",
    UnassignedReason.UNREADABLE: "It is no email that can be read. It is attached as it came.",
    UnassignedReason.NOT_PROCESSED: "It could not be read, though we tried several times. It is attached as it came.",
}
