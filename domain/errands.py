"""What takes a mailbox's token or password and is therefore done by a worker, while whoever asks for it waits.

Each is begun once at most, whatever becomes of its message and of the worker: a test email is not sent twice.
"""

from datetime import timedelta
from enum import StrEnum

BEGINS_WITHIN = timedelta(seconds=15)  # afterwards nobody begins it any more: no worker answers
ENDS_WITHIN = timedelta(seconds=50)  # afterwards nobody waits for it any more


class ErrandKind(StrEnum):
    """Of what: a mailbox, a delivery, or a member; see where each is asked for."""

    SEND_TEST_EMAIL = "send_test_email"
    CHECK_SETTINGS = "check_settings"
    TRY_SERVER = "try_server"
    READ_DOMAINS = "read_domains"
    WATCH_APPROVAL = "watch_approval"
    RECALL_DRAFT = "recall_draft"
    SEARCH_ONCE_MORE = "search_once_more"
