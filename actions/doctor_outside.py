"""What the doctor asks of others over the network: Microsoft, Google, the mail service."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import requests

from app.runtime import Runtime
from domain.errors import OperatorMisconfigured, ProviderError, ProviderUnavailable, Throttled
from transports.google import GMAIL
from transports.providers import PROVIDERS
from transports.relay import open_relay, operators_fault

PATIENCE = 8.0  # seconds for one server


class State(StrEnum):
    """How a check ended. ``SKIPPED``: not asked, and why."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """``check``: what was looked at. ``fix``: what to do; empty if all is well."""

    check: str
    state: State
    said: str
    fix: str = ""


def providers(runtime: Runtime) -> Iterator[Finding]:
    """Ask them all, one after the other."""
    yield from _graph(runtime)
    yield from _credential(runtime)
    yield from _google(runtime)
    yield from _relay(runtime)


def _graph(runtime: Runtime) -> Iterator[Finding]:
    url = runtime.settings.graph_url
    yield _answers("graph", url, f"{url}/v1.0/me", "GRAPH_URL")


def _answers(name: str, shown: str, url: str, setting: str) -> Finding:
    try:
        requests.get(url, timeout=PATIENCE)  # it wants a token, which is an answer
    except OSError as error:
        fix = f"Let this network reach it (HTTPS_PROXY, firewall), or correct {setting}."
        return Finding(name, State.FAULT, f"{shown} cannot be reached: {plain(error)}.", fix)
    return Finding(name, State.OK, f"{shown} answers.")


def _credential(runtime: Runtime) -> Iterator[Finding]:
    """Redeem a refresh token that is none: Entra checks the application's credential first."""
    fix = "Correct MICROSOFT_CLIENT_ID and the credential that MICROSOFT_CREDENTIAL names; a secret may have expired."
    try:
        runtime.entra.refresh("not-a-token", "organizations", scopes=PROVIDERS["graph"].scopes)
    except OperatorMisconfigured as error:
        yield Finding("microsoft", State.FAULT, str(error), fix)
        return
    except (ProviderUnavailable, Throttled) as error:
        yield Finding(
            "microsoft",
            State.FAULT,
            f"{runtime.settings.entra_url}: {error}",
            "Try again, or correct ENTRA_URL.",
        )
        return
    except ProviderError:
        pass  # it refuses the token, and so has taken the credential
    yield Finding("microsoft", State.OK, "Entra accepts the application's credential.")


def _google(runtime: Runtime) -> Iterator[Finding]:
    """As ``_graph`` and ``_credential``, at Google. Nothing to say where no mailbox is there, and none can be connected."""
    settings = runtime.settings
    if not settings.google_client_id:
        return
    url = settings.google_url or GMAIL
    yield _answers("gmail", url, f"{url}/gmail/v1/users/me/profile", "GOOGLE_URL")
    fix = "Correct GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET; the Google Cloud console lists the client under Credentials."
    try:
        runtime.google.refresh("not-a-token", "", scopes=PROVIDERS["gmail"].scopes)
    except OperatorMisconfigured as error:
        yield Finding("google", State.FAULT, str(error), fix)
        return
    except (ProviderUnavailable, Throttled) as error:
        fix = "Try again, or let this network reach oauth2.googleapis.com and gmail.googleapis.com."
        yield Finding("google", State.FAULT, str(error), fix)
        return
    except ProviderError:
        pass  # it refuses the token, and so has taken the client
    yield Finding("google", State.OK, "Google accepts the client and its secret.")


def _relay(runtime: Runtime) -> Iterator[Finding]:
    settings = runtime.settings
    if not settings.default_mail_url:
        said = "DEFAULT_MAIL_URL is not set: notices are in the app only, and default addresses cannot send."
        yield Finding("relay", State.WARNING, said, "Set it, or leave it if that is meant.")
        return
    try:
        with operators_fault():
            open_relay(settings.default_mail_url, ehlo_name=settings.smtp_ehlo_name).close()
    except (OperatorMisconfigured, ProviderError) as error:
        yield Finding("relay", State.FAULT, str(error), "Correct DEFAULT_MAIL_URL.")
        return
    yield Finding("relay", State.OK, "The mail service takes our sign-in.")


def plain(error: OSError) -> str:
    """Return an error's text in one line."""
    return " ".join(str(error).split())[:200]
