"""A domain's owner shows it to be theirs by a TXT record that only an organization here was given."""

import time

import dns.exception
import dns.resolver

from domain.errors import ProviderUnavailable
from transports.dmarc import texts

LABEL = "_onbehalf"
_WITHIN = 4.0  # seconds, for all of it
_MAX_NAMES = 4


def proven_by(domain: str, record: str, *, resolver: dns.resolver.Resolver) -> str | None:
    """The domain, or the one above it, at which the record stands. Raises ``ProviderUnavailable`` when the DNS says nothing."""
    until = time.monotonic() + _WITHIN
    labels = domain.split(".")
    # Never of a top-level domain, where everybody would be meant.
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
