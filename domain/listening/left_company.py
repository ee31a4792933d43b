"""Words by which a mailbox, or a colleague, says that somebody no longer works there, in the larger languages."""

import re

# Of somebody else, or of the mailbox. A person who answers says such things of themselves in other words.
_LEFT = re.compile(
    r"(?:is|am|are|was) no longer (?:with|employed|working|at|part of|a member|an employee|associated|affiliated|in (?:the|our) (?:company|employ))|no longer (?:works?|working|with us|employed|part of our)\b|(?:has|have|had|['’]ve|['’]s)(?: now| since| recently)? left (?:the|our|my)? ?(?:company|organi[sz]ation|firm|business|position|team|employment|us\b)"
    r"|(?:has|have|['’]ve) left [A-Z][\w&.-]+(?: [A-Z][\w&.-]+)*(?: on| as of| effective|\.|,)|(?:left|leaves|leaving) (?:the )?(?:company|organi[sz]ation|firm) (?:on|as of|effective|in|at)|(?:has|have) (?:moved on|departed) from|employment (?:with|at|by)[^.\n]{0,60} (?:has )?(?:ended|been terminated|terminated)|my last (?:working )?day (?:at|with|in) .{2,60} was|retired (?:from|on|in|as of)|(?:has|have) retired|passed away|this (?:mailbox|e-?mail (?:address|account)|account|address) (?:is|will be|has been) (?:no longer (?:in use|active|valid|monitored|used|checked|read)|deactivated|closed|discontinued|being closed)"
    r"|nicht mehr (?:bei (?:uns|der|[A-Z])|für (?:uns|die|das|[A-Z])|in unserem|im unternehmen|in der firma|im hause|mehr? tätig|beschäftigt|(?:hier )?tätig)|(?:hat|habe)[^.\n]{0,60}(?:unternehmen|firma|haus|gesellschaft|organisation)[^.\n]{0,30}verlassen|unternehmen[^\n]{0,40} verlassen (?:hat|habe|haben)|nicht mehr zur verfügung|(?:ist|bin)[^.\n]{0,60}(?:ausgeschieden|in (?:den )?(?:ruhestand|rente|pension))|aus dem unternehmen (?:ausgeschieden|ausgetreten)|(?:postfach|e-?mail-?adresse|adresse|mailadresse)[^.\n]{0,40}(?:nicht mehr (?:aktiv|genutzt|gültig|verwendet|gelesen|in (?:gebrauch|benutzung))|stillgelegt|deaktiviert|wird nicht mehr)"
    r"|ne (?:fait|fais) plus partie|ne travaille plus|n['’]est plus (?:en poste|dans (?:l['’]entreprise|la société|nos effectifs)|employé|salarié|parmi nous|chez)|n['’]exerce plus|(?:a|ai) quitté (?:l['’]entreprise|la société|le groupe|l['’]organisation|ses fonctions|nos effectifs|notre|mes fonctions|[A-Z]\w+)|parti(?:e)? à la retraite|(?:adresse|boîte)[^.\n]{0,40}n['’]est plus (?:active|utilisée|valide|consultée|relevée)"
    r"|ya no (?:trabaja|trabajo|form[ao] parte|pertenece|labora|está (?:en|con))|ha dejado (?:de trabajar|la empresa|la compañía|de formar parte)|no (?:trabaja|labora) más|(?:correo|dirección|buzón|cuenta)[^.\n]{0,40}(?:ya no (?:está|se)|no está activ)"
    r"|non (?:lavora|lavoro|fa|faccio|è|sono) più (?:in|presso|parte|con|qui|per|dipendente|in forza|alle)|ha lasciato (?:l['’]azienda|la società|il gruppo|la ditta)|(?:indirizzo|casella)[^.\n]{0,40}non (?:è|sarà) più (?:attiv|in uso|valid|presidiat)"
    r"|(?:já )?não (?:trabalha|trabalho|faz|faço|integra|pertence) mais|não (?:faz|faço) (?:mais|já) parte|já não (?:trabalha|colabora|faz parte|pertence|se encontra)|mais parte (?:da|do) (?:nossa|nosso|quadro|equipe|empresa)|deixou (?:a empresa|a companhia|de fazer parte|o quadro)|desligou-se|(?:e-?mail|endereço|caixa|conta)[^.\n]{0,40}(?:não está mais|já não está|foi desativad|desativad)"
    r"|niet (?:meer|langer) (?:werkzaam|in dienst|bij|actief|verbonden)|werkt? (?:hier )?niet (?:meer|langer)|(?:heeft|heb)[^.\n]{0,60}(?:verlaten)|uit dienst|(?:postbus|mailbox|e-?mailadres|adres)[^.\n]{0,40}(?:niet meer (?:in gebruik|actief|gelezen)|wordt niet meer)"
    r"|(?:już )?nie (?:pracuje|pracuję|jest już|jest pracownikiem)|(?:zakończył|zakończyła|zakończyłem|zakończyłam) (?:współpracę|pracę)|odsz(?:edł|ła) z (?:firmy|pracy)|(?:skrzynka|adres|konto)[^.\n]{0,40}(?:nie jest już|nieaktywn|jest nieaktualn)"
    r"|(?:arbetar|jobbar|är)[^.\n]{0,30}inte längre|har (?:slutat|lämnat)|har avslutat sin anställning|(?:arbeider|jobber|er)[^.\n]{0,20}ikke lenger|har sluttet|(?:arbejder|er)[^.\n]{0,30}ikke længere|er fratrådt|er stoppet (?:hos|i)|ei (?:ole|työskentele) enää|on lähtenyt|již (?:zde |u nás |v naší )?(?:nepracuje|není)|už[^.\n]{0,30} nepracuje|már nem (?:dolgozik|munkatársunk)|nu mai (?:lucrează|lucrez|face parte)"
    r"|больше не работа|уже не работа|уволил|покинул[аи]? (?:компанию|организацию)|більше не працю|artık (?:şirketimizde |burada |firmamızda )?(?:çalışmamakta|çalışmıyor|görev yapmıyor|bünyemizde değil)|şirketimizden ayrıl|δεν εργάζεται πλέον|έχει αποχωρήσει"
    r"|退職(?:いた|し|して)|異動(?:いた|しました|となり)|在籍して(?:おりません|いません)|离职|離職|已不在(?:本|我)?公司|不再(?:就职|任职|在本公司)|퇴사|퇴직|더 이상 (?:근무|재직)",
    re.IGNORECASE,
)
# What somebody no longer works on. They stay.
_ONLY = re.compile(
    r"[^.\n]{0,10}\b(?:on|part of|an|am|für|im|dans|sur|du|en|del?|in|su|na|no|aan|op|på|over|przy|w) [^.\n]{0,50}?\b(?:project|projekt\w*|projet|proyecto|progetto|projeto|mandate?|mandat|initiative|programme?|task force|committee|topic|thema)\b|[^.\n]{0,10}\b(?:full|part)[ -]time|[^.\n]{0,10}\bon (?:mon|tues|wednes|thurs|fri)days",
    re.IGNORECASE,
)
_ONLY_BEFORE = re.compile(
    r"\b(?:für|an|am|im|on|in|dans|sur|pour|en|nel|no|na) (?:\w+ ){0,2}(?:projekt|project|projet|proyecto|progetto|projeto)\b[^.\n]{0,40}$",
    re.IGNORECASE,
)
# Whoever left says where they themselves are now, or that they would like to talk.
_OWN = re.compile(
    r"\b(?:contact|reach|write(?: to)?|e-?mail|call|text) me\b|\bmy (?:new|private|personal|home) (?:e-?mail|address|number|account)|\bi(?:'m| am| would be|'d be) (?:\w+ )?interested"
    r"|\b(?:kontaktieren|erreichen|schreiben|rufen) sie (?:mich|mir)\b|\bmeine[rn]? (?:neue|private|persönliche)[nr]? |\bselbst(?:st)?ändig|\binteress(?:e|iert)\b|\b(?:contactez|écrivez|appelez|joignez)[- ](?:moi)\b|\bme (?:contacter|joindre|écrire)\b|\b(?:mon|ma) (?:nouvelle |nouveau )?(?:adresse|mail|e-?mail)(?: \w+)? (?:perso\w*|privée?)|\bma nouvelle adresse|m['’]intéresse"
    r"|\b(?:cont[áa]cteme|escr[íi]bame|escr[íi]beme|cont[áa]ctame)\b|\bmi (?:nuevo|nueva|correo personal|e-?mail personal)|me interesa|\b(?:contattatemi|mi contatti|scrivetemi|mi scriva)\b|\b(?:il mio|la mia) (?:nuov[oa]|indirizzo personale|mail (?:personale|privata))|\bmeu (?:novo|e-?mail pessoal)|tenho interesse|\bmijn (?:nieuwe|privé)|\bmój (?:nowy|prywatny)|\bmin (?:nya|nye|privata|private) ",
    re.IGNORECASE,
)
# By which a template gives itself away where no header does.
_INSTEAD = re.compile(
    r"please (?:contact|direct|send|forward|e-?mail|reach|note|update|get in touch|use)|for (?:any|all|further)[^.\n]{0,40}(?:enquir|inquir|request|matters|questions|assistance)|(?:not|no longer) (?:be )?(?:monitored|read|forwarded|checked)|new contact|successor|replaced by|wenden sie sich|kontaktieren sie|ansprechpartner|nachfolge|nicht (?:weitergeleitet|gelesen)|richten sie|veuillez|merci de|vous pouvez (?:contacter|vous adresser)|adressez|por favor|póngase|contacte|diríjase|si prega|contattare|rivolger|vi prego|favor|entre em contato|contate|neem contact|contact op(?:nemen)?|u kunt|proszę|kontakt|vänligen|kontakta|kontakt|ota(?:ttehan)? yhteyttä|obracejte|kontaktujte|обращайтесь|обратитесь|пишите|lütfen|iletişim|παρακαλ|ご連絡|お問い合わせ|後任|请联系|請聯|연락|문의",
    re.IGNORECASE,
)


def left_words(written: str) -> str:
    """The phrase that says so, or ""."""
    for found in _LEFT.finditer(written[:4000]):
        before = written[max(0, found.start() - 120) : found.start()]
        if not (_ONLY.match(written, found.end()) or _ONLY.search(found[0]) or _ONLY_BEFORE.search(before)):
            return " ".join(found[0].split())
    return ""


def is_their_own(written: str) -> bool:
    """Does whoever left write it, rather than a mailbox or a colleague?"""
    return bool(_OWN.search(written[:4000]))


def is_template(written: str) -> bool:
    """Does it also say whom to ask instead?"""
    return bool(_INSTEAD.search(written[:4000]))
