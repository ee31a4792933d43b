"""Whether the domain of From vouches for an email, whatever its envelope says."""

import base64
import time

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.transports.name_server import name_server
from transports.sender_proof import SenderProof, prove

# The smallest that counts; its record fits one string.
_KEY = rsa.generate_private_key(65537, 1024)
PEM = _KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
_PUBLIC = base64.b64encode(
    _KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
).decode()
RECORD = [f"v=DKIM1; p={_PUBLIC}"]
RECORDS = {
    "good.example": ["v=spf1 ip4:192.0.2.7 -all"],
    "_dmarc.good.example": ["v=DMARC1; p=reject"],
    "s._domainkey.good.example": RECORD,
    "mail.good.example": ["v=spf1 ip4:192.0.2.8 ~all"],
    "s._domainkey.mail.good.example": RECORD,
    "small.example": ["v=spf1 ip4:192.0.2.7 -all"],
    "evil.example": ["v=spf1 +all"],
    "s._domainkey.evil.example": RECORD,
    "_dmarc.evil.example": ["v=DMARC1; p=none"],
    "_dmarc.registry.example": ["v=DMARC1; p=none; psd=y"],
    "one.registry.example": ["v=spf1 ip4:192.0.2.7 -all"],
    "s._domainkey.two.registry.example": RECORD,
    "broken.example": [],
    "_dmarc.broken.example": [],
    "loop.example": ["v=spf1 include:loop.example -all"],
}


def letter(author: str = "ann@good.example", body: bytes = b"Yes.\r\n", head: bytes = b"") -> bytes:
    return b"From: Ann <" + author.encode() + b">\r\nSubject: Re: Hi\r\n" + head + b"\r\n" + body


def signed(raw: bytes, domain: bytes = b"good.example", **options: object) -> bytes:
    signature: bytes = dkim.sign(raw, b"s", domain, PEM, **options)
    return signature + raw


def judged(
    raw: bytes, *, peer: str = "203.0.113.9", sender: str = "", helo: str = "mx.x.example"
) -> SenderProof:
    with name_server(RECORDS) as resolver:
        return prove(raw, peer=peer, helo=helo, sender=sender, resolver=resolver)


def test_spf_of_the_same_domain_proves_it() -> None:
    found = judged(letter(), peer="192.0.2.7", sender="ann@good.example")
    assert (found.spf, found.dmarc, found.policy, found.proven) == ("pass", "pass", "reject", True)
    assert found.proven_for("ann@GOOD.example")
    assert not found.proven_for("ann@other.example")


def test_a_signature_of_the_same_domain_proves_it_from_anywhere() -> None:
    found = judged(signed(letter()))
    assert [(each.domain, each.result) for each in found.dkim] == [("good.example", "pass")]
    assert found.proven


@pytest.mark.parametrize("domain", [b"mail.good.example", b"good.example"])
def test_a_domain_of_the_same_organization_proves_it(domain: bytes) -> None:
    assert judged(signed(letter(), domain)).proven
    assert judged(signed(letter("ann@mail.good.example"), domain)).proven


def test_another_domains_proof_proves_nothing() -> None:
    found = judged(signed(letter(), b"evil.example"), sender="a@evil.example")
    assert (found.spf, found.dkim[0].result, found.dmarc, found.proven) == ("pass", "pass", "fail", False)


def test_domains_below_one_registry_do_not_vouch_for_each_other() -> None:
    raw = letter("ann@one.registry.example")
    assert not judged(signed(raw, b"two.registry.example")).proven
    assert judged(raw, peer="192.0.2.7", sender="ann@one.registry.example").proven


def test_without_a_policy_the_domain_itself_or_one_above_it_counts() -> None:
    found = judged(letter("ann@small.example"), peer="192.0.2.7", sender="x@small.example")
    assert (found.dmarc, found.proven) == ("none", True)
    assert judged(letter("ann@jobs.small.example"), peer="192.0.2.7", sender="x@small.example").proven
    assert not judged(letter("ann@other.example"), peer="192.0.2.7", sender="x@small.example").proven


def test_a_changed_body_or_subject_breaks_the_signature() -> None:
    raw = signed(letter())
    for changed in (raw.replace(b"Yes.", b"No.."), raw.replace(b"Re: Hi", b"Re: Ho")):
        assert judged(changed).dkim[0].result == "fail"


def test_a_signature_of_part_of_the_body_counts_for_nothing() -> None:
    assert judged(signed(letter(), length=True) + b"and more").dkim[0].result == "fail"


@pytest.mark.parametrize(
    "raw",
    [
        letter(head=b"From: boss@evil.example\r\n"),
        letter().replace(b"ann@good.example", b"ann@good.example>, <b@evil.example"),
        b"Subject: nobody\r\n\r\nx",
        b"From: \r\n\r\nx",
        b"",
        b"\x00\xff" * 100,
        b"From: a@" + b"x." * 5000 + b"example\r\n\r\nx",
    ],
)
def test_who_has_no_one_author_proves_nothing(raw: bytes) -> None:
    found = judged(raw, peer="192.0.2.7", sender="ann@good.example")
    assert (found.author if len(raw) < 1000 else "", found.proven) == ("", False)


def test_a_report_is_judged_by_its_greeting() -> None:
    found = judged(letter("postmaster@small.example"), peer="192.0.2.7", helo="small.example")
    assert (found.spf, found.spf_domain, found.proven) == ("pass", "small.example", True)


def test_a_dns_that_fails_is_said_and_proves_nothing() -> None:
    found = judged(letter("ann@broken.example"), sender="ann@broken.example")
    assert (found.spf, found.dmarc, found.proven) == ("temperror", "temperror", False)


def test_a_record_that_goes_round_ends() -> None:
    assert judged(letter("a@loop.example"), sender="a@loop.example").spf == "permerror"


@pytest.mark.parametrize(
    "raw",
    [
        signed(letter()).replace(b"Yes.", b" " * 3_000_000),
        letter(head=b"DKIM-Signature: v=1; a=rsa-sha256; d=good.example; s=s; h=from; bh=; b=" + b" " * 200_000 + b"\r\n"),
        letter(head=b"X: " + b"y" * 400_000 + b"\r\n"),
        letter(body=b"\r\n" * 3_000_000),
        letter(head=b"DKIM-Signature: v=1; a=rsa-sha1; d=good.example; s=s; h=from; bh=x; b=x\r\n" * 100),
    ],
)  # fmt: skip
def test_what_would_take_for_ever_is_not_judged(raw: bytes) -> None:
    began = time.monotonic()
    found = judged(raw)
    assert time.monotonic() - began < 10
    assert not found.proven
    assert len(found.dkim) <= 5


@pytest.mark.parametrize("peer", ["::1", "fe80::1%eth0", "2001:db8::1"])
def test_peers_of_ipv6_are_judged(peer: str) -> None:
    assert judged(letter(), peer=peer, sender="ann@good.example").spf == "fail"
