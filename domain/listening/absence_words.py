"""What people write into automatic replies, in the larger languages: that they are away, what to do meanwhile, when they answer."""

import re

# That somebody is away.
_AWAY = re.compile(
    r"\b(?:am|i['’]m) not here\b|\bbin (?:derzeit |zurzeit )?nicht da\b|ne suis pas là|non ci sono|nie ma mnie|out of (?:the |my )?office|\baway (?:until|till|on|for)\b|\baway from (?:(?:the |my )?(?:office|desk|e-?mail|work|computer)\b|(?:the )?\d|(?:mon|tues|wednes|thurs|fri|satur|sun)day|today|tomorrow|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b)|on (?:annual |parental |maternity |paternity |sick |medical |study )?leave\b|on (?:vacation|holidays?|pto)\b|currently (?:away\b(?! from)|out\b(?! of)|travell?ing)|\b(?:unavailable|not available) (?:by|via|on|per|through) (?:my )?(?:e-?mail|phone|mobile)|\b(?:unavailable|not available|unable) (?:until|till|from \d|to (?:read|respond|answer|reply|check|access|take calls))|not in the office"
    r"|(?:limited|no|intermittent|sporadic|restricted) (?:access|internet)|nicht im (?:büro|haus|dienst)|außer haus|ausser haus|im urlaub|abwesend|nicht erreichbar|nicht am (?:platz|arbeitsplatz)|in elternzeit|auf (?:dienst|geschäfts)reise|im mutterschutz|nicht zu erreichen"
    r"|absente?s?\b|en congés?|en vacances|en déplacement|ne suis pas (?:disponible(?! (?:pour|avant|à))|joignable|au bureau)|actuellement (?:indisponible(?! pour)|hors)|hors du bureau|congé (?:maternité|parental)"
    r"|fuera de (?:la |mi )?oficina|de vacaciones|ausente|no (?:estoy|me encuentro) (?:disponible(?! (?:para|antes))|en la oficina)|de baja\b|baja (?:por )?maternidad|fuera del despacho"
    r"|fuori (?:sede|ufficio)|in ferie|assente|non (?:sono|sarò) (?:disponibile(?! (?:per|a|prima))|in ufficio|raggiungibile)|in trasferta|in congedo"
    r"|fora do escritório|de férias|em férias|ausente|em viagem|não (?:estou|estarei) (?:disponível(?! (?:para|antes))|no escritório)|licença[- ]maternidade"
    r"|afwezig|niet (?:aanwezig|op kantoor|bereikbaar)|met (?:vakantie|verlof|zwangerschapsverlof)|op vakantie|buiten kantoor"
    r"|nieobecn|na urlopie|poza biurem|przebywam (?:na|poza)|nie ma mnie w biurze|urlopie"
    r"|frånvarande|på semester|inte på (?:kontoret|plats)|föräldraledig|ikke på kontoret|på ferie|fraværende|ferierer|bortreist|ikke til stede|på barsel|ude af kontoret|lomalla|poissa(?:olo)?|en ole (?:toimistolla|tavoitettavissa)"
    r"|mimo kancelář|na dovolené|nepřítom|nejsem v kanceláři|na dovolenke|szabadságon|házon kívül|távol vagyok|în concediu|nu sunt (?:la|în) birou"
    r"|отсутству|в отпуске|вне офиса|не (?:смогу|могу) ответить|в командировке|у відпустці|поза офісом"
    r"|ofis dışında|izinde|izindeyim|yıllık izin|ofiste değil|εκτός γραφείου|με άδεια|απουσιάζω"
    r"|不在にして|不在と|不在の|休暇を?(?:いただ|頂|取得)|休暇中|出張中|外出して|休業(?:と|いた)|お休みを|席を外"
    r"|休假|出差|不在办公室|不在辦公室|外出|度假|年假|无法及时|無法及時|휴가|출장|부재|자리를 비",
    re.IGNORECASE,
)
# What templates add: whom to ask meanwhile, that the email is kept, when it is answered.
_MEANWHILE = re.compile(
    r"(?:urgent|immediate|emergency|pressing|time-sensitive)|in my absence|during my absence|during this (?:time|period)|upon my return|when i (?:return|get back|am back)|as soon as i (?:return|am back|get back)|on my return|please contact (?!me\b)|will (?:reply|respond|answer|get back|be back|return)|(?:returning|return|back) (?:on|to the office|in the office)|not (?:be )?(?:forwarded|monitored|read)"
    r"|dringend|in (?:meiner|seiner|ihrer) abwesenheit|nach meiner rückkehr|wieder (?:erreichbar|da|im büro|für sie|zurück)|wenden sie sich|meine vertretung|vertretung|nicht weitergeleitet|nicht gelesen|werde (?:ihre|deine|mich)"
    r"|urgence|urgent|en mon absence|pendant (?:mon absence|cette période)|à mon retour|dès mon retour|de retour|veuillez contacter|merci de (?:contacter|vous adresser)|je vous répondrai|vous pouvez (?:contacter|joindre)"
    r"|urgente|urgencia|en mi ausencia|durante mi ausencia|a mi (?:regreso|vuelta)|cuando (?:regrese|vuelva)|por favor,? (?:contacte|póngase)|regreso|le responderé|responderé"
    r"|urgenz|al mio (?:rientro|ritorno)|durante la mia assenza|in mia assenza|si prega di contattare|contattare|risponderò|rientr"
    r"|urgência|na minha ausência|durante (?:a minha|este|esse)|no meu (?:retorno|regresso)|assim que (?:retornar|regressar|voltar)|favor (?:contactar|contatar|entrar)|por favor contacte|retorn|responderei"
    r"|dringend|spoed|tijdens mijn afwezigheid|bij (?:mijn )?terugkomst|neem (?:dan )?contact|weer (?:aanwezig|bereikbaar|terug)|wordt niet (?:doorgestuurd|gelezen)"
    r"|pilnych|w sprawach|pod moją nieobecność|po powrocie|proszę o kontakt|odpowiem|w nagłych"
    r"|brådskande|vid brådskande|när jag är tillbaka|åter (?:på|den)|kontakta|återkommer|haster|ved hastende|kontakt(?:e)? (?:venligst|vennligst)|tilbage|tilbake|kiireellis|palaan|paluuni|vastaan"
    r"|naléhav|po návratu|kontaktujte|sürgős|visszat|urgențe|la întoarcere"
    r"|срочн|по возвращении|после возвращения|обращайтесь|обратитесь|терміново|acil|döndüğümde|dönüşümde|iletişime|επείγ|επιστροφή"
    r"|お急ぎ|緊急|至急|ご連絡ください|改めて|返信(?:いた|が遅|させ)|折り返し|紧急|急事|请联系|請聯|回来后|回來後|尽快|儘快|급한|긴급|복귀|연락 ?(?:주|바)",
    re.IGNORECASE,
)
# The greetings of templates.
_THANKS = re.compile(
    r"^\W*(?:(?:dear|hello|hi|hallo|bonjour|hola|guten tag|sehr geehrte)[^\n]{0,60}\n+)?\W*(?:thank(?:s| you)(?: very much| so much)? for (?:your|the|contacting|reaching|getting)|vielen dank für ihre|danke für (?:ihre|deine|die)|merci (?:pour|de) votre|gracias por (?:su|tu|contactar|escribir)|grazie per (?:la|il|aver)|obrigad[oa] pel|bedankt voor|dank (?:u )?voor uw|dziękuję za (?:wiadomość|e-?mail|kontakt)|tack för (?:ditt|ert)|tak for din|takk for (?:din|e)|kiitos (?:viesti|sähkö)|děkuji za|köszönöm (?:levelét|üzenetét)|спасибо за (?:ваше|письмо)|メールをいただき|ご連絡(?:いただき)?ありがとう|感谢您的(?:来信|邮件)|您好.{0,6}感谢|메일을? (?:보내)?주셔서)",
    re.IGNORECASE,
)
# A person says this of themselves, in an answer to somebody.
_PERSONAL = re.compile(
    r"\?|(?:\b(?:yes|sure|happy to|sounds (?:good|great|interesting)|let's|let me know|i(?:'d| would) (?:love|like|be (?:happy|interested|glad))|(?:very |not |really )?interested|call me|(?:contact|reach out to|get back to|write to|ping|try) me\b|new (?:roles?|jobs?|opportunit\w+|challenges?|positions?)|job (?:market|search)|talk|speak|no thanks?|my (?:cv|résumé|resume|number|salary)|could (?:we|you)|can (?:we|you)|would you)\b)"
    r"|\b(?:gern(?:e)?|klingt (?:gut|interessant|spannend)|ja,|interesse|interessiert|neue (?:stelle|rolle|aufgabe|herausforderung)\w*|(?:kontaktieren|schreiben|fragen) sie (?:mich|mir)\b|melden sie sich (?:\w+ ){0,3}(?:wieder|nochmal|noch einmal)|lassen sie uns|können (?:wir|sie)|telefonieren|sprechen|mein lebenslauf|nein,)"
    r"|\b(?:oui|volontiers|intéress|recontactez[- ]moi|nouve(?:au|lle) (?:poste|opportunité|défi)|avec plaisir|pouvons-nous|pouvez-vous|mon cv|non merci|échanger|parler)|(?:\bsí,|me interesa|encantad|con gusto|podemos|podría|hablamos|hablar|no,? gracias)"
    r"|(?:\bsì,|volentieri|mi interessa|interessat|possiamo|parliamo|no,? grazie)|(?:\bsim,|tenho interesse|interessad|podemos|vamos|falar|não,? obrigad)|(?:\bja,|graag|interesse|kunnen we|bellen)|(?:\btak,|chętnie|zainteresowan|porozmaw|zadzwoni)"
    r"|(?:gärna|intresserad|gerne|интересн|давайте|с удовольствием|興味|ぜひ|お願いします|感兴趣|可以|관심)",
    re.IGNORECASE,
)


def found(written: str) -> list[str]:
    """The phrases in it by which somebody is away."""
    return [each[0] for each in _AWAY.finditer(written[:4000])]


def is_personal(written: str) -> bool:
    """Does it speak to somebody: ask, agree, refuse?"""
    return bool(_PERSONAL.search(written[:4000]))


def is_template(written: str) -> bool:
    """Does the whole read like an automatic reply, and nothing in it like a person who answers?"""
    text = written[:4000]
    if not _AWAY.search(text) or is_personal(text):
        return False
    return len(_MEANWHILE.findall(text)) + bool(_THANKS.search(text)) >= 1
