"""The one exception tree of Onbehalf. A name says what to do. Transports raise the provider half,
and ``OperatorMisconfigured`` where our own app registration is at fault.

OnbehalfError
├── InvalidInput                input is not accepted: says what, where, and what to do
│   └── Taken                       somebody or something else has this name
├── WorkersSilent               no worker began an errand in time
├── NotPermitted                one of our rules forbids it (a grant by a stranger, a resume without a grant)
├── TooMany                     too many requests, or too many at the same time: says when to ask again
├── NotFound                    nothing here has that name or id
├── OperatorMisconfigured       our own settings or app registration: alarm operators, never blame a mailbox
└── ProviderError               what a mail provider answered, in our words
    ├── ConnectionRefused       the mailbox cannot send until a person acts       -> pause, event
    │   ├── MailboxDisconnected     token dead or mailbox moved: its owner signs in again
    │   │   ├── AccountDisabled         the account is disabled, locked, deleted or not in that organization
    │   │   ├── OrganizationGone        the account's tenant is deleted or blocked
    │   │   └── RefusalUnexplained      a refusal with a code that we do not know
    │   ├── ConsentMissing          a scope we need was not granted, or is no longer granted
    │   ├── AdminApprovalRequired   the tenant's administrator must approve the app
    │   ├── TenantRefused           the tenant's administrator withdrew the consent, or disabled the app: all its mailboxes
    │   ├── OutsideScope            the tenant's administrator keeps the app out of this mailbox
    │   ├── NotAssigned             the tenant's administrator must assign the person to the app
    │   ├── MailboxUnsuitable       a shared mailbox, a room: only a person's own can send
    │   ├── ServerUnsafe            a mail server without a valid certificate or encryption, or where none may be
    │   └── PolicyBlocked           conditional access, an outbound block, a quota
    ├── Refused                 one email, for good
    │   ├── RecipientRejected       this address will never work                      -> fail the step
    │   └── MessageRejected         content or size refused, or a merge field is empty -> fail the step
    ├── Throttled               the provider asks to wait                         -> retry by rows
    │   └── SendingLimitReached     the mailbox has sent as much as it may         -> wait, notify the owner once
    ├── ProviderUnavailable     certainly not accepted, may work later            -> retry by rows
    │   └── PreviousStillDraft      the email before it has not left Drafts        -> wait, however long
    └── DeliveryInDoubt         the answer was lost after the request left        -> reconcile, never resend blindly
"""

from datetime import timedelta


class OnbehalfError(Exception):
    """Root of all our errors. ``str(error)`` is one sentence that a person can act on."""


class InvalidInput(OnbehalfError):
    """Input that is not accepted.

    ``where``: a place a person can go to (file:line:column, field); ``fix``: what to do.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        said = ": ".join(part for part in (where, what) if part)
        ended = said if not fix or said.endswith((".", "!", "?")) else f"{said}."
        super().__init__(f"{ended} {fix}" if fix else said)


class Taken(InvalidInput):
    """Somebody or something else has this name."""


class WorkersSilent(OnbehalfError):
    """No worker began an errand in time, and none will begin it now."""


class NotPermitted(OnbehalfError):
    """One of our rules forbids what was asked. The text names the rule and the way out."""


class TooMany(OnbehalfError):
    """Too many requests. Ask again after ``retry_after`` seconds."""

    def __init__(self, what: str, *, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(f"{what} Try again in {retry_after} seconds.")


class NotFound(OnbehalfError):
    """Nothing here has that name or id."""


class OperatorMisconfigured(OnbehalfError):
    """Our own configuration or app registration is wrong. Never changes a mailbox's status."""


class ProviderError(OnbehalfError):
    """An answer of a mail provider. ``code``: the provider's own short code, for receipts, logs and support.

    ``request_id``: the provider's id of the request, for its support. The text contains neither.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        self.code = code
        self.request_id = ""
        super().__init__(message)


class ConnectionRefused(ProviderError):
    """The mailbox cannot send until a person acts. ``reason``: why, as stored in ``mailboxes.status_reason``.

    ``on_send``: an email was refused. Reading may still work, so only an email that leaves shows that the refusal
    is over.
    """

    reason = "disconnected"

    def __init__(self, message: str, *, code: str = "", reason: str = "", on_send: bool = False) -> None:
        self.reason, self.on_send = reason or self.reason, on_send
        super().__init__(message, code=code)


class MailboxDisconnected(ConnectionRefused):
    """The refresh token is dead, or the account is gone, disabled or has no mailbox."""

    reason = "sign_in_expired"


class AccountDisabled(MailboxDisconnected):
    """The account is disabled, locked or deleted at the provider, or not (or no longer) in that organization."""

    reason = "account_disabled"


class OrganizationGone(MailboxDisconnected):
    """The account's organization is deleted or blocked at the provider; signing in again does not help."""

    reason = "organization_gone"


