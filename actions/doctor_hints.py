"""What the doctor says of Gmail's hints: whether they are asked for, and why Google publishes none."""

from collections.abc import Iterator

from actions.doctor_outside import Finding, State
from app.runtime import Runtime
from db.core.session import Transaction
from db.views import doctor
from domain.connection import Provider

_PUBLISHER = "gmail-api-push@system.gserviceaccount.com"
_LATER = "Without hints mailboxes are read by the clock, and nothing is lost."
_FIXES = {
    "topic_not_permitted": f"On the topic, grant {_PUBLISHER} the role Pub/Sub Publisher (roles/pubsub.publisher); an"
    " organization policy that restricts domains has to let it.",
    "topic_missing": f"Make the topic, and grant {_PUBLISHER} the role Pub/Sub Publisher on it; or correct GOOGLE_PUBSUB_TOPIC.",
    "topic_elsewhere": "Make the topic in the project of GOOGLE_CLIENT_ID, and correct GOOGLE_PUBSUB_TOPIC.",
}


def hints(tx: Transaction, runtime: Runtime) -> Iterator[Finding]:
    """Say whether Gmail tells us what comes in. Nothing to say where no mailbox can be connected there."""
    settings = runtime.settings
    if not settings.google_client_id:
        return
    topic = settings.google_pubsub_topic
    if not topic:
        yield Finding("hints", State.SKIPPED, f"GOOGLE_PUBSUB_TOPIC is not set. {_LATER}")
        return
    if not settings.public_url.startswith("https:") and not settings.emulated:
        fix = "Set PUBLIC_URL to an https address that Google can reach, or leave GOOGLE_PUBSUB_TOPIC out."
        yield Finding(
            "hints", State.FAULT, f"Pub/Sub pushes only to https, not to {settings.public_url}.", fix
        )
    refused = doctor.unwatched(tx, Provider.GMAIL)
    for code, mailboxes in refused:
        of = f"{mailboxes} {'mailbox' if mailboxes == 1 else 'mailboxes'}"
        if code in _FIXES:
            said = f"Gmail cannot publish to {topic} what comes into {of} ({code}). {_LATER}"
            yield Finding(
                "hints", State.FAULT, said, f"{_FIXES[code]} Then wait a day at most, or connect one again."
            )
        else:
            said = f"Gmail does not say what comes into {of} ({code or 'unknown'}). {_LATER}"
            yield Finding("hints", State.WARNING, said, "Nothing: it is asked again by itself.")
    if not refused:
        count = doctor.watched(tx, Provider.GMAIL)
        said = (
            f"Gmail publishes what comes into {count} {'mailbox' if count == 1 else 'mailboxes'} to {topic}."
        )
        yield Finding("hints", State.OK, said)
