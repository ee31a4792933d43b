"""Bare loops with the usual clients of Gmail and of mail servers, used right, and nothing else.

``python -m lab.benchmarks.official gmail|smtp URL SMTP_PORT COUNT``: sixteen threads, a mailbox each, signed in beforehand. Prints JSON:
seconds and CPU seconds.
"""

import base64
import json
import smtplib
import ssl
import sys
import threading
import time
from collections.abc import Callable
from email.message import EmailMessage

import google_auth_httplib2  # type: ignore[import-untyped]
import httplib2  # type: ignore[import-untyped]
from google.api_core.client_options import ClientOptions
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build

from lab.emulator.client import EmulatorControl

AT_ONCE = 16
_PASSWORD = "demo-password"
Send = Callable[[EmailMessage], None]


def _letter(sender: str, number: int) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = sender, f"candidate{number}@example.org"
    message["Subject"] = "A role at Acme"
    message.set_content("Hello there, this is step 1.")
    message.add_alternative("<p>Hello there, this is step 1.</p>", subtype="html")
    return message


def gmail(url: str, control: EmulatorControl, address: str) -> Send:
    """google-api-python-client with one kept connection, a draft and its submission, no retries."""
    from transports.google import Google

    google = Google("onbehalf", "demo-secret", url)
    token = google.refresh(control.refresh_token(address), "", scopes=()).access_token.value
    google.close()
    http = google_auth_httplib2.AuthorizedHttp(
        Credentials(token),  # type: ignore[no-untyped-call]
        http=httplib2.Http(timeout=20),
    )
    options = ClientOptions(api_endpoint=f"{url}/")
    drafts = build("gmail", "v1", http=http, static_discovery=True, client_options=options).users().drafts()

    def send(message: EmailMessage) -> None:
        raw = base64.urlsafe_b64encode(message.as_bytes()).decode()
        draft = drafts.create(userId="me", body={"message": {"raw": raw}}, fields="id").execute(num_retries=0)
        drafts.send(userId="me", body={"id": draft["id"]}).execute(num_retries=0)

    return send


def smtp(port: int, control: EmulatorControl, address: str) -> Send:
    """smtplib with one kept connection."""
    connection = smtplib.SMTP("localhost", port, timeout=20)
    connection.starttls(context=ssl.create_default_context(cadata=control.certificate()))
    connection.login(address, _PASSWORD)

    def send(message: EmailMessage) -> None:
        connection.send_message(message)

    return send


def main() -> None:
    """Run one loop."""
    kind, url, port, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    control = EmulatorControl(url)
    addresses = [f"loop{number}.{time.monotonic_ns()}@loop.example" for number in range(AT_ONCE)]
    control.add_mailboxes(*({"address": each, "google": kind == "gmail"} for each in addresses))
    sends = [
        gmail(url, control, each) if kind == "gmail" else smtp(port, control, each) for each in addresses
    ]

    def work(turn: int, emails: int) -> None:
        for number in range(turn, emails, AT_ONCE):
            sends[turn](_letter(addresses[turn], number))

    for emails in (AT_ONCE * 4, count):  # the first ones warm up imports and connections
        began, used = time.monotonic(), time.process_time()
        threads = [threading.Thread(target=work, args=(turn, emails)) for turn in range(AT_ONCE)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    print(
        json.dumps({"seconds": time.monotonic() - began, "cpu": time.process_time() - used, "emails": count})
    )


if __name__ == "__main__":
    main()
