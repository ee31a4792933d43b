"""Where an automatic reply says until when somebody is away, or from when they are back, in the larger languages.

A date counts only by the words around it: "until 14 December" names the last day away, "back on 15 December" the first day back, and
"from 1 December" nothing. A day is 1 to 60 days after the email came, or it is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, auto
from itertools import islice

SOONEST, LATEST = timedelta(days=1), timedelta(days=60)
_MAX_TEXT = 5_000  # characters that are read
_MAX_DATES = 60

_WEEKDAY_NAMES = (
    "monday|mon|montag|mo|lundi|lunes|lunedì|lunedi|segunda-feira|segunda|maandag|ma|poniedziałek|poniedziałku|måndag|mandag|понедельник|понедельника|pazartesi|月曜日|月曜|星期一|周一|월요일",
    "tuesday|tue|tues|dienstag|di|mardi|martes|martedì|martedi|terça-feira|terça|dinsdag|wtorek|wtorku|tisdag|tirsdag|вторник|вторника|salı|火曜日|火曜|星期二|周二|화요일",
    "wednesday|wed|mittwoch|mi|mercredi|miércoles|mercoledì|mercoledi|quarta-feira|quarta|woensdag|wo|środa|środę|środy|onsdag|среда|среду|среды|çarşamba|水曜日|水曜|星期三|周三|수요일",
    "thursday|thu|thur|thurs|donnerstag|do|jeudi|jueves|giovedì|giovedi|quinta-feira|quinta|donderdag|czwartek|czwartku|torsdag|четверг|четверга|perşembe|木曜日|木曜|星期四|周四|목요일",
    "friday|fri|freitag|fr|vendredi|viernes|venerdì|venerdi|sexta-feira|sexta|vrijdag|vr|piątek|piątku|fredag|пятница|пятницу|пятницы|cuma|金曜日|金曜|星期五|周五|금요일",
    "saturday|sat|samstag|sonnabend|samedi|sábado|sabato|zaterdag|sobota|sobotę|soboty|lördag|lørdag|суббота|субботу|cumartesi|土曜日|星期六|周六|토요일",
    "sunday|sun|sonntag|dimanche|domingo|domenica|zondag|niedziela|niedzielę|niedzieli|söndag|søndag|воскресенье|воскресенья|pazar|日曜日|星期日|星期天|周日|일요일",
)
_WEEKDAY_OF = {name: index for index, names in enumerate(_WEEKDAY_NAMES) for name in names.split("|")}
_SHORT = {name for name in _WEEKDAY_OF if len(name) == 2 and name.isascii()}
_WEEKDAYS = "|".join(sorted((each for each in _WEEKDAY_OF if each not in _SHORT), key=len, reverse=True))
# Alone, "mon" is a French word, too, and "segunda" counts.
_OTHER_WORDS = {"segunda", "terça", "quarta", "quinta", "sexta"}
_WHOLE_WEEKDAYS = "|".join(
    each
    for each in _WEEKDAYS.split("|")
    if each not in _OTHER_WORDS and (len(each) > 4 or not each.isascii() or each == "cuma")
)
_ANY_WEEKDAY = rf"(?:{_WEEKDAYS}|(?:{'|'.join(sorted(_SHORT))})(?=[.,]))"
_ORDINAL = r"(?:st|nd|rd|th|er|e|ère|º|ª|°|\.|-го|-е|:e|an)?"
# Their names and the usual abbreviations, in the languages above and a few more. dateparser says which month they are.
_MONTH = (
    r"(?:jan(?:uary|uar|uari|vier|\.)?|januari|januar|jänner|enero|ene|gennaio|gen|janeiro|stycz(?:eń|nia)|sty|tammikuuta|ledna|янв(?:аря|арь)?|ocak"
    r"|feb(?:ruary|ruar|ruari|bre?ro|rero|braio)?|févr(?:ier)?|fevereiro|fev|lut(?:y|ego)?|helmikuuta|února|фев(?:раля|раль)?|şubat"
    r"|mar(?:ch|zo|s|ço|z|ca|zec|t)?|märz|mrz|maart|mrt|marzec|maaliskuuta|března|март?а?|mart"
    r"|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|kwie(?:cień|tnia)|kwi|huhtikuuta|dubna|апр(?:еля|ель)?|nisan"
    r"|may|mai|mayo|maggio|mag|maio|mei|maj(?:a)?|toukokuuta|května|ма[йя]|mayıs"
    r"|june?|juni|juin|junio|giugno|giu|junho|czerw(?:iec|ca)|cze|kesäkuuta|června|июн[ья]?|haziran"
    r"|july?|juli|juil(?:let)?|julio|luglio|lug|julho|lip(?:iec|ca)?|heinäkuuta|července|июл[ья]?|temmuz"
    r"|aug(?:ust|ustus|usti)?|août|agosto|ago|sierp(?:ień|nia)|sie|elokuuta|srpna|авг(?:уста?)?|ağustos"
    r"|sept?(?:ember|embre|iembre)?|settembre|set(?:embro)?|wrze(?:sień|śnia)|wrz|syyskuuta|září|сен(?:тября|тябрь|т)?|eylül"
    r"|oct(?:ober|obre)?|okt(?:ober|óbra)?|octubre|ottobre|ott|outubro|out|paź(?:dziernika?)?|lokakuuta|října|окт(?:ября|ябрь)?|ekim"
    r"|nov(?:ember|embre|iembre|embro)?|listopada?|lis|marraskuuta|ноя(?:бря|брь)?|kasım"
    r"|dec(?:ember|embrie)?|dez(?:ember|embro)?|des(?:ember)?|déc(?:embre)?|dic(?:iembre|embre)?|grud(?:zień|nia)|gru|joulukuuta|prosince|дек(?:абря|абрь)?|aralık)(?![^\W\d_])"
)
# "am 14.", "le 14": a day of this month or the next.
_ARTICLES = "|".join(
    rf"(?<=\b{each} )" for each in ("le", "el", "il", "au", "al", "am", "dem", "den", "zum", "dia", "op")
)
_COUNT_OF = {
    name: count
    for count, names in enumerate(
        (
            "a|an|one|einem|einer|un|une|una|uno|um|uma|een|één|en|ett|jeden",
            "two|zwei|deux|dos|due|dois|duas|twee|dwa|dwie|två|to",
            "three|drei|trois|tres|tre|três|drie|trzy",
            "four|vier|quatre|cuatro|quattro|quatro|cztery|fyra|fire",
            "five|fünf|cinq|cinco|cinque|vijf|pięć|fem",
            "six|sechs|seis|sei|zes|sześć|sex|seks",
        ),
        1,
    )
    for name in names.split("|")
}
_COUNTS = "|".join(sorted(_COUNT_OF, key=len, reverse=True))
_DAY_UNITS = "days?|tag(?:en|e)?|jours?|días?|dias?|giorn[io]|dag(?:en|ar|e)?|dni|dzień"
_UNITS = rf"{_DAY_UNITS}|weeks?|wochen?|semaines?|semanas?|settiman[ae]|we(?:ek|ken)|tygodnie|tydzień|veck(?:a|or)|uge[r]?|uke[r]?"
_DATES = re.compile(
    r"(?P<iso>(?<!\d)20\d\d(?:-|/|\.)\d{1,2}(?:-|/|\.)\d{1,2}(?!\d))"
    r"|(?P<cjk_span>(?:20\d\d\s*[年년]\s*)?\d{1,2}\s*[月월]\s*\d{1,2}\s*[日号號일]?(?:[（(].[）)])?\s*(?:から|至|到|부터|[-~〜～–])\s*\d{1,2}\s*[日号號일])"
    r"|(?P<cjk>(?:20\d\d\s*[年년]\s*)?\d{1,2}\s*[月월]\s*\d{1,2}\s*[日号號일])"
    # December 1 - 12: the second day counts
    rf"|(?P<span>(?<![^\W\d_]){_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?\s?(?:-|–|—|to|through|until)\s?(?P<until>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:/]|\.\d)(?:,? (?P<year>20\d\d))?)"
    rf"|(?P<words>(?<![\d.,:])\d{{1,2}}{_ORDINAL},?[\s-]?(?:of |de |d['’]|del )?{_MONTH}\.?(?:,? ?(?:de |del |of )?(?:20\d\d|'\d\d)(?!\d)|-(?:20)?\d\d(?!\d))?)"
    rf"|(?P<turned>(?<![^\W\d_]){_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?(?![\d:]|\.\d)(?:,? 20\d\d)?)"
    rf"|(?P<numeric>(?<![\d.,:/])(?<!\d\d\d-)\d{{1,2}}\s?[./-]\s?\d{{1,2}}(?:\.|[./-]\s?(?:20\d\d|\d\d)(?!\d))?(?![\d:]|\.\d)(?!{_ORDINAL}\s?(?:of |de )?{_MONTH}))"
    rf"|(?P<day>(?<![^\W\d_]){_ANY_WEEKDAY}\.?,? (?:the |den |dem |le |el |il |dia |de |o |d\. )?\d{{1,2}}(?:st|nd|rd|th|\.|er|º)?(?!\.?\d|[:.,/-]\d|\.?\s?(?:h\b|uhr|am\b|pm\b|:|(?:of |de |del |d['’])?{_MONTH})))"
    r"|(?P<ordinal>(?<=the )\d{1,2}(?:st|nd|rd|th)\b)"
    rf"|(?P<number>(?:{_ARTICLES})\d{{1,2}}\.?(?!\d|[.,:/-]\d|\s?(?:[\d:/€%$h]|uhr|heure|hora|ore\b|(?:de |d['’]|del )?{_MONTH}|tag|jour|día|dia\b|giorn|woche|semain|seman|settiman|pers|stund|min|prozent|years|jahr)))"
    rf"|(?P<ahead>\b(?:in|dans|en|dentro de|tra|fra|em|daqui a|over|za|om)\s(?:{_COUNTS}|\d{{1,2}})\s(?:{_UNITS})\b)"
    rf"|(?P<weekday>(?<![^\W\d_])(?:{_WHOLE_WEEKDAYS})(?![^\W\d_])(?!\.?,? ?(?:the |den |dem |le |el |il |dia |de |o |d\. )?(?:\d|{_MONTH}))|月曜日?|火曜日?|水曜日?|木曜日?|金曜日?|(?:下?周|下?星期)[一二三四五六日天])"
    r"|(?P<tomorrow>\b(?:tomorrow|morgen|demain|mañana|domani|amanhã|jutro|i?morgon|i morgen|huomenna|завтра|yarın)\b|明日|明天|내일)"
    r"|(?P<next_week>\b(?:next week|nächste[rn]? woche|kommende[rn]? woche|la semaine prochaine|la próxima semana|la semana que viene|la (?:prossima settimana|settimana prossima)|na próxima semana|volgende week|w przyszłym tygodniu|nästa vecka|neste uke|næste uge|на следующей неделе)\b|来週|下周|다음 ?주)",
    re.IGNORECASE,
)
_FILL = (
    r"(?:[\s,(（]|the|and|next|nächste[rn]?|kommende[rn]?|prochain|próxim[oa]|prossim[oa]|volgende|including|inclusive|inkl\.?|einschl\.?|einschließlich|einschliesslich|inklusive|und mit|den|dem|der|zum|am|on|le|el|il|o|dia|de|del|al|ao|lo|day|end of|eod|cob|close of (?:business|play)|of|ende|tag|och med|og med|en met|incl\.?|włącznie|dnia|din|d\.|\d{1,2}(?::\d\d)? ?(?:am|pm|uhr|h)\b|"
    + _ANY_WEEKDAY
    + r"|\.)*"
)
_LAST = re.compile(
    r"(?:\buntil|\btill|\bthrough|\bthru|\bup to|\bbis|\bjusqu['’]au|\bjusqu['’]à|\bhasta|\bfino (?:al|a|all['’])|\bsino al|\baté|\btot|\bt/m|\btm\b|\btill|\btil|\bt\.?o\.?m\.?|до|по|到|至|休假至|~|〜|～|\bafter|\bnach|\baprès|\bdespués d|\btras|\bdopo|\bapós|\bdepois d|после|\bpaa|\bend(?:s|ing)?(?: on)?|\bendet)"
    + _FILL
    + r"$",
    re.IGNORECASE,
)
_LAST_SLAVIC = re.compile(r"\b(?:do|na|po)\b" + _FILL + "$", re.IGNORECASE)
# "1 to 12 December", "vom 1.12. bis 12.12.": what stands before the second day.
_RANGE = re.compile(
    rf"\d(?:st|nd|rd|th|er|º|ª|\.|-го)?(?:[./-]\d{{1,2}}\.?(?:[./-]?\d{{2,4}})?)?[\s-]?(?:de |of )?(?:{_MONTH}\.?)?(?:(?:,? (?:de |del )?|-)\d{{2,4}}\.?)?[,\s]*(?:-|–|—|\bto|\band|\bund|\bau|\bal|\ba|\bao|\be|\bet|\by|\bi|\bdo|\ben)"
    + _FILL
    + "$",
    re.IGNORECASE,
)
_START = re.compile(
    r"(?:\bfrom|\bstarting|\bbeginning|\bas of|\bsince|\bab|\bvom|\bvon|\bseit|\bdu|\bà partir d[ue]|\bà compter d[ue]|\bdès|\bdepuis|\bdel|\bdesde|\ba partir d|\bdal|\ba partire dal|\bdesde|\bde|\bvanaf|\bvan|\bper|\bod|\bfrån|\bfra|\bс|从|自)"
    + _FILL
    + "$",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"\b(?:back|re-?open\w*|return(?:ing|s)?|available(?: again)?|next working day|reachable|resum(?:e|ing)|in (?:the|my) office|at work|working again|respond|reply|answer|get back to)\b"
    r"|\b(?:wieder|zurück|zurueck|rückkehr|erreichbar|antworten|beantworten|bearbeiten|melde mich|geöffnet)\b|\b(?:retour|de retour|reviens|reviendrai|rentre(?:rai)?|reprend(?:s|rai)|répondrai|disponible|joignable|présente?)\b"
    r"|\b(?:vuelv[oa]|vuelta|volveré|regres\w+|regreso|de vuelta|reincorpor\w+|responderé|estaré|incorporar\w*)\b|\b(?:rient\w+|torn\w+|ritorn\w+|rientro|risponder\w+|di nuovo|disponibile|sarò)\b"
    r"|\b(?:volt(?:o|arei|a|ando)|regress\w+|retorn\w+|de volta|responderei|estarei|disponível)\b|\b(?:terug|weer|terugkomst|bereikbaar|aanwezig|hervat)\b|\b(?:wracam|wrócę|powr\w+|dostępn\w+|będę|odpowiem|ponownie|z powrotem)\b"
    r"|\b(?:tillbaka|åter|tilbake|tilbage|igjen|igen|takaisin|palaan|paluu\w*|tavoitettavissa|zpět|vrátím|vracím)\b|(?:верн\w+|возвра\w+|выйду|буду|отвечу|на связи|на работе)|(?:dön\w+|dönüş|ofiste|yanıtla\w+|geri)"
    r"|復帰|出社|戻|帰社|再開|通常(?:通り|どおり|業務)|営業(?:を|いた)|対応|回来|返回|恢复|上班|回到|回公司|回復|복귀|출근|정상|돌아",
    re.IGNORECASE,
)
_BACK_NEXT = re.compile(rf"(?:{_BACK.pattern}){_FILL}$", re.IGNORECASE)
_NOT_UNTIL = re.compile(
    r"(?:\bnot|n['’]t|\bnicht|\bnie|\bne|\bno|\bnon|\bnão|\bniet|\binte|\bikke)\b[^.\n]{0,25}\b(?:back|return(?:ing)?|be (?:available|in)|zurück|wieder|retour|rientr\w+|volver\w*|regres\w+|terug|tilbage|tillbaka)\b[^.\n]{0,25}\b(?:until|till|before|bis|vor|avant|hasta|prima|fino|antes|tot|voor|før|förrän)\b"
    + _FILL
    + r"$",
    re.IGNORECASE,
)
# "No access before 14 December", "nicht vor dem 14.": the first day back.
_NOT_BEFORE = re.compile(
    r"(?:\bnot|n['’]t|\bno|\bunable|\bwithout|\bnicht|\bkein\w*|\bne|\bpas|\bsans|\bnon|\bsin|\bsenza|\bnão|\bsem|\bniet|\bgeen|\bnie|\binte|\bikke)\b[^.\n]{0,45}\b(?:before|vor|avant|antes d[eo]l?|prima d[ei]l?|vóór|voor|före|før|przed)\b"
    + _FILL
    + r"$",
    re.IGNORECASE,
)
# What is said behind it is another thing.
_AND = re.compile(r"\b(?:and|but|und|aber|et|mais|y|e|ed|en|i|och|og|,? ab)\b", re.IGNORECASE)
# Not reachable on that day.
_NOT_THERE = re.compile(
    r"(?:\bnot|n['’]t|\bnicht|\bne|\bno|\bnon|\bnão|\bniet|\bnie|\binte|\bikke|\bне)\b[^.\n\d]{0,14}\b(?:available|reachable|in the office|erreichbar|im büro|im haus|da\b|disponible|joignable|au bureau|en la oficina|disponibile|in ufficio|disponível|bereikbaar|aanwezig|op kantoor|dostępn\w+|tillgänglig|på kontoret|tilgjengelig|на связи)",
    re.IGNORECASE,
)
_BEHIND_LAST = re.compile(
    r"(?:\s|[（(][^)）]{0,4}[)）]|['’]\w{0,3}\s|tarihine|gününe|günü|"
    + _ANY_WEEKDAY
    + r")*(?:まで|迄|까지|kadar|为止|為止)|[\s,(（]*(?:inclusive|inclus|einschließlich|einschl|inbegriffen|incluido|incluso|compres[oi]|inclusief|włącznie|включительно|dahil)\b",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"\s*(?:[（(].{1,3}[）)])?\s*以?前")
_CLAUSE = re.compile(r"[!?;\n。！？；]|(?<!\d)\.(?=\s+[A-ZÀ-ÖØ-ÞА-ЯŁŚŻŹĆİ¿¡])")


class Order(Enum):
    """Which number of 12/5 is the month."""

    DAY_FIRST = auto()
    MONTH_FIRST = auto()
    EITHER = auto()  # English: whichever lies ahead; Americans write the month first


@dataclass(frozen=True, slots=True)
class Mention:
    """Words that name a day. ``away``: it is the last day away, rather than the first day back."""

    words: str
    kind: str
    away: bool


def mentions(written: str) -> Iterator[Mention]:
    """The days that end an absence: first days back before last days away, each in the order of the text."""
    text = re.sub(r"[ \t\u00a0\u202f]+", " ", written[:_MAX_TEXT])
    found = _without_repeats(list(islice(_DATES.finditer(text), _MAX_DATES)))
    later: list[Mention] = []
    for index, each in enumerate(found):
        left = _CLAUSE.split(_joined(text[max(0, each.start() - 110) : each.start()]))[-1]
        after = found[index + 1].start() if index + 1 < len(found) else len(text)
        right = _CLAUSE.split(_joined(text[each.end() : each.end() + 70]))[0]
        another = after - each.end() < len(right)
        away = _role(each, left, right, another=another)
        if away is not None:
            one = Mention(_words(each), each.lastgroup or "words", away)
            if away:
                later.append(one)
            else:
                yield one
    yield from later


def _without_repeats(found: list[re.Match[str]]) -> list[re.Match[str]]:
    """Without the weekday that only follows its date, as in "21 December Monday"."""
    return [
        each
        for before, each in zip([None, *found], found, strict=False)
        if not (before and each.lastgroup == "weekday" and each.start() - before.end() <= 2)
    ]


def _joined(text: str) -> str:
    """Wrapped lines are one; an empty line ends a clause."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


