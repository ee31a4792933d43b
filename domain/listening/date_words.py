"""The words by which dates of absences are known, in the larger languages: weekdays, months, lengths, and what stands around them."""

import re

_WEEKDAY_NAMES = (
    "monday|mon|montag|mo|lundi|lunes|lunedì|lunedi|segunda-feira|segunda|maandag|ma|poniedziałek|poniedziałku|måndag|mandag|понедельник|понедельника|pazartesi|月曜日|月曜|星期一|周一|월요일",
    "tuesday|tue|tues|dienstag|di|mardi|martes|martedì|martedi|terça-feira|terça|dinsdag|wtorek|wtorku|tisdag|tirsdag|вторник|вторника|salı|火曜日|火曜|星期二|周二|화요일",
    "wednesday|wed|mittwoch|mi|mercredi|miércoles|mercoledì|mercoledi|quarta-feira|quarta|woensdag|wo|środa|środę|środy|onsdag|среда|среду|среды|çarşamba|水曜日|水曜|星期三|周三|수요일",
    "thursday|thu|thur|thurs|donnerstag|do|jeudi|jueves|giovedì|giovedi|quinta-feira|quinta|donderdag|czwartek|czwartku|torsdag|четверг|четверга|perşembe|木曜日|木曜|星期四|周四|목요일",
    "friday|fri|freitag|fr|vendredi|viernes|venerdì|venerdi|sexta-feira|sexta|vrijdag|vr|piątek|piątku|fredag|пятница|пятницу|пятницы|cuma|金曜日|金曜|星期五|周五|금요일",
    "saturday|sat|samstag|sonnabend|samedi|sábado|sabato|zaterdag|sobota|sobotę|soboty|lördag|lørdag|суббота|субботу|cumartesi|土曜日|星期六|周六|토요일",
    "sunday|sun|sonntag|dimanche|domingo|domenica|zondag|niedziela|niedzielę|niedzieli|söndag|søndag|воскресенье|воскресенья|pazar|日曜日|星期日|星期天|周日|일요일",
)
WEEKDAY_OF = {name: index for index, names in enumerate(_WEEKDAY_NAMES) for name in names.split("|")}
_SHORT = {name for name in WEEKDAY_OF if len(name) == 2 and name.isascii()}
_WEEKDAYS = "|".join(sorted((each for each in WEEKDAY_OF if each not in _SHORT), key=len, reverse=True))
# Alone, "mon" is a French word, too, and "segunda" counts.
_OTHER_WORDS = {"segunda", "terça", "quarta", "quinta", "sexta"}
_WHOLE_WEEKDAYS = "|".join(
    each
    for each in _WEEKDAYS.split("|")
    if each not in _OTHER_WORDS and (len(each) > 4 or not each.isascii() or each == "cuma")
)
ANY_WEEKDAY = rf"(?:{_WEEKDAYS}|(?:{'|'.join(sorted(_SHORT))})(?=[.,]))"
_ORDINAL = r"(?:st|nd|rd|th|er|e|ère|º|ª|°|\.|-го|-е|:e|an)?"
# Their names and the usual abbreviations, in the languages above and a few more. dateparser says which month they are.
MONTH = (
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
COUNT_OF = {
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
_COUNTS = "|".join(sorted(COUNT_OF, key=len, reverse=True))
DAY_UNITS = "days?|tag(?:en|e)?|jours?|días?|dias?|giorn[io]|dag(?:en|ar|e)?|dni|dzień"
_UNITS = rf"{DAY_UNITS}|weeks?|wochen?|semaines?|semanas?|settiman[ae]|we(?:ek|ken)|tygodnie|tydzień|veck(?:a|or)|uge[r]?|uke[r]?"
DATES = re.compile(
    r"(?P<iso>(?<!\d)20\d\d(?:-|/|\.)\d{1,2}(?:-|/|\.)\d{1,2}(?!\d))"
    r"|(?P<cjk_span>(?:20\d\d\s*[年년]\s*)?\d{1,2}\s*[月월]\s*\d{1,2}\s*[日号號일]?(?:[（(].[）)])?\s*(?:から|至|到|부터|[-~〜～–])\s*\d{1,2}\s*[日号號일])"
    r"|(?P<cjk>(?:20\d\d\s*[年년]\s*)?\d{1,2}\s*[月월]\s*\d{1,2}\s*[日号號일])"
    # December 1 - 12: the second day counts
    rf"|(?P<span>(?<![^\W\d_]){MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?\s?(?:-|–|—|to|through|until)\s?(?P<until>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:/]|\.\d)(?:,? (?P<year>20\d\d))?)"
    rf"|(?P<words>(?<![\d.,:])\d{{1,2}}{_ORDINAL},?[\s-]?(?:of |de |d['’]|del )?{MONTH}\.?(?:,? ?(?:de |del |of )?(?:20\d\d|'\d\d)(?!\d)|-(?:20)?\d\d(?!\d))?)"
    rf"|(?P<turned>(?<![^\W\d_]){MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?(?![\d:]|\.\d)(?:,? 20\d\d)?)"
    rf"|(?P<numeric>(?<![\d.,:/])(?<!\d\d\d-)\d{{1,2}}\s?[./-]\s?\d{{1,2}}(?:\.|[./-]\s?(?:20\d\d|\d\d)(?!\d))?(?![\d:]|\.\d)(?!{_ORDINAL}\s?(?:of |de )?{MONTH}))"
    rf"|(?P<day>(?<![^\W\d_]){ANY_WEEKDAY}\.?,? (?:the |den |dem |le |el |il |dia |de |o |d\. )?\d{{1,2}}(?:st|nd|rd|th|\.|er|º)?(?!\.?\d|[:.,/-]\d|\.?\s?(?:h\b|uhr|am\b|pm\b|:|(?:of |de |del |d['’])?{MONTH})))"
    r"|(?P<ordinal>(?<=the )\d{1,2}(?:st|nd|rd|th)\b)"
    rf"|(?P<number>(?:{_ARTICLES})\d{{1,2}}\.?(?!\d|[.,:/-]\d|\s?(?:[\d:/€%$h]|uhr|heure|hora|ore\b|(?:de |d['’]|del )?{MONTH}|tag|jour|día|dia\b|giorn|woche|semain|seman|settiman|pers|stund|min|prozent|years|jahr)))"
    rf"|(?P<ahead>\b(?:in|dans|en|dentro de|tra|fra|em|daqui a|over|za|om)\s(?:{_COUNTS}|\d{{1,2}})\s(?:{_UNITS})\b)"
    rf"|(?P<weekday>(?<![^\W\d_])(?:{_WHOLE_WEEKDAYS})(?![^\W\d_])(?!\.?,? ?(?:the |den |dem |le |el |il |dia |de |o |d\. )?(?:\d|{MONTH}))|月曜日?|火曜日?|水曜日?|木曜日?|金曜日?|(?:下?周|下?星期)[一二三四五六日天])"
    r"|(?P<tomorrow>\b(?:tomorrow|morgen|demain|mañana|domani|amanhã|jutro|i?morgon|i morgen|huomenna|завтра|yarın)\b|明日|明天|내일)"
    r"|(?P<next_week>\b(?:next week|nächste[rn]? woche|kommende[rn]? woche|la semaine prochaine|la próxima semana|la semana que viene|la (?:prossima settimana|settimana prossima)|na próxima semana|volgende week|w przyszłym tygodniu|nästa vecka|neste uke|næste uge|на следующей неделе)\b|来週|下周|다음 ?주)",
    re.IGNORECASE,
)
_FILL = (
    r"(?:[\s,(（]|the|and|next|nächste[rn]?|kommende[rn]?|prochain|próxim[oa]|prossim[oa]|volgende|including|inclusive|inkl\.?|einschl\.?|einschließlich|einschliesslich|inklusive|und mit|den|dem|der|zum|am|on|le|el|il|o|dia|de|del|al|ao|lo|day|end of|eod|cob|close of (?:business|play)|of|ende|tag|och med|og med|en met|incl\.?|włącznie|dnia|din|d\.|\d{1,2}(?::\d\d)? ?(?:am|pm|uhr|h)\b|"
    + ANY_WEEKDAY
    + r"|\.)*"
)
LAST = re.compile(
    r"(?:\buntil|\btill|\bthrough|\bthru|\bup to|\bbis|\bjusqu['’]au|\bjusqu['’]à|\bhasta|\bfino (?:al|a|all['’])|\bsino al|\baté|\btot|\bt/m|\btm\b|\btill|\btil|\bt\.?o\.?m\.?|до|по|到|至|休假至|~|〜|～|\bafter|\bnach|\baprès|\bdespués d|\btras|\bdopo|\bapós|\bdepois d|после|\bpaa|\bend(?:s|ing)?(?: on)?|\bendet)"
    + _FILL
    + r"$",
    re.IGNORECASE,
)
LAST_SLAVIC = re.compile(r"\b(?:do|na|po)\b" + _FILL + "$", re.IGNORECASE)
# "1 to 12 December", "vom 1.12. bis 12.12.": what stands before the second day.
RANGE = re.compile(
    rf"\d(?:st|nd|rd|th|er|º|ª|\.|-го)?(?:[./-]\d{{1,2}}\.?(?:[./-]?\d{{2,4}})?)?[\s-]?(?:de |of )?(?:{MONTH}\.?)?(?:(?:,? (?:de |del )?|-)\d{{2,4}}\.?)?[,\s]*(?:-|–|—|\bto|\band|\bund|\bau|\bal|\ba|\bao|\be|\bet|\by|\bi|\bdo|\ben)"
    + _FILL
    + "$",
    re.IGNORECASE,
)
START = re.compile(
    r"(?:\bfrom|\bstarting|\bbeginning|\bas of|\bsince|\bab|\bvom|\bvon|\bseit|\bdu|\bà partir d[ue]|\bà compter d[ue]|\bdès|\bdepuis|\bdel|\bdesde|\ba partir d|\bdal|\ba partire dal|\bdesde|\bde|\bvanaf|\bvan|\bper|\bod|\bfrån|\bfra|\bс|从|自)"
    + _FILL
    + "$",
    re.IGNORECASE,
)
BACK = re.compile(
    r"\b(?:back|re-?open\w*|return(?:ing|s)?|available(?: again)?|next working day|reachable|resum(?:e|ing)|in (?:the|my) office|at work|working again|respond|reply|answer|get back to)\b"
    r"|\b(?:wieder|zurück|zurueck|rückkehr|erreichbar|antworten|beantworten|bearbeiten|melde mich|geöffnet)\b|\b(?:retour|de retour|reviens|reviendrai|rentre(?:rai)?|reprend(?:s|rai)|répondrai|disponible|joignable|présente?)\b"
    r"|\b(?:vuelv[oa]|vuelta|volveré|regres\w+|regreso|de vuelta|reincorpor\w+|responderé|estaré|incorporar\w*)\b|\b(?:rient\w+|torn\w+|ritorn\w+|rientro|risponder\w+|di nuovo|disponibile|sarò)\b"
    r"|\b(?:volt(?:o|arei|a|ando)|regress\w+|retorn\w+|de volta|responderei|estarei|disponível)\b|\b(?:terug|weer|terugkomst|bereikbaar|aanwezig|hervat)\b|\b(?:wracam|wrócę|powr\w+|dostępn\w+|będę|odpowiem|ponownie|z powrotem)\b"
    r"|\b(?:tillbaka|åter|tilbake|tilbage|igjen|igen|takaisin|palaan|paluu\w*|tavoitettavissa|zpět|vrátím|vracím)\b|(?:верн\w+|возвра\w+|выйду|буду|отвечу|на связи|на работе)|(?:dön\w+|dönüş|ofiste|yanıtla\w+|geri)"
    r"|復帰|出社|戻|帰社|再開|通常(?:通り|どおり|業務)|営業(?:を|いた)|対応|回来|返回|恢复|上班|回到|回公司|回復|복귀|출근|정상|돌아",
    re.IGNORECASE,
)
BACK_NEXT = re.compile(rf"(?:{BACK.pattern}){_FILL}$", re.IGNORECASE)
NOT_UNTIL = re.compile(
    r"(?:\bnot|n['’]t|\bnicht|\bnie|\bne|\bno|\bnon|\bnão|\bniet|\binte|\bikke)\b[^.\n]{0,25}\b(?:back|return(?:ing)?|be (?:available|in)|zurück|wieder|retour|rientr\w+|volver\w*|regres\w+|terug|tilbage|tillbaka)\b[^.\n]{0,25}\b(?:until|till|before|bis|vor|avant|hasta|prima|fino|antes|tot|voor|før|förrän)\b"
    + _FILL
    + r"$",
    re.IGNORECASE,
)
# "No access before 14 December", "nicht vor dem 14.": the first day back.
NOT_BEFORE = re.compile(
    r"(?:\bnot|n['’]t|\bno|\bunable|\bwithout|\bnicht|\bkein\w*|\bne|\bpas|\bsans|\bnon|\bsin|\bsenza|\bnão|\bsem|\bniet|\bgeen|\bnie|\binte|\bikke)\b[^.\n]{0,45}\b(?:before|vor|avant|antes d[eo]l?|prima d[ei]l?|vóór|voor|före|før|przed)\b"
    + _FILL
    + r"$",
    re.IGNORECASE,
)
# What is said behind it is another thing.
AND = re.compile(r"\b(?:and|but|und|aber|et|mais|y|e|ed|en|i|och|og|,? ab)\b", re.IGNORECASE)
# Not reachable on that day.
NOT_THERE = re.compile(
    r"(?:\bnot|n['’]t|\bnicht|\bne|\bno|\bnon|\bnão|\bniet|\bnie|\binte|\bikke|\bне)\b[^.\n\d]{0,14}\b(?:available|reachable|in the office|erreichbar|im büro|im haus|da\b|disponible|joignable|au bureau|en la oficina|disponibile|in ufficio|disponível|bereikbaar|aanwezig|op kantoor|dostępn\w+|tillgänglig|på kontoret|tilgjengelig|на связи)",
    re.IGNORECASE,
)
BEHIND_LAST = re.compile(
    r"(?:\s|[（(][^)）]{0,4}[)）]|['’]\w{0,3}\s|tarihine|gününe|günü|"
    + ANY_WEEKDAY
    + r")*(?:まで|迄|까지|kadar|为止|為止)|[\s,(（]*(?:inclusive|inclus|einschließlich|einschl|inbegriffen|incluido|incluso|compres[oi]|inclusief|włącznie|включительно|dahil)\b",
    re.IGNORECASE,
)
BEFORE = re.compile(r"\s*(?:[（(].{1,3}[）)])?\s*以?前")
CLAUSE = re.compile(r"[!?;\n。！？；]|(?<!\d)\.(?=\s+[A-ZÀ-ÖØ-ÞА-ЯŁŚŻŹĆİ¿¡])")
