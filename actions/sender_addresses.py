"""Sender addresses: added once their domain is proven, proven by a code, removed.

A domain is the organization's if Microsoft lists it in the tenant that the organization trusts, if a TXT record in the DNS says
so, or if an operator does. ``actions/smtp.py`` (for a mail server) or a sign-in puts an address into use.
"""

import base64
from uuid import UUID

import structlog

from actions import errands
from app.rates import CODES, TESTS
from app.runtime import Runtime
from db.core.crypto import KeyRing
from db.mailboxes import domains, sender_addresses, senders
from db.mailboxes.mailboxes import Mailbox
from domain.address import Address, parse_address
from domain.errands import ErrandKind
from domain.errors import DeliveryInDoubt, InvalidInput, NotPermitted, ProviderUnavailable, WorkersSilent
from domain.verification import Outcome, Verdict
from transports import domain_proof
from transports.notice_mail import send_notice

log = structlog.get_logger()

_RECORD = "onbehalf-organization="


def records(ring: KeyRing, organization_id: UUID) -> list[str]:
    """Return the TXT record that proves a domain, one per key. We give out the first."""
    return [
        _RECORD + base64.b32encode(code[:20]).decode().lower()
        for code in ring.codes("domains", organization_id.bytes)
    ]


def put_address(
    runtime: Runtime, organization_id: UUID, entity_id: UUID | None, address: str, *, actor: str
) -> UUID:
    """Add a sender address for the organization (no entity) or a legal entity, without connecting it.

    The answer does not reveal whether another organization knows the address. Raises ``InvalidInput``, ``NotFound``,
    ``NotPermitted``, ``TooMany``.
    """
    wanted = parse_address(address, where="address").email
    _show_domain(runtime, organization_id, wanted.rpartition("@")[2], actor=actor)
    with runtime.database.transaction() as tx:
        return sender_addresses.put_address(tx, organization_id, entity_id, wanted, actor=actor)


def remove_address(runtime: Runtime, organization_id: UUID, mailbox_id: UUID, *, actor: str) -> None:
    """Remove an address that was never in use. Raises ``NotFound``, ``NotPermitted``."""
    with runtime.database.transaction() as tx:
        sender_addresses.forget_address(tx, organization_id, mailbox_id, actor=actor)


def set_sender_name(runtime: Runtime, organization_id: UUID, kind: str, *, actor: str) -> None:
    """Set whose name recipients see beside a sender address: company or employee. Audited. Raises ``InvalidInput``."""
    if kind not in ("company", "employee"):
        raise InvalidInput("Nothing is chosen", where="sender name", fix="Choose whose name recipients see.")
    with runtime.database.transaction() as tx:
        senders.set_sender_name(tx, organization_id, kind, actor=actor)


def verify_domain(runtime: Runtime, organization_id: UUID, domain: str, *, actor: str) -> str:
    """Record an operator's word that a domain is the organization's; returns it normalized. Raises ``InvalidInput``."""
    name = parse_address(f"postmaster@{domain.strip().removeprefix('@')}", where="domain").email.partition(
        "@"
    )[2]
    if "." not in name:
        raise InvalidInput("it is a top-level domain", where="domain", fix="Write it like acme.example.")
    with runtime.database.transaction() as tx:
        domains.verify(tx, organization_id, name, "operator", actor=actor)
    return name


def _show_domain(runtime: Runtime, organization_id: UUID, domain: str, *, actor: str) -> None:
    with runtime.database.transaction() as tx:
        if domains.is_verified(tx, organization_id, domain):
            return
        asks = domains.asked_at_microsoft(tx, organization_id)
    with runtime.limiter.slowly(organization_id):
        runtime.limiter.count(TESTS, "domain", f"{organization_id} {actor}")
        found = None if asks is None else _at_microsoft(runtime, organization_id, asks[0], domain, actor)
        known_by = "microsoft"
        if found is None:
            found, known_by = _in_dns(runtime, organization_id, domain), "dns"
    record = records(runtime.web_keys, organization_id)[0]
    if found is None:
        raise NotPermitted(
            f"{domain} is not known to belong to your organization. Add the TXT record {record} at {domain_proof.LABEL}.{domain}"
            " and save the address again. Or have somebody connect a mailbox of that domain with Microsoft first, or ask the"
            " operators of Onbehalf (onbehalf organization verify-domain)."
        )
    with runtime.database.transaction() as tx:
        domains.verify(tx, organization_id, found, known_by, actor=actor)