def _words(each: re.Match[str]) -> str:
    if each["span"]:
        month = re.match(_MONTH, each["span"], re.IGNORECASE)
        year = f" {each['year']}" if each["year"] else ""
        return f"{each['until']} {month[0] if month else ''}{year}"
    if each["cjk_span"]:
        *begins, _, last = re.findall(r"\d+", each[0])
        return "-".join([*begins, last])
    return each[0]


def _role(each: re.Match[str], left: str, right: str, *, another: bool) -> bool | None:
    """True: the last day away. False: the first day back. None: neither."""
    if (
        each["span"]
        or each["cjk_span"]
        or re.search(r"\blast (?:working )?day\b[^.]{0,40}$", left, re.IGNORECASE)
    ):
        return True
    if _BEFORE.match(right):
        return False
    if _NOT_UNTIL.search(left) or _NOT_BEFORE.search(left):
        return False
    if each["number"] and not (
        _BACK_NEXT.search(left) or _LAST.search(left) or _BACK.match(right.lstrip(" ."))
    ):
        return None
    if each["ahead"]:
        return False if _BACK.search(left) else None
    relative = each["tomorrow"] or each["next_week"]
    if _BEHIND_LAST.match(right) and not relative:
        return True
    if _LAST.search(left) or (_LAST_SLAVIC.search(left) and _is_slavic(each[0], left + right)):
        return True
    if _RANGE.search(left):
        return True
    absent = _NOT_THERE.search(left)
    if (absent and not _BACK.search(left, absent.end()) and not _AND.search(left, absent.end())) or (
        _NOT_THERE.search(right) and not another
    ):
        return True
    behind = bool(_BACK.search(right)) and not another
    if _START.search(left):
        return False if behind or _BACK.search(left) else None
    if _BACK.search(left):
        return False
    return False if behind else None


