"""What people and programs write, in their languages, and what it is taken for."""

from datetime import UTC, datetime

import pytest

from domain.listening.classify import classify
from domain.listening.kinds import Kind
from domain.listening.message import Incoming

NOW = datetime(2026, 12, 9, 9, tzinfo=UTC)


def kind(subject: str, text: str, **headers: str) -> Kind:
    given = {name.replace("_", "-"): (value,) for name, value in headers.items()}
    incoming = Incoming("ann@example.org", NOW, subject=subject, text=text, headers=given)
    return classify(incoming, None, unmatched_counts=True).kind


ASKS = [
    "Please delete my information from your database.",
    "remove me",
    "Remove",
    "Not interested. Remove me from this list please",
    "Kindly unsubscribe me from further mails",
    "Please do not email me anymore.",
    "Would you please stop sending me these emails?",
    "I do not wish to be contacted again.",
    "I'd like to opt out.",
    "opt-out",
    "No more emails please",
    "Cease all communication.",
    "I never signed up for this. Unsubscribe.",
    "Unsubscribe please!!!",
    "PLEASE STOP",
    "Stop.",
    "Take me off this list!",
    "Please remove this address from your records.",
    "I want to be removed from your mailing list.",
    "Don't write to me again.",
    "Do not contact me.",
    "Please lose my email address.",
    "I have asked before to be removed. Remove me now.",
    "This is harassment, leave me alone.",
    "Reported as spam. Do not mail me again.",
    "Please refrain from contacting me in future.",
    "Do not send me any more emails",
    "I'm not interested in receiving such emails.",
    "Bitte löschen Sie meine E-Mail-Adresse.",
    "Bitte melden Sie mich ab.",
    "Abmelden",
    "Ich möchte von Ihnen keine E-Mails mehr erhalten.",
    "Bitte nicht mehr anschreiben!",
    "Unterlassen Sie weitere Kontaktaufnahmen.",
    "Bitte tragen Sie mich aus.",
    "Nehmen Sie mich bitte von der Liste.",
    "Hören Sie auf, mir zu schreiben!",
    "Ich wünsche keine weitere Kontaktaufnahme.",
    "Bitte sehen Sie von weiteren E-Mails ab.",
    "Streichen Sie mich von Ihrer Liste",
    "Ne me contactez plus.",
    "Désinscription",
    "STOP",
    "Merci de me désinscrire",
    "Je vous prie de supprimer mes coordonnées de votre base.",
    "Arrêtez de m'écrire",
    "Je ne veux plus recevoir d'e-mails de votre part",
    "Prière de ne plus m'envoyer de messages.",
    "Merci de bien vouloir supprimer mon adresse de vos fichiers",
    "Retirez-moi de votre liste",
    "No me escriba más",
    "No quiero recibir más emails",
    "Quiero darme de baja",
    "Elimíneme de su lista",
    "Por favor elimine mis datos",
    "Borren mi correo de su base de datos",
    "Deje de enviarme correos",
    "No vuelva a contactarme",
    "Cancellatemi dalla vostra lista",
    "Non voglio più ricevere email",
    "Smetta di scrivermi",
    "Si prega di rimuovere il mio indirizzo",
    "Non mi contatti più",
    "Chiedo la cancellazione dei miei dati",
    "Não quero mais receber e-mails",
    "Remova-me da lista",
    "Pare de me enviar e-mails",
    "Retire meu email da lista",
    "Por favor, não me contacte mais",
    "Cancelar subscrição",
    "Solicito a exclusão dos meus dados",
    "Afmelden",
    "Stop met mailen",
    "Haal me van je lijst",
    "Stuur me geen mails meer",
    "Ik wil niet meer benaderd worden",
    "Verwijder mij uit uw bestand",
    "Neem geen contact meer met mij op",
    "Proszę mnie usunąć z listy",
    "Wypiszcie mnie",
    "Nie życzę sobie kontaktu",
    "Proszę nie kontaktować się ze mną",
    "Proszę więcej nie pisać",
    "Usuńcie mój adres z bazy",
    "Nie wysyłajcie mi więcej maili",
    "Avregistrera mig",
    "Skicka inga fler mejl",
    "Vill inte bli kontaktad igen",
    "Kontakt mig ikke igen",
    "Slet mine oplysninger",
    "Fjern meg fra listen",
    "Ikke send meg flere e-poster",
    "Älkää lähettäkö enää viestejä",
    "Poistakaa minut listalta",
    "配信停止希望",
    "今後メールを送らないでください",
    "もう連絡しないでください",
    "メールアドレスを削除してください",
    "今後一切のご連絡をお断りします",
    "退订",
    "请把我从列表中删除",
    "不要再发邮件给我",
    "别再联系我了",
    "請勿再寄信給我",
    "수신거부",
    "앞으로 메일 보내지 마세요",
    "제 정보를 삭제해 주세요",
    "Отпишите меня от рассылки",
    "Не пишите мне больше",
    "Удалите мой адрес",
    "Прекратите присылать письма",
    "Aboneliğimi iptal edin",
    "Bana bir daha mail atmayın",
    "Beni listeden çıkarın",
    "Odhlaste mě prosím",
    "Už mi nepište",
    "Kérem, töröljön a listáról",
    "Leiratkozás",
    "Vă rog să mă ștergeți din listă",
    "Διαγράψτε με από τη λίστα",
    "أرجو إلغاء الاشتراك",
]
ANSWERS = [
    "No thanks.",
    "Not interested at the moment, but keep me on your list!",
    "Please keep me in your database for later.",
    "Stop! Before we talk, what's the salary?",
    "Please don't stop writing, I enjoy your mails ;)",
    "Can you remove the second interview round?",
    "I removed my CV from LinkedIn. Interested though.",
    "Please delete my previous message, here is the right CV.",
    "Could you delete the old CV and use this one?",
    "I don't want to receive less than 100k.",
    "Do not contact my employer please. Otherwise I'm interested.",
    "Please do not call my office number.",
    "Please contact me again in March.",
    "Don't contact references before the interview.",
    "I have no more questions.",
    "My contract ends in March, no more extensions.",
    "I'm not interested in a new role, but my colleague is.",
    "How do people unsubscribe from your emails? Asking as I'm curious - and yes, I'm interested.",
    "Please send no more than two documents.",
    "Ich habe derzeit kein Interesse.",
    "Bitte löschen Sie den Termin am Montag.",
    "Bitte kontaktieren Sie nicht meinen Arbeitgeber.",
    "Bitte keine Anrufe, nur E-Mails.",
    "Ich schreibe Ihnen nicht mehr vor Weihnachten.",
    "Bitte melden Sie sich im Januar wieder.",
    "Ich bin nicht mehr auf Stellensuche.",
    "Kein Bedarf, danke.",
    "Merci de ne pas m'appeler au bureau, mais par e-mail c'est parfait.",
    "Je ne suis plus en recherche.",
    "Supprimez la pièce jointe précédente svp, voici le bon CV.",
    "No estoy interesado ahora.",
    "No me llame al trabajo, por favor; escríbame aquí.",
    "Elimina il vecchio CV, ecco quello nuovo.",
    "Non sono interessato.",
    "Não tenho interesse no momento.",
    "Geen interesse, bedankt.",
    "Nie jestem zainteresowany.",
    "興味ありません。",
    "今は転職を考えていません。",
    "暂时不考虑换工作。",
    "Спасибо, не интересно.",
    "Jag är inte intresserad.",
    "Teşekkürler, ilgilenmiyorum.",
    "I can't stop by this week.",
    "I'm trying to cancel my Thursday meeting, will write again.",
    "I won't be able to opt out of my non-compete.",
    "My wife says I should stop changing jobs :) but tell me more",
    "I left Example in May. What do you offer?",
    "I'm on parental leave until March - happy to talk though!",
    "Sorry for the late reply, I was on vacation. Let's talk.",
    "I'm out of office tomorrow; Friday works.",
    "Ich bin nächste Woche im Urlaub, können wir danach sprechen?",
    "Bin bis Freitag unterwegs, danach gerne.",
    "Je suis en vacances jusqu'au 20, on s'appelle après ?",
    "I am currently travelling. Let's speak on Monday?",
    "Will be back Monday, call me then.",
    "Ok",
    "👍",
    "Thanks!",
    "Yes",
    "Who are you?",
    "Thank you for your email. I'm not looking right now.",
    "Thank you for contacting me. I will get back to you next week.",
]
LEFT = [
    "Ann Adler has left the company. Please contact Bob at bob@example.org.",
    "Ann no longer works at Example.",
    "Please note that Ann Adler is no longer employed by Example Inc. For assistance, email info@example.org.",
    "I am no longer with Example. Please direct enquiries to info@example.org.",
    "This email address is no longer in use.",
    "This mailbox is not monitored as Ann has left Example.",
    "Frau Adler ist nicht mehr im Unternehmen tätig.",
    "Frau Adler arbeitet nicht mehr bei uns.",
    "Ich bin nicht mehr bei Example beschäftigt.",
    "Frau Adler hat unser Unternehmen verlassen.",
    "Frau Adler ist aus dem Unternehmen ausgeschieden.",
    "Dieses Postfach wird nicht mehr genutzt.",
    "Ann Adler ne travaille plus chez Example.",
    "Ann Adler a quitté l'entreprise.",
    "Je ne fais plus partie de la société Example.",
    "Ann Adler ya no trabaja en Example.",
    "Ann Adler ha dejado la empresa.",
    "Ya no formo parte de la empresa.",
    "Ann Adler non lavora più in Example.",
    "Ann Adler ha lasciato l'azienda.",
    "Ann Adler já não trabalha na Example.",
    "Ann Adler não trabalha mais na empresa.",
    "Ann Adler não faz mais parte do quadro de colaboradores.",
    "Ann Adler werkt niet meer bij Example.",
    "Ann Adler is niet langer werkzaam bij Example.",
    "Ann Adler heeft onze organisatie verlaten.",
    "Ann Adler nie pracuje już w Example.",
    "Pani Adler już u nas nie pracuje.",
    "Ann Adler har slutat.",
    "Ann Adler arbetar inte längre här.",
    "Ann Adler er ikke længere ansat.",
    "Ann Adler jobber ikke lenger her.",
    "Ann Adler ei ole enää palveluksessamme.",
    "Ann Adler už v naší společnosti nepracuje.",
    "Анна больше не работает в компании.",
    "Ann Adler artık şirketimizde çalışmamaktadır.",
    "アドラーは退職いたしました。",
    "安已离职。",
    "퇴사하였습니다.",
    "Ann has retired.",
    "Ann's employment with Example has ended.",
    "Ann is no longer part of our team.",
]
PROGRAMS = [
    "Automatic reply: X",
    "Automatische Antwort: X",
    "Réponse automatique : X",
    "Respuesta automática: X",
    "Risposta automatica: X",
    "Resposta automática: X",
    "Automatisch antwoord: X",
    "Autosvar: X",
    "Automatisk svar: X",
    "Automatiskt svar: X",
    "Automaattinen vastaus: X",
    "自動応答: X",
    "자동 회신: X",
    "自动答复: X",
    "自動回覆: X",
    "Автоматический ответ: X",
    "Автоматична відповідь: X",
    "Otomatik yanıt: X",
    "Odpowiedź automatyczna: X",
    "Automatická odpověď: X",
    "Automatická odpoveď: X",
    "Automatikus válasz: X",
    "Răspuns automat: X",
    "Αυτόματη απάντηση: X",
    "Автоматичен отговор: X",
    "Automatski odgovor: X",
    "Samodejni odgovor: X",
    "Resposta automàtica: X",
    "رد تلقائي: X",
    "תשובה אוטומטית: X",
    "מענה אוטומטי: X",
    "ตอบกลับอัตโนมัติ: X",
    "Trả lời Tự động: X",
    "Balasan otomatis: X",
    "Automaatvastus: X",
    "Automātiska atbilde: X",
    "Automatinis atsakymas: X",
    "Out of Office: X",
    "Out of Office AutoReply: X",
    "Abwesenheitsnotiz: X",
    "Abwesend: X",
    "Absence du bureau : X",
    "Fuera de la oficina: X",
    "Fuori ufficio: X",
    "Afwezigheidsbericht: X",
    "不在通知: X",
    "Auto Response: X",
    "AutoReply: X",
    "Auto-Reply: X",
    "Vacation response: X",
    "OOO Re: X",
    "Ausser Haus: X",
    "Message d'absence : X",
    "Automatisches Antwort: X",
    "Réponse automatique d'absence: X",
    "Poza biurem: X",
    "Sjálfvirkt svar: X",
    "स्वचालित उत्तर: X",
    "Automatyczna odpowiedź: X",
    "Autoreply: X",
    "AUTO: Ann Adler is out of the office (returning 12/14/2026)",
]
PEOPLE = [
    "Re: Automatic reply: Hi",
    "AW: Abwesenheitsnotiz",
    "Fwd: Out of office",
    "RE: Unzustellbar: Hi",
    "Vacation policy question",
    "Holiday offers?",
    "Absence of salary range",
    "Leave of absence",
    "Delivery of my CV",
    "Message for Rita",
    "Undeliverable?",
    "Office visit",
    "Away game",
]


