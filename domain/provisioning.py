"""What an identity provider says of a member (SCIM), and what of it may change whom a member's sign-in belongs to."""

from dataclasses import dataclass

from domain.address import parse_address, unprintable
from domain.errors import InvalidInput, NotPermitted
from domain.team import Role

MAX_NAME = 100  # characters, as on the page Team
MAX_ID = 254  # characters of a user name, and of an identity provider's own id


@dataclass(frozen=True, slots=True)
class Said:
    """A member as an identity provider names them.

    ``name``: as people see it. ``formatted_name``, ``given_name``, ``family_name``: for the provider alone, which compares. ``email``: the address that
    notices go to. ``user_name``: what the provider calls them, at most organizations the sign-in name.
    """

    user_name: str
    email: str
    name: str
    external_id: str | None = None
    formatted_name: str | None = None
    given_name: str | None = None
    family_name: str | None = None


@dataclass(frozen=True, slots=True)
class Stake:
    """What somebody would get who signs in as this member. ``signed_in``: the account is known, and no other one counts.

    ``owns``: a mailbox, sequences, permissions, or people whom they brought in.
    """

    signed_in: bool
    role: Role
    owns: bool


def parsed(user_name: str, emails: list[tuple[str, bool, str]], names: list[str], **rest: str | None) -> Said:
    """Return what was said, checked. ``emails``: address, whether it is the primary one, and its type. ``names``: best first.

    Of several addresses the primary one counts, or the first for work, or the first; without one, the user name is the address.
    ``rest``: ``external_id``, ``formatted_name``, ``given_name`` and ``family_name``. Raises ``InvalidInput``.
    """
    user_name = _bounded(user_name, "userName", MAX_ID)
    if not user_name:
        raise InvalidInput("It is empty", where="userName", fix="Send the member's user name.")
    given = [each for each in emails if each[0].strip()]
    given.sort(key=lambda each: (not each[1], each[2].lower() != "work"))
    address, where = (given[0][0], "emails") if given else (user_name, "userName")
    return Said(
        user_name,
        parse_address(address, where=where).email,
        next(
            (found for each in names if (found := _bounded(each, "displayName", MAX_NAME))),
            user_name[:MAX_NAME],
        ),
        external_id=_optional(rest.get("external_id"), "externalId", MAX_ID),
        formatted_name=_optional(rest.get("formatted_name"), "name.formatted", MAX_NAME),
        given_name=_optional(rest.get("given_name"), "name.givenName", MAX_NAME),
        family_name=_optional(rest.get("family_name"), "name.familyName", MAX_NAME),
    )


def check_sign_in_names(stake: Stake) -> None:
    """Refuse another address or user name for a member whose first sign-in would go by it. Raises ``NotPermitted``.

    Somebody who has signed in is known by their account. Until then, whoever has the address is let in: so it does not change
    once there is something to take.
    """
    if stake.signed_in or (stake.role is Role.MEMBER and not stake.owns):
        return
    what = "a mailbox, sequences, permissions or people" if stake.owns else f"the role {stake.role}"
    raise NotPermitted(
        f"This member has {what} and has never signed in, so whoever has their address signs in as them. It does not change"
        " until they have signed in once. Or end their access, and add the other address as a new member."
    )


def _optional(text: str | None, where: str, most: int) -> str | None:
    return (_bounded(text, where, most) or None) if text is not None else None


def _bounded(text: str, where: str, most: int) -> str:
    if found := unprintable(text):
        raise InvalidInput(f"It holds the character {found}", where=where, fix="Leave it out.")
    text = " ".join(text.split())
    if len(text) > most:
        raise InvalidInput(f"It has {len(text)} characters", where=where, fix=f"Shorten it to {most}.")
    return text
