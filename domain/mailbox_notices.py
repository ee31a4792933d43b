"""Notices about a mailbox: it cannot send, it can send again, its provider or owner holds emails back, it is renamed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.connection import Provider
from domain.notice import Facts, Notice, TouchedSequence
from domain.notice_parts import ask, can_resume, compose, listed, paused, resume, see, waiting

_AGAIN = "{mailbox_owner} can connect it again. We have notified them."
_BY_ITSELF = "The mailbox then works again without a new sign-in."


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why a mailbox cannot send.

    ``state``: follows the address. ``todo``: for its owner. ``others``: for everybody else. Each may name the ``words`` of the
    mailbox's provider.

    ``waits_for``: connecting again does not help, and the notice says how the mailbox recovers.
    """

    state: str
    todo: str
    others: str = "{mailbox_owner} can fix this. We have notified them."
    waits_for: bool = False


_NO_HELP = "Connecting it again does not help."
_RELEASE = f"Ask your {{words.admin}} to release {{mailbox}}. {{words.release}} {_NO_HELP}"
_SEND_AS = f"Ask your {{words.admin}} to let the connected account send as {{mailbox}}. {_NO_HELP}"
_POLICY = f"Ask your IT team to find the policy and change it. {_NO_HELP}"
_TROUBLES = {
    "removed": _Trouble(
        "was removed", "Connect it again. Then give its permissions again: they ended when it was removed."
    ),
    "disabled": _Trouble("is disabled", "Activate it again. We kept its settings and permissions."),
    "server_unsafe": _Trouble(
        "uses a mail server that has no valid certificate or does not encrypt",
        "Check the server's settings with your IT team.",
    ),
    "sign_in_expired": _Trouble(
        "needs its owner to sign in again", "Sign in again to continue. Nothing is lost.", _AGAIN
    ),
    "account_disabled": _Trouble(
        "belongs to an account that is disabled, locked or deleted at {words.name}",
        "Ask your IT team whether they can enable the account. Then connect the mailbox again.",
        "Ask your IT team whether they can enable the account. {mailbox_owner} can then connect the mailbox again.",
    ),
    "organization_gone": _Trouble(
        "belongs to an organization that {words.name} has deleted or blocked",
        "Your organization's administrators have to resolve this with {words.name}.",
        "Your organization's administrators have to resolve this with {words.name}.",
    ),
    "refusal_unexplained": _Trouble(
        "was refused by {words.name} for a reason we do not recognize",
        "Connect it again. If that does not help, your IT team can look up {words.name}'s code.",
        _AGAIN,
    ),
    "not_assigned": _Trouble(
        "belongs to somebody who is not assigned to Onbehalf",
        "Ask your IT team to assign you to Onbehalf: in Microsoft Entra, under Enterprise applications, Onbehalf, Users and groups."
        f" {_BY_ITSELF}",
        "Ask your IT team to assign the owner of {mailbox} to Onbehalf: in Microsoft Entra, under Enterprise applications, Onbehalf,"
        f" Users and groups. {_BY_ITSELF}",
    ),
    "same_account": _Trouble(
        "belongs to the same {words.account} as another mailbox here, and an account can be connected only once",
        "Send from the other mailbox of that account, or remove this one.",
        "Send from the other mailbox of that account. The owner of both can remove this one.",
    ),
    "consent_missing": _Trouble(
        "lacks a permission that {words.name} asked its owner for",
        "Connect it again and {words.accept}.",
        _AGAIN,
    ),
    "admin_approval_required": _Trouble(
        "is waiting for an IT administrator to approve Onbehalf",
        f"Send your IT administrator the link on your mailbox page. {_BY_ITSELF}",
        f"Ask your IT team to approve Onbehalf. {_BY_ITSELF}",
    ),
    "tenant_refused": _Trouble(
        "is in an organization that no longer lets Onbehalf in",
        f"Ask your {{words.admin}} to give the consent again. {_BY_ITSELF}",
        f"Your organization's administrators can give the consent again. {_BY_ITSELF}",
    ),
    "outside_scope": _Trouble(
        "is outside what your {words.admin} lets Onbehalf use",
        f"Ask your {{words.admin}} to include it: the page of the connection in Email settings has the commands. {_BY_ITSELF}",
        f"Your {{words.admin}} can include it: the page of the connection in Email settings has the commands. {_BY_ITSELF}",
    ),
    "no_mailbox": _Trouble(
        "has no mailbox at {words.name} any more, or no licence for one",
        f"Ask your {{words.admin}} to assign a licence that includes mail. {_BY_ITSELF}",
        f"Your {{words.admin}} can assign a licence that includes mail. {_BY_ITSELF}",
    ),
    "mailbox_unsuitable": _Trouble(
        "is now a shared mailbox, a room or equipment",
        "Only a person's own mailbox can send. Ask your IT team to change it back.",
    ),
    "never_connected": _Trouble("is not connected yet", "Connect it. Nothing leaves from it until then."),
    "policy_blocked": _Trouble(
        "is blocked by a policy of your organization", _POLICY, _POLICY, waits_for=True
    ),
    "sending_blocked": _Trouble(
        "is blocked from sending by {words.name}", _RELEASE, _RELEASE, waits_for=True
    ),
    "send_as_denied": _Trouble(
        "is an address that the connected account may not send from", _SEND_AS, _SEND_AS, waits_for=True
    ),
    "mailbox_full": _Trouble(
        "is full, so we cannot create emails in it",
        f"Free up space in it. {_NO_HELP}",
        f"{{mailbox_owner}} has to free up space in it. {_NO_HELP}",
        waits_for=True,
    ),
}
# What is different at Google: its administrators approve in their console, and nothing tells us that they have.
_AT_GOOGLE = {
    "admin_approval_required": _Trouble(
        "is waiting for an administrator to mark Onbehalf as trusted at Google",
        "Ask your {words.admin}: {words.approval}. Then connect it again.",
        "Ask your {words.admin}: {words.approval}. {mailbox_owner} can then connect it again.",
    ),
}
# How a sender address changed, by the payload's ``change``.
_CHANGES = {
    "set": "was added as a sender address, and is not in use yet",
    "server": "has another mail server, which is not in use yet",
    "connected": "is now in use: company sequences send from it",
    "out_of_use": "was disabled",
    "removed": "was removed",
}


