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
    "I'd appreciate it if you didn't contact me again.",
    "I would prefer not to be contacted again.",
    "I'd rather not receive these.",
    "Please don't follow up.",
    "Please do not follow up with me any further.",
    "Please refrain from further contact.",
    "Please respect my wish not to be contacted.",
    "No more of these please.",
    "Please make this the last email.",
    "Not interested, and please don't reach out in future.",
    "I never consented to being contacted.",
    "Bitte sehen Sie künftig von weiteren Anfragen ab.",
    "Von weiteren Mails bitte ich abzusehen.",
    "Bitte verzichten Sie auf weitere Kontaktversuche.",
    "Ich möchte keine Anfragen dieser Art.",
    "Ich bitte Sie, mich nicht weiter anzuschreiben.",
    "Bitte schreiben Sie mich nicht mehr an.",
    "Bitte künftig keine Anfragen mehr.",
    "Ich verbitte mir weitere Nachrichten.",
    "Nehmen Sie mich von der Liste.",
    "Bitte um Streichung aus Ihrer Datenbank.",
    "Merci de cesser vos sollicitations.",
    "Merci d'arrêter de me contacter.",
    "Inutile de me recontacter.",
    "Je vous demande de supprimer mes données.",
    "STOP PUB",
    "No quiero que me contacten más.",
    "Le ruego que no me contacte de nuevo.",
    "Non mi scriva più.",
    "La prego di non contattarmi ulteriormente.",
    "Por favor, não me contacte mais.",
    "Gelieve mij niet meer te contacteren.",
    "Graag niet meer mailen.",
    "Proszę nie pisać do mnie więcej.",
    "Nie kontaktujcie się ze mną.",
    "Jag vill inte bli kontaktad igen.",
    "Kontakta mig inte mer.",
    "Не пишите мне больше.",
    "Bana bir daha yazmayın.",
    "もう連絡しないでください。",
    "请不要再联系我。",
    "더 이상 메일 보내지 마세요.",
    "I'd be grateful if you stopped writing to me.",
    "Kindly do not approach me with further vacancies again.",
    "Please do not follow up on this.",
    "This is my final request: no further outreach.",
    "You do not have my consent to email me.",
    "I have flagged this as spam.",
    "Bitte nehmen Sie Abstand von weiteren Kontaktaufnahmen.",
    "Ich wünsche keine weiteren Stellenangebote per E-Mail.",
    "Bitte keine Nachfassmails mehr.",
    "Nein danke. Bitte auch künftig nicht mehr melden.",
    "Merci de ne plus me solliciter.",
    "Je ne souhaite plus être démarché.",
    "Plus de relances, merci.",
    "Les ruego que dejen de escribirme.",
    "No deseo recibir más propuestas.",
    "Per favore non contattatemi di nuovo.",
    "Não me escreva novamente.",
    "Gelieve geen verdere berichten te sturen.",
    "Proszę o usunięcie mnie z listy mailingowej.",
    "Sluta kontakta mig.",
    "If you don't mind, please take me off your list.",
    "As I said before, please don't contact me again.",
    "Do not contact me again by email or by phone.",
    "Thanks for reaching out but please do not contact me again.",
    "Jeśli to możliwe, proszę usunąć mnie z bazy.",
    "Do not contact me again under any circumstances.",
    "I have asked you before. Stop.",
    "If you email me one more time I will report you as spam.",
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
    "Please don't follow up with my manager.",
    "Could you remove me from the interview on Tuesday? I am ill.",
    "Don't write to my work address, use ann@home.example instead.",
    "Bitte rufen Sie mich nicht mehr im Büro an, mobil bin ich immer erreichbar.",
    "Bitte kontaktieren Sie mich vor Januar nicht mehr.",
    "Ne m'appelez plus au travail, écrivez-moi plutôt ici.",
    "No me escriban más a este correo, sino a ann@casa.example.",
    "Non mi scriva più al lavoro, ma alla mia mail privata.",
    "Não me ligue mais para o escritório, por favor use o celular.",
    "Mail me niet meer op mijn werk, maar via ann@thuis.example.",
    "Please do not contact me again until March.",
    "I would prefer not to be called at work.",
    "I never agreed to relocate.",
    "I'd rather not receive less than I do now.",
    "If you no longer want these emails, reply STOP.",
    "Wenn Sie diese Nachrichten nicht mehr erhalten möchten, klicken Sie hier.",
    "Si ya no desea recibir nuestros correos, haga clic aquí.",
    "Se non desidera più ricevere comunicazioni, ci scriva.",
    "Als u geen e-mails meer wilt ontvangen, klik hier.",
    "Jeśli nie chcesz otrzymywać wiadomości, kliknij tutaj.",
    "Could you stop sending calendar invites? A plain email is enough.",
    "I have blocked Tuesday afternoon for you.",
    "No more meetings for me this week, next week is better.",
    "Please remove me from consideration for the Zurich role.",
    "Bitte kontaktieren Sie mich nicht mehr unter meiner Büronummer, sondern mobil.",
    "Can you take me off the Thursday slot and put me on Friday?",
    "I do not want to be contacted by phone, email is fine.",
    "Bitte nicht mehr vor 18 Uhr anrufen.",
    "Please remove me from the Thursday call.",
    "Please don't contact me before January.",
    "Please delete my number, I have a new one.",
    "Bitte schreiben Sie mir nicht mehr an die Firmenadresse, sondern privat an a@b.example.",
    "Merci de ne plus m'appeler au bureau, mon mobile est le 06.",
    "No me llames más al trabajo, mejor al móvil.",
    "Please do not contact me at my work email again, use this one.",
    "I don't want to receive offers below 100k.",
    "Ich möchte keine Mails mehr mit Stellen aus München, aber Zürich interessiert mich.",
    "Please stop sending PDFs, Word is easier.",
    "You can stop searching, I am interested!",
    "Please do not send my CV to anybody without asking.",
    "If I do not answer, please don't write again before February.",
    "Wenn ich nicht antworte, schreiben Sie bitte noch einmal.",
    "If you no longer wish to receive emails from us, please let us know.",
    "Wenn Sie keine weiteren E-Mails von uns erhalten möchten, antworten Sie mit Abmelden.",
    "Si vous ne souhaitez plus recevoir nos messages, cliquez ici.",
    "Se non desidera più ricevere le nostre email, risponda CANCELLA.",
    "Sounds great!\n\nUnsubscribe",
    "Happy to talk.\nAnn Adler\nCorp Ltd\nUnsubscribe",
    "Sure, send me the job spec.\nSent with HubSpot. Unsubscribe",
    "Thanks, not for me right now.\n\nIf you are not the intended recipient please delete this email and do not contact us again.",
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

