"""What people's files call things, in the main business languages. Data for ``headers.py`` and ``values.py``.

English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Russian and Ukrainian, Turkish, Japanese, Chinese; Swedish,
Danish and Norwegian, Finnish, Czech and Slovak, Hungarian, Romanian, Greek, Korean; Arabic, Hebrew, Persian, Hindi, Bengali,
Urdu, Indonesian, Vietnamese, Thai, Bulgarian and Croatian. Case, accents, spaces and punctuation do not matter.
"""

HEADERS = {
    "email": """
        email; e-mail; mail; emails; email address; email addresses; e-mail address; mail address; email id; smtp address;
        emailadresse; e-mail-adresse; mailadresse; mail-adresse; e-mail-adressen;
        adresse email; adresse e-mail; adresse mail; adresse électronique; adresse de messagerie; courriel; mél;
        correo; correo electrónico; dirección de correo; dirección de correo electrónico; dirección de email; correo e; correos;
        indirizzo email; indirizzo e-mail; indirizzo di posta elettronica; posta elettronica; indirizzo mail;
        endereço de email; endereço de e-mail; correio eletrônico; correio eletrónico; endereço eletrônico;
        e-mailadres; emailadres; mailadres; e-mail adressen;
        adres e-mail; adres email; adres mailowy; adres poczty elektronicznej; poczta elektroniczna;
        электронная почта; эл. почта; эл почта; почта; адрес электронной почты; имейл; мейл; е-mail; электронный адрес;
        електронна пошта; ел. пошта; пошта; адреса електронної пошти;
        e-posta; eposta; e-postası; epostası; e-posta adresi; eposta adresi; mail adresi; elektronik posta;
        メール; メールアドレス; 個人メールアドレス; 連絡先メールアドレス; 本人メールアドレス; eメール; eメールアドレス; 電子メール; 電子メールアドレス; e-mailアドレス; emailアドレス;
        邮箱; 电子邮箱; 个人邮箱; 工作邮箱; 联系邮箱; 常用邮箱; 個人信箱; 聯絡信箱; 聯絡電郵; 电子邮件; 电子邮件地址; 邮件; 邮件地址; 邮箱地址; 郵箱; 電子郵件; 電子郵件地址; 電郵; 電郵地址; 信箱; 电邮;
        e-post; epost; e-postadress; e-postadresse; epostadress; mejl; mejladress; mailadress;
        sähköposti; sähköpostiosoite;
        e-mailová adresa; emailová adresa; mailová adresa; elektronická pošta; e-mailova adresa;
        e-mail cím; email cím; drótposta; adresă de email; adresa de email; adresă e-mail;
        ηλεκτρονικό ταχυδρομείο; ηλεκτρονική διεύθυνση; διεύθυνση email; 이메일; 이메일 주소; 메일; 전자우편; 메일주소;
        전자메일; 전자 메일 주소; 전자우편 주소; البريد الإلكتروني; بريد إلكتروني; البريد الالكتروني; عنوان البريد الإلكتروني; الإيميل; ايميل; إيميل;
        אימייל; דוא"ל; דוא״ל; דואל; דואר אלקטרוני; כתובת אימייל; כתובת דוא"ל; ایمیل; پست الکترونیک; ईमेल; ई-मेल; ईमेल पता; ইমেইল; ইমেল; ই-মেইল; ای میل;
        surel; alamat email; alamat surel; địa chỉ email; thư điện tử; hộp thư; อีเมล; อีเมล์; ที่อยู่อีเมล; имейл адрес; електронна поща; e-pošta; elektronička pošta
    """,
    "first_name": """
        first name; firstname; given name; given names; forename; forenames; first; fname; given; preferred first name;
        vorname; vornamen; rufname;
        prénom; prénoms; prenom usuel;
        primer nombre; nombre de pila; nombres;
        primo nome; nome di battesimo;
        primeiro nome; nome próprio; prenome;
        voornaam; voornamen; roepnaam;
        imię; imiona; pierwsze imię;
        first name (имя);
        ilk ad; ilk adı; ilk isim; ön ad;
        ファーストネーム; 名 (名前); めい; 名字 (名);
        förnamn; tilltalsnamn; fornavn; etunimi;
        křestní jméno; krstné meno; křestní; keresztnév; utónév; prenume; όνομα; 이름 (名);
        الاسم الأول; الإسم الأول; الاسم الاول; שם פרטי; نام کوچک; पहला नाम; प्रथम नाम; প্রথম নাম; নামের প্রথম অংশ; پہلا نام; nama depan; tên; tên gọi; ชื่อจริง; собствено име; ime
    """,
    "last_name": """
        last name; lastname; surname; surnames; family name; last; lname; family;
        nachname; familienname; zuname; nachnamen;
        nom de famille; nom usuel;
        apellido; apellidos; primer apellido;
        cognome; cognomi;
        sobrenome; apelido; último nome; apelidos; nome de família;
        achternaam; familienaam; geslachtsnaam;
        nazwisko; nazwiska;
        фамилия; прізвище;
        soyad; soyadı; soy isim; soyisim;
        姓; 苗字; ラストネーム; 氏; 姓氏;
        efternamn; efternavn; etternavn; sukunimi;
        příjmení; priezvisko; vezetéknév; családnév; nume de familie; επώνυμο; επίθετο; 성;
        اسم العائلة; الاسم الأخير; اللقب; الكنية; שם משפחה; نام خانوادگی; अंतिम नाम; उपनाम; कुलनाम; শেষ নাম; পদবি; آخری نام; خاندانی نام; nama belakang; nama keluarga;
        họ; họ và tên đệm; นามสกุล; фамилно име; prezime
    """,
    # The full name, or the other half if the file has a column for one half.
    "full_name": """
        name; full name; fullname; names; display name; complete name; name full; person; person name; first and last name;
        candidate; applicant; lead; prospect; contact; first name last name;
        vollständiger name; ganzer name; name vorname; nachname vorname; vorname nachname; vor und nachname; vorname und nachname;
        kandidat; bewerber;
        nom; nom complet; nom prénom; nom et prénom; prénom nom; prénom et nom; candidat;
        nombre; nombre completo; nombre y apellidos; nombre y apellido; apellidos y nombre; candidato;
        nome; nome completo; nome e cognome; cognome e nome; nominativo; nome e sobrenome;
        naam; volledige naam; voor- en achternaam;
        imię i nazwisko; nazwisko i imię; pełna nazwa; imię nazwisko; nazwa; kandydat;
        имя; фио; ф.и.о.; полное имя; имя и фамилия; фамилия имя; фамилия и имя; имя фамилия; фамилия имя отчество; кандидат;
        ім'я; піб; повне ім'я; ім'я та прізвище;
        ad; adı; isim; ad soyad; adı soyadı; isim soyisim; tam ad; ad ve soyad; aday;
        名前; 氏名; お名前; フルネーム; 姓名; 候補者名; 候補者; 名; 名字;
        全名; 候选人; 候选人姓名; 联系人; 聯絡人;
        namn; fullständigt namn; för- och efternamn; navn; fulde navn; fullt navn; for- og efternavn; nimi; koko nimi;
        jméno; celé jméno; jméno a příjmení; meno; meno a priezvisko; příjmení a jméno; név; teljes név; nume; nume complet; nume și prenume;
        ονοματεπώνυμο; πλήρες όνομα; 이름; 성명; 성함;
        الاسم; الإسم; الاسم الكامل; اسم المرشح; שם; שם מלא; نام; نام و نام خانوادگی; नाम; पूरा नाम; নাম; পুরো নাম; পূর্ণ নাম; پورا نام; nama; nama lengkap;
        họ tên; họ và tên; tên đầy đủ; ชื่อ; ชื่อ-นามสกุล; ชื่อเต็ม; име; пълно име; ime i prezime
    """,
    "company": """
        company; company name; current company; current company name; employer; current employer; organization; organisation;
        organization name; organisation name; account name; workplace; company organization; organization 1 name; business name;
        current organization; latest company; most recent company; current organisation;
        firma; firmenname; unternehmen; arbeitgeber; organisationsname; aktueller arbeitgeber; aktuelle firma; gesellschaft; firmaname; betrieb;
        entreprise; société; employeur; nom de l'entreprise; nom de la société; organisme; entreprise actuelle; employeur actuel;
        empresa; compañía; empleador; organización; nombre de la empresa; empresa actual; empleador actual;
        azienda; società; ditta; datore di lavoro; nome azienda; azienda attuale; ragione sociale;
        companhia; empregador; organização; nome da empresa; empresa atual;
        bedrijf; bedrijfsnaam; werkgever; organisatie; huidige werkgever; onderneming; huidig bedrijf;
        firma nazwa; nazwa firmy; pracodawca; przedsiębiorstwo; organizacja; obecny pracodawca;
        компания; организация; работодатель; название компании; фирма; предприятие; место работы; компанія; організація;
        şirket; şirket adı; işveren; kurum; kuruluş; firma adı;
        会社; 会社名; 企業; 企業名; 勤務先; 所属; 組織; 現職企業;
        公司; 公司名称; 企业; 单位; 雇主; 公司名稱; 企業名稱; 当前公司; 工作单位;
        företag; företagsnamn; arbetsgivare; bolag; virksomhed; firmanavn; arbejdsgiver; bedrift; selskap; arbeidsgiver; yritys; työnantaja;
        společnost; název firmy; zaměstnavatel; spoločnosť; zamestnávateľ; cég; cégnév; munkáltató; companie; angajator; εταιρεία; εταιρία;
        회사; 회사명; 직장; 소속;
        الشركة; شركة; اسم الشركة; جهة العمل; المؤسسة; חברה; שם החברה; מעסיק; شرکت; نام شرکت; कंपनी; कम्पनी; कंपनी का नाम; संगठन; কোম্পানি; প্রতিষ্ঠান; کمپنی; ادارہ; perusahaan;
        nama perusahaan; công ty; tên công ty; บริษัท; ชื่อบริษัท; фирма; tvrtka; poduzeće
    """,
    "title": """
        title; job title; position; current title; current position; role title; occupation; designation; current job title; profession;
        organization title; organization 1 title; headline title; position title; latest title; most recent title; job position; jobtitle;
        titel; funktion; stelle; berufsbezeichnung; jobtitel; stellenbezeichnung; aktuelle position; beruf; tätigkeit; aktuelle stelle;
        poste; fonction; titre; intitulé du poste; intitulé de poste; poste actuel; métier; profession actuelle;
        puesto; cargo; título; puesto de trabajo; puesto actual; ocupación; cargo actual;
        posizione; ruolo; qualifica; titolo; mansione; posizione attuale;
        função; posição; cargo atual; profissão;
        functie; functietitel; functienaam; huidige functie; baan;
        stanowisko; tytuł; obecne stanowisko; zawód; stanowisko pracy;
        должность; позиция; профессия; посада;
        unvan; ünvan; pozisyon; görev; iş unvanı; meslek;
        役職; 職位; 肩書き; 肩書; 職種; 現職; ポジション;
        职位; 职务; 头衔; 职称; 職務; 職稱; 当前职位; 岗位;
        befattning; yrkestitel; roll; tjänst; stilling; stillingsbetegnelse; jobbtittel; yrke; tehtävänimike; titteli;
        pozice; pracovní pozice; funkce; pozícia; beosztás; munkakör; funcție; poziție; θέση; τίτλος; 직책; 직위; 직함; 직급;
        المسمى الوظيفي; المنصب; الوظيفة; תפקיד; תואר; עמדה; عنوان شغلی; سمت; पद; पदनाम; पदवी; পদ; عہدہ; jabatan; posisi; chức vụ; chức danh; vị trí công việc; ตำแหน่ง; ตำแหน่งงาน; длъжност; radno mjesto
    """,
    "location": """
        location; city; current location; town; place; city town; location city; home city; mailing city; business city; home location; locality;
        ort; stadt; standort; wohnort; arbeitsort;
        lieu; ville; localisation; localité;
        ubicación; ciudad; localidad; lugar;
        luogo; città; località; sede;
        local; localização; cidade; localidade;
        plaats; woonplaats; stad; locatie; vestigingsplaats;
        miasto; lokalizacja; miejscowość; miejsce;
        город; местоположение; населенный пункт; місто;
        şehir; konum; il; yer; lokasyon;
        都市; 市区町村; 所在地; 場所; 勤務地; 地域;
        城市; 地点; 所在城市; 地區; 位置; 所在地点;
        plats; stad ort; by; sted; poststed; kaupunki; paikkakunta;
        město; místo; lokalita; mesto; miesto; város; helység; oraș; localitate; πόλη; τοποθεσία; 도시; 위치; 지역;
        المدينة; الموقع; المكان; עיר; מיקום; شهر; محل; शहर; नगर; स्थान; শহর; অবস্থান; شہر; kota; lokasi; thành phố; địa điểm; tỉnh thành; เมือง; จังหวัด; สถานที่; град; grad
    """,
}