def cannot_send(facts: Facts) -> Notice:
    """A mailbox was removed or disabled, or its provider no longer lets us send from it."""
    reason = facts.payload.get("reason", "removed")
    trouble = _of(reason, facts)
    by_test = facts.payload.get("proved_by") == "test_email"
    by = f"{facts.actor} {'removed' if reason == 'removed' else 'disabled'} {facts.mailbox}."
    what = by if reason in ("removed", "disabled") else f"{facts.mailbox} {trouble.state}."
    if facts.mailbox_is_mine or facts.for_admin:
        path = f"/settings/email/addresses/{facts.mailbox_id}" if facts.for_admin else "/settings/sequences"
        if reason == "sign_in_expired" and facts.mailbox_is_mine:
            what = (
                f"{facts.words.at_start} asks you to sign in again before we may send from {facts.mailbox}."
            )
        proof = "Then send a test email. When it leaves, the mailbox is connected again."
        return compose(
            f"{facts.mailbox} cannot send",
            what,
            paused(facts.touched, owners=True),
            f"{trouble.todo} {_proof(trouble, by_test, proof)}",
            links=[(_button(trouble, by_test), path)],
        )
    if not facts.touched and reason == "removed":
        return compose(
            f"Your permission to send from {facts.mailbox} has ended",
            f"{by} Permissions ended with it.",
            "None of your sequences is paused.",
        )
    mailbox_owner = _fixer(facts)
    if reason == "removed":
        todo = f"Your permission ended with it. {mailbox_owner} can connect the mailbox again. Then you need a new permission."
        links = [(f"Ask {facts.mailbox_owner}", ask(facts.mailbox))] if facts.mailbox_owner else []
    else:
        proof = f"{mailbox_owner} then sends a test email. When it leaves, the mailbox is connected again."
        todo = (
            f"{trouble.others} {_proof(trouble, by_test, proof)}".strip()
            + " Before you resume, you see who gets what."
        )
        links = []
    return compose(
        f"Paused: {facts.mailbox} {trouble.state}",
        what,
        paused(facts.touched),
        todo,
        links=[*links, *see(facts.touched)],
    )


def _of(reason: str, facts: Facts) -> _Trouble:
    """Return the trouble in the words of the mailbox's provider."""
    found = _AT_GOOGLE.get(reason) if facts.provider == Provider.GMAIL else None
    found = found or _TROUBLES.get(reason, _TROUBLES["sign_in_expired"])
    state, todo, others = (
        text.format(mailbox=facts.mailbox, mailbox_owner=_fixer(facts), words=facts.words)
        for text in (found.state, found.todo, found.others)
    )
    return replace(found, state=state, todo=todo, others=others)


def _fixer(facts: Facts) -> str:
    return facts.mailbox_owner or "An owner or admin of your organization"


def _proof(trouble: _Trouble, by_test: bool, words: str) -> str:
    if not trouble.waits_for:
        return ""
    return words if by_test else "We notice within an hour when it can send again."


def _button(trouble: _Trouble, by_test: bool) -> str:
    if trouble.waits_for:
        return "Send a test email" if by_test else "See your mailbox"
    return "See your mailbox" if _BY_ITSELF in trouble.todo else "Connect again"


