"""How sentences for people name a mailbox's provider, its accounts and its administrators."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.connection import ACCEPTS, REFUSED_BY, SENT_FOLDER, Provider


@dataclass(frozen=True, slots=True)
class ProviderWords:
    """Parts of sentences. ``name``: within one; ``at_start``: at the start of one. ``admin``: follows ``your``.

    ``accept``: how its owner grants all that is asked for. ``approval``: how the administrator approves Onbehalf.
    ``release``: why the provider may block a mailbox, where the administrator sees it.
    """

    name: str
    at_start: str
    account: str
    admin: str
    accept: str
    approval: str
    release: str
    sent_folder: str


_TRUST = (
    "in the Google Admin console, under Security, Access and data control, API controls, Manage third-party app access, mark"
    " Onbehalf as trusted"
)
_MICROSOFT = {
    "account": "Microsoft account",
    "admin": "Microsoft 365 administrator",
    "accept": "accept all permissions that Microsoft lists",
    "approval": "approve Onbehalf",
    "release": "Microsoft Defender lists it under Restricted entities, or its account is suspended.",
}
_GOOGLE = {
    "account": "Google account",
    "admin": "Google Workspace administrator",
    "accept": "tick every box on Google's page",
    "approval": _TRUST,
    "release": "The Admin console shows under Users whether its account is suspended.",
}
_SERVER = {
    "account": "account",
    "admin": "IT team",
    "accept": "accept all permissions",
    "approval": "approve Onbehalf",
    "release": "Its account may be suspended.",
}
_PARTS: Mapping[str, Mapping[str, str]] = {
    Provider.GRAPH: _MICROSOFT,
    Provider.TENANT: _MICROSOFT,
    Provider.GMAIL: _GOOGLE,
    Provider.MICROSOFT_SMTP: _MICROSOFT,
    Provider.SMTP: _SERVER,
    Provider.DEFAULT: _SERVER,
}
PROVIDER_WORDS: Mapping[str, ProviderWords] = {
    provider: ProviderWords(
        name=ACCEPTS[provider],
        at_start=REFUSED_BY[provider],
        sent_folder=SENT_FOLDER.get(provider, "Sent Items"),
        **parts,
    )
    for provider, parts in _PARTS.items()
}