class RefusalUnexplained(MailboxDisconnected):
    """The provider refuses this one connection with a code that we do not know."""

    reason = "refusal_unexplained"


class ConsentMissing(ConnectionRefused):
    """A scope we need was declined or withdrawn."""

    reason = "consent_missing"


class AdminApprovalRequired(ConnectionRefused):
    """The tenant lets only its administrator approve the app."""

    reason = "admin_approval_required"


class TenantRefused(ConnectionRefused):
    """The tenant gives the application no token of its own: the consent is withdrawn, or the app disabled there."""

    reason = "tenant_refused"


class OutsideScope(ConnectionRefused):
    """The application has access to the tenant, but not to this mailbox."""

    reason = "outside_scope"


class NotAssigned(ConnectionRefused):
    """The tenant allows the app only to people whom its administrator has assigned to it."""

    reason = "not_assigned"


class PolicyBlocked(ConnectionRefused):
    """A tenant policy, an outbound block or a quota refuses; signing in again does not help."""

    reason = "policy_blocked"


class MailboxUnsuitable(ConnectionRefused):
    """It is a shared mailbox, a room or equipment; only a person's own, licensed mailbox can send."""

    reason = "mailbox_unsuitable"


class ServerUnsafe(ConnectionRefused):
    """A mail server has no valid certificate, does not encrypt, or is where none may be (a private network)."""

    reason = "server_unsafe"


class HintsRefused(ProviderError):
    """The provider cannot publish a mailbox's changes to our topic: the operators' to mend, and nothing else is concerned."""


class Refused(ProviderError):
    """One email was refused for good. ``certain`` is False if the refusal may be about the sender instead."""

    def __init__(self, message: str, *, code: str = "", certain: bool = True) -> None:
        self.certain = certain
        super().__init__(message, code=code)


class RecipientRejected(Refused):
    """The provider will never accept this recipient."""


class MessageRejected(Refused):
    """The provider (or our own builder) will never accept this content."""


class Throttled(ProviderError):
    """Wait ``retry_after``, check whether it was accepted after all, then try again. Does not count as a failure.

    ``untaken``: it was certainly not accepted (an SMTP reply says so), so there is nothing to check.
    """

    def __init__(
        self, message: str, *, retry_after: timedelta, code: str = "", untaken: bool = False
    ) -> None:
        self.retry_after, self.untaken = retry_after, untaken
        super().__init__(message, code=code)


class SendingLimitReached(Throttled):
    """The mailbox, or its whole organization, has sent as much as it may for an hour or a day.

    The limit ends without a person. Certainly not accepted. No email is given up for it, and the mailbox stays connected.
    """

    def __init__(self, message: str, *, retry_after: timedelta, code: str = "") -> None:
        super().__init__(message, retry_after=retry_after, code=code, untaken=True)


class ProviderUnavailable(ProviderError):
    """Certainly not accepted (DNS, connect, TLS, a read that failed); trying later is safe."""


class PreviousStillDraft(ProviderUnavailable):
    """A follow-up cannot be created yet: the email it answers was accepted and is still in Drafts."""


class DeliveryInDoubt(ProviderError):
    """The request left, and its answer was lost or says nothing about acceptance.

    ``retry_after``: how long the provider asks us to wait, if it says so. ``gone``: the provider knows no such
    draft, which also happens after it accepted an earlier submission. ``throttled``: the provider says that it
    was too much, and most probably did nothing.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        retry_after: timedelta | None = None,
        gone: bool = False,
        throttled: bool = False,
    ) -> None:
        self.retry_after, self.gone, self.throttled = retry_after, gone, throttled
        super().__init__(message, code=code)
