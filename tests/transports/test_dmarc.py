"""What a domain's DNS asks receivers to do."""

import time

import dns.resolver
import pytest

from tests.transports.name_server import name_server
from transports import dmarc
from transports.dmarc import Policy, policy_of


@pytest.mark.parametrize(
    ("records", "policy"),
    [
        ({}, Policy.NONE),
        ({"_dmarc.acme.example": ["v=DMARC1; p=none"]}, Policy.NONE),
        ({"_dmarc.acme.example": ["v=DMARC1; p=reject; rua=mailto:x@acme.example"]}, Policy.REJECT),
        ({"_dmarc.acme.example": ["V=dmarc1;P=Reject"]}, Policy.REJECT),
        ({"_dmarc.acme.example": ["v=DMARC1; p=quarantine"]}, Policy.QUARANTINE),
        ({"_dmarc.acme.example": ["something else", "v=DMARC1; p=reject"]}, Policy.REJECT),
        ({"_dmarc.acme.example": ["v=DMARC1; p=reject", "v=DMARC1; p=none"]}, Policy.NONE),
        ({"_dmarc.acme.example": ["v=DMARC1; p=nonsense"]}, Policy.NONE),
        ({"_dmarc.acme.example": []}, Policy.UNKNOWN),
    ],
)
def test_a_domains_own_record_counts(records: dict[str, list[str]], policy: Policy) -> None:
    with name_server(records) as resolver:
        assert policy_of("acme.example", resolver=resolver) is policy


@pytest.mark.parametrize(
    ("records", "policy"),
    [
        ({"_dmarc.acme.example": ["v=DMARC1; p=reject"]}, Policy.REJECT),
        ({"_dmarc.acme.example": ["v=DMARC1; p=reject; sp=none"]}, Policy.NONE),
        ({"_dmarc.acme.example": ["v=DMARC1; p=none; sp=reject"]}, Policy.REJECT),
        (
            {"_dmarc.acme.example": ["v=DMARC1; p=reject"], "_dmarc.jobs.acme.example": ["v=DMARC1; p=none"]},
            Policy.NONE,
        ),
    ],
)
def test_a_subdomain_without_one_has_that_of_the_domain_above(
    records: dict[str, list[str]], policy: Policy
) -> None:
    with name_server(records) as resolver:
        assert policy_of("jobs.acme.example", resolver=resolver) is policy


def test_all_labels_together_take_no_longer_than_one_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time limit for a slow name server covers all labels together."""
    monkeypatch.setattr(dmarc, "_WITHIN", 0.5)
    asked: list[str] = []

    def slowly(_resolver: object, name: str, *_: object, lifetime: float, **__: object) -> None:
        asked.append(name)
        time.sleep(min(lifetime, 0.2))
        raise dns.resolver.NXDOMAIN

    monkeypatch.setattr(dns.resolver.Resolver, "resolve", slowly)
    assert dmarc.policy_of("a.b.c.d.e.f.g.example") is dmarc.Policy.UNKNOWN
    assert len(asked) <= 3
