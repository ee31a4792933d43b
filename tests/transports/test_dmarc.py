"""What a domain asks receivers to do, as its DNS says."""

import pytest

from tests.transports.name_server import name_server
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
