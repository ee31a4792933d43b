"""Gmail's search ("Search and filter messages"): the operators that we use, and an error for every other one."""

import re
import time

from lab.emulator.gmail_items import labels_of
from lab.emulator.showing import text_of
from lab.emulator.world import Mailbox, Message, World

_TERM = re.compile(r'(-?)(?:([a-z0-9_]+):)?("[^"]*"|\([^)]*\)|\S+)')
_PLACES = {
    "inbox": "INBOX",
    "sent": "SENT",
    "draft": "DRAFT",
    "drafts": "DRAFT",
    "trash": "TRASH",
    "spam": "SPAM",
}


def found(
    world: World, mailbox: Mailbox, words: str, labels: list[str], *, everywhere: bool
) -> list[Message]:
    """Return the items that match, newest first. ``everywhere``: also Spam and Trash. Raises ``ValueError``."""
    terms = [(bool(no), name, value.strip('"()')) for no, name, value in _TERM.findall(words)]
    everywhere = everywhere or any(
        name == "in" and value in ("anywhere", "trash", "spam") for _, name, value in terms
    )
    # The index is a little behind the mailbox.
    indexed_to = time.time() - world.switch(mailbox, "google_search_delay")
    matching = [
        each
        for each in mailbox.messages.values()
        if each.received <= indexed_to
        and set(labels) <= set(labels_of(each))
        and (everywhere or not {"TRASH", "SPAM"} & set(labels_of(each)))
        and all(_matches(each, name, value) is not no for no, name, value in terms)
    ]
    return sorted(matching, key=lambda each: each.received, reverse=True)


def _matches(message: Message, name: str, value: str) -> bool:
    match name:
        case "rfc822msgid":
            return bool(message.data["internetMessageId"].strip("<>") == value.strip("<>"))
        case "in" | "is" | "label":
            if value in ("anywhere", "unread"):
                return value == "anywhere" or "UNREAD" in labels_of(message)
            return _PLACES.get(value, value.upper()) in labels_of(message)
        case "after" | "newer":
            return message.received >= float(value)
        case "before" | "older":
            return message.received < float(value)
        case "from":
            return _written(message.data["from"], value)
        case "to":
            kinds = ("toRecipients", "ccRecipients", "bccRecipients")
            return any(_written(each, value) for kind in kinds for each in message.data[kind])
        case "subject":
            return value.casefold() in message.data["subject"].casefold()
        case "":
            return value.casefold() in f"{message.data['subject']} {text_of(message)}".casefold()
    raise ValueError(f"The emulator does not know the operator {name}.")


def _written(person: dict[str, dict[str, str]], value: str) -> bool:
    named = person["emailAddress"]
    return value.casefold() in f"{named['name']} {named['address']}".casefold()
