"""Gmail's publishing of a mailbox's changes to a topic of Cloud Pub/Sub.

"Configure push notifications in Gmail API" (developers.google.com/workspace/gmail/api/guides/push): a watch ends after seven days
at the latest, and Google advises to call ``watch`` once a day; at most one notification per second and user is published, and
some may be late or lost. ``users.watch`` publishes all changes unless it names labels. With INBOX it says nothing of our own drafts and of what is
sent, which would be several notifications for each email that leaves. What a filter of the owner's keeps out of the inbox is read
by the clock.

What Gmail answers to a topic that it cannot publish to is not documented. It sends a test message first: "Error sending test message to Cloud
PubSub projects/… : User not authorized to perform this action." (403, google-api-nodejs-client issues 2843 and 3593), "Resource not found"
(404), "Invalid topicName does not match projects/…" (400, issue 1301). A user has one watch for a project: "Only one user push notification client allowed
per developer (call /stop then try again)" (400) comes for another topic.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from domain.errors import HintsRefused
from transports.gmail_answers import Json, json_of, text_of, unreadable
from transports.gmail_client import Request
from transports.gmail_errors import Purpose, failure, reason_of
from transports.hints import Watch
from transports.once import Answer

_ME = "me"
LASTS = timedelta(days=7)
_ANOTHER = re.compile(r"call /stop then try again", re.IGNORECASE)
_TOPIC = re.compile(r"pub/?sub|topic", re.IGNORECASE)
_CODES = {400: "topic_elsewhere", 403: "topic_not_permitted", 404: "topic_missing"}


def watch(answer: Callable[[Request], Answer], topic: str) -> Watch:
    """Have what comes into the inbox published. ``answer``: asks Gmail. Raises ``HintsRefused``, ``ProviderError``."""
    account = text_of(_content(answer(lambda gmail: gmail.users.getProfile(userId=_ME))), "emailAddress")
    if not account:
        raise unreadable()
    body = {"topicName": topic, "labelIds": ["INBOX"], "labelFilterBehavior": "include"}
    asked = answer(lambda gmail: gmail.users.watch(userId=_ME, body=body))
    if asked.status == 400 and _ANOTHER.search(reason_of(asked.body)[1]):
        unwatch(answer)
        asked = answer(lambda gmail: gmail.users.watch(userId=_ME, body=body))
    if asked.status in _CODES and _TOPIC.search(reason_of(asked.body)[1]):
        raise HintsRefused("Gmail cannot publish to GOOGLE_PUBSUB_TOPIC.", code=_CODES[asked.status])
    return Watch(account, _end(_content(asked)))


def unwatch(answer: Callable[[Request], Answer]) -> None:
    """Have nothing of the account published any more."""
    stopped = answer(lambda gmail: gmail.users.stop(userId=_ME))
    if not 200 <= stopped.status < 300:  # the answer is empty
        raise failure(stopped.status, stopped.headers, stopped.body, Purpose.READ)


def _end(content: Json) -> datetime:
    """Return when it ends: milliseconds since 1970, as text (an int64 of the API)."""
    said = content.get("expiration")
    if not isinstance(said, str | int) or not re.fullmatch(r"\d{1,14}", str(said)):
        raise unreadable()
    now = datetime.now(UTC)
    return min(max(datetime.fromtimestamp(int(said) / 1000, UTC), now), now + LASTS)


def _content(answer: Answer) -> Json:
    if not 200 <= answer.status < 300:
        raise failure(answer.status, answer.headers, answer.body, Purpose.READ)
    return json_of(answer.body)