def _is_slavic(words: str, around: str) -> bool:
    return bool(
        re.search(
            r"[ąćęłńśźżěřůčť]|\b(?:stycznia|lutego|marca|kwietnia|maja|czerwca|lipca|sierpnia|grudnia|ledna|února|března|dubna|května|června|července|srpna|září|října|listopadu|prosince|jsem|na dovolené|wrze|pa[zź]dz|listopada|jestem|urlop\w*|poza|nieobecn\w*)",
            words + around,
            re.IGNORECASE,
        )
    )


def order_of(written: str, *, american: bool) -> Order:
    """How the author writes dates, by the language of the text. ``american``: the email comes from an American time zone."""
    if re.search(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]", written[:_MAX_TEXT]):
        return Order.MONTH_FIRST
    english = len(
        re.findall(
            r"\b(?:the|and|office|until|return(?:ing)?|back|will|with|you|your|for|from|i am|i['’]m|i['’]ll|leave|away|my|of)\b",
            written[:_MAX_TEXT],
            re.IGNORECASE,
        )
    )
    if english < 2:
        return Order.DAY_FIRST
    return Order.MONTH_FIRST if american else Order.EITHER


def day_by_name(mention: Mention, received_on: date) -> date | None:
    """The day of a mention that names no month: a weekday, a weekday with its number, tomorrow, next week."""
    words = mention.words.casefold()
    match mention.kind:
        case "tomorrow":
            return received_on + timedelta(days=1)
        case "next_week":
            return received_on + timedelta(days=7 - received_on.weekday())
        case "weekday":
            return _next_weekday(words, received_on)
        case "ahead":
            amount, unit = words.split()[-2:]
            count = int(amount) if amount.isdigit() else _COUNT_OF[amount]
            return received_on + timedelta(days=count if re.fullmatch(_DAY_UNITS, unit) else 7 * count)
        case "day" | "ordinal" | "number":
            number = re.search(r"\d{1,2}", words)
            named = re.match(rf"{_ANY_WEEKDAY}", words)
            weekday = _WEEKDAY_OF.get(named[0]) if named else None
            for ahead in range(1, LATEST.days + 1):
                day = received_on + timedelta(days=ahead)
                if number and day.day == int(number[0]) and weekday in (None, day.weekday()):
                    return day
    return None


def _next_weekday(words: str, received_on: date) -> date | None:
    chinese = re.search(r"(?:周|星期)([一二三四五六日天])", words)
    wanted = "一二三四五六日天".index(chinese[1]) % 7 if chinese else _WEEKDAY_OF.get(words)
    if chinese and chinese[1] == "天":
        wanted = 6
    if wanted is None:
        return None
    ahead = (wanted - received_on.weekday() - 1) % 7 + 1
    if words.startswith("下"):
        ahead = 7 - received_on.weekday() + wanted
    return received_on + timedelta(days=ahead)


def first_day_back(day: date, mention: Mention, received_on: date) -> date | None:
    """The first day back, or None if it lies beyond the bounds."""
    back = day + timedelta(days=1) if mention.away else day
    return back if SOONEST <= back - received_on <= LATEST else None
