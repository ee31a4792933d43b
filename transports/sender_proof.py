"""Does an incoming email come from where its From says? SPF (RFC 7208) by pyspf, DKIM (RFC 6376) by dkimpy, DMARC (RFC 7489) here.

A verdict refuses nothing: mail is forwarded, and small domains have no records. It decides what an email may do by itself.
"""

import re
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from email.utils import getaddresses
from typing import Any

import dkim
import dns.exception
import dns.resolver
import idna
import spf
import structlog

from transports.dmarc import Policy, organization_domain, policy_of

log = structlog.get_logger()

_WITHIN = 20.0  # seconds, for all questions of one email
_MAX_SIGNATURES = 5
_MIN_KEY = 1024  # bits
# dkimpy takes time or memory beyond measure for more than that: its patterns are quadratic in spaces, its RSA has no limit.
_MAX_KEY_RECORD = 2000  # bytes
_MAX_HEAD, _MAX_LINES = 256 * 1024, 200_000
_TOO_WIDE = re.compile(rb"[\t ]{1000}")
# What dkimpy raises for a signature or a key that is none, by intent or not.
_UNREADABLE = (
    dkim.DKIMException, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError,
)  # fmt: skip
_SPF = ("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror")


@dataclass(frozen=True, slots=True)
class Signature:
    """``domain``: that signed. ``result``: pass, fail, temperror."""

    domain: str
    result: str


@dataclass(frozen=True, slots=True)
class SenderProof:
    """What is known of an email's sender. Domains are in lower case, "" for none.

    ``author``: the domain of From. ``spf``: a result of RFC 7208 for ``spf_domain``, the envelope's or, for reports, the
    greeting's. ``dmarc``: pass, fail, none (its owner publishes nothing) or temperror. ``proven``: the domain of From vouches
    for this email, by DMARC or, without a policy, by itself or a domain above it.
    """

    author: str
    spf: str
    spf_domain: str
    dkim: tuple[Signature, ...]
    dmarc: str
    policy: str
    proven: bool

    def proven_for(self, sender: str) -> bool:
        """Does the domain of this address vouch for the email? ``sender``: as whoever parsed the email read it."""
        return self.proven and _ascii(sender.rpartition("@")[2]) == self.author

    def as_json(self) -> dict[str, Any]:
        """What is stored and shown."""
        return asdict(self)


def prove(raw: bytes, *, peer: str, helo: str, sender: str, resolver: dns.resolver.Resolver) -> SenderProof:
    """Judge one message as it came. ``peer``: the sending host's address. ``sender``: of the envelope, empty for reports."""
    asking = _Asking(resolver, time.monotonic() + _WITHIN)
    author = _author(raw)
    spf_domain = _ascii((sender or helo).rpartition("@")[2])
    spf_result = _spf(peer, sender, helo, asking)
    signatures = tuple(_signatures(raw, asking))
    vouching = [each.domain for each in signatures if each.result == "pass"]
    if spf_result == "pass":
        vouching.append(spf_domain)
    if not author:
        return SenderProof("", spf_result, spf_domain, signatures, "fail", Policy.NONE, False)
    policy = policy_of(author, resolver=resolver)
    published = organization_domain(author, resolver=resolver)
    if policy is Policy.UNKNOWN:
        dmarc, proven = "temperror", author in vouching
    elif published is None:
        dmarc, proven = "none", any(_covers(each, author) for each in vouching)
    else:
        proven = any(
            each == author or organization_domain(each, resolver=resolver) == published for each in vouching
        )
        dmarc = "pass" if proven else "temperror" if _unsure(spf_result, signatures) else "fail"
    return SenderProof(author, spf_result, spf_domain, signatures, dmarc, policy, proven)


def _covers(domain: str, author: str) -> bool:
    """Is it the author's domain or one above it, other than a top-level domain?"""
    return domain == author or ("." in domain and author.endswith(f".{domain}"))


def _unsure(spf_result: str, signatures: Iterable[Signature]) -> bool:
    return spf_result == "temperror" or any(each.result == "temperror" for each in signatures)