# The people in the file. These words do not change what a title means: "Candidate First Name", "Email del candidato". A title may
# begin with one and go on without a space: "Bewerbermail", "候选人邮箱".
PEOPLE = """
    candidate candidates applicant applicants contact contacts lead leads prospect prospects person people persons
    bewerber bewerbers bewerberin bewerbern bewerberinnen kandidat kandidaten kandidatin kandidatinnen kontakt kontakts kontakte
    candidat candidats candidate candidates postulant postulante postulants postulantes personne
    candidato candidata candidatos candidatas postulantes aspirante aspirantes contacto contactos persona
    candidati candidate contatto contatti contato contatos pessoa
    kandidaat kandidaten kandidate sollicitant sollicitanten persoon
    kandydat kandydata kandydatka kandydatki kandydatów kandydatek aplikant aplikanta kontaktu
    кандидат кандидата кандидатов кандидатки кандидатів соискатель соискателя соискателей здобувача контакта
    aday adayın adaylar adayların başvuran başvuranın kişi kişinin
    候補者 応募者 求職者 志願者 候选人 候選人 应聘者 應聘者 求职者 应征者 應徵者 후보자 지원자 구직자
    مرشح المرشح للمرشح المتقدم للمتقدم उम्मीदवार प्रत्याशी आवेदक প্রার্থী প্রার্থীর امیدوار pelamar ứng viên
    kandidatens kandidaters kandidater sökande sökandens ansøger ansøgers ansøgeren ansøgerens søker søkers søkerens hakija hakijan ehdokas
    ehdokkaan uchazeč uchazeče kandidát kandidáta kandidátky jelölt pályázó candidatului υποψηφίου кандидатът מועמד המועמד
"""
# Between such a word and what it belongs to.
PARTICLES = "の 様の 的 之 의 का की के کا کی کے"
# Before such a word: "of the", "des", "du", "del", "do", "van de". Elsewhere they count: "Email de" is not the person's.
OF = """
    of the for des der dem den von vom für du de la le les del el los las di dello della dei degli delle do da dos das van het voor
    til till för för av của
"""

