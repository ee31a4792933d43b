"""How mail servers word that an email did not arrive, in their languages, for reports that carry no status.

Sources: what Exchange and Exchange Online, Outlook.com, Gmail, Postfix, Exim, qmail, sendmail, Domino, Yahoo, GMX and T-Online
write, from their documentation and from what their users report.
"""

import re

SENDERS = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|mailerdaemon|postmaster|mail(?:delivery)?[._-]?(?:system|subsystem)|microsoftexchange[0-9a-f]{20,}|bounces?|mdaemon|mmdf|uucp|smtp|mailadmin|mailmaster|no-?reply-?dsn|delivery(?:-?(?:status|failure|notification))?)(?:[+=._-].*)?@",
    re.IGNORECASE,
)
SENDER_NAMES = re.compile(
    r"mail delivery (?:sub)?system|microsoft outlook|mailer-daemon|postmaster|microsoft exchange|mail delivery service|system administrator|systemadministrator|administrateur système|administrador del sistema|amministratore di sistema|システム管理者",
    re.IGNORECASE,
)
# What their subjects begin with.
SUBJECTS = re.compile(
    r"(?:\[[^\]]{1,30}\]\s*)?(?:"
    r"undeliver(?:able|ed)|failed mail|mail failed|warning: .{1,80}user unknown|mail (?:delivery )?warning|undelivered mail returned|mail delivery (?:failed|failure|subsystem|system|error|status)|delivery (?:status notification|failure|failed|has failed|notification|problem|incomplete|delayed|report)|returned mail|failure notice|mail system error|non-?deliver(?:y|able)|message (?:delivery )?(?:failure|failed|undeliverable|not delivered|status|delayed|blocked|delivery)|(?:your )?(?:message|e-?mail|mail) (?:could|can) ?not be (?:delivered|sent)|returning message to sender|(?:warning|delayed mail)\b.{0,40}(?:delayed|still being retried|could not send|not delivered)|delayed mail|could not send message|delivery delayed|mail could not be delivered|rejected (?:mail|message)|ndr:|bounce[d]?\b|postmaster notify|user unknown|address not found|warning: (?:message|could not)|mail delivery"
    r"|unzustellbar|nicht zustellbar|unzustellbare|nicht zugestellt|zustellung (?:fehlgeschlagen|verzögert|nicht möglich)|verzögerte zustellung|zustell(?:ung)?s?fehler|fehler bei der (?:zustellung|nachrichtenzustellung)|benachrichtigung zum übermittlungsstatus|benachrichtigung über den zustellungsstatus|nachricht (?:nicht|konnte nicht) zugestellt|rückläufer|ihre (?:nachricht|e-?mail) konnte nicht"
    r"|non remis|non distribu|non délivr|échec de (?:la )?(?:remise|distribution|livraison|l['’]envoi)|notification d['’]état de (?:remise|distribution)|remise (?:retardée|différée)|distribution (?:retardée|incomplète)|message non (?:distribué|remis|délivré)|impossible de remettre|non-?remise|courrier non"
    r"|no se puede entregar|no se ha podido entregar|no entregad[oa]|no entregable|error (?:de|en la) entrega|entrega (?:retrasada|fallida|incompleta|demorada)|notificación (?:de|sobre el) estado de (?:la )?entrega|mensaje no entregado|devuelto|correo devuelto|imposible entregar|no se pudo entregar"
    r"|non recapitabile|impossibile recapitare|mancato recapito|recapito (?:non riuscito|ritardato|incompleto|fallito)|notifica (?:sullo|dello|relativa allo) stato (?:del|di|della) (?:recapito|consegna)|messaggio non (?:recapitat|consegnat|inviat)|errore (?:di|nel) (?:recapito|consegna)|mancata consegna"
    r"|não é possível entregar|não (?:foi )?entreg|falha (?:na|de) entrega|não entregável|entrega (?:atrasada|adiada|incompleta)|notificação (?:de|do) (?:status|estado) (?:de|da) entrega|mensagem não entreg|e-?mail não entreg|impossível entregar|não foi possível entregar"
    r"|onbestelbaar|niet[- ]bezorgd|niet[- ]te[- ]bezorgen|kan niet worden bezorgd|onbezorgbaar|bezorging (?:mislukt|vertraagd|onvolledig)|melding (?:van )?(?:de )?(?:bezorg|afleverings)status|bericht niet bezorgd|niet afgeleverd|niet-bestelbaar|niet besteld|afleveren mislukt|kan niet worden besteld"
    r"|niedostarczaln|nie(?:można| udało się) dostarczyć|niedostarczon|nie można dostarczyć|nie dostarczono|niepowodzenie dostarczenia|powiadomienie o stanie (?:dostarczenia|doręczenia)|dostarczenie (?:opóźnione|niekompletne)|opóźnione dostarczenie|zwrot (?:wiadomości|poczty)|niedoręcz"
    r"|配信(?:不能|できません|されません|に失敗|エラー|状態通知|の遅延|遅延|状況)|配達(?:不能|できません|されません)|送信(?:できません|エラー|失敗)|未配信|メールを配信できません|メール配信エラー|不達|返送"
    r"|olevererbar|kan inte levereras|ej levererat|ikke leveret|kan ikke leveres|kunne ikke leveres|uleverbar|ikke levert|kunne ikke levere|ei voi toimittaa|toimittamatta|toimitus epäonnistui|ei toimitettu|nedoručiteln|nelze doručit|nedoručen|nedoručiteľn|kézbesíthetetlen|nem kézbesíthető|sikertelen kézbesítés|nelivrabil|nu (?:se|a) (?:poate|putut) livra"
    r"|недостав|не удается доставить|не удалось доставить|сообщение не доставлено|недоставленное|невозможно доставить|не вдалося доставити|teslim edilem|iletilemedi|teslim edilemedi|δεν (?:είναι δυνατή η παράδοση|παραδόθηκε)|αδύνατη η παράδοση"
    r"|未送达|无法送达|退信|投递失败|系统退信|無法傳遞|傳遞失敗|未傳遞|無法投遞|退件|邮件(?:被退回|未送达|投递失败)|배달되지 않음|배달할 수 없|배달 실패|전송 실패|반송|메일 ?(?:발송|전송) ?실패"
    r")",
    re.IGNORECASE,
)
# What stands in their texts. Strict: a person's email must not have it.
TEXTS = re.compile(
    r"delivery has failed to these recipients|delivery to (?:the following|these) recipients? (?:has been |was |or groups (?:is |has )|failed)|(?:couldn['’]t|could not|wasn['’]t|was not|can(?:no|['’])t) be (?:delivered|sent) to|(?:wasn['’]t|was not|hasn['’]t been|has not been|not been) delivered|address(?:\(es\)|es)? (?:had permanent|failed|couldn['’]t be found)|i(?:'m| am) (?:sorry to have to inform|afraid i wasn)|mail(?:er)? delivery (?:software|system|subsystem)|undeliverable to the following|could not deliver|(?:unable|failed) to deliver|did not reach (?:some|the|all)|this is the mail system at host|(?:your )?message (?:to|for) .{1,120} (?:couldn['’]t|could not|wasn['’]t|has been (?:blocked|rejected|delayed))|there was a (?:temporary )?problem delivering|returned (?:mail|to sender)|permanent (?:fatal )?error|delivery (?:status notification|failure|incomplete|is delayed)|message (?:blocked|not delivered)|address not found|recipient inbox full|sorry,? we were unable to deliver|the following (?:recipients?|addresses|address\(es\)) |has been (?:delayed|rejected by)|reached a limit for sending"
    r"|fehler bei der (?:nachrichten)?zustellung|konnte[n]? (?:leider )?nicht (?:an .{1,120} )?(?:zugestellt|übermittelt|ausgeliefert|gesendet) werden|(?:wurde|wird) nicht (?:an .{1,120} )?zugestellt|nicht zugestellt|zustellung .{0,80}(?:fehlgeschlagen|verzögert|nicht möglich|gescheitert)|mail delivery software erstellt|adresse nicht gefunden|nachricht (?:blockiert|nicht zugestellt)|unzustellbar|ließ sich nicht zustellen"
    r"|échec de la (?:remise|distribution)|n['’]a pas (?:pu )?(?:être|été) (?:remis|distribué|délivré|transmis|livré|envoyé)|n['’]est pas parvenu|n['’]ont pas été remis|impossible (?:de|d['’]) (?:remettre|distribuer|livrer|délivrer)|adresse introuvable|message (?:bloqué|non distribué|non remis)|la remise .{0,80}retardée|distribution incomplète|remise à ces destinataires"
    r"|error de entrega|no se (?:ha podido|pudo|puede|ha|pudieron|entregó) ?entreg|no se ha entregado|no se entregó|no (?:ha sido|fue|pudo ser|pudieron ser) entregad|entrega (?:a|de) .{0,80}(?:error|retras|fallid|falló)|(?:no se (?:ha encontrado|encontró|encuentra) la )dirección|dirección no encontrada|mensaje (?:bloqueado|no entregado)|no llegó a"
    r"|recapito (?:non riuscito|a|ai|fallito|incompleto)|(?:non è stato|non può essere|non è possibile|impossibile) (?:recapit|consegn|inviare|il recapito)|impossibile recapitare|non (?:è stato|sono stati) (?:recapitat|consegnat)|indirizzo non trovato|messaggio (?:bloccato|non recapitato)|mancato recapito"
    r"|(?:a entrega|falha na entrega) .{0,60}(?:falhou|destinatários|grupos)|não (?:foi|pôde ser|pode ser|foi possível|puderam ser|foram) (?:entreg|ser entreg)|não é possível entregar|falha (?:na|de) entrega|endereço não encontrado|mensagem (?:bloqueada|não entregue)|entrega incompleta|não chegou a"
    r"|bezorging .{0,80}(?:mislukt|vertraagd)|(?:kan|kon|kunnen|konden) niet (?:worden )?(?:bezorgd|afgeleverd|besteld)|(?:is|werd|zijn) niet (?:bezorgd|afgeleverd)|niet bezorgd|adres niet gevonden|bericht (?:geblokkeerd|niet bezorgd)|kan uw bericht niet"
    r"|dostarczenie wiadomości .{0,100}nie powiodło się|nie (?:została|można|mogła|udało się|mogła zostać|została) (?:dostarcz|doręcz)|nie można dostarczyć|nie udało się dostarczyć|nie znaleziono adresu|wiadomość (?:zablokowana|niedostarczona)|niedostarczon|nie dotarła"
    r"|配信(?:できません|されません|に失敗|不能)|次の受信者|配達できません|届けることができません|お届けできません|送信できません|アドレス(?:が|は)?(?:不明|見つかり)|メール(?:は|が)?(?:配信|ブロック)|送信されませんでした|エラーメール|以下のアドレス"
    r"|(?:kunde|kan) inte levereras|leveransen .{0,60}misslyck|har inte levererats|(?:kunne|kan) ikke leveres|levering .{0,60}mislykk|(?:blev|ble) ikke lever|(?:viestiä ei|ei voitu|toimitus) .{0,40}(?:toimit|epäonnist)|ei voitu toimittaa|(?:nepodařilo|nelze) (?:se )?doruč|nebyla doručena|nem (?:sikerült|lehet|kézbesít)\w*|nu (?:a putut fi|s-a putut) livr"
    r"|не (?:удалось|удается|был[оа]?|может быть|доставлено) ?(?:доставл|доставить|достав)|не доставлено|адрес не найден|сбой доставки|не вдалося|teslim edilem|iletilem|ulaştırılamadı|δεν (?:παραδόθηκε|ήταν δυνατή)"
    r"|无法(?:送达|投递|传递|发送)|未(?:能)?(?:送达|投递)|投递失败|找不到(?:该|收件人)?(?:地址|邮箱)|退回|無法(?:傳遞|投遞|送達)|傳遞.{0,20}失敗|배달(?:되지|하지|할 수)|전달(?:되지|하지|할 수)|전송(?:되지|할 수)|보내지 못|주소를 찾을 수",
    re.IGNORECASE,
)
DELAYED = re.compile(
    r"\bdelayed\b|\bpostponed\b|still being retried|delivery delayed|hasn['’]t been delivered yet|will (?:retry|continue to (?:be attempted|try)|be retried|keep trying)|temporary problem|delivery incomplete|you do not need to (?:resend|send)|this is a warning(?: message)? only|warning: (?:message|could not send)|no action is required"
    r"|verzögert|wird weiter(?:hin)? versucht|vorübergehendes problem|zustellung unvollständig|es wird weiterhin versucht|noch nicht zugestellt"
    r"|retardée|différée|problème temporaire|distribution incomplète|nouvelle tentative|pas encore été remis|va réessayer"
    r"|retrasad[ao]|demorada|problema temporal|entrega incompleta|se seguirá intentando|todavía no se ha entregado|volverá a intentar|reintentar"
    r"|ritardat[oa]|problema temporaneo|recapito incompleto|non è stato ancora|nuovo tentativo|riprover"
    r"|atrasada|adiada|problema temporário|entrega incompleta|ainda não foi entregue|tentar novamente|continuará"
    r"|vertraagd|tijdelijk probleem|onvolledig|nog niet bezorgd|opnieuw (?:proberen|geprobeerd)|opóźnion|tymczasowy problem|niekompletne|jeszcze nie|ponowi|będzie ponawian"
    r"|遅延|遅れて|一時的な(?:問題|エラー)|まだ配信|再試行|försenad|forsinket|viivästy|opožděn|késik|отложен|задерж|延迟|延遲|지연",
    re.IGNORECASE,
)
FULL = re.compile(
    r"(?:mailbox|inbox|account|recipient|user|quota|storage|disk|maildir|folder)[^.\n]{0,60}(?:\bfull\b|over ?quota|over (?:its|the|their) (?:quota|limit|storage)|exceed(?:s|ed)|out of (?:storage|space)|not enough (?:space|storage))|over ?quota|quota (?:exceeded|violation)|exceeded (?:storage|its|the|their) (?:allocation|quota|storage|mailbox)|insufficient (?:disk )?(?:space|storage)|storage (?:limit|quota)|too much mail|mailbox (?:size )?limit"
    r"|(?:postfach|posteingang|mailbox|speicher)[^.\n]{0,60}(?:voll|überfüllt|überschritten|ausgeschöpft)|kontingent[^.\n]{0,40}(?:überschritten|erreicht)|speicherplatz"
    r"|(?:boîte|messagerie)[^.\n]{0,60}(?:pleine|saturée|dépass)|quota[^.\n]{0,30}dépass|(?:buzón|bandeja|casilla)[^.\n]{0,60}(?:llen[oa]|excedid|superad)|cuota[^.\n]{0,30}(?:superad|excedid)"
    r"|(?:casella|cassetta)[^.\n]{0,60}(?:pien[ao]|superat)|quota[^.\n]{0,30}superat|caixa[^.\n]{0,60}(?:chei[oa]|excedid|lotad)|cota[^.\n]{0,30}excedid"
    r"|(?:postvak|inbox|mailbox|postbus)[^.\n]{0,60}\bvol\b|quotum|skrzynk\w+[^.\n]{0,60}(?:pełn|przepełn|przekrocz)|limit miejsca"
    r"|メールボックス[^。\n]{0,30}(?:いっぱい|容量|満杯|上限)|受信トレイ[^。\n]{0,20}いっぱい|容量(?:を|が)?(?:超え|超過|オーバー)|(?:brevlåda|inkorg|postkasse|innboks|postilaatikko|schránka|postaláda)[^.\n]{0,40}(?:full|fuld|fyldt|täynnä|plná|megtelt|tele)"
    r"|ящик[^.\n]{0,40}(?:переполнен|заполнен)|kutusu[^.\n]{0,20}dolu|(?:邮箱|信箱|郵箱|收件箱|空间)[^。\n]{0,20}(?:已满|已滿|不足|超出|满)|(?:메일|편지|사서)함[^.\n]{0,20}(?:가득|꽉|초과)|용량[^.\n]{0,10}초과",
    re.IGNORECASE,
)
TOO_LARGE = re.compile(
    r"(?:message|e-?mail|attachment|content|size)[^.\n]{0,60}(?:too (?:large|big|long)|exceeds? (?:the |a )?(?:maximum|max|fixed|size|limit|administrative)|size limit|larger than)|maximum (?:message )?size|nachricht[^.\n]{0,40}zu (?:groß|gross)|maximale (?:nachrichten)?größe|trop (?:volumineux|gros|grand)|taille maximale|demasiado grande|tamaño máximo|troppo grand|dimension[ei] massim|muito grande|grande demais|tamanho máximo|te groot|maximale grootte|zbyt duż|サイズ(?:が|制限|の上限)|大きすぎ|过大|過大|too large",
    re.IGNORECASE,
)
GONE = re.compile(
    r"(?:user|recipient|address|mailbox|account|e-?mail|addressee|person|alias|local ?part)[^.\n]{0,70}(?:unknown|not found|(?:couldn['’]t|could not|cannot|can['’]t|wasn['’]t) be found|does(?:n['’]t| not) exist|not exist|no longer (?:exists?|available|valid|in use|active|on|accepts)|invalid|inactive|disabled|deactivated|suspended|not (?:valid|recognized|known|active|listed)|unavailable|closed|terminated|discontinued|unrouteable|undeliverable|rejected)|(?:no such|unknown|invalid|non-?existent|bad|inactive|unrouteable|undeliverable|illegal) (?:user|recipient|address|mailbox|account|person|destination|alias|domain|host|local ?part|e-?mail)|(?:domain|host|hostname)[^.\n]{0,50}(?:not found|does(?:n['’]t| not) exist|no such|unknown|couldn['’]t be found|could not be found|not exist|unresolv|has no)|host or domain name not found|nxdomain|name (?:service error|or service not known)|user ?unknown|unknown user|no mailbox (?:here )?by that name|not listed in (?:the )?(?:domino )?(?:public )?(?:name (?:&|and) address book|directory)|not our customer|does(?:n['’]t| not) have an? [\w.-]+ account|is(?:n['’]t| not) (?:a (?:known|valid) user|in our|hosted|here)|no longer (?:with|works?|employed)|was(?:n['’]t| not) found at|account (?:that you tried to reach )?(?:is )?(?:disabled|inactive|does not exist)|permanently (?:disabled|rejected|unavailable)|recipientnotfound|resolver\.adr|misspelled"
    r"|(?:adresse|empfänger|postfach|benutzer|konto|e-?mail-?adresse|domäne|domain)[^.\n]{0,80}(?:nicht (?:gefunden|vorhanden|bekannt|existent|gültig|mehr (?:gültig|aktiv|vorhanden)|existiert)|existiert nicht|unbekannt|ungültig|deaktiviert|gesperrt|nicht ermittelt)|unbekannte[rs]? (?:empfänger|benutzer|adresse)|(?:wurde|wird|ist)[^.\n]{0,80} nicht gefunden|unbekannte an-adresse|kein(?:en)? (?:solchen )?(?:benutzer|empfänger|postfach)|existiert (?:nicht|kein)"
    r"|(?:adresse|destinataire|boîte|utilisateur|compte|domaine)[^.\n]{0,80}(?:introuvable|n['’]existe (?:pas|plus)|inconnue?|invalide|(?:n['’]a|pas été) (?:pas )?(?:pu être )?(?:trouvée?|été trouvée?)|désactivée?|inactive|erronée)|est introuvable|adresse inconnue|n['’]a pas été trouvé|utilisateur inconnu|destinataire inconnu"
    r"|(?:dirección|destinatario|buzón|usuario|cuenta|dominio|correo)[^.\n]{0,80}(?:no (?:se (?:ha )?(?:encontr|encuentra|pudo encontrar|reconoce)\w*|existe|es válid|está disponible)|desconocid|inválid|inexistente|desactivad|inactiv|no encontrad)|no se (?:encontró|encuentra|ha encontrado|pudo encontrar)|usuario desconocido"
    r"|(?:indirizzo|destinatario|casella|cassetta|utente|account|dominio)[^.\n]{0,80}(?:non (?:è stato |è )?(?:trovat|esist|valid|riconosciut|attiv)|inesistente|sconosciut|disattivat|inattiv|impossibile trovare)|impossibile trovare|non è stat[oa] trovat[oa]|utente sconosciuto"
    r"|(?:endereço|destinatário|caixa|usuário|utilizador|conta|domínio)[^.\n]{0,80}(?:não (?:foi |é |pôde ser )?(?:encontrad|exist|válid|localizad|reconhecid)|desconhecid|inválid|inexistente|desativad|inativ)|não foi possível (?:encontrar|localizar)|não foi encontrad[oa]|usuário desconhecido"
    r"|(?:adres|geadresseerde|ontvanger|postvak|mailbox|gebruiker|account|domein)[^.\n]{0,80}(?:niet (?:gevonden|bekend|geldig|actief)|bestaat niet|onbekend|ongeldig|niet bestaa|uitgeschakeld)|onbekende (?:gebruiker|ontvanger)|kan niet worden gevonden|niet gevonden"
    r"|(?:adres\w*|adresat\w*|odbior\w+|skrzynk\w+|użytkownik\w*|kont\w+|domen\w+)[^.\n]{0,80}(?:nie (?:został\w* )?(?:znalezion|istnieje|odnalezion|jest prawidłow)\w*|nieznan|nieprawidłow|nieistniej|nieaktywn|zablokowan|wyłączon)|nie (?:można|udało się) (?:znaleźć|odnaleźć)|nie znaleziono"
    r"|(?:アドレス|受信者|宛先|ユーザー|メールボックス|ドメイン|アカウント)[^。\n]{0,40}(?:見つかりません|見つからない|存在しません|存在しない|不明|無効|確認できません|ありません)|見つかりませんでした|ユーザー不明|宛先不明|存在しないアドレス"
    r"|(?:adress|mottagare|användare|adresse|modtager|mottaker|bruger|bruker|osoite|vastaanottaja|adresa|příjemce|cím|címzett)\w*[^.\n]{0,60}(?:hittades inte|finns inte|okänd|blev ikke fundet|findes ikke|ikke fundet|ble ikke funnet|finnes ikke|ukendt|ukjent|ei löyt|ei ole olemassa|tuntematon|nebyla? nalezen|neexistuje|nem található|ismeretlen|nem létezik)"
    r"|(?:адрес|получател|пользовател|ящик|домен)\w*[^.\n]{0,60}(?:не найден|не существует|неизвест|недействител|отключ)|(?:adres|alıcı|kullanıcı)\w*[^.\n]{0,40}(?:bulunamadı|mevcut değil|bilinmiyor|geçersiz)|(?:地址|收件人|用户|邮箱|帳戶|账户|郵箱|信箱|域名)[^。\n]{0,30}(?:不存在|找不到|无效|無效|未找到|不正确|已停用)|找不到|(?:주소|받는 사람|수신자|사용자|계정)[^.\n]{0,30}(?:찾을 수 없|존재하지|없는|잘못)",
    re.IGNORECASE,
)
BUSY_RECIPIENT = re.compile(
    r"receiving (?:mail|e-?mail|messages) (?:at a rate|too quickly)|grey-?list|gray-?list|try again later|temporar(?:y|ily)|timed? ?out|retry time(?:out)? (?:not reached|exceeded)|could not be delivered for \d+|message expired|expired",
    re.IGNORECASE,
)
SENDER = re.compile(
    r"(?:max(?:imum)?|limit of) (?:e-?mails|messages|defers)[^.\n]{0,20}per (?:hour|day)|suspected[^.\n]{0,20}spam|limit[es]?\b[^.\n]{0,60}\b(?:erreicht|überschritten|atteinte?|dépassée?|alcanzad[oa]|superad[oa]|raggiunt[oa]|atingid[oa]|bereikt|overschreden|osiągnięt\w*)|(?:tageslimit|daglimiet|dzienny limit|1 日の)|(?:atteint|dépassé|alcanzado|superado|raggiunto|superato|atingiu|bereikt)[^.\n]{0,40}\bl[ií]mit\w*|l[ií]mite (?:diari[oa]|quotidien\w*|giornalier[oa])|(?:reached|exceeded|over) (?:a |the |your |its )?(?:\w+ )?(?:sending|daily|hourly|send|message|recipient) ?(?:limit|quota|rate)|limit for sending|sending limit|recipient (?:rate )?limit|you(?:'ve| have) (?:sent|reached|exceeded)|(?:too many|suspicious number of) (?:messages|recipients|e-?mails)|(?:message|e-?mail|mail)[^.\n]{0,60}(?:blocked|looks like spam|is (?:likely )?(?:spam|unsolicited|suspicious)|detected as spam|classified as spam|considered spam|unsolicited)|spam (?:message|content|detected|rejected)|(?:blocked|listed|blacklist|blocklist|block list|denylist|reputation|spamhaus|barracuda|rbl)|not (?:authorized|allowed|permitted) to (?:send|relay)|(?:unauthenticated|dmarc|spf|dkim)\b|relay(?:ing)? (?:denied|not permitted|access denied)|unable to relay|access denied\b(?!.{0,40}recipient address)|policy (?:violation|reason|rejection|restriction)|(?:violat|due to|by|against)\w*[^.\n]{0,30}\bpolicy|sender (?:address )?(?:rejected|denied|not allowed)|your (?:organization|account|server|ip|domain)[^.\n]{0,60}(?:blocked|rejected|not allowed|suspended|restricted|banned)"
    r"|nachricht (?:wurde )?blockiert|als spam|sende(?:limit|begrenzung|beschränkung)|(?:limit|grenze|anzahl)[^.\n]{0,40}(?:versand|senden|überschritten)|nicht berechtigt|nicht über die berechtigung|keine berechtigung|richtlinie|abgelehnt, da|message bloqué|comme (?:du )?spam|comme indésirable|limite d['’]envoi|n['’]êtes pas autorisé|stratégie|mensaje bloqueado|como (?:spam|correo no deseado)|límite de envío|no (?:tiene|está) (?:permiso|autorizad)|directiva|política|messaggio bloccato|come spam|limite di invio|non (?:è|sei) autorizzat|criteri|mensagem bloqueada|como spam|limite de envio|não (?:tem|está) (?:permissão|autorizad)|bericht geblokkeerd|als spam|verzendlimiet|niet (?:gemachtigd|toegestaan)|beleid|wiadomość zablokowana|jako spam|limit wysyłania|nie masz uprawnień|zasady|メールがブロック|ブロックされ|スパム|送信(?:の)?(?:上限|制限)|権限がありません|ポリシー|被拒绝|垃圾邮件|垃圾郵件|스팸|차단",
    re.IGNORECASE,
)
PERMANENT = re.compile(
    r"permanent(?:ly)? (?:fatal )?(?:error|failure)|failed permanently|permanently failed|this is a permanent error|permanent(?:er)? fehler|dauerhafter fehler|erreur permanente|error permanente|errore permanente|erro permanente|permanente fout|trwały błąd|永続的",
    re.IGNORECASE,
)
# Where a report's words end and the email that it is about begins.
COPY = re.compile(
    r"^(?:-{2,}.{0,20}(?:this is a copy|original message|below this line|returned message|message header|dies ist eine kopie|start of returned|enclosed|undelivered message|copie|copia|kopie).{0,90}|-{3,} ?original message ?-{3,}|(?:original message (?:headers|details)|ursprüngliche nachrichtenkopfzeilen|ursprüngliche nachrichtenkopf.{0,10}|en-têtes (?:de message|du message) d['’]origine|encabezados (?:de mensajes? )?originales|intestazioni (?:originali|messaggio).{0,20}|cabeçalhos (?:de mensagem )?origina.{0,12}|oorspronkelijke berichtkoppen|oryginalne nagłówki.{0,20}|元のメッセージ(?: ?ヘッダー)?).{0,10}|received: (?:from|by) .{0,300})\s*$",
    re.IGNORECASE | re.MULTILINE,
)