@pytest.mark.parametrize("text", ASKS)
@pytest.mark.row("N16")
def test_a_person_who_asks_for_no_more_email_is_understood(text: str) -> None:
    assert kind("Re: Hi", text) is Kind.OPT_OUT
    assert kind("Re: Hi", f"Hello Rita,\n\n{text}\n\nRegards\nAnn") is Kind.OPT_OUT


@pytest.mark.parametrize("text", ASKS)
def test_what_is_quoted_asks_for_nothing(text: str) -> None:
    quoted = "\n".join(f"> {line}" for line in text.splitlines())
    assert kind("Re: Hi", f"Let us talk on Monday.\n\nOn 7 Dec 2026 Rita wrote:\n{quoted}") is Kind.ANSWER


@pytest.mark.parametrize("text", ANSWERS)
def test_a_person_who_answers_is_not_taken_for_anything_else(text: str) -> None:
    assert kind("Re: Hi", text) is Kind.ANSWER


@pytest.mark.parametrize("text", LEFT)
@pytest.mark.row("N5")
def test_an_automatic_reply_says_that_somebody_left(text: str) -> None:
    assert kind("Automatic reply: Hi", text) is Kind.LEFT_COMPANY
    assert kind("Re: Hi", text, auto_submitted="auto-replied") is Kind.LEFT_COMPANY


