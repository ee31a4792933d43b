"""What a person newly wrote in an email: without what it quotes, its signature, and the program's own line."""

import re

MAX_TEXT = 100_000  # characters that are read
MAX_LINE = 2_000
MAX_LINES = 2_000

_HEADER_WORDS = (
    # from, sent, date, to, cc, subject; of Outlook, Apple Mail, Thunderbird and Gmail's forwards
    "from|sent|date|to|cc|subject|reply-to|importance"
    "|von|gesendet|datum|an|betreff|kopie|antwort an|gesendet am"
    "|de|envoyé|envoyé le|date d'envoi|à|objet|pour|para|enviado|enviado el|enviada em|enviado em|fecha|asunto|assunto|data|cópia|copia"
    "|da|inviato|a|oggetto|data invio|van|verzonden|verzonden op|aan|onderwerp|datum verzending"
    "|od|wysłano|wysłane|do|temat|dw|data wysłania|odesláno|komu|předmět|kopie"
    "|från|skickat|till|ämne|kopia|fra|sendt|til|emne|kopi|dato|lähettäjä|lähetetty|vastaanottaja|aihe|päiväys|kopio"
    "|от|отправлено|кому|тема|дата|копия|від|надіслано|gönderen|gönderildi|gönderme tarihi|kime|kimden|konu|tarih"
    "|feladó|küldve|címzett|tárgy|dátum|küldte|από|στάλθηκε|προς|θέμα|ημερομηνία|de la|trimis|către|subiect|dată"
    "|差出人|送信者|送信日時|日時|送信|宛先|件名|日付|发件人|发送时间|收件人|主题|日期|抄送|寄件者|寄件日期|寄件者|收件者|主旨"
    "|보낸 사람|보낸 날짜|받는 사람|제목|날짜|보낸사람|받는사람"
)
_HEADER = re.compile(rf"[*>\s]*(?:{_HEADER_WORDS})\*?\s*[:：]\*?(?:\s|$)", re.IGNORECASE)
_WROTE = re.compile(
    r"\bwrote\b|\bschrieb(?:en)?\b|\ba écrit\b|\bescribió\b|\bha scritto\b|\bescreveu\b|\bschreef\b|\bgeschreven\b|\bskrev\b|\bskreiv\b"
    r"|\bkirjoitti\b|\bnapisał\(?a?\)?|\bpisze\b|\bnapsala?\b|\bnapsal\(a\)|\bírta\b|\bnapísal\b|\ba scris\b|\bje napisao\b|έγραψε"
    r"|написала?\b|пишет\b|писав\b|\bşunu yazdı\b|\byazdı\b|\bva escriure\b|のメール|書きました|さんは書|님이 작성|님이 씀|写道|寫道|wrote$",
    re.IGNORECASE,
)
# The first line of such a sentence where it was wrapped.
_BEGINS = re.compile(r"[<,]$|^(?:On|Am|Le|El|Il|Em|Op|Den|Dne|Dnia|W dniu|På|Fra)\b.*\d")
_DATED = re.compile(r"\d|@")
_RULE = re.compile(
    r"[>\s]*(?:[-_=*#]{3,}\s*\S.{1,70}\S\s*[-_=*#]{3,}|[_]{12,}|-{20,}|.{2,80} -{2,3}\d[^-]{5,40}-{2,3}.*)\s*"
)
_ORIGINAL = re.compile(
    r"(?:begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-mail)|début du message (?:réexpédié|transféré)"
    r"|inicio del mensaje reenviado|inizio messaggio inoltrato|início da mensagem reencaminhada|begin doorgestuurd bericht"
    r"|początek przekazywanej wiadomości|转发的邮件|開始轉寄郵件)\s*[:：]",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"(?:--|—|–|-- ?<br>|__)\s*")
