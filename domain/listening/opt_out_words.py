"""Words by which people ask to get no more email, in the larger languages."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrase:
    """``asks`` in a sentence asks for it, unless ``unless`` is found in the same sentence."""

    asks: re.Pattern[str]
    unless: re.Pattern[str] | None = None


def _phrase(asks: str, unless: str = "") -> Phrase:
    return Phrase(re.compile(asks, re.IGNORECASE), re.compile(unless, re.IGNORECASE) if unless else None)


# In a sentence: what asks for it is put to others, or would only be if something happened. Footers are like that.
CONDITION = re.compile(
    r"\bif (?:you|the recipient) (?:no longer|(?:do(?:n['’]t| not)|would rather not|prefer not|are not|aren['’]t|would like to|want to|wish to) (?!mind|stop|cease|have (?:any|a) (?:objection|problem)))|\bif i (?:do(?:n['’]t| not)|am|have)|\bshould you (?:no longer|not|wish|want|prefer)"
    r"|\b(?:wenn|falls|sofern) sie (?:(?:in zukunft |künftig )?(?:keine|nicht|diese|unsere|sich)|weitere|von)|\bsollten sie\b|\b(?:möchten|wollen|wünschen) sie (?:in zukunft |künftig )?keine|\b(?:wenn|falls) ich\b|\bsi vous (?:ne |n['’]|souhaitez|désirez|voulez|préférez)|\bsi je\b"
    r"|\bsi (?:usted )?(?:no |ya no )?(?:desea|quiere|prefiere)|\bse (?:lei )?(?:non )?(?:desidera|vuole|vuoi|intende|preferisce)|\bse (?:você )?(?:não )?(?:deseja|quiser|quer|pretend|prefer)|\b(?:als|indien|wanneer|mocht) u\b|\b(?:als ik|wilt u)\b|\b(?:jeśli|jeżeli) (?:nie|chc)|\bom (?:du|ni) (?:inte|vill)|\bhvis (?:du|de)\b|\bjos (?:et|haluat)|\bpokud (?:ne|si ne|chcete)|\bесли вы\b|\bdacă nu\b|\bha nem\b|希望されない場合|不要な場合|如果(?:您|你)?(?:不|希望)|如不|원하지 않으(?:시면|실 경우)",
    re.IGNORECASE,
)
_DAYS = (
    r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|noon|christmas|easter|new year|january|february|march|april|may|june|july|august|september|october|november|december|spring|summer|autumn|fall|winter|q[1-4]\b"
    r"|montag|dienstag|mittwoch|donnerstag|freitag|weihnachten|ostern|neujahr|januar|februar|märz|mai|juni|juli|oktober|dezember|frühjahr|frühling|herbst|mittag"
    r"|lundi|mardi|mercredi|jeudi|vendredi|noël|pâques|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|lunes|martes|miércoles|jueves|viernes|navidad|enero|febrero|marzo|abril|mayo|junio|julio|agosto|octubre|noviembre|diciembre"
    r"|lunedì|natale|gennaio|febbraio|aprile|maggio|giugno|settembre|ottobre|dicembre|janeiro|fevereiro|março|setembro|outubro|dezembro|natal|januari|februari|maart|kerst|świętami|stycznia|lutego|marca)"
)
# Behind what asks for it: another way, another time, or something of which there are to be no more. Then it asks for that alone.
ELSE = re.compile(
    r"\bsondern (?!auch)|\binstead\b|\bbut (?:rather|on|at|by|via|through|use|call|text|e-?mail)\b|\buse (?:this|my|the) (?!unsub|opt)|\bplutôt\b|\bmais (?:par|sur|à|mon|au)\b|\bsino\b|\bmejor (?:al?|por|en|aqu[íi])\b|\b(?:bensì|piuttosto)\b|\bma (?:al|sul|via|per|alla)\b|\bmas (?:sim|para|por|no)\b|\bmaar (?:wel|via|op|per|naar)\b|\b(?:tylko|lecz)\b|\butan (?:på|via|till)\b|\bmen (?:på|via|gerne? på|gärna)\b|\bа (?:на|по)\b"
    r"|\b(?:but|aber|mais|pero|ma|mas|maar|ale|men|dafür)\b[^.!?]{0,50}\b(?:interest\w*|intéress\w*|interes\w*|zainteres\w*|welcome|fine|okay?|works|perfect|parfait|easier|better|perfekt|besser|einfacher)\b|\b(?:e-?mail|word|mobile|linkedin) is (?:fine|ok|okay|better|best|easier|perfect|enough)\b"
    r"|(?<!not )(?<!n['’]t )(?<!never )\b(?:write|reach|contact|e-?mail|schreib|mailen|kontaktier|erreich|écri|contact|escrib|scriv|schrijf|pisz)\w*[^.!?\n@]{0,25}\s[\w.+-]{1,64}@[\w-]"
    r"|(?<!or )(?<!and )(?<!nor )\b(?:by|per|via|am|par|por|per|via|over the|on the) (?:phone|telephone|telefon|téléphone|teléfono|telefono|telefone|whatsapp|sms|linkedin)\b(?!,? (?:or|and|nor|oder|und|noch|ou|et|ni|o|y|e|of|en)\b)|\b(?:ring|call|anruf|appel|llam|chiam|ligu|telefon)\w*[^.!?\n]{0,30}\b(?:work|office|büro|arbeit|bureau|travail|trabajo|oficina|lavoro|ufficio|trabalho|kantoor|werk)\b"
    rf"|\b(?:before|until|till|vor|bis|avant|jusqu['’](?:en|à|au)|antes d[eo]l?|hasta|prima d[ei]l?|fino a|até|voor|tot|przed|do|före|før|до)\b (?:the |next |early |late |mid-?|end of |dem |der |den |ende |anfang |mitte |le |la |el |il |les |finales de |início de |fin )*(?:\d|{_DAYS})"
    r"|\b(?:from|off|out of) (?:the |this |that |your |any |further |tomorrow['’]s |(?:mon|tues|wednes|thurs|fri)day(?:['’]s)? )*(?:\w+ ){0,2}(?:consideration|slot|call|calls|meeting|interview|interviews|invite|invitation|appointment|process|shortlist|agenda|schedule|cc)\b(?! lists?)|\b(?:von|aus) (?:dem|der|den|diesem|ihrem|ihrer) (?:\w+ )?(?:termin|gespräch|einladung|prozess|bewerbungsverfahren|auswahl\w*|shortlist)\b|\b(?:du|de la|de l['’]|del|de la|dal|dalla|do|da) (?:processus|proceso|processo|réunion|reunión|riunione|reunião|entretien|entrevista|colloquio|sélection|selección|selezione|seleção)\b"
    r"|\b(?:stop|quit) sending (?:me |us )?(?:your |the |these |those |any )?(?:\w+ )?(?:pdfs?|attachments?|links?|files?|documents?|zips?|calendar|invites?|invitations?|cvs?|résumés?|videos?)\b|(?:below|under|less than|unter|moins de|menos de|meno di|minder dan|poniżej) \W?\d|\b(?:outside(?: of)?|außerhalb(?: von)?|en dehors de|fuera de|poza) \w{3,}|\bmit (?:stellen|jobs|rollen|positionen) (?:aus|in|für)\b",
    re.IGNORECASE,
)

# The whole of an email, or of its first lines, apart from please and thanks.
ALONE = re.compile(
    r"(?:please|pls|plz|kindly|bitte|s['’]il vous pla[iî]t|svp|por favor|per favore|alstublieft|aub|graag|proszę(?: o)?|пожалуйста|lütfen|vänligen|venligst|prosím)?[\s,:]*"
    r"(?:unsubscribe(?: me)?|un-subscribe|unsub|stop|stop(?:p)? it|stop (?:e-?mails?|mails?|mailing|sending|contact|all)|remove(?: me)?|remove (?:from|my) (?:list|e-?mail|address)|opt[- ]?out|opt me out|take me off|delete me|no more (?:e-?mails?|mails?|messages)|end|cancel|quit|leave me alone|not interested[,.;]? ?(?:please )?(?:unsubscribe|remove(?: me)?|stop)"
    r"|keine (?:weiteren )?anfragen|abmelden|abmeldung|abbestellen|austragen|stopp|löschen|keine (?:e-?)?mails? mehr|keine weiteren (?:e-?)?mails?|widerspruch|kein kontakt mehr|nicht mehr (?:schreiben|kontaktieren|anschreiben|mailen)"
    r"|désabonner|se désabonner|désabonnement|désinscription|désinscrire|désinscrivez[- ]moi|me désinscrire|arrêtez|arrêt|supprimer|retirez[- ]moi|stop ?(?:mail|pub|spam|publicité|publicite)"
    r"|(?:dar(?:me)? de )?baja|darse de baja|dadme de baja|cancelar(?: suscripción)?|desuscribir(?:me)?|eliminar|no más (?:correos|mensajes|emails)|basta(?: e-?mail| mail| correos)?|remover"
    r"|cancellami|cancellatemi|cancellazione|disiscrivimi|disiscrivetemi|disiscrizione|rimuovimi|rimuovetemi|disdetta|annulla iscrizione"
    r"|descadastrar|descadastre-me|cancelar (?:inscrição|subscrição)|remover|sair da lista|pare|parem|retirar|não quero mais"
    r"|afmelden|uitschrijven|verwijderen|schrijf me uit|stop met mailen|geen mails? meer"
    r"|wypisz(?: mnie)?|wypisać|wypisanie|rezygnuję|rezygnacja|usuń(?: mnie)?|nie pisać|nie kontaktować się|stop spam"
    r"|avregistrera(?: mig)?|avsluta|avprenumerera|ta bort mig|afmeld(?: mig)?|frameld|meld meg av|avmeld(?: meg)?|fjern meg|fjern mig|slet mig|peruuta|poista minut|lopettakaa|peru tilaus"
    r"|odhlásit|odhlaste mě|zrušit|leiratkozás|leiratkozom|töröljenek|dezabonare|dezabonați-mă|отписаться|отпишите(?: меня)?|отписка|отпишите|удалите меня|стоп|відписатися|відпишіть мене|abonelikten çık(?:ar|ın|mak)?|listeden çık(?:ar|arın)?|çıkar|διαγραφή"
    r"|配信停止|配信解除|購読解除|登録解除|退会|解除|停止|退订|退訂|取消订阅|取消訂閱|td|수신 ?거부|구독 ?취소|차단|إلغاء الاشتراك|הסר|להסיר)"
    r"[\s.!,;]*(?:please|thanks?(?: you)?|thx|bitte|danke|merci|svp|gracias|grazie|obrigad[oa]|dank u?|bedankt|dzięki|dziękuję|tack|tak|takk|kiitos|спасибо|teşekkürler|me|now|jetzt|immediately|sofort|ca+!?|してください|をお願いします|希望|お願いします)?[\s.!,;]*",
    re.IGNORECASE,
)

# Of those, words that a sentence may be for other reasons.
WEAK = re.compile(
    r"\W*(?:stop+|stop it|end|cancel|quit|basta|pare|parem|arrêtez?|arrêt|cancelar|remover|eliminar|retirar|supprimer|löschen|widerspruch|verwijderen|avsluta|zrušit|стоп|解除|停止|td|rezygnacja|rezygnuję|remove)\W*",
    re.IGNORECASE,
)

_NOT = r"(?:don['’]?t|do not|did(?:n['’]t| not)|no need to|not (?:want|have|asking|planning)|never|won['’]t|wouldn['’]t|without|rather than|instead of|how do (?:your|other)|hard to) (?:\w+ ){0,4}"
_IF = r"\b(?:if i (?:ever|should|wanted)|should i (?:ever|want)|in case i|before i|why (?:should|would) i|unless i)\b"
_ONLY = r"\b(?:before|until|till|during|this week|next week|at (?:this|my work|work|the office|that) ?(?:address|e-?mail|number|account)?|by phone|on (?:my|this) (?:work|office|mobile|number|phone)|on weekends?|at work|via linkedin)\b"
_AGAIN = r"(?:again|any ?more|any longer|further|in (?:the )?future|ever)"

PHRASES: tuple[Phrase, ...] = (
    # English
    _phrase(
        r"\bunsubscribe me\b|\bplease (?:\w+ )?unsubscribe\b|\bi(?:'d| would)? (?:like|want|wish|need) to (?:unsubscribe|be unsubscribed|opt[- ]out|be removed)|\bwish to (?:unsubscribe|opt out)|(?:^|\bplease |\bto )unsubscribe (?:from|my|this)|\bi(?:'m| am) (?:unsubscribing|opting out)|\bopt(?:ing)? me out\b|\bplease opt\b|\brefrain from (?:contact|e-?mail|mail|messag|writ|send|approach|reach)ing|\b(?:refrain|abstain|desist) from (?:any |all )?(?:further|more|future|additional) (?:contact|e-?mails?|mails?|messages?|communications?|outreach|follow-?ups?|approach\w*|solicitations?)|\b(?:no|not have (?:my|any)) (?:permission|consent) to (?:contact|e-?mail|mail|write)|^(?:please )?(?:remove|delete|erase) my (?:data|address|e-?mail|details|information|contact)|\bcease (?:all )?(?:contact|communication|correspondence)|\bconsider (?:this|me)[^.]{0,20}(?:unsubscribe|opt)",
        f"{_NOT}(?:unsubscribe|opt)|{_IF}",
    ),
    _phrase(
        r"\b(?:remove|take|delete|strike|drop|erase|get) (?:me|my (?:name|e-?mails?|address|e-?mail address|details|contact|data|info(?:rmation)?|profile|record|personal data)(?: \w+){0,3}|this (?:e-?mail )?address|us)\b[^.!?\n]{0,40}\b(?:from|off|out of)\b[^.!?\n]{0,30}\b(?:list|lists|database|mailing|system|records|crm|distribution|contacts|sequence|campaign|e-?mails?|outreach|files|pool|it)\b",
        f"{_NOT}(?:remove|take|delete|strike|drop|erase|get)|{_IF}",
    ),
    _phrase(
        r"\b(?:please|kindly|you must|i ask you to|i request (?:that )?you(?: to)?|could you|can you|would you) (?:please |kindly )?(?:remove|delete|erase) (?:me\b|my (?:details|data|e-?mail|address|contact|information|personal))",
        f"{_NOT}(?:remove|delete|erase)|{_IF}",
    ),
    _phrase(
        r"\b(?:erase|delete|erasure of|deletion of) (?:all )?(?:of )?(?:my|any) (?:\w+ )?(?:personal )?(?:data|details|information)\b",
        f"{_NOT}(?:erase|delete)|{_IF}",
    ),
    _phrase(
        r"\b(?:stop|quit|cease)(?: \w+)? (?:contacting|e-?mailing|mailing|messaging|writing|sending|spamming|bothering|harassing|pestering|bugging|pinging|chasing)\b(?! (?:out|around))",
        r"\b(?:don['’]t|do not|never|please don['’]t) (?:ever )?(?:stop|quit)|" + _IF,
    ),
    _phrase(
        rf"\b(?:do not|don['’]?t|never|not to) (?:ever )?(?:contact|e-?mail|mail|message|write(?: to)?|reach out(?: to)?|bother|approach|send)(?: (?:me|us|to me))?\b[^.!?\n]{{0,60}}\b{_AGAIN}\b|\bno (?:more|further) (?:contact|e-?mails?|mails?|messages|communications?|correspondence|follow-?ups?|outreach|solicitations?|approaches|emails? please)\b",
        r"\b(?:why|sorry)[^.]{0,30}\bdid(?:n['’]t| not)|if (?:you|they|there)[^.]{0,30}no (?:more|further)|i will not|i won['’]t|i have no",
    ),
    _phrase(
        r"\b(?:do not|don['’]?t|never|stop) (?:ever )?follow(?:ing)?[ -]?up\b(?! (?:with (?!me\b|us\b)|on the))|\b(?:prefer|wish|want|ask(?:ed)?|like|request(?:ed)?|right|rather)\b(?: \w+)? not (?:to )?(?:be (?:contacted|approached|e-?mailed|solicited|on your)|(?:receive|get) (?:these|this|those|such|any|your|e-?mails?|mails?|messages?|more|further)|hear from you)(?! by (?!you|your|e-?mail|recruit|agenc))|\bno more of (?:these|this|those|your)\b|\b(?:make|let) this (?:be )?(?:the|your) last (?:e-?mail|mail|message|one)\b"
        r"|\b(?:appreciate|prefer|grateful|rather|better|glad|like)\b[^.!?\n]{0,30}\byou (?:did(?:n['’]t| not)|would(?:n['’]t| not)|never|not|stop(?:ped)?|refrain(?:ed)?)\b[^.!?\n]{0,20}\b(?:contact|e-?mail|mail|messag|writ|reach|approach)\w*"
        r"|\bnever (?:consented|opted[ -]in|subscribed|gave (?:you |anyone )?(?:my |any )?(?:consent|permission)|agreed|signed up)\b(?: (?:to|for) (?:be\b|being|receiv\w+|get\w*|this|these|your|such|any) ?(?:\w+)?|\W*$)"
        r"|\b(?:e-?mail|contact|write|message)\w* (?:to )?me (?:again|one more time|once more|another time)\b[^.!?\n]{0,40}\b(?:report|block|spam|lawyer|complain|legal|authorit)\w*|\b(?:i(?:'m| am|'ve| have|'ll| will)|am|have) (?:now )?(?:block(?:ing|ed)? (?:you|your|this (?:address|sender))|(?:report|mark|flagg)(?:ing|ed)? (?:you|this|your \w+)[^.!?\n]{0,20} (?:as|for) (?:spam|abuse|phishing|junk))",
        r"\bwhy\b|\bsorry\b|\bhesitate\b",
    ),
    _phrase(
        r"\b(?:do not|don['’]?t|never) (?:ever )?(?:contact|e-?mail|mail|message|write to|reach out to|bother|spam) (?:me|us)\b",
        rf"{_ONLY}|\bif\b|\bwhy\b|hesitate",
    ),
    _phrase(
        r"\b(?:do(?:es)? not|don['’]?t|no longer|not) (?:wish|want|like|care|consent|agree|interested)(?:ing)? (?:in receiving (?:such|these|your|any|further|more|this)|to (?:(?:receive|get) (?:\w+ ){0,4}(?:e-?mails?|mails?|messages?|newsletters?|communications?|anything|offers|contact|correspondence|these|those|such)|be (?:contacted|e-?mailed|approached|on)|hear from)|(?:any )?(?:more|further) (?:e-?mails?|mails?|messages|contact)|you to (?:contact|e-?mail|write)|(?:your|these|this|such) (?:kind of )?(?:e-?mails?|mails?|messages))[^.!?\n]{0,60}",
        r"\bif you do(?:n['’]t| not)|would(?:n['’]t| not)|\bwhy\b|feedback",
    ),
    _phrase(
        r"\b(?:leave me alone|lose my (?:e-?mail|address|number)|take me off|cease and desist|unsolicited[^.]{0,40}(?:stop|remove|cease)|(?:stop|end) (?:these|the|those|this|your) (?:e-?mails?|mails?|messages|spam)|i (?:hereby )?(?:object to|withdraw (?:my )?consent)|put me on your (?:do[- ]not[- ](?:contact|mail)|suppression|block))",
        _IF,
    ),
    # German
    _phrase(
        r"(?:nicht (?:mehr|weiter(?:hin)?|wieder|noch einmal|nochmals|erneut))[^.!?\n]{0,60}(?:kontaktier|anschreib|angeschrieben|schreib|mail|beläst|kontakt|zu(?:zu)?senden|schick|senden|anfrag|melden sie sich|anrufen)|(?:kontaktieren|schreiben|mailen|belästigen|senden|schicken)[^.!?\n]{0,40}nicht (?:mehr|weiter|wieder)|hör(?:en sie|t|e)?[^.!?\n]{0,15} auf\b[^.!?\n]{0,30}(?:schreiben|mailen|kontakt|schicken|senden|beläst)|(?:sehen|sieh|seht) (?:sie )?[^.!?\n]{0,30}\bvon (?:weiteren?|künftigen|zukünftigen|solchen|derartigen|jeder|jeglicher|jedweder)[^.!?\n]{0,40} ab\b|\bvon (?:weiteren?|künftigen|zukünftigen|solchen|derartigen|jeder|jeglicher|jedweder) (?:weiteren )?(?:e-?mail|mail|nachricht|anfrage|angebot|kontakt|zuschrift|anschreib|ansprache)\w*[^.!?\n]{0,40}(?:abzusehen|absehen|abstand)|\babstand von (?:weiteren?|künftigen|zukünftigen|solchen|jeder|jeglicher)|(?:^|\bbitte)[^.!?\n]{0,25}\bnicht (?:mehr|wieder) melden\b|(?:verzichten|verzichte) (?:sie )?[^.!?\n]{0,30}\bauf (?:weitere|künftige|zukünftige|solche|derartige|jede|jegliche)[nr]? (?:weitere )?(?:e-?mail|mail|nachricht|anfrage|angebot|kontakt|zuschrift|anschreib|ansprache|werbung)|\bverbitte mir\b|(?:unterlassen|stoppen|beenden) sie[^.!?\n]{0,60}(?:mail|kontakt|zusend|nachricht|anfrag|werbung|anschreib)",
        r"warum|falls ich|wenn ich|habe ich nicht mehr|unter dieser nummer|werde mich|kann ich ihnen nicht mehr|konnte ich",
    ),
    _phrase(
        r"\b(?:keine?n?|nie) (?:weitere[nr]?|mehr|zukünftigen|künftigen)?\s*(?:e-?mails?|\w{0,12}mails?|nachrichten|anfragen|angebote|kontaktaufnahme[n]?|kontaktversuche|zuschriften|werbung|newsletter|kontakt|jobangebote|stellenangebote|follow-?ups?|anschreiben)\b[^.!?\n]{0,30}(?:mehr|dieser art|solcher art|dergleichen|per e-?mail|erhalten|bekommen|wünsch|senden|schicken|zukommen|wollen|möchte|von ihnen|bitte|\s*$)|\b(?:keinen? weiteren?|keine mehr) (?:e-?mails?|mails?|nachrichten|anfragen|angebote|kontakt)",
        r"falls ich|wenn ich|habe (?:bisher|noch) keine|warum|hatte keine|bekam keine|keine nachricht erhalten|keine e-?mail (?:erhalten|bekommen)",
    ),
    _phrase(
        r"(?:aus|von) (?:ihrem|ihrer|ihren|deinem|deiner|eurem|eurer|dem|der|allen|diesem|dieser) (?:[\w-]+ )?(?:e-?mail-?|mail-?|mailing-?)?(?:verteiler|liste|datenbank|kartei|listen|datenbanken|mailingliste|system|adressbuch|daten|verzeichnis)[^.!?\n]{0,60}(?:nehmen|nimm|streichen|streich|lösch|entfern|austrag|rausnehm|genommen|gelöscht|entfernt|raus)|(?:nehmen|streichen|löschen|entfernen|tragen|nimm|streich|lösch|entfern)[^.!?\n]{0,50}(?:aus|von) (?:ihrem|ihrer|ihren|deinem|deiner|eurem|eurer|dem|der|allen) [\w -]{0,30}(?:verteiler|liste|datenbank|kartei|system|mailingliste)",
        r"nicht (?:aus|von) |falls ich|wenn ich je",
    ),
    _phrase(
        r"(?:löschen|entfernen|lösche?|streichen) sie[^.!?\n]{0,30}(?:mich|meine|meinen)|(?:lösche?|entferne?|streiche?) (?:bitte |doch )?(?:mich|meine)|(?:mich|meine (?:daten|e-?mail|adresse|mailadresse|kontaktdaten|personenbezogenen)[^.!?\n]{0,40})[^.!?\n]{0,20}(?:zu löschen|löschen|gelöscht|entfernen|zu entfernen)|(?:melden|tragen) sie mich[^.!?\n]{0,40}(?:ab|aus)\b|möchte (?:mich|hiermit)[^.!?\n]{0,40}(?:abmelden|austragen|abbestellen|widersprechen)|(?:ich )?widerspreche (?:hiermit )?(?:der|jeder|jeglicher|ausdrücklich)|bitte (?:um )?(?:abmeld|austrag|abbestell|löschung|lösch(?:en|t)? (?:meine|mich))|(?:bitte|mich) (?:ab|aus)(?:melden|tragen)\b|(?:möchte|will|wünsche) nicht,? dass sie (?:mich|mir)|lassen sie mich (?:bitte )?in ruhe",
        r"nicht (?:abmelden|löschen|austragen)|falls ich|wenn ich je",
    ),
    # French
    _phrase(
        r"\bne (?:plus|pas) (?:jamais )?(?:me |m['’]|nous )(?:re)?(?:contacter|écrire|envoyer|solliciter|adresser|importuner|déranger|relancer|démarcher|faire parvenir)|\bne (?:me|m['’]|nous) ?(?:re)?(?:contactez|contacte|écrivez|écris|envoyez|envoie|sollicitez|relancez|dérangez|importunez) (?:plus|pas)|\bne (?:souhaite|veux|désire|voudrais) (?:plus|pas)(?: du tout)? (?:recevoir|être (?:contact|sollicit|démarch|relanc)|que vous|avoir)|\bplus (?:recevoir|être contact)|\bcess\w+ (?:immédiatement )?toute?s? (?:contact|envoi|communication|sollicitation|prise)|\b(?:cess|arrêt)\w* (?:immédiatement |svp )?(?:vos|ces|cet|ce|les|toutes? vos|tous (?:vos|ces)) (?:\w+ )?(?:sollicitations?|relances?|envois?|messages|mails|e-?mails|courriels|démarchages?|prospections?|spams?|harcèlement)|\b(?:inutile|pas la peine) de (?:me |m['’])(?:re)?(?:contacter|écrire|relancer|solliciter|envoyer)|\bplus (?:de|aucun\w*) (?:mails?|e-?mails?|courriels?|sollicitations?|relances?|démarchage)\b|\b(?:cess|arrêt)\w* (?:immédiatement )?(?:de |d['’])(?:me |m['’]|nous )",
        r"\bavant\b|\bpar téléphone\b|\bsi je\b|\bpourquoi\b|au bureau",
    ),
    _phrase(
        r"\b(?:désabonn|désinscri|désinscrire)\w*(?:[- ]moi)?\b|\b(?:retir|enlev|supprim|effac|ôt|ray)(?:ez|er|e|és|ée)?[- ](?:moi|mes (?:données|coordonnées|informations)|mon (?:adresse|e-?mail|mail|nom|contact|profil)|m['’]?)[^.!?\n]{0,60}(?:liste|base|fichier|diffusion|données|mailing|coordonnées|contacts|adresse|système|crm)?|\bme (?:retirer|supprimer|désinscrire|désabonner|enlever|rayer|radier)\b|(?:suppression|effacement) de mes (?:données|coordonnées|informations)|\bm['’]oppose",
        r"\bne (?:\w+ )?(?:pas|plus) (?:me )?(?:désabonn|désinscr|retir|supprim)|(?:pas|jamais) (?:me )?désinscr|\bsi je\b",
    ),
    # Spanish
    _phrase(
        r"\bno (?:me |nos )?(?:vuelva[ns]?|vuelvas) a (?:contactar|escribir|enviar|mandar|molestar)|\bno (?:me |nos )?(?:contacte|contactes|contacten|escriba|escribas|escriban|env[íi]e|env[íi]es|env[íi]en|mande|mandes|manden|moleste|molesten)[^.!?\n]{0,40}\b(?:más|mas|nunca|de nuevo|otra vez|nuevamente|en el futuro)\b|\b(?:abst[ée]n\w+|ces\w+) de (?:contactar|escribir|enviar|mandar)\w*|\bno (?:deseo|quiero|quisiera|me interesa) (?:seguir )?(?:recib|que me|ser contactad)\w*|\bdej(?:e|en|a|ad|ar) de (?:escribir|enviar|contactar|mandar|molestar)\w*|\bno más (?:correos|mensajes|e-?mails)",
        r"\bsi\b no (?:quiere|desea)|\bpor qué\b",
    ),
    _phrase(
        r"\b(?:d[eéa]n?me|darme|dar|darnos|dadme|deme|denme|causar) de baja|\b(?:elim[ií]n|b[oó]rr|qu[ií]t|s[aá]qu|sac|ret[ií]r|supr[ií]m)\w*(?:me|rme|nme)?\b[^.!?\n]{0,20}\b(?:de (?:su|sus|tu|tus|la|esta|vuestra)[^.!?\n]{0,20}(?:lista|listas|base|bases|datos|distribución|mailing|contactos|sistema)|mis datos|mi (?:correo|dirección|e-?mail|contacto|nombre))|\bcancelar? (?:mi |la )?suscripción|\bdesuscrib\w+|\bme opongo al|(?:eliminación|supresión|borrado) de mis datos",
        r"\bno (?:me |quiero |hace falta )?(?:elimin|borr|quit|da)\w+|no (?:quiero|deseo) dar",
    ),
    # Italian
    _phrase(
        r"\bbasta (?:con )?(?:e-?mail|mail|messaggi)\b|\bnon (?:(?:mi|ci) )?(?:contatt|scriv|invi|mand|spedi|disturb|import)\w+[^.!?\n]{0,30}\b(?:più|ulterior|di nuovo|in futuro)|\bnon (?:desidero|voglio|vorrei|intendo|gradisco)(?: più)?[^.!?\n]{0,20}(?:ricever|essere (?:più )?(?:ri)?contattat|altre (?:e-?mail|mail))|\bsmett\w+ di (?:scriver|mandar|inviar|contattar|disturb)\w*|\bnessun'? ?altr[ao] (?:e-?mail|mail|messaggio)",
        r"\bse non\b|\bperché\b",
    ),
    _phrase(
        r"\b(?:cancell|rimuov|elimin|togli|toglie|depenn|disiscriv)\w*(?:mi|temi|etemi|rmi)\b|\b(?:cancell|rimuov|elimin|togli)\w+ (?:il mio (?:nome|indirizzo|nominativo|contatto)|i miei (?:dati|recapiti)|la mia (?:e-?mail|mail|posta))|\bdisiscri[vz]\w+|\bcancell\w+ (?:della |la )?(?:mia )?iscrizione|\bcancellazione dei miei dati|\bmi oppongo al",
        r"\bnon (?:voglio |vorrei )?(?:cancell|rimuov|elimin|disiscriv)",
    ),
    # Portuguese
    _phrase(
        r"\bnão (?:me |nos |voltem? a me |volte a )?(?:contact|contat|escrev|envi|mand|incomod|importun)\w*[^.!?\n]{0,30}\b(?:mais|novamente|outra vez)|\bnão (?:mais )?(?:desejo|quero|gostaria de|tenho interesse em)(?: mais)? (?:receb|ser contac?tad|ser incomodad|que me|continuar a receb)\w*|\b(?:par|deix)(?:e|em|ar|a) de (?:me )?(?:enviar|mandar|contac?tar|escrever|incomodar)|\bnão (?:envie|mande|enviem|mandem) mais|\bchega de e-?mails",
        r"\bse não\b|\bpor que\b",
    ),
    _phrase(
        r"\b(?:remov|retir|tir|exclu|elimin|apag|delet)\w*(?:-me|-nos| me| o meu| meu| meus| os meus| a minha| minha)\b[^.!?\n]{0,60}(?:lista|base|dados|mailing|contactos|contatos|e-?mail|endereço|sistema|cadastro|nome)|\b(?:me |-me )(?:remov|retir|exclu|descadastr)\w+|\bdescadastr\w+|\bcancelar? (?:a )?(?:minha )?(?:subscrição|inscrição|assinatura)|\bsair d(?:a|esta) (?:sua |vossa )?lista|\boponho-me ao|(?:exclusão|eliminação|remoção) (?:dos|de) meus dados",
        r"\bnão (?:quero |precisa )?(?:remov|retir|exclu|elimin|apag|cancel|descadastr)",
    ),
    # Dutch
    _phrase(
        r"\b(?:niet|nooit) (?:meer|langer|nogmaals|opnieuw)[^.!?\n]{0,40}(?:contact|benader|mail|schrij|lastig|stur|toegestuurd|ontvang|aanschrij|verstur)\w*|\b(?:mail|contacteer|benader|schrijf|stuur) (?:me|mij|ons)[^.!?\n]{0,20}(?:niet|nooit|geen)[^.!?\n]{0,20}(?:meer|langer)|\bgeen (?:verdere |nieuwe |andere )?(?:e-?mails?|mails?|berichten|contact|mailtjes)[^.!?\n]{0,25}(?:meer|ontvangen|sturen)\b|\b(?:zie|ziet|zien|af te)[^.!?\n]{0,30}\b(?:af )?van (?:verder|verdere|nieuwe|toekomstige?) (?:contact|e-?mails?|mails?|berichten|benadering\w*)|\bstop(?:pen)? (?:a\.?u\.?b\.? )?met (?:mij|me|het|mailen|sturen|deze|uw)",
        r"\bwaarom\b|\bals ik\b",
    ),
    _phrase(
        r"\b(?:schrijf|meld) (?:mij|me)[^.!?\n]{0,30}\b(?:uit|af)\b|\b(?:verwijder|haal|schrap|wis)(?:en|t)? (?:mij|me|a\.?u\.?b\.? (?:mij|mijn)|mijn (?:gegevens|adres|e-?mail|e-?mailadres|naam|contact))|\b(?:mijn (?:gegevens|e-?mailadres|adres)|mij|me)[^.!?\n]{0,50}(?:te )?(?:verwijder|schrapp|wiss|uitschrijv|afmeld)\w*|\b(?:graag|wil|wens)[^.!?\n]{0,25}(?:afmelden|uitschrijven|uitgeschreven|afgemeld)",
        r"\bniet (?:afmelden|uitschrijven|verwijderen)|\bals ik\b",
    ),
    # Polish
    _phrase(
        r"\b(?:proszę|prosze)[^.!?\n]{0,30}\b(?:nie|niewysyłanie|zaprzesta\w+|o zaprzestanie|przestać)[^.!?\n]{0,30}(?:pisać|kontakt|wysył|przysył|pisz|wysyłania|przesył|mail)\w*|\bnie (?:życzę sobie|chcę|chce|zgadzam się na|wyrażam zgody na)[^.!?\n]{0,40}(?:otrzym|dosta|kontakt|wiadomości|maili|korespondencji|mail)\w*|\b(?:proszę )?(?:więcej |już )?(?:nie|proszę nie) (?:pisz|piszcie|kontaktuj|kontaktujcie|wysyłaj|wysyłajcie)\w*[^.!?\n]{0,20}(?:więcej|już|do mnie|się ze mną)",
        r"\bjeśli\b|\bdlaczego\b|\bprzed\b",
    ),
    _phrase(
        r"\b(?:usun|usuń|wypis|skreśl|wykreśl)\w*[^.!?\n]{0,20}\b(?:mnie|mój|moje|moich|mojego|mojej)\b|\b(?:usunięcie|wykreślenie|wypisanie)[^.!?\n]{0,15}(?:mnie|moich|mojego|z (?:listy|bazy))|\bmnie (?:usun|wypis|wykreśl|skreśl)\w*|\brezygnuję z|\bwypisuję się|\bchcę się wypisać|\bcofam zgodę|\bsprzeciw wobec",
        r"\bnie (?:usuw|wypis)",
    ),
    # Swedish, Danish, Norwegian, Finnish
    _phrase(
        r"\b(?:kontakta|mejla|maila|skriv|skicka)[^.!?\n]{0,30}\binte\b[^.!?\n]{0,30}(?:igen|mer|längre|fler)|\b(?:inga|inte) (?:fler|mer|några fler) (?:mejl|mail|e-post|meddelanden|utskick)|\bvill inte (?:längre )?(?:ha|få|bli|ta emot)[^.!?\n]{0,30}(?:mejl|mail|e-post|kontakt|utskick|meddelanden)|\bsluta (?:mejla|maila|skicka|kontakta|skriva|spamma)|\b(?:ta|stryk|radera|plocka) (?:bort )?(?:mig|mina uppgifter|min (?:adress|mejl|e-post))|\bavregistrera\b|\bavprenumerera\b|\bavsluta (?:min )?prenumeration"
    ),
    _phrase(
        r"\b(?:kontakt|skriv|mail|send)[^.!?\n]{0,20}\bikke\b[^.!?\n]{0,30}(?:igen|mere|mer|flere|lenger|længere)|\b(?:ikke|ingen) (?:flere|mere|mer) (?:mails?|e-?mails?|e-?post|beskeder|meldinger|henvendelser)|\b(?:ønsker|vil) ikke (?:længere |lenger |at |å )?[^.!?\n]{0,30}(?:modtage|motta|få|kontakt|høre|mails?|e-?post)|\b(?:stop|slut|slutt)(?:p)? (?:med )?(?:at |å )?(?:sende|skrive|kontakte|maile|mails)|\b(?:fjern|slet|slett|afmeld|avmeld) (?:mig|meg|mine|min)\b|\b(?:meld|tag|ta) (?:mig|meg) (?:av|af|bort|fra)\b|\bikke (?:send|kontakt|skriv|mail)\w* (?:til )?(?:mig|meg)|\bafmeld(?:es|ing)?\b|\bframeld"
    ),
    _phrase(
        r"\bälkää[^.!?\n]{0,30}(?:ottako|lähettäkö|lähestykö)|\bälä[^.!?\n]{0,30}(?:ota yhteyttä|lähetä|lähesty)|\ben halua (?:enää )?(?:vastaanottaa|saada|viestej|sähköpost|yhteydenotto)|\bpoist(?:a|akaa|aisitteko|attehan)[^.!?\n]{0,30}(?:minut|minun|tietoni|osoitteeni|sähköpost)|\bperu(?:uta|ttakaa)?[^.!?\n]{0,20}tilau|\blopet(?:a|takaa)[^.!?\n]{0,30}(?:viesti|lähett|sähköpost|yhteydenot)"
    ),
    # Czech, Hungarian, Romanian, Russian, Ukrainian, Turkish
    _phrase(
        r"\bodhl[aá]s\w+|\b(?:již |už )?(?:mi |mne |mě )?(?:nepište|nekontaktujte|neposílejte|nezasílejte)\b|\bnepřeji si[^.!?\n]{0,40}(?:dostávat|kontakt|e-?mail)|\b(?:odstraňte|vymažte|smažte|vyřaďte)[^.!?\n]{0,20}(?:mě|mne|můj|moje|mé)|\bleiratkoz\w+|\bne (?:keressen|írjon|küldjön|zavarjon)[^.!?\n]{0,30}(?:többet|többé|több)|\b(?:töröl|vegy)\w+[^.!?\n]{0,30}(?:listá|adatbázis|adataim)|\bdezabon\w+|\bnu (?:mă|mai|îmi) (?:mai )?(?:contacta|trimite|scrie)\w*|\b(?:ștergeți|scoateți)(?:-mă| datele| adresa)|\bmă (?:ștergeți|scoateți|dezabonați)"
    ),
    _phrase(
        r"отпишите|отписаться|отписываюсь|не (?:пишите|присылайте|беспокойте|шлите|связывайтесь|отправляйте)(?: \w+){0,3} (?:больше|мне|со мной|более)|больше (?:мне )?не (?:пишите|присылайте|беспокойте|звоните|связывайтесь|отправляйте)|(?:удалите|исключите|уберите|вычеркните)[^.!?\n]{0,20}(?:меня|мой|мои|мою|адрес)|не (?:хочу|желаю)[^.!?\n]{0,20}(?:получать|писем)|прекратите[^.!?\n]{0,30}(?:рассыл|писать|присылать|отправ|спам)|відпишіть|не (?:пишіть|надсилайте)[^.!?\n]{0,20}(?:більше|мені)|видаліть (?:мене|мої|мою)",
        r"пишите мне не раньше|до понедельника",
    ),
    _phrase(
        r"(?:listeden|listenizden|listesinden|veritabanınızdan|sisteminizden)[^.!?\n]{0,30}çıkar|abonelikten (?:çık|ayrıl)|aboneliğimi[^.!?\n]{0,20}(?:iptal|sonlandır)|(?:bir daha|artık|lütfen)[^.!?\n]{0,30}(?:yazmayın|mail atmayın|göndermeyin|e-?posta atmayın|rahatsız etmeyin|iletişime geçmeyin)|(?:mail|e-?posta|mesaj)[^.!?\n]{0,20}almak istemiyorum|(?:bilgilerimi|verilerimi|adresimi)[^.!?\n]{0,20}sil"
    ),
    # Japanese, Chinese, Korean
    _phrase(
        r"配信(?:の)?(?:を)?(?:停止|解除|ストップ|不要)|(?:メール|連絡|案内)[^。\n]{0,20}(?:送らないで|しないで(?:ください|下さい)|不要です|お断り|ご遠慮|控えて|停止して|結構です|やめて)|(?:今後|これ以上)[^。\n]{0,30}(?:不要|お断り|ご遠慮|控え|やめて|送ら|結構)|(?:リスト|名簿|データベース|登録)(?:から|を)?[^。\n]{0,20}(?:削除|外して|除外|抹消|解除)|(?:個人情報|データ|アドレス|連絡先)[^。\n]{0,15}(?:削除|消去)して|登録解除|退会(?:したい|希望|を)"
    ),
    _phrase(
        r"(?:不要|别|別|勿|请勿|請勿|停止|不想)(?:再)?(?:给我|給我|向我|跟我|与我|與我|和我|对我)?(?:再)?(?:联系|聯繫|聯絡|联络|发|發|寄|发送|發送|打扰|打擾|骚扰|騷擾|收到)|退[订訂]|取消[订訂][阅閱]|(?:把我|将我|將我|请将|請將|请把|請把)[^。\n]{0,20}(?:移除|删除|刪除|除名|去掉|移出)|(?:删除|刪除|移除)我的",
        r"不想错过",
    ),
    _phrase(
        r"수신 ?거부|구독 ?(?:취소|해지)|(?:더 ?이상|다시는|앞으로)[^.\n]{0,30}(?:연락|메일|이메일|보내)[^.\n]{0,15}(?:않|마세요|말아|하지|원하지|주세요)|(?:연락|메일|이메일)[^.\n]{0,10}(?:하지 마|보내지 마|주지 마|원하지 않|받고 싶지 않)|(?:명단|목록|리스트|데이터베이스)에서[^.\n]{0,15}(?:삭제|제외|빼)|(?:개인 ?정보|제 정보|연락처)[^.\n]{0,10}삭제"
    ),
)
# Greek, Arabic, Hebrew: by their commonest words.
OTHER = re.compile(
    r"διαγρά(?:ψτε|ψετε) με|μην (?:μου )?(?:ξανα)?στε[ίι]λετε|μη με ξανα|إلغاء (?:الاشتراك|اشتراكي)|لا (?:ترسل|تراسل)\w*|احذف(?:وا)? (?:اسمي|بريدي)|תסיר[וה]? אותי|להסיר אותי|הסירו אותי|אל תשלח",
    re.IGNORECASE,
)