@pytest.mark.parametrize("subject", PROGRAMS)
def test_a_programs_subject_is_enough(subject: str) -> None:
    assert kind(subject, "Hello. See you.") is Kind.AUTO_REPLY


@pytest.mark.parametrize("subject", PROGRAMS)
def test_an_answer_to_an_automatic_reply_is_an_answer(subject: str) -> None:
    assert kind(f"RE: {subject}", "Hello. See you.") is Kind.ANSWER


@pytest.mark.parametrize("subject", PEOPLE)
def test_a_persons_subject_is_not_taken_for_a_programs(subject: str) -> None:
    assert kind(subject, "Let's talk about this on Monday. Could you call me?") is Kind.ANSWER


def test_exchanges_hint_to_suppress_automatic_replies_says_nothing() -> None:
    assert kind("Re: Hi", "See you on Monday.", x_auto_response_suppress="All") is Kind.ANSWER


@pytest.mark.parametrize(
    "value", ["auto-replied", "auto-generated", "Auto-Replied (vacation)", "auto-notified; x=y"]
)
def test_auto_submitted_says_that_a_machine_wrote(value: str) -> None:
    assert kind("Re: Hi", "I am away until 14 December.", auto_submitted=value) is Kind.AUTO_REPLY


def test_auto_submitted_no_is_a_person() -> None:
    assert kind("Re: Hi", "See you on Monday.", auto_submitted="no") is Kind.ANSWER


