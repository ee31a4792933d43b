"""Notices about an organization's tenant-wide Microsoft connection: it was ended, or Microsoft refuses it."""

from domain.notice import Facts, Notice
from domain.notice_parts import compose, paused, see

_PAGE = "/settings/email/microsoft"
_OWN = "/settings/sequences"


def disconnected(facts: Facts) -> Notice:
    """An owner or admin ended it."""
    mine = "Your own mailbox is among them. Connect it again under Mailbox and permissions, with your own sign-in."
    return compose(
        "Your organization's Microsoft mailboxes are disconnected",
        f"{facts.actor} ended the connection for the whole organization. {_count(facts)} used it, and their permissions ended.",
        mine if facts.mailbox_is_mine else "",
        paused(facts.touched) if facts.touched else "",
        links=[*([("Mailbox and permissions", _OWN)] if facts.mailbox_is_mine else []), *see(facts.touched)],
    )


def lost(facts: Facts) -> Notice:
    """Microsoft refuses the application in the whole tenant."""
    gone = facts.payload.get("reason") == "organization_gone"
    why = (
        "Microsoft says that your organization is gone or blocked there."
        if gone
        else "The consent for Onbehalf was withdrawn at Microsoft, or Onbehalf was disabled there."
    )
    if gone:
        todo = "Your organization's administrators have to resolve this with Microsoft."
    elif facts.for_admin:
        todo = "Give the consent again, or have your Microsoft 365 administrator enable Onbehalf. Then check the connection."
    else:
        todo = "An administrator of your organization has to give the consent again. We have notified them."
    return compose(
        "Microsoft no longer lets us into your organization's mailboxes",
        f"{why} {_count(facts)} cannot send{', yours among them' if facts.mailbox_is_mine else ''}.",
        paused(facts.touched) if facts.touched else "",
        f"{todo} The mailboxes then work again without a new sign-in.",
        links=[*([("Check the connection", _PAGE)] if facts.for_admin else []), *see(facts.touched)],
    )


def _count(facts: Facts) -> str:
    count = int(facts.payload.get("mailboxes", "1"))
    return "One mailbox" if count == 1 else f"{count:,} mailboxes"
