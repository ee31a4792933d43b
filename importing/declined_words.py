"""How people's files say that somebody gets no email, in the main business languages. Data for ``declined.py``.

A title or value has one of these if it holds it from the beginning of a word on; spaces, case and accents do not matter.
"""

# Titles that say it if the cell does not say no: "HasOptedOutOfEmail", "Ne pas contacter", "Bounced at". Also words of a status.
REFUSALS = """
    unsub; unsubscri; opt out; opted out; opting out; do not contact; dont contact; do not email; dont email; do not mail; do not send; do not disturb;
    do not allow email; do not allow bulk email; do not bulk email; dnc; bounce; suppressed; blacklist; blocklist;
    complained; spam complain; marked as spam; clean time; email invalid; invalid email; undeliverable;
    abgemeldet; abmeldung; abbestellt; nicht kontaktieren; nicht anschreiben; keine e mail; keine mails; kontaktsperre; mailsperre; werbesperre;
    werbewiderspruch; sperrvermerk; unzustellbar;
    désabonn; désinscri; ne pas contacter; ne plus contacter; ne pas envoyer; ne pas solliciter; liste noire; refuse les e mails;
    dado de baja; dada de baja; baja de correo; baja email; no contactar; no enviar; no molestar; rebotad; lista negra; desuscri;
    disiscri; cancellato dalla lista; non contattare; non inviare; non disturbare; rimbalzat; lista nera;
    descadastr; não contatar; não contactar; não enviar; não perturbe; cancelou inscrição; cancelou a inscrição; lista negra; devolvido;
    uitgeschreven; uitschrijving; afgemeld; niet contacteren; niet benaderen; niet mailen; geen e mail; zwarte lijst;
    wypisan; nie kontaktować; nie kontaktuj; nie wysyłać; czarna lista; zrezygnował;
    отписан; отписал; отписка; не писать; не связываться; не беспокоить; не контактировать; чёрный список; відписан; відписав; не турбувати;
    abonelikten çık; iletişime geçme; iletişim kurma; e posta gönderme; kara liste;
    配信停止; 購読解除; 登録解除; 連絡不可; 連絡禁止; 送信不可; 送信停止; メール不可; オプトアウト; 配信拒否; 受信拒否; 不達; エラーメール;
    退订; 退訂; 取消订阅; 取消訂閱; 请勿联系; 請勿聯絡; 勿扰; 勿擾; 不要联系; 禁止联系; 拒收; 退信; 黑名单; 黑名單;
    수신거부; 연락금지; 구독취소; 반송; إلغاء الاشتراك; عدم التواصل; संपर्क न करें; jangan hubungi; berhenti berlangganan;
    avregistrerad; avprenumerer; kontakta inte; afmeldt; avmeldt; kontakt ikke; må ikke kontaktes; odhlášen; nekontaktovat
"""
# Words of a status, besides, that say the address does not work or must not be used.
DEAD = """
    invalid; cleaned; blocked; gesperrt; does not exist; spamtrap; spam trap; abuse; ungültig; existiert nicht; invalide; inexistant; inválid; no existe; non valido; inesistente;
    ongeldig; bestaat niet; nieprawidłow; nie istnieje; недейств; не существует; geçersiz; 無効; 存在しない; 无效; 無效; 不存在; 무효; ogiltig; ugyldig
"""
# Titles of columns whose words count: "Email Status: Bounced", "Stage: Do not contact".
STATUSES = """
    status; state; stage; statut; estado; etapa; stato; situação; fase; статус; durum; tags; label; segment; result; verification; validation;
    deliverab; ergebnis; résultat; resultado; risultato; resultaat; wynik; subscription; disposition; ステータス; 状態; 结果; 状态; 狀態; 結果; 상태
"""
# Titles of permissions. They are read like consents: what is before such a word may turn it round ("not contactable").
PERMITS = """
    subscribed; is subscriber; contactable; can contact; can be contacted; may contact; may be contacted; ok to contact; ok to email; allow contact;
    allow email; email allowed; accepts email; darf kontaktiert; kontaktierbar; kontakt erlaubt; peut être contacté; contact autorisé;
    se puede contactar; puede contactar; suscrito; contattabile; pode contatar; pode ser contatado; mag benaderd; mag contact;
    można kontaktować; можно писать; можно связаться; iletişim kurulabilir; 連絡可; 配信可; 可联系; 可聯絡; 연락가능
"""
# Titles of consents. One that is missing is no refusal: a program may write FALSE for whoever was never asked.
CONSENTS = """
    opt in; opted in; consent; accepts marketing; einwilligung; einverstanden; consenso; toestemming; zgoda; согласие; onay; 同意; 동의; samtycke; samtykke
"""
WITHDRAWN = """
    withdrawn; revoked; declined; refused; rejected; widerrufen; abgelehnt; verweigert; retiré; refusé; révoqué; revocad; retirad; rechazad; revocat;
    rifiutat; recusad; negad; ingetrokken; geweigerd; wycofan; odmów; отозван; отказ; geri çek; redded; 撤回; 拒否; 拒绝; 拒絕; 撤销; 撤銷; 철회; 거부
"""
# Titles that only sound like a refusal: a link that every row has, a count, somebody else, a call.
OTHERWISE = """
    link url count number rate token page soft secondary second tertiary third alternate alternative other anzahl quote employer employers reference references referee referees manager supervisor
    arbeitgeber employeur empleador referenzen
"""
CALLS = (
    "fax phone mobile mobil handy cell movil móvil celular cellulare call sms whatsapp telefon 電話 电话 전화"
)
NO = """
    no; n; false; f; off; never; inactive; allow; allowed; active; subscribed; opted in; opt in; ok;
    nein; falsch; nie; niemals; erlaubt; non; faux; jamais; permis; falso; nunca; mai; não; nee; onwaar; nooit; fałsz; nigdy;
    нет; ложь; никогда; ні; hayır; yanlış; asla; いいえ; 可; 否; 不; 不是; 没有; 아니오; 아니요; لا; नहीं; tidak; không;
    nej; nei; falskt; falsk; usann; epätosi; nepravda; hamis; fals; ei; ne; nem; nu; 正常
"""
# Words that a cell begins with which says that all is well: "No bounce", "Soft bounce", "Not opted out".
NO_BEGINS = "not never no none soft transient valid verified delivered"
NO_SIGNS = "❌✗✘×🚫⛔"
YES_SIGNS = "✓✔☑✅☒○◯〇●"