def test_a_class_alone_makes_a_bounce_or_an_automatic_reply() -> None:
    def by_class(name: str) -> Kind:
        return classify(Incoming("x@example.org", NOW, message_class=name), None, unmatched_counts=True).kind

    assert by_class("REPORT.IPM.Note.NDR") is Kind.BOUNCE
    assert by_class("REPORT.IPM.Note.Delayed.DR") is Kind.BOUNCE
    assert by_class("REPORT.IPM.Note.DR") is Kind.OTHER
    assert by_class("REPORT.IPM.Note.IPNRN") is Kind.OTHER
    assert by_class("IPM.Note.Rules.OofTemplate.Microsoft") is Kind.AUTO_REPLY


def test_each_decision_says_why_in_a_sentence() -> None:
    for subject, text in [("Re: Hi", "Yes"), ("Automatic reply: Hi", "Away"), ("Re: Hi", "Unsubscribe")]:
        said = classify(
            Incoming("ann@example.org", NOW, subject=subject, text=text), None, unmatched_counts=True
        )
        assert said.why.endswith(".")
        assert said.why[0].isupper()


@pytest.mark.parametrize(
    "text", ["", "Ann Adler has accepted this invitation.", "Ann Adler hat diese Einladung angenommen."]
)
def test_a_calendars_answer_is_none_of_the_persons(text: str) -> None:
    accepted = Incoming("ann@example.org", NOW, subject="Accepted: Call", text=text, calendar="REPLY")
    assert classify(accepted, None, unmatched_counts=True).kind is Kind.OTHER
    by_class = Incoming("ann@example.org", NOW, text=text, message_class="IPM.Schedule.Meeting.Resp.Pos")
    assert classify(by_class, None, unmatched_counts=True).kind is Kind.OTHER


def test_a_word_with_a_calendars_answer_is_an_answer() -> None:
    accepted = Incoming("ann@example.org", NOW, text="Looking forward to it! Which floor?", calendar="REPLY")
    assert classify(accepted, None, unmatched_counts=True).kind is Kind.ANSWER