# Without a header that says who wrote it.
WRITTEN_BY = [
    (
        "auto_reply",
        "Re: Hi",
        "We would like to acknowledge that we have received your request and a ticket has been created with Ticket ID - 48213.\nA support representative will be reviewing your request.",
    ),
    (
        "auto_reply",
        "Re: Hi (verification)",
        "Bob Fry here,\n\nI'm protecting myself from receiving junk mail.\n\nPlease click the link below to complete the verification process.\nYou have to do this only once.\n\nhttp://www.spamarrest.com/a2?AGVmZjpzYW",
    ),
    ("auto_reply", "Re: Hi", "Ein Ticket mit der Nummer 48213 wurde erstellt."),
    ("auto_reply", "Re: Hi", "Un ticket a été créé sous le numéro 48213."),
    ("answer", "Re: Hi", "I opened ticket 48213 with your support yesterday. Any news?"),
    ("answer", "Re: Hi", "Your link to verify my email did not work. Could you send it once more?"),
    (
        "auto_reply",
        "Automatic reply: Hi",
        "I am out of office until 11 December. Note: I am no longer working on the Apollo project, please contact Jane for it.",
    ),
    (
        "auto_reply",
        "Automatic reply: Hi",
        "Ich bin bis 11.12. im Urlaub. Für das Projekt Apollo bin ich nicht mehr tätig.",
    ),
    ("auto_reply", "Automatic reply: Hi", "I no longer work full time; I am in on Mondays."),
    ("left_company", "Automatic reply: Hi", "I no longer work at Example. Please contact Jane."),
    (
        "left_company",
        "Automatic reply: Hi",
        "Ich bin nicht mehr bei Example tätig. Bitte wenden Sie sich an Jane.",
    ),
    (
        "answer",
        "Re: Hi",
        "Hallo, ich bin nicht mehr bei der Betrieb GmbH, sondern seit Oktober selbständig. Kontaktieren Sie mich gern unter meiner neuen Adresse anna@huber.example.",
    ),
    (
        "answer",
        "Re: Hi",
        "J'ai quitté la société, mais votre offre m'intéresse. Merci de contacter mon adresse perso luc@martin.example.",
    ),
    ("answer", "Re: Hi", "I have left the company. Please reach me at my private address ann@home.example."),
    (
        "answer",
        "Re: Hi",
        "Ya no trabajo en la empresa, pero me interesa. Escríbame a mi correo personal ann@casa.example.",
    ),
    ("left_company", "Re: Hi", "Ann Adler is no longer with us. Please contact jane@example.org."),
    ("left_company", "Re: Hi", "Frau Adler ist nicht mehr bei uns. Bitte kontaktieren Sie Herrn Maier."),
    (
        "answer",
        "Re: Hi",
        "Hi, I'm currently on a project until March and not available before. Please contact me again in April.",
    ),
    (
        "answer",
        "Re: Hi",
        "Thanks for your message. I'm currently not available for new roles. Please contact me again in spring.",
    ),
    ("answer", "Re: Hi", "Ich bin bis März in einem Projekt. Melden Sie sich gern im April wieder."),
    (
        "answer",
        "Re: Hi",
        "Je ne suis pas disponible pour un nouveau poste. Merci de me recontacter en avril.",
    ),
    ("answer", "Re: Hi", "I'm away from the market. Will get back to you when I return to it."),
    ("unclear", "Re: Hi", "I am currently out of the office. For urgent matters please contact Jane."),
    ("unclear", "Re: Hi", "I am unavailable until Monday. In my absence please contact Jane."),
    ("unclear", "Re: Hi", "Ich bin derzeit nicht erreichbar. Meine Vertretung macht Herr Maier."),
    ("unclear", "Re: Hi", "Je suis en déplacement cette semaine, je vous répondrai lundi."),
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


@pytest.mark.parametrize(("expected", "subject", "text"), WRITTEN_BY)
def test_words_alone_tell_people_from_machines_and_absence_from_leaving(
    expected: str, subject: str, text: str
) -> None:
    assert kind(subject, text) == expected
