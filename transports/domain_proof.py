"""Proof of a domain: its owner publishes a TXT record that we gave to one organization only."""

import time

import dns.exception
import dns.resolver

from domain.errors import ProviderUnavailable
from transports.dmarc import texts

LABEL = "_onbehalf"
_WITHIN = 4.0  # seconds, in total
_MAX_NAMES = 4


def proven_by(domain: str, record: str, *, resolver: dns.resolver.Resolver) -> str | None:
    """Return the domain, or the one above it, that has the record. Raises ``ProviderUnavailable`` if the DNS does not answer."""
    until = time.monotonic() + _WITHIN
    labels = domain.split(".")
    # Never a top-level domain, which would prove everybody's.
    for start in range(min(len(labels) - 1, _MAX_NAMES)):
        name = ".".join(labels[start:])
        try:
            found = texts(resolver, f"{LABEL}.{name}", until)
        except (dns.exception.DNSException, OSError) as error:
            raise ProviderUnavailable(
                f"The DNS does not answer for {name}.", code=type(error).__name__
            ) from error
        if record in [each.strip() for each in found]:
            return name
    return None