_PROGRAM = re.compile(
    r"(?:sent (?:with|via) (?:proton|my|the)|sent from (?:my|mail|outlook|yahoo|proton|samsung|the )|get outlook for|(?:von|mit) mein\w+ .{2,40} gesendet|gesendet (?:von|mit|über|aus)"
    r"|diese nachricht wurde von mein\w+ .{2,40} gesendet|envoyé (?:de|depuis|à partir d)|télécharge[rz] outlook|enviado desde|enviado (?:do|a partir d|através)"
    r"|obtener outlook|obter o outlook|inviato da|ottieni outlook|scarica outlook|verzonden (?:vanaf|vanuit|met)|outlook voor|wysłan[oey] z|pobierz (?:program )?outlook"
    r"|skickat från|sendt fra|hent outlook|hämta outlook|skaff deg outlook|lähetetty |hanki outlook|odesláno z|отправлено (?:с|из)|iphone['’]?umdan gönderildi"
    r"|iphoneから送信|私の.{1,20}から送信|发自我的|從我的|나의 .{1,20}에서 보냄|outlook for (?:ios|android)).{0,80}",
    re.IGNORECASE,
)
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def newly_written(text: str, sent_text: str = "") -> str:
    """``text`` without quotes and signature, in its lines. ``sent_text``: what it may answer; its lines are quotes too."""
    lines = [
        _UNSEEN.sub("", each[:MAX_LINE]).replace("\u00a0", " ")
        for each in text[:MAX_TEXT].splitlines()[:MAX_LINES]
    ]
    ours = {key for each in sent_text[:MAX_TEXT].splitlines() if len(key := _key(each)) > 15}
    kept: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if _quoted(line) or (ours and _key(line) in ours):
            at += 1
            continue
        above = _above_a_quote(lines, at)
        if above:
            following = next((each.strip() for each in lines[at + above :] if each.strip()), "")
            if not _quoted(following):
                break
            at += above
            continue
        if _SIGNATURE.fullmatch(line):
            # The rest is the signature, unless the answer stands below what it quotes.
            following_quote = next(
                (n for n in range(at + 1, len(lines)) if _quoted(lines[n].strip())), len(lines)
            )
            at = following_quote
            continue
        if not _PROGRAM.fullmatch(line):
            kept.append(line)
        at += 1
    while kept and re.fullmatch(r"[-_=*#\s]*", kept[-1]):  # rules above a quote
        kept.pop()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _quoted(line: str) -> bool:
    return line.startswith((">", "| ", "&gt;")) or line == "|"


def _above_a_quote(lines: list[str], at: int) -> int:
    """How many lines from ``at`` on say that a quote follows; 0 for none."""
    line = lines[at].strip()
    if not line:
        return 0
    if _ORIGINAL.match(line):
        return 1
    if _RULE.fullmatch(line):
        # A bare line of dashes or underscores may be decoration; with words in it, it is a mail program's.
        return 1 if re.search(r"\w", line.strip("_")) or _headers_follow(lines, at + 1) else 0
    if _headers_follow(lines, at):
        return 1
    for span in (1, 2, 3):
        joined = [each.strip() for each in lines[at : at + span]]
        if not all(joined):
            break
        if not _says_who_wrote(" ".join(joined)) or not any(each.strip() for each in lines[at + span :]):
            continue
        if span == 1 or _BEGINS.search(joined[0]) or not _says_who_wrote(" ".join(joined[1:])):
            return span
    return 0


def _says_who_wrote(line: str) -> bool:
    return (
        len(line) < 400
        and line.endswith((":", "：", "写道", "寫道"))
        and bool(_DATED.search(line))
        and bool(_WROTE.search(line) or re.search(r"\d.*<[^<> ]+@[^<> ]+>\s*[:：]", line))
    )


def _headers_follow(lines: list[str], at: int) -> bool:
    """Is there a block of From, Sent, To, Subject? Three of them in a row, the next few empty lines left out."""
    found = 0
    for each in lines[at : at + 9]:
        line = each.strip()
        if not line:
            if found:
                break
            continue
        if not _HEADER.match(line):
            if found < 2 or len(line) > 120:
                break
            continue
        found += 1
    return found >= 3


def _key(line: str) -> str:
    return re.sub(r"[\W_]+", "", line).casefold()