def works_again(facts: Facts) -> Notice:
    """A mailbox can send again."""
    able = [each for each in facts.touched if each.authorized]
    unable = [each for each in facts.touched if not each.authorized]
    mailbox_owner = facts.mailbox_owner or "its owner"
    lacks = f"{listed([each.name for each in unable])} {'needs' if len(unable) == 1 else 'need'} a new permission from {mailbox_owner}."
    return compose(
        f"{facts.mailbox} works again",
        f"We can send from {facts.mailbox} again.",
        can_resume(able),
        lacks if unable else "",
        links=[*resume(able), *([(f"Ask {mailbox_owner}", ask(facts.mailbox))] if unable else [])],
    )


def renamed(facts: Facts) -> Notice:
    """The provider gave the account another address. The payload's ``reason`` says why we do not follow it."""
    before, refused = facts.payload.get("before", "the old address"), facts.payload.get("reason", "")
    what = f"The {facts.words.account} of {before} now has the address {facts.mailbox} and sends from it."
    return compose(
        f"{facts.words.at_start} renamed {before} to {facts.mailbox}",
        what,
        f"We still list it as {before}. {refused}" if refused else "",
        "Ask an administrator of your organization to remove the other entry. We then use the new address within an hour."
        if refused
        else "Sequences continue, and recipients see the new address.",
    )


def limit_reached(facts: Facts) -> Notice:
    """The provider accepts no emails for now."""
    provider, until = (
        facts.payload.get("provider", facts.words.at_start),
        facts.payload.get("until", "a later time"),
    )
    title = f"{provider}'s sending limit is reached for {facts.mailbox}"
    what = (
        f"{provider} says that {facts.mailbox} has sent as much as it may for now. We try again at {until}, and then"
        f" every hour until {provider} accepts emails again."
    )
    if facts.payload.get("unexplained"):
        title = f"{provider} refuses emails from {facts.mailbox}"
        what = (
            f"{provider} refused several emails from {facts.mailbox} in a row and gave no reason. We try again at {until},"
            " and then every hour for a day."
        )
    return compose(title, what, waiting(facts.touched), "Nothing is lost, and nobody is left out.")


def not_read(facts: Facts) -> Notice:
    """The provider has not let us read the mailbox for an hour."""
    provider, since = (
        facts.payload.get("provider", facts.words.at_start),
        facts.payload.get("since", "some time ago"),
    )
    what = (
        f"{provider} has not let us read {facts.mailbox} since {since}, so we do not know who has answered. Until we can read it"
        " again, no follow-up leaves from it."
    )
    then = "You do not have to do anything: we keep trying, and follow-ups then continue by themselves. Nothing is lost."
    return compose(f"We cannot read {facts.mailbox}, so follow-ups wait", what, waiting(facts.touched), then)


def still_in_drafts(facts: Facts) -> Notice:
    """The provider accepted emails, and minutes later they are still in Drafts."""
    count = max(facts.count, 1)
    everybody = listed(facts.names, facts.count, len(facts.names)) or "a candidate"
    emails, are, have, them = (
        ("email", "it is", "It has", "it") if count == 1 else ("emails", "they are", "They have", "them")
    )
    mailbox_owner = "" if facts.mailbox_is_mine or not facts.mailbox_owner else facts.mailbox_owner
    opens = f"Ask {mailbox_owner} to open" if mailbox_owner else "Open"
    return compose(
        f"{'One email has' if count == 1 else f'{count:,} emails have'} not left Drafts of {facts.mailbox}",
        f"{facts.words.at_start} accepted the {emails} to {everybody}, but {are} still in Drafts. {have} probably not been delivered.",
        f"{opens} Drafts of {facts.mailbox} and send {them} there, or delete {them} if these people should not get {them}.",
        f"We never send {them} again by ourselves. Follow-ups wait as long as {are} in Drafts.",
    )


def sender_away(facts: Facts) -> Notice:
    """The sender's automatic replies are on, so emails wait."""
    person, count = facts.payload.get("person", facts.mailbox), sum(each.people for each in facts.touched)
    until = f" until {facts.payload['until']}" if "until" in facts.payload else ""
    return compose(
        f"{person} is away{until}; {_emails(count)} {'waits' if count == 1 else 'wait'}",
        f"Automatic replies are on for {facts.mailbox}, so {person} could not answer the people you write to.",
        _of_each(facts.touched),
        f"The emails leave when {person} is back, in your sending hours.",
    )


def sender_address_changed(facts: Facts) -> Notice:
    """Somebody changed an address that company sequences are sent from."""
    change = _CHANGES.get(facts.payload.get("change", "set"), _CHANGES["set"])
    return compose(
        f"{facts.mailbox} {change}",
        f"{facts.actor} changed how your organization's emails are sent: {facts.mailbox} {change}.",
        "If you did not expect this, disable the address. That takes effect at once.",
        links=[("Email settings", "/settings/email")],
    )


def _emails(count: int) -> str:
    return "1 email" if count == 1 else f"{count:,} emails"


def _of_each(touched: Sequence[TouchedSequence]) -> str:
    return "\n".join(f"- {each.name}: {_emails(each.people)}" for each in touched)