# Words that do not change the meaning of one of the above either: "Primary Email", "E-mail 1 - Value".
QUALIFIERS = """
    current required optional mandatory pflichtfeld aktuell actuel actuelle actual attuale huidig
    primary secondary main default preferred work personal private business home other office professional corporate
    alternate alternative additional value verified valid found your his her 1 2 3 4 5 6 7 8 9
    private privat geschäftlich dienstlich beruflich haupt arbeit
    professionnel professionnelle personnel personnelle principal principale travail
    profesional personal trabajo laboral principal
    lavoro personale aziendale principale
    profissional pessoal trabalho
    werk privé zakelijk persoonlijk
    służbowy prywatny główny praca
    рабочая рабочий личная личный основная основной
    iş kişisel birincil
    arbete jobb arbejde pracovní soukromý osobní
"""

# Whose address no candidate has: who recruits, sends, owns, manages, recommends. A word that begins so is one of them, one of up to
# four letters only as a whole; of scripts without spaces, a title that has it anywhere.
OTHERS = """
    recruit hiring sourcer sender from reply manager owner boss supervisor referr referee reference interviewer consultant coordinator creator
    created author assign user approver reviewer emergency assistant cc bcc hr
    rekrut absender personaler vorgesetzt führungskraft besitzer eigentümer inhaber berater betreuer bearbeiter sachbearbeiter empfehl referenz
    zuständig verantwortlich ersteller chef
    recrut expéditeur expéditrice émetteur émettrice responsab gestionnaire propriétaire chargé parrain référent supérieur rh
    reclut remitente gerent jefe jefa propietari dueño dueña encargad gestor seleccionador entrevistador
    selezionat mittente proprietari titolare remetente dono dona chefe entrevistador
    afzender verzender leidinggevende eigenaar beheerder verantwoordelijk
    nadawc menedżer menadżer kierowni przełożon właściciel opiekun polecając
    рекрутер отправител менеджер руководител владел ответствен начальник рекомендател відправник керівник власник відповідальн
    gönder yönetici sahip sahibi sorumlu müdür ik
    採用 担当 送信者 差出人 リクルーター マネージャー 上司 所有者 オーナー 面接官 紹介者 推薦者 人事
    招聘 招募 猎头 獵頭 发件人 發件人 寄件者 寄件人 经理 經理 主管 负责人 負責人 所有人 面试官 面試官 推荐人 推薦人 介绍人 介紹人 顾问 顧問
    채용 담당자 발신자 보낸 관리자 매니저 추천인 면접관
    المرسل المدير مدير مسؤول التوظيف भेजने प्रबंधक প্রেরক pengirim manajer perekrut gửi
    rekryt avsändare ansvarig ägare afsender avsender leder ansvarlig ejer eier lähettäjä esimies náborář odesílatel nadřízen vlastník
"""

