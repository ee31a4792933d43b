"""Reports without a status: servers' own words, in their languages."""

from datetime import UTC, datetime

import pytest

from inbox.judge import judge
from inbox.parse import parse

REPORTS = [
    (
        "hard",
        "Unzustellbar: Hallo",
        "Systemadministrator <postmaster@example.com>",
        "Ihre Nachricht hat einige oder alle Empfänger nicht erreicht.\n\n  Betreff: Hallo\n  Gesendet am: 09.12.2026 10:00\n\nFolgende(r) Empfänger kann nicht erreicht werden:\n\n  ann@example.org am 09.12.2026 10:01\n  Das E-Mail-Konto ist in der Organisation, an die diese Nachricht gesendet wurde, nicht vorhanden. Überprüfen Sie die E-Mail-Adresse.",
    ),
    (
        "soft",
        "Unzustellbar: Hallo",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Fehler bei der Zustellung an folgende Empfänger:\n\nann@example.org\nDas Postfach des Empfängers hat seine Größenbeschränkung überschritten.",
    ),
    (
        "hard",
        "Unzustellbar: Hallo",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Die Zustellung an folgende Empfänger oder Verteilerlisten ist fehlgeschlagen:\n\nann@example.org\nDer Empfängername wurde nicht gefunden.",
    ),
    (
        "sender",
        "Unzustellbar: Hallo",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Die Nachricht an ann@example.org konnte nicht zugestellt werden.\nSie verfügen nicht über die Berechtigung zum Senden an diesen Empfänger.",
    ),
    (
        "hard",
        "Non distribuable : Bonjour",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Votre message n'est parvenu à aucun des destinataires prévus.\n\nLe(s) destinataire(s) suivant(s) n'a (n'ont) pas pu être joint(s) :\n\nann@example.org\nLe compte de messagerie n'existe pas dans l'organisation à laquelle ce message a été envoyé.",
    ),
    (
        "soft",
        "Non remis : Bonjour",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "La remise a échoué pour ces destinataires ou groupes :\nann@example.org\nLa boîte de réception du destinataire est saturée. Réessayez plus tard.",
    ),
    (
        "hard",
        "No se puede entregar: Hola",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Su mensaje no llegó a algunos o a todos los destinatarios.\n\nNo se puede localizar a los destinatarios siguientes:\nann@example.org\nLa cuenta de correo electrónico no existe en la organización.",
    ),
    (
        "soft",
        "No se puede entregar: Hola",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "No se pudo entregar a los siguientes destinatarios o grupos:\nann@example.org\nEl buzón de correo del destinatario está lleno y no acepta mensajes en este momento.",
    ),
    (
        "hard",
        "Non recapitabile: Ciao",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Il messaggio non ha raggiunto alcuni o tutti i destinatari.\n\nImpossibile raggiungere i seguenti destinatari:\nann@example.org\nL'account di posta elettronica non esiste nell'organizzazione.",
    ),
    (
        "hard",
        "Não entregue: Olá",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "A sua mensagem não chegou a alguns ou a todos os destinatários.\nann@example.org\nA conta de email não existe na organização para a qual esta mensagem foi enviada.",
    ),
    (
        "soft",
        "Não é possível entregar: Olá",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Falha na entrega a estes destinatários ou grupos:\nann@example.org\nA caixa de correio do destinatário está cheia e não pode aceitar mensagens agora.",
    ),
    (
        "hard",
        "Niet bestelbaar: Hallo",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Uw bericht is niet aangekomen bij (enkele van) de bedoelde geadresseerden.\n\nDe volgende geadresseerden zijn niet bereikbaar:\nann@example.org\nHet e-mailaccount bestaat niet bij de organisatie waarnaar het bericht is verzonden.",
    ),
    (
        "soft",
        "Niet-bezorgbaar: Hallo",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "De bezorging is mislukt bij de volgende geadresseerden of groepen:\nann@example.org\nHet postvak van de geadresseerde is vol.",
    ),
    (
        "hard",
        "Nie można dostarczyć: Hej",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Twoja wiadomość nie dotarła do niektórych lub wszystkich zamierzonych adresatów.\nann@example.org\nKonto e-mail nie istnieje w organizacji.",
    ),
    (
        "soft",
        "Niedostarczalne: Hej",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Dostarczanie do następujących adresatów lub grup nie powiodło się:\nann@example.org\nSkrzynka pocztowa adresata jest pełna i nie może teraz przyjmować wiadomości.",
    ),
    (
        "hard",
        "配信不能: こんにちは",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "送信したメッセージは、一部またはすべての受信者に届きませんでした。\nann@example.org\n電子メール アカウントが見つかりません。",
    ),
    (
        "soft",
        "配信できません: こんにちは",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "以下の受信者またはグループへの配信に失敗しました:\nann@example.org\n受信者のメールボックスの容量が超過しています。",
    ),
    (
        "soft",
        "Zustellung verzögert: Hallo",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Die Zustellung an folgende Empfänger wurde verzögert:\nann@example.org\nDiese Nachricht wurde noch nicht zugestellt. Es werden weitere Zustellversuche unternommen.",
    ),
    (
        "soft",
        "Remise différée : Bonjour",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "La remise à ces destinataires ou groupes est différée :\nann@example.org\nCe message n'a pas encore été remis.",
    ),
    (
        "soft",
        "Recapito ritardato: Ciao",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Il recapito ai seguenti destinatari o gruppi è ritardato:\nann@example.org\nIl messaggio non è stato ancora recapitato.",
    ),
    (
        "soft",
        "Vertraagde bezorging: Hallo",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "De bezorging aan deze geadresseerden is vertraagd:\nann@example.org\nDit bericht is nog niet bezorgd.",
    ),
    (
        "soft",
        "Opóźnione dostarczanie: Hej",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Dostarczanie do tych adresatów jest opóźnione:\nann@example.org\nTa wiadomość jeszcze nie została dostarczona.",
    ),
    (
        "soft",
        "配信の遅延: こんにちは",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "次の受信者への配信が遅れています:\nann@example.org\nこのメッセージはまだ配信されていません。",
    ),
    (
        "hard",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Adresse introuvable\nVotre message n'a pas été remis à ann@example.org, car l'adresse est introuvable.",
    ),
    (
        "hard",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Dirección no encontrada\nNo se ha entregado tu mensaje a ann@example.org porque no se ha encontrado la dirección",
    ),
    (
        "hard",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Indirizzo non trovato\nIl tuo messaggio non è stato recapitato a ann@example.org perché l'indirizzo non è stato trovato",
    ),
    (
        "hard",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Endereço não encontrado\nSua mensagem não foi entregue a ann@example.org porque o endereço não foi encontrado",
    ),
    (
        "hard",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Adres niet gevonden\nJe bericht is niet bezorgd bij ann@example.org omdat het adres niet is gevonden",
    ),
    (
        "hard",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Nie znaleziono adresu\nWiadomość nie została dostarczona do ann@example.org, ponieważ nie znaleziono adresu",
    ),
    (
        "hard",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "アドレス不明\nアドレスが見つからないため、メールは ann@example.org に配信されませんでした。",
    ),
    (
        "hard",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Adressen hittades inte\nMeddelandet har inte levererats till ann@example.org eftersom adressen inte kunde hittas",
    ),
    (
        "hard",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Адрес не найден\nВаше письмо не доставлено пользователю ann@example.org, поскольку адрес не найден",
    ),
    (
        "hard",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "找不到地址\n系统找不到 ann@example.org，因此您的邮件未能送达",
    ),
    (
        "hard",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "주소를 찾을 수 없음\nann@example.org 주소를 찾을 수 없어 메일이 전송되지 않았습니다",
    ),
    (
        "soft",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Posteingang des Empfängers voll\nIhre Nachricht konnte nicht an ann@example.org zugestellt werden. Der Posteingang ist voll",
    ),
    (
        "soft",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Boîte de réception du destinataire pleine\nVotre message n'a pas pu être remis à ann@example.org",
    ),
    (
        "soft",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "La bandeja de entrada del destinatario está llena\nNo se ha podido entregar tu mensaje a ann@example.org",
    ),
    (
        "soft",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Caixa de entrada do destinatário cheia\nNão foi possível entregar sua mensagem a ann@example.org",
    ),
    (
        "sender",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Nachricht blockiert\nIhre Nachricht an ann@example.org wurde blockiert.",
    ),
    (
        "sender",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Message bloqué\nVotre message à ann@example.org a été bloqué.",
    ),
    (
        "sender",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Messaggio bloccato\nIl tuo messaggio inviato a ann@example.org è stato bloccato.",
    ),
    (
        "sender",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Mensagem bloqueada\nSua mensagem para ann@example.org foi bloqueada.",
    ),
    (
        "sender",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "メールがブロックされました\nann@example.org へのメールはブロックされました",
    ),
    (
        "soft",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Zustellung unvollständig\nBeim Zustellen Ihrer Nachricht an ann@example.org ist ein vorübergehendes Problem aufgetreten. Gmail wird es weitere 47 Stunden versuchen.",
    ),
    (
        "soft",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Distribution incomplète\nUn problème temporaire est survenu lors de la distribution de votre message à ann@example.org",
    ),
    (
        "sender",
        "Delivery Status Notification (Failure)",
        "Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
        "Nachricht nicht gesendet\nSie haben ein Limit für den E-Mail-Versand erreicht. Ihre Nachricht wurde nicht gesendet.",
    ),
    (
        "hard",
        "Mail delivery failed: returning message to sender",
        "Mail Delivery System <Mailer-Daemon@host.example.com>",
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  ann@example.org\n    host mx.example.org [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<ann@example.org>:\n    550 No Such User Here",
    ),
    (
        "soft",
        "Mail delivery failed: returning message to sender",
        "Mail Delivery System <Mailer-Daemon@host.example.com>",
        "The following address(es) failed:\n\n  ann@example.org\n    mailbox is full: retry timeout exceeded",
    ),
    (
        "sender",
        "Mail delivery failed: returning message to sender",
        "Mail Delivery System <Mailer-Daemon@host.example.com>",
        "The following address(es) failed:\n\n  ann@example.org\n    SMTP error from remote mail server after end of data:\n    554 5.7.1 Message rejected: high probability of spam",
    ),
    (
        "sender",
        "Mail delivery failed",
        "Mail Delivery System <Mailer-Daemon@host.example.com>",
        "Domain example.com has exceeded the max emails per hour (100/100 (100%)) allowed. Message discarded.\n ann@example.org",
    ),
    (
        "hard",
        "Undeliverable: Hi",
        "System Administrator <postmaster@example.com>",
        "The following recipient(s) cannot be reached:\n\n      ann@example.org on 12/9/2026 10:01 AM\n            The e-mail account does not exist at the organization this message was sent to.  Check the e-mail address, or contact the recipient directly to find out the correct address.\n            <mx.example.org #5.1.1>",
    ),
    (
        "soft",
        "Undeliverable: Hi",
        "System Administrator <postmaster@example.com>",
        "Your message did not reach some or all of the intended recipients.\n ann@example.org\n The recipient's mailbox is over its storage limit. #5.2.2",
    ),
    (
        "hard",
        "Returned mail: User unknown",
        "Mail Delivery Subsystem <MAILER-DAEMON@example.org>",
        "   ----- The following addresses had permanent fatal errors -----\nann@example.org\n   ----- Transcript of session follows -----\n550 ann@example.org... User unknown",
    ),
    (
        "hard",
        "Undelivered Mail Returned to Sender",
        "MAILER-DAEMON@a.example",
        "This is the mail system at host a.\n\n<ann@example.org>: Host or domain name not found. Name service error for name=example.org type=A: Host not found",
    ),
    (
        "hard",
        "failure notice",
        "MAILER-DAEMON@a.example",
        "Hi. This is the qmail-send program.\n<ann@example.org>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 unknown user",
    ),
    (
        "hard",
        "Failure Notice",
        "MAILER-DAEMON@yahoo.com",
        "Sorry, we were unable to deliver your message to the following address.\n\n<ann@example.org>:\n552: 1 Requested mail action aborted, mailbox not found",
    ),
    (
        "hard",
        "Delivery Status Notification (Failure)",
        "Mail Delivery System <MAILER-DAEMON@ironport.example>",
        "The following message to <ann@example.org> was undeliverable.\nThe reason for the problem:\n5.1.0 - Unknown address error 550-'Mailbox not found'",
    ),
    (
        "soft",
        "Warning: could not send message for past 4 hours",
        "MAILER-DAEMON@a.example",
        "**  THIS IS A WARNING MESSAGE ONLY  **\n ----- The following addresses had transient non-fatal errors -----\nann@example.org",
    ),
    (
        "hard",
        "Nachricht konnte nicht zugestellt werden",
        "mailer-daemon@t-online.example",
        "Ihre E-Mail an ann@example.org konnte nicht zugestellt werden: Empfänger unbekannt.",
    ),
    (
        "hard",
        "Mail delivery failed: returning message to sender",
        "mailer-daemon@kundenserver.example",
        "Diese Nachricht wurde automatisch von einer E-Mail-Software erstellt.\n\nIhre Nachricht konnte folgendem Empfänger nicht zugestellt werden:\n\nann@example.org:\nSMTP error from remote server for RCPT TO command, host: mx.example.org (192.0.2.1) reason: 550 5.1.1 User unknown",
    ),
    (
        "hard",
        "Unzustellbar: Hallo",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Ihre Nachricht an ann@example.org konnte nicht zugestellt werden.\n\nann wurde in example.org nicht gefunden.\n\nrita          Office 365           ann\nAktion erforderlich                 Empfänger\nUnbekannte An-Adresse",
    ),
    (
        "hard",
        "Non remis : Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Votre message à ann@example.org n'a pas pu être remis.\n\nann est introuvable sur example.org.",
    ),
    (
        "hard",
        "No se puede entregar: Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "No se pudo entregar el mensaje a ann@example.org.\n\nNo se encontró ann en example.org.",
    ),
    (
        "hard",
        "Non recapitabile: Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Non è stato possibile recapitare il messaggio a ann@example.org.\n\nann non è stato trovato in example.org.",
    ),
    (
        "hard",
        "Não foi possível entregar: Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Não foi possível entregar sua mensagem para ann@example.org.\n\nann não foi encontrado em example.org.",
    ),
    (
        "hard",
        "Onbestelbaar: Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Uw bericht aan ann@example.org kan niet worden bezorgd.\n\nann is niet gevonden op example.org.",
    ),
    (
        "hard",
        "Niedostarczalne: Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Nie można dostarczyć wiadomości do adresata ann@example.org.\n\nNie znaleziono adresata ann w domenie example.org.",
    ),
    (
        "hard",
        "配信不能: Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "ann@example.org へのメッセージを配信できませんでした。\n\nexample.org で ann が見つかりませんでした。",
    ),
    (
        "sender",
        "Undeliverable: Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Your message to ann@example.org couldn't be delivered.\n\nYour organization has reached its limit for external recipients (tenant recipient rate limit).",
    ),
    (
        "sender",
        "Unzustellbar: Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Ihre Nachricht konnte nicht zugestellt werden, weil Sie Ihr Tageslimit für Nachrichtenempfänger erreicht haben.\n ann@example.org",
    ),
    (
        "sender",
        "Non remis : Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "Votre message n'a pas pu être remis car vous avez atteint votre limite quotidienne d'envoi.\nann@example.org",
    ),
    (
        "sender",
        "Undeliverable: Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "ann@example.org\nYour message couldn't be delivered because the recipient's email system suspected it was spam.",
    ),
    (
        "soft",
        "Undeliverable: Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "ann@example.org\nThe message is larger than the size limit set by the recipient's organisation.",
    ),
    (
        "soft",
        "Unzustellbar: Hi",
        "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.com>",
        "ann@example.org\nIhre Nachricht konnte nicht zugestellt werden, da sie zu groß ist.",
    ),
]


@pytest.mark.parametrize(("kind", "subject", "sender", "text"), REPORTS)
def test_a_report_in_words_is_a_bounce_of_its_class(kind: str, subject: str, sender: str, text: str) -> None:
    raw = f"From: {sender}\nTo: rita@example.com\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{text}"
    said = judge(parse(raw.encode(), now=datetime(2026, 12, 9, tzinfo=UTC)), [], ["rita@example.com"])
    assert said.bounce is not None
    assert said.bounce.kind == kind
    if "ann@example.org" in text:
        assert said.bounce.recipient == "ann@example.org"
