"""A mailbox's signature: what its emails end with, below the text and above the line that leads to the opt-out page."""

from collections.abc import Callable
from dataclasses import dataclass

from domain.address import unprintable
from domain.errors import InvalidInput
from domain.markup import is_html, paragraphs, tidy_html

MAX_SIGNATURE = 10_000  # characters


@dataclass(frozen=True, slots=True)
class Signature:
    """``body``: plain text or HTML, "" for none. ``version``: counts its changes, so that a receipt can name it."""

    body: str = ""
    version: int = 0


NONE = Signature()


def checked_signature(text: str) -> str:
    """Return the signature as it is stored; "" for none. Raises ``InvalidInput``."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    signature = "\n".join(each.rstrip() for each in lines).strip("\n")
    if len(signature) > MAX_SIGNATURE:
        raise InvalidInput(
            f"the signature has {len(signature):,} characters",
            where="signature",
            fix=f"Shorten it to {MAX_SIGNATURE:,}.",
        )
    if bad := unprintable(signature.replace("\n", "").replace("\t", "")):
        raise InvalidInput(f"the signature holds {bad}", where="signature", fix="Remove it.")
    if "{{" in signature:
        raise InvalidInput(
            "a signature has no merge fields",
            where="signature",
            fix="Write it as everybody gets it.",
        )
    return signature


def ends(
    html: str,
    text: str,
    signature: str,
    *,
    plain: bool,
    sanitise: Callable[[str], str],
    to_text: Callable[[str], str],
) -> tuple[str, str]:
    """Put the signature below an email's HTML and text. ``plain``: the email is plain text, and so its signature is."""
    formatted = sanitise(tidy_html(signature) if is_html(signature) else paragraphs(signature))
    said = to_text(formatted) if is_html(signature) else signature
    if not said.strip():
        return html, text
    if plain:
        formatted = sanitise(paragraphs(said))
    return f"{html}\n{formatted}", f"{text.rstrip()}\n\n{said}"
