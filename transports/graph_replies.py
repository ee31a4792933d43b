"""Does Microsoft take a reply whole from the request that creates it?

Microsoft does not say which of a message's properties ``createReplyAll`` takes from its request, some were ignored
(microsoft-graph-docs issue 739), and its answer shows no extended property: ``$expand`` is for GET. So an organization's first reply
is read back. If it held everything, the next ones are believed for a day as far as their answers show it, which saves a third
request each. Should one lack its correlation id after all, an email whose answer is lost goes to review, and is never sent again.
"""

import time
from collections.abc import Callable, Sequence

from domain.message import OutgoingMessage
from transports import graph_requests as requests
from transports.graph_reading import Item, property_key, shown_properties, text_of
from transports.html import to_text

_BELIEVED_FOR = 86_400.0  # seconds
_MAX_KNOWN = 50_000


class WholeReplies:
    """What one process has read back, by organization and by what its emails have."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], tuple[bool, float]] = {}

    def hold(
        self,
        organization: str,
        created: Item,
        message: OutgoingMessage,
        correlation_id: str,
        read: Callable[[Sequence[str]], Item],
    ) -> bool:
        """Does a reply hold all that its request said?

        ``created``: the answer to that request. ``read``: gets the draft with the extended properties it is given.
        """
        if not organization:
            return False
        names = [str(each.id) for each in requests.properties_of(message, correlation_id)]
        whole, until = self._known.get(key := (organization, *names), (False, 0.0))
        if time.monotonic() > until:
            whole = is_whole(read(names), message, correlation_id)
        elif whole and not shows(created, message):
            whole = False
        else:
            return whole
        if len(self._known) > _MAX_KNOWN:
            self._known.clear()
        self._known[key] = (whole, time.monotonic() + _BELIEVED_FOR)
        return whole


def shows(item: Item, message: OutgoingMessage) -> bool:
    """Does a draft, as an answer shows it, go to our recipient alone with our text?"""
    if requests.recipients_of(item) != [message.recipient.email.lower()]:
        return False
    body = item.get("body")
    content = text_of(body, "content") if isinstance(body, dict) else ""
    # Exchange writes HTML anew, and a reply may quote what it answers.
    return content == message.html or to_text(content) == to_text(message.html)


def is_whole(item: Item, message: OutgoingMessage, correlation_id: str) -> bool:
    """Does a draft, as read back, hold all that we asked for?"""
    held = shown_properties(item)
    asked = requests.properties_of(message, correlation_id)
    return shows(item, message) and all(held.get(property_key(str(each.id))) == each.value for each in asked)