def _at_microsoft(
    runtime: Runtime, organization_id: UUID, mailbox_id: UUID, domain: str, actor: str
) -> str | None:
    kind = ErrandKind.READ_DOMAINS
    asked = errands.ask(runtime, organization_id, kind, mailbox_id, actor=actor, detail=domain)
    try:
        answer = asked.wait()
    except WorkersSilent:  # there are other ways to prove it
        return None
    return domain if answer is not None and answer["found"] else None


def _in_dns(runtime: Runtime, organization_id: UUID, domain: str) -> str | None:
    for record in records(runtime.web_keys, organization_id):
        try:
            found = domain_proof.proven_by(domain, record, resolver=runtime.resolver)
        except ProviderUnavailable as error:
            log.info("domain_not_looked_up", code=error.code)
            return None
        if found is not None:
            return found
    return None


def prove(runtime: Runtime, mailbox: Mailbox, code: str, *, actor: str) -> Verdict | None:
    """Check the code that was emailed to a sender address; without one, email it. Returns None if the address is proven.

    The email goes through Onbehalf's own mail service, because the server we are about to try could claim any address. Raises
    ``NotPermitted``, ``TooMany``, and the mail service's refusals.
    """
    with runtime.database.transaction() as tx:
        sender_addresses.check_domain(tx, mailbox.organization_id, mailbox.address)
        sender_addresses.check_not_a_persons(tx, mailbox.address)
        if sender_addresses.is_proven(tx, mailbox.id):
            return None
    given = "".join(code.split())
    if given:
        runtime.limiter.count(TESTS, "code", str(mailbox.id))
        with runtime.database.transaction() as tx:
            right = sender_addresses.take_code(tx, runtime.web_keys, mailbox.id, given)
        if right:
            return None
        return Verdict(
            Outcome.NOT_VERIFIED,
            "This code is wrong, older than an hour, or was tried too often.",
            "Leave the code empty and activate again to get a new one.",
        )
    if not runtime.settings.default_mail_url:
        raise NotPermitted(
            f"Onbehalf has no mail service here and cannot email a code to {mailbox.address}. Connect the address with"
            f" Microsoft{' or Google' if runtime.settings.google_client_id else ''}, or ask the operators to vouch for it: onbehalf mailbox vouch {mailbox.address}"
        )
    runtime.limiter.count(CODES, "code to", mailbox.address)
    with runtime.database.transaction() as tx:
        made = sender_addresses.make_code(tx, runtime.web_keys, mailbox.organization_id, mailbox.id)
    _email(runtime, mailbox.address, made, actor)
    return Verdict(
        Outcome.NEEDS_CODE,
        f"We have emailed a code to {mailbox.address}, to check that your organization reads that mailbox.",
        "Enter the code within an hour and activate again.",
    )


def _email(runtime: Runtime, address: str, code: str, actor: str) -> None:
    text = (
        f"{actor} wants to send your organization's emails from {address} with Onbehalf.\n\n"
        f"If that is right, give them this code: {code}\n\n"
        "It is good for an hour. If you do not know of this, do nothing: without the code nothing is sent from this address.\n"
    )
    sender = f"notices@{runtime.settings.default_mail_domain}"
    try:
        send_notice(
            runtime.settings.default_mail_url, sender, Address(address), "Your code for Onbehalf", text
        )
    except DeliveryInDoubt:
        log.warning("code_in_doubt")  # it may arrive; if not, the next one will
