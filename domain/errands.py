"""Work that needs a mailbox's token or password. A worker does it while whoever asked for it waits.

An errand begins at most once, whatever happens to its message or its worker, so a test email is not sent twice.
"""

from datetime import timedelta
from enum import StrEnum

BEGINS_WITHIN = timedelta(seconds=15)  # after that no worker begins it: none is answering
ENDS_WITHIN = timedelta(seconds=50)  # after that nobody waits for it


class ErrandKind(StrEnum):
    """What to do. Its subject is a mailbox, a delivery, a member, an organization or a webhook; the code that requests it says which."""

    SEND_TEST_EMAIL = "send_test_email"
    CHECK_SETTINGS = "check_settings"
    TRY_SERVER = "try_server"
    READ_DOMAINS = "read_domains"
    WATCH_APPROVAL = "watch_approval"
    RECALL_DRAFT = "recall_draft"
    SEARCH_ONCE_MORE = "search_once_more"
    REVOKE_ACCESS = "revoke_access"
    VERIFY_AUDIT = "verify_audit"
    TEST_WEBHOOK = "test_webhook"
