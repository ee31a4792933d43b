"""The policy of a domain's owner for email that claims to come from it (DMARC, RFC 7489), read from the DNS.

The domain's own record counts, or else that of the nearest domain above it that has one, with its policy for subdomains. We
need no public suffix list to find the organization's own domain: walking up finds it, as in DMARC's successor, and a
top-level domain has no record.
"""

import time
from enum import StrEnum

import dns.exception
import dns.resolver

_WITHIN = 4.0  # seconds, in total
_MAX_LABELS = 8


class Policy(StrEnum):
    """What receivers are asked to do. ``UNKNOWN``: the DNS did not answer."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"
    UNKNOWN = "unknown"


def policy_of(domain: str, *, resolver: dns.resolver.Resolver | None = None) -> Policy:
    """Return the policy for email from ``domain``. ``resolver``: instead of the system's."""
    asked = resolver or dns.resolver.Resolver()
    until = time.monotonic() + _WITHIN
    labels = domain.rstrip(".").lower().split(".")[-_MAX_LABELS:]
    for start in range(len(labels) - 1):
        name = ".".join(labels[start:])
        try:
            tags = _record(asked, name, until)
        except (dns.exception.DNSException, OSError):
            return Policy.UNKNOWN
        if tags is not None:
            wanted = tags.get("p", "none") if start == 0 else tags.get("sp", tags.get("p", "none"))
            return Policy(wanted) if wanted in ("quarantine", "reject") else Policy.NONE
    return Policy.NONE


def organization_domain(domain: str, *, resolver: dns.resolver.Resolver | None = None) -> str | None:
    """Return the topmost domain, of this one and those above it, that has a policy: the organization's. None: none has, or no answer.

    Two domains are one organization's if theirs is the same (DMARC's relaxed alignment). A registry that publishes a policy for
    those below it marks it with ``psd=y``; it is nobody's organization.
    """
    asked = resolver or dns.resolver.Resolver()
    until = time.monotonic() + _WITHIN
    labels = domain.rstrip(".").lower().split(".")[-_MAX_LABELS:]
    found = None
    for start in range(len(labels) - 1):
        name = ".".join(labels[start:])
        try:
            tags = _record(asked, name, until)
        except (dns.exception.DNSException, OSError):
            return None
        if tags is not None:
            if tags.get("psd") == "y":
                return found or (".".join(labels[start - 1 :]) if start else name)
            found = name
    return found


def _record(resolver: dns.resolver.Resolver, name: str, until: float) -> dict[str, str] | None:
    """Return the tags of the one DMARC record at a name; None if there is none, or more than one."""
    found = [
        text
        for text in texts(resolver, f"_dmarc.{name}", until)
        if text.replace(" ", "").lower().startswith("v=dmarc1")
    ]
    if len(found) != 1:
        return None
    pairs = (part.partition("=") for part in found[0].split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs}


def texts(resolver: dns.resolver.Resolver, name: str, until: float) -> list[str]:
    """Return a name's TXT records; empty if the name does not exist. ``until``: the deadline, in monotonic time.

    Raises dnspython's errors and ``OSError`` if the DNS does not answer.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError(f"no time is left to ask for {name}")
    try:
        answer = resolver.resolve(name, "TXT", lifetime=left, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return [b"".join(record.strings).decode("ascii", "replace") for record in answer]
