"""How often somebody may ask for something; ``app/limiter.py`` counts."""

from typing import Literal, NamedTuple


class Rate(NamedTuple):
    """So many in any minute or hour."""

    amount: int
    per: Literal["minute", "hour"]


VISITS = Rate(30, "minute")  # to Microsoft's pages, per member
ARRIVALS = Rate(300, "minute")  # the same before sign-in, per address; an office shares one
UNKNOWN_KEYS = Rate(30, "minute")  # of the API, per address
CALLS = Rate(600, "minute")  # of the API, per key
PROVISIONING = Rate(1800, "minute")  # by SCIM, per key; Entra asks for 25 a second
ASKS = Rate(20, "hour")  # for permissions, per member or key; each emails a colleague
TESTS = Rate(60, "hour")  # per mailbox, and per member or key
ORGANIZATION_TESTS = Rate(240, "hour")  # of all its mailboxes
# Of files of people, of webhooks, of the audit trail, and of files taken away, per organization.
CHECKS = Rate(120, "hour")
CODES = Rate(10, "hour")  # emailed to one address to prove it
