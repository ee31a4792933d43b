"""Does a person ask to get no more email? Only in what they newly wrote, and never in what they quote."""

import re

from domain.listening.opt_out_words import ALONE, CONDITION, ELSE, OTHER, PHRASES, WEAK

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

# What a program adds below an email that it sends for somebody.
_PROGRAM = re.compile(
    r"(?:sent|powered|delivered|tracked|verschickt|versendet|gesendet|envoyé|enviado|inviato|verzonden|wysłano) (?:with|by|via|through|mit|über|avec|par|con|por|da|met|przez)\b.{0,60}",
    re.IGNORECASE,
)
_GLAD = re.compile(
    r"(?<!not )\b(?:yes|sure|great|happy|love|glad|sounds|interested|call me|let's|ja|gern|gerne|oui|volontiers|sí|claro|sì|volentieri|sim|graag|tak|chętnie)\b|\?",
    re.IGNORECASE,
)
_HALT = re.compile(
    r"\W*(?:(?:please|just|now) )?(?:stop+|stop it|stopp|basta|arrêtez|pare|стоп)\W*", re.IGNORECASE
)


def opt_out_words(written: str) -> str | None:
    """The words in ``written``, what a person newly wrote, that ask for no more email; None if none does."""
    text = written[:MAX_WRITTEN].strip()
    if alone := _alone(text):
        return alone
    unquoted = _IN_QUOTES.sub(" … ", text)
    top = [" ".join(each.split()).replace("’", "'") for each in _first_lines(unquoted)]
    for sentence in _SENTENCES.split(re.sub(r"(?<!\n)\n(?!\n)", " ", unquoted)):
        folded = " ".join(sentence.split())[:600].replace("’", "'")
        if _FOOTER.search(folded) or CONDITION.search(folded):
            continue
        if folded in " ".join(top) and _asks_alone(folded, top):
            return folded
        for phrase in PHRASES:
            asked = phrase.asks.search(folded)
            if not asked or (phrase.unless and phrase.unless.search(folded)):
                continue
            if not ELSE.search(folded, asked.start()):
                return asked[0].strip()[:120]
        if asked := OTHER.search(folded):
            return asked[0]
    return None


def _asks_alone(sentence: str, top: list[str]) -> bool:
    """Does a whole sentence of the first lines ask for it? "Stop." does behind other words, not before them."""
    if len(sentence) > 60 or not ALONE.fullmatch(sentence):
        return False
    last = any(each != sentence and each.endswith(sentence) for each in top)
    return not WEAK.fullmatch(sentence) or (last and bool(_HALT.fullmatch(sentence)))


def _first_lines(text: str) -> list[str]:
    """The first two lines below a greeting, without a program's own, and without the second where the first is glad."""
    lines = [each.strip() for each in text.splitlines() if each.strip()]
    lines = [each for each in lines[:4] if not _GREETING.fullmatch(each)][:2]
    lines = [each for each in lines if not _PROGRAM.match(each)]
    return lines[:1] if lines and _GLAD.search(lines[0]) else lines


def _alone(text: str) -> str:
    """One of the first lines asks for it and says nothing else."""
    for each in _first_lines(text):
        bare = each.strip("\"'“”„«»*_[](){} ")
        if len(bare) <= 80 and ALONE.fullmatch(bare):
            return bare
    return ""
