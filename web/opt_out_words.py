"""What a candidate reads when they opt out, in the languages that most of them read; English for all others."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """``{organization}``, ``{sender}``, ``{n}``: filled in. ``stopped``: for none, one and several emails."""

    ask: str
    intro: str
    address: str
    stops: str
    planned: str
    button: str
    unchanged: str
    stopped: tuple[str, str, str]
    sent: str
    later: str
    nobody: str
    doubt: tuple[str, str]
    mistake: str
    answer: str
    cut: str
    cut_why: str
    cut_help: str


WORDS = {
    "en": Words(
        "Stop emails from {organization}?",
        "{sender} wrote to you. If you stop these emails, nobody at {organization} can send you such emails any more.",
        "Your address",
        "Stops",
        "{n} planned, and all later ones",
        "Stop all emails",
        "Nothing has changed yet. You need no account, and we ask for nothing else.",
        (
            "Stopped, nothing can leave any more",
            "1 email stopped, nothing can leave any more",
            "{n} emails stopped, nothing can leave any more",
        ),
        "Already sent",
        "From now on",
        "Nobody at {organization} can send this address such an email",
        (
            "1 email was on its way at that moment and may still reach you:",
            "{n} emails were on their way at that moment and may still reach you:",
        ),
        "That was a mistake",
        "Answer an email of {organization} and say so. They can then write to you again.",
        "This link does not work",
        "We cannot read from it who you are, so nothing has changed. Open it again from the email.",
        "If it fails again, answer the email with the word “stop”.",
    ),
    "de": Words(
        "E-Mails von {organization} beenden?",
        "{sender} hat Ihnen geschrieben. Wenn Sie diese E-Mails beenden, kann Ihnen niemand bei {organization} mehr solche E-Mails senden.",
        "Ihre Adresse",
        "Beendet",
        "{n} geplante und alle späteren",
        "Alle E-Mails beenden",
        "Noch ist nichts geändert. Sie brauchen kein Konto, und wir fragen nach nichts anderem.",
        (
            "Beendet, es kann nichts mehr abgehen",
            "1 E-Mail gestoppt, es kann nichts mehr abgehen",
            "{n} E-Mails gestoppt, es kann nichts mehr abgehen",
        ),
        "Bereits gesendet",
        "Ab jetzt",
        "Niemand bei {organization} kann dieser Adresse eine solche E-Mail senden",
        (
            "1 E-Mail war in diesem Moment unterwegs und kann Sie noch erreichen:",
            "{n} E-Mails waren in diesem Moment unterwegs und können Sie noch erreichen:",
        ),
        "Das war ein Versehen",
        "Antworten Sie auf eine E-Mail von {organization} und sagen Sie es. Dann kann man Ihnen wieder schreiben.",
        "Dieser Link funktioniert nicht",
        "Wir können daraus nicht lesen, wer Sie sind. Es ist nichts geändert. Öffnen Sie ihn noch einmal aus der E-Mail.",
        "Wenn es wieder nicht geht, antworten Sie auf die E-Mail mit dem Wort „Stopp“.",
    ),
    "fr": Words(
        "Arrêter les e-mails de {organization} ?",
        "{sender} vous a écrit. Si vous arrêtez ces e-mails, personne chez {organization} ne pourra plus vous en envoyer.",
        "Votre adresse",
        "Arrêtés",
        "{n} prévus, et tous les suivants",
        "Arrêter tous les e-mails",
        "Rien n’a encore changé. Aucun compte n’est nécessaire, et nous ne demandons rien d’autre.",
        (
            "Arrêté, plus rien ne peut partir",
            "1 e-mail arrêté, plus rien ne peut partir",
            "{n} e-mails arrêtés, plus rien ne peut partir",
        ),
        "Déjà envoyés",
        "Désormais",
        "Personne chez {organization} ne peut envoyer un tel e-mail à cette adresse",
        (
            "1 e-mail était en route à ce moment et peut encore vous parvenir :",
            "{n} e-mails étaient en route à ce moment et peuvent encore vous parvenir :",
        ),
        "C’était une erreur",
        "Répondez à un e-mail de {organization} et dites-le. On pourra alors vous écrire à nouveau.",
        "Ce lien ne fonctionne pas",
        "Il ne nous permet pas de savoir qui vous êtes ; rien n’a changé. Ouvrez-le de nouveau depuis l’e-mail.",
        "Si cela échoue encore, répondez à l’e-mail par le mot « stop ».",
    ),
    "es": Words(
        "¿Detener los correos de {organization}?",
        "{sender} le ha escrito. Si detiene estos correos, nadie de {organization} podrá enviarle más.",
        "Su dirección",
        "Se detienen",
        "{n} previstos, y todos los posteriores",
        "Detener todos los correos",
        "Todavía no ha cambiado nada. No necesita ninguna cuenta y no le pedimos nada más.",
        (
            "Detenido, ya no puede salir nada",
            "1 correo detenido, ya no puede salir nada",
            "{n} correos detenidos, ya no puede salir nada",
        ),
        "Ya enviados",
        "Desde ahora",
        "Nadie de {organization} puede enviar un correo así a esta dirección",
        (
            "1 correo estaba en camino en ese momento y aún puede llegarle:",
            "{n} correos estaban en camino en ese momento y aún pueden llegarle:",
        ),
        "Ha sido un error",
        "Responda a un correo de {organization} y dígalo. Entonces podrán escribirle de nuevo.",
        "Este enlace no funciona",
        "No podemos leer en él quién es usted, así que no ha cambiado nada. Ábralo de nuevo desde el correo.",
        "Si vuelve a fallar, responda al correo con la palabra «stop».",
    ),
    "it": Words(
        "Interrompere le e-mail di {organization}?",
        "{sender} le ha scritto. Se interrompe queste e-mail, nessuno di {organization} potrà più inviargliene.",
        "Il suo indirizzo",
        "Si interrompono",
        "{n} previste, e tutte le successive",
        "Interrompi tutte le e-mail",
        "Non è ancora cambiato nulla. Non serve alcun account e non chiediamo altro.",
        (
            "Interrotto, non può più partire nulla",
            "1 e-mail fermata, non può più partire nulla",
            "{n} e-mail fermate, non può più partire nulla",
        ),
        "Già inviate",
        "Da adesso",
        "Nessuno di {organization} può inviare un’e-mail simile a questo indirizzo",
        (
            "1 e-mail era in viaggio in quel momento e può ancora arrivarle:",
            "{n} e-mail erano in viaggio in quel momento e possono ancora arrivarle:",
        ),
        "È stato un errore",
        "Risponda a un’e-mail di {organization} e lo dica. Allora potranno scriverle di nuovo.",
        "Questo link non funziona",
        "Non possiamo leggervi chi è lei, quindi non è cambiato nulla. Lo apra di nuovo dall’e-mail.",
        "Se non riesce ancora, risponda all’e-mail con la parola «stop».",
    ),
    "pt": Words(
        "Parar os e-mails de {organization}?",
        "{sender} escreveu-lhe. Se parar estes e-mails, ninguém na {organization} poderá enviar-lhe mais.",
        "O seu endereço",
        "Param",
        "{n} previstos, e todos os seguintes",
        "Parar todos os e-mails",
        "Ainda nada mudou. Não precisa de conta, e não pedimos mais nada.",
        (
            "Parado, nada mais pode sair",
            "1 e-mail parado, nada mais pode sair",
            "{n} e-mails parados, nada mais pode sair",
        ),
        "Já enviados",
        "A partir de agora",
        "Ninguém na {organization} pode enviar um e-mail destes para este endereço",
        (
            "1 e-mail estava a caminho nesse momento e ainda pode chegar:",
            "{n} e-mails estavam a caminho nesse momento e ainda podem chegar:",
        ),
        "Foi um engano",
        "Responda a um e-mail da {organization} e diga-o. Então poderão voltar a escrever-lhe.",
        "Esta ligação não funciona",
        "Não conseguimos ler nela quem é, por isso nada mudou. Abra-a de novo a partir do e-mail.",
        "Se falhar outra vez, responda ao e-mail com a palavra «stop».",
    ),
    "nl": Words(
        "E-mails van {organization} stoppen?",
        "{sender} heeft u geschreven. Als u deze e-mails stopt, kan niemand bij {organization} u nog zulke e-mails sturen.",
        "Uw adres",
        "Stopt",
        "{n} geplande, en alle latere",
        "Alle e-mails stoppen",
        "Er is nog niets veranderd. U hebt geen account nodig, en we vragen verder niets.",
        (
            "Gestopt, er kan niets meer vertrekken",
            "1 e-mail gestopt, er kan niets meer vertrekken",
            "{n} e-mails gestopt, er kan niets meer vertrekken",
        ),
        "Al verzonden",
        "Vanaf nu",
        "Niemand bij {organization} kan dit adres zo’n e-mail sturen",
        (
            "1 e-mail was op dat moment onderweg en kan u nog bereiken:",
            "{n} e-mails waren op dat moment onderweg en kunnen u nog bereiken:",
        ),
        "Dat was een vergissing",
        "Antwoord op een e-mail van {organization} en zeg het. Dan kan men u weer schrijven.",
        "Deze link werkt niet",
        "We kunnen er niet uit lezen wie u bent, dus er is niets veranderd. Open hem opnieuw vanuit de e-mail.",
        "Als het weer niet lukt, antwoord dan op de e-mail met het woord ‘stop’.",
    ),
}


def language_of(accepted: str) -> str:
    """Return the first of a browser's languages (``Accept-Language``) that we have, by its weight; English for none."""
    wanted: list[tuple[float, int, str]] = []
    for n, each in enumerate(accepted[:500].split(",")):
        tag, _, weight = each.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), n, tag.lower().partition("-")[0]))
        except ValueError:
            continue
    return next((tag for weight, _, tag in sorted(wanted) if tag in WORDS and weight), "en")
