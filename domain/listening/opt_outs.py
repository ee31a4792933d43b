"""Does a person ask to get no more email? Only in what they newly wrote, and never in what they quote."""

import re

from domain.listening.opt_out_words import ALONE, OTHER, PHRASES, WEAK

MAX_WRITTEN = 6_000  # characters that are read
_SENTENCES = re.compile(r"(?<=[.!?。！？])\s+|(?<=[。！？])|\n\s*\n")
_IN_QUOTES = re.compile(
    r"“[^”\n]{3,300}”|„[^“”\n]{3,300}[“”]|«[^»\n]{3,300}»|\"[^\"\n]{3,300}\"|「[^」\n]{3,300}」|»[^«\n]{3,300}«"
)
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|day|afternoon)|hallo|guten (?:tag|morgen)|sehr geehrte\w*|liebe[r]?|bonjour|hola|buen(?:os|as) (?:días|tardes)|estimad\w+|ciao|buongiorno|gentile|olá|oi|bom dia|prezad\w+|beste|geachte|dzień dobry|hej|hei|moi|здравствуйте|добрый день|merhaba|您好|你好|お世話)\b.{0,60}",
    re.IGNORECASE,
)
# A link or an offer in somebody's own footer: about their emails, not about ours.
_FOOTER = re.compile(
    r"(?:to|click[^.]{0,20}to|um|pour|para|per) (?:unsubscribe|opt[- ]out|(?:vous )?désabonner|abzumelden)[^.\n]{0,40}(?:click|here|follow|visit|http|klick|cliqu|clic|reply)|unsubscribe (?:here|link|at any time|from our)|https?://\S*(?:unsubscribe|optout|opt-out|abmelden)",
    re.IGNORECASE,
)


def opt_out_words(written: str) -> str | None:
    """The words in ``written``, what a person newly wrote, that ask for no more email; None if none does."""
    text = written[:MAX_WRITTEN].strip()
    if alone := _alone(text):
        return alone
    unquoted = _IN_QUOTES.sub(" … ", text)
    for sentence in _SENTENCES.split(re.sub(r"(?<!\n)\n(?!\n)", " ", unquoted)):
        folded = " ".join(sentence.split())[:600].replace("’", "'")
        if _FOOTER.search(folded):
            continue
        if len(folded) <= 60 and ALONE.fullmatch(folded) and not WEAK.fullmatch(folded):
            return folded
        for phrase in PHRASES:
            asked = phrase.asks.search(folded)
            if asked and not (phrase.unless and phrase.unless.search(folded)):
                return asked[0].strip()[:120]
        if asked := OTHER.search(folded):
            return asked[0]
    return None


def _alone(text: str) -> str:
    """One of the first lines asks for it and says nothing else."""
    lines = [each.strip() for each in text.splitlines() if each.strip()]
    lines = [each for each in lines[:4] if not _GREETING.fullmatch(each)]
    for each in lines[:2]:
        bare = each.strip("\"'“”„«»*_[](){} ")
        if len(bare) <= 80 and ALONE.fullmatch(bare):
            return bare
    return ""