@dataclass(frozen=True, slots=True)
class _Asking:
    """The DNS, and until when it is asked, in monotonic time."""

    resolver: dns.resolver.Resolver
    until: float

    def ask(self, name: str, kind: str) -> list[Any]:
        """The records; none if there are none. Raises dnspython's errors."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise dns.exception.Timeout
        try:
            return list(self.resolver.resolve(name, kind, lifetime=min(left, 5.0), search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.exception.SyntaxError, ValueError):
            return []

    def text(self, name: bytes | str, timeout: float = 0) -> bytes | None:
        """A key's TXT record, as dkimpy wants it."""
        found = self.ask(name.decode("ascii", "replace") if isinstance(name, bytes) else name, "TXT")
        record = b"".join(found[0].strings) if found else b""
        return record if 0 < len(record) <= _MAX_KEY_RECORD else None


_ASKING: ContextVar[_Asking] = ContextVar("asking")


def _asked(name: str, kind: str, _strict: object = True, _timeout: float = 0) -> list[Any]:
    """pyspf's way to the DNS, which it takes from its module."""
    try:
        found = _ASKING.get().ask(name, kind)
    except (dns.exception.DNSException, OSError) as error:
        raise spf.TempError(f"DNS {type(error).__name__}") from error
    values: dict[str, Any] = {
        "A": lambda each: each.address,
        "AAAA": lambda each: each.address,
        "MX": lambda each: (each.preference, each.exchange.to_text(omit_final_dot=True)),
        "PTR": lambda each: each.target.to_text(omit_final_dot=True),
        "TXT": lambda each: each.strings,
        "SPF": lambda each: each.strings,
    }
    return [((name, kind), values[kind](each)) for each in found]


spf.DNSLookup = _asked


def _spf(peer: str, sender: str, helo: str, asking: _Asking) -> str:
    token = _ASKING.set(asking)
    try:
        found = str(
            spf.check2(i=peer.partition("%")[0], s=sender, h=helo, timeout=_WITHIN, querytime=_WITHIN)[0]
        )
    except Exception as error:  # noqa: BLE001 - pyspf raises that itself
        # What a stranger publishes must not keep us from reading what they wrote.
        log.warning("spf_not_judged", error=type(error).__name__)
        return "permerror"
    finally:
        _ASKING.reset(token)
    return found if found in _SPF else "permerror"


def _signatures(raw: bytes, asking: _Asking) -> Iterable[Signature]:
    head = raw.partition(b"\r\n\r\n")[0]
    if len(head) > _MAX_HEAD or raw.count(b"\n") > _MAX_LINES or _TOO_WIDE.search(raw):
        log.info("dkim_not_judged", reason="beyond_limits")
        return
    try:
        message = dkim.DKIM(raw, minkey=_MIN_KEY)
        names = [name.lower() for name, _ in message.headers]
    except _UNREADABLE as error:
        log.warning("dkim_not_judged", error=type(error).__name__)
        return
    for number in range(min(names.count(b"dkim-signature"), _MAX_SIGNATURES)):
        try:
            good = message.verify(number, dnsfunc=asking.text)
            result = "pass" if good and _signs_from(message) else "fail"
        except (dns.exception.DNSException, OSError):
            result = "temperror"
        except _UNREADABLE as error:
            log.info("dkim_not_judged", error=type(error).__name__)
            result = "fail"
        yield Signature(_ascii((message.domain or b"").decode("utf-8", "replace")), result)


def _signs_from(message: Any) -> bool:
    """Does the signature cover From, and all of the body? A length (l=) lets others add to it."""
    fields = message.signature_fields or {}
    signed = [each.strip().lower() for each in fields.get(b"h", b"").split(b":")]
    return b"from" in signed and b"l" not in fields


_FROM = re.compile(rb"^from[ \t]*:((?:.*\n[ \t])*.*)$", re.IGNORECASE | re.MULTILINE)


def _author(raw: bytes) -> str:
    """The domain of the one address of the one From header; "" if it is not one."""
    head = raw.partition(b"\r\n\r\n")[0][:_MAX_HEAD]
    found = _FROM.findall(head)
    if len(found) != 1 or len(found[0]) > 10_000:
        return ""
    addresses = [each for _, each in getaddresses([found[0].decode("utf-8", "replace")]) if each]
    return _ascii(addresses[0].rpartition("@")[2]) if len(addresses) == 1 and "@" in addresses[0] else ""


def _ascii(domain: str) -> str:
    domain = domain.strip().rstrip(".").lower()[:253]
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return ""