# Never a name, company or title. We compare the whole text; those in NEARLY_NAMES only as spelled there.
PLACEHOLDERS = """
    n/a; n.a.; n.a; n\\a; n / a; #na; not available; not applicable; not provided; not specified; not known; no name; no data; no value;
    none; (none); <none>; [none]; null; (null); <null>; [null]; nil; undefined; (undefined); unknown; (unknown); <unknown>; unnamed;
    (blank); (empty); <empty>; tbd; tba; tbc; to be determined; not found; no first name; no last name;
    no company; not disclosed; confidential; [object object]; false; first name; last name; firstname; lastname; full name;
    k.a.; k. a.; k.a; keine angabe; keine; unbekannt; nicht bekannt; entfällt; nicht angegeben;
    n.c.; non communiqué; non renseigné; inconnu; aucun; aucune; s/o; sans objet; non disponible;
    n/d; n.d.; no disponible; desconocido; ninguno; sin datos; sin nombre; no aplica; vacío;
    non specificato; sconosciuto; nessuno; nessuna; non pervenuto; vuoto;
    não disponível; desconhecido; nenhum; nenhuma; sem nome; não informado; vazio;
    n.v.t.; nvt; n.v.t; onbekend; geen; niet bekend; leeg;
    brak; brak danych; nie dotyczy; nieznany; nieznane; nd.;
    нет; н/д; нет данных; неизвестно; не указано; пусто; немає;
    yok; bilinmiyor; belirtilmemiş; boş;
    なし; 無し; 無; 不明; 未設定; 未入力; 该项为空; 无; 未知; 空; 没有; 暂无; 未填写; 없음; 미상;
    saknas; okänd; ingen; ej angivet; ukendt; ikke angivet; ukjent; tuntematon; ei ole;
    není; neznámé; neznámý; žádný; nezadáno; ismeretlen; nincs; necunoscut
"""
# Also names of people: Nan Goldin, Li Na, Chris Null. Programs write only these spellings.
NEARLY_NAMES = "NA na NULL null NIL nil NaN nan NAN"

# Texts that mean "nothing" in any column, because only spreadsheets and programs write them.
NOTHING_ANYWHERE = """
    null; NULL; (null); <null>; [null]; NaN; nan; undefined; (undefined); [object Object]; #N/A; N/A; n/a
"""

# Spreadsheet errors without a final mark, in the languages of Excel, Google Sheets and LibreOffice.
SPREADSHEET_ERRORS = """
    #N/A #N/A! #NA #NV #N/D #N/B #N/V #YOK #I/T #Н/Д #ND #N.D. #BRAK #HIÁNYZIK #NENÍ_K_DISPOZICI #NEDOSTUPNÝ #PUUTTUU! #SAKNAS!
    #GETTING_DATA #ERROR #ERR #REF #VALUE #NAME #NUM #DIV/0 #SPILL #CALC
"""
