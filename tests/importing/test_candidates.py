"""Exports as people have them: odd rows are read, or left out with line and reason, and never refuse the rest."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importing.candidates import CandidateSpec, Sheet, read_candidates
from importing.headers import SETTABLE, parse_mapping
from importing.problems import ImportRejected


def sheet(text: str | bytes, encoding: str = "utf-8", **options: Any) -> Sheet:
    raw = text if isinstance(text, bytes) else text.encode(encoding)
    return read_candidates("people.csv", raw, **options)


def read(text: str | bytes, encoding: str = "utf-8", **options: Any) -> list[CandidateSpec]:
    return sheet(text, encoding, **options).people


def one(text: str | bytes, **options: Any) -> CandidateSpec:
    (person,) = read(text, **options)
    return person


def left_out(text: str) -> list[tuple[int, str]]:
    return [(each.line, each.why) for each in sheet(text).left_out]


def refused(text: str | bytes, **options: Any) -> list[tuple[int, int, str]]:
    with pytest.raises(ImportRejected) as caught:
        sheet(text, **options)
    return [(each.line, each.column, each.what) for each in caught.value.problems]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_usual_export_reads_the_same(encoding: str, separator: str, end: str) -> None:
    text = end.join(
        [
            separator.join(['"E-Mail"', "Vorname", "Nachname", "Firma", "Years of experience"]),
            separator.join(["jo@example.org", "Jörg", '"Müller"', '"Bolt & Söhne"', "7"]),
            "",
        ]
    )
    (person,) = read(text, encoding)
    assert (person.email, person.first_name, person.last_name) == ("jo@example.org", "Jörg", "Müller")
    assert person.company == "Bolt & Söhne"
    assert person.fields == {"years_of_experience": "7"}


def test_a_quoted_line_break_is_one_space_and_lines_are_counted_in_the_file() -> None:
    people = read('email,title\na@example.org,"Lead\n of ""things"""\nb@example.org,"x"\n')
    assert people[0].title == 'Lead of "things"'
    assert [person.line for person in people] == [2, 4]


NOTES = 'Notes:\n"When you export your connections, some addresses may be missing; this is why."\n\n'


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nEmail;First Name\nann@example.org;Ann\n",
        '"sep=,"\r\nEmail,First Name\r\nann@example.org,Ann\r\n',
        "SEP=|\nEmail|First Name\nann@example.org|Ann\n",
        f"{NOTES}First Name,Email Address\nAnn,ann@example.org\n",
        "Candidates 2026\n\nExported by: rita@acme.example\nFirst Name;Email\nAnn;ann@example.org\n",
        "\n\nFirst Name\tEmail\nAnn\tann@example.org\n",
        "First Name,Email,,\nAnn,ann@example.org,,\n",
        "First Name,Email,Phone,City\nAnn,ann@example.org\n",
        "First Name,Email\nAnn,ann@example.org,,,\n",
        "First Name,Email\nAnn,ann@example.org\nFirst Name,Email\n",
        "First Name,Primary Email\nAnn,ann@example.org\n",
        "First Name,Email,Email 2\nAnn,ann@example.org,ann@home.example\n",
        "First Name,Work Email,Personal Email\nAnn,,ann@example.org\n",
        "First Name,Email 1,Email 2\nAnn,N/A,ann@example.org\n",
        "First Name,Email,Email 2\nAnn,broken,ann@example.org\n",
        "First Name,Emails\nAnn,ann@example.org; ann@home.example\n",
        'First Name,Emails\nAnn,"ann@example.org, ann@home.example"\n',
        'First Name,Emails\nAnn,"ann@example.org\nann@home.example"\n',
        "First Name,Email\nAnn,mailto:ann@example.org\n",
        "First Name,Email\nAnn,mailto:ann@example.org?subject=Hello\n",
        "First Name,Email\nAnn,'ann@example.org\n",
        "First Name,Email\nAnn,<ann@example.org>\n",
        "First Name,Email\nAnn,Work: ann@example.org\n",
        "First Name,Email\nAnn,ann@example.org (work)\n",
        "First Name,Email\nAnn,Ann Adler <ann@example.org>\n",
        "First Name,Email\n\u200bAnn\u00a0,\ufeffann@exam\u200bple.org\u00a0\n",
        "Email\nAnn <ann@example.org>\n",
        "First Name,Email\n'Ann',ann@example.org\n",
        "First Name,Email\nAnn,Ann Adler (ann@example.org)\n",
        "First Name,Email\nAnn,[ann@example.org](mailto:ann@example.org)\n",
        'First Name;Email\nAnn;"<a href=""mailto:ann@example.org"">ann@example.org</a>"\n',
        'First Name;Email\nAnn;"=HYPERLINK(""mailto:ann@example.org"",""ann@example.org"")"\n',
        "First Name,Email\nAnn,ann＠example.org\n",
    ],
)
def test_exports_as_people_have_them(text: str) -> None:
    person = one(text)
    assert (person.email, person.first_name) == ("ann@example.org", "Ann")


def test_addresses_alone_need_no_header() -> None:
    assert [each.email for each in read("ann@example.org\nbob@example.org\n")] == [
        "ann@example.org",
        "bob@example.org",
    ]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        # As these products' exports name their columns.
        ("First Name,Last Name,Email Addresses,Company,Title", "Ann,Adler,ann@example.org,Acme,Engineer"),  # Greenhouse
        ("Candidate Name,Emails,Current Company,Headline,Title", "Ann Adler,ann@example.org,Acme,,Engineer"),  # Lever
        ("Name,Emails,Company,Title,Location", "Ann Adler,ann@example.org,Acme,Engineer,Berlin"),  # Gem
        ("First Name,Last Name,Current Title,Current Company,Email Address", "Ann,Adler,Engineer,Acme,ann@example.org"),  # LinkedIn
        ("Name,Primary Email Address,Current Company,Current Title", "Ann Adler,ann@example.org,Acme,Engineer"),  # Ashby
        ("Candidate,Email,Company,Job title", "Ann Adler,ann@example.org,Acme,Engineer"),  # Workable
        ("First name,Last name,Email,Employer,Position", "Ann,Adler,ann@example.org,Acme,Engineer"),  # Personio
        ("Given Name,Family Name,E-mail 1 - Type,E-mail 1 - Value,Organization 1 - Name,Organization 1 - Title",
         "Ann,Adler,* Work,ann@example.org,Acme,Engineer"),  # Google contacts
        ("Title,First Name,Last Name,Company,Job Title,E-mail Address", "Dr.,Ann,Adler,Acme,Engineer,ann@example.org"),  # Outlook
        ("firstName,lastName,workEmail,companyName,jobTitle", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("first_name,last_name,primary_email,company,title", "Ann,Adler,ann@example.org,Acme,Engineer"),
        # Languages.
        ("Vorname,Name,E-Mail-Adresse,Firma,Position", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Prénom,Nom,Adresse e-mail,Entreprise,Poste", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Nombre,Apellidos,Correo electrónico,Empresa,Puesto", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Nome,Cognome,Indirizzo e-mail,Azienda,Ruolo", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Nome,Sobrenome,Endereço de e-mail,Empresa,Cargo", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Voornaam,Achternaam,E-mailadres,Bedrijf,Functie", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Imię,Nazwisko,Adres e-mail,Firma,Stanowisko", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Имя,Фамилия,Электронная почта,Компания,Должность", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Ad,Soyad,E-posta,Şirket,Unvan", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("ADI,SOYADI,E-POSTA ADRESİ,ŞİRKET,ÜNVAN", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("名,姓,メールアドレス,会社名,役職", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("姓名,电子邮箱,公司,职位", "Ann Adler,ann@example.org,Acme,Engineer"),
        ("Förnamn,Efternamn,E-post,Företag,Befattning", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Fornavn,Efternavn,E-mail,Virksomhed,Stilling", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Jméno,Příjmení,E-mailová adresa,Společnost,Pozice", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Etunimi,Sukunimi,Sähköposti,Yritys,Tehtävänimike", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("이름,이메일,회사,직책", "Ann Adler,ann@example.org,Acme,Engineer"),
        ("이름,전자메일,회사,직책", "Ann Adler,ann@example.org,Acme,Engineer"),
        ("الاسم الأول,اسم العائلة,البريد الإلكتروني,الشركة,المسمى الوظيفي", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("שם פרטי,שם משפחה,אימייל,חברה,תפקיד", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("पहला नाम,उपनाम,ईमेल,कंपनी,पद", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("প্রথম নাম,শেষ নাম,ইমেইল,কোম্পানি,পদ", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Nama depan,Nama belakang,Surel,Perusahaan,Jabatan", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Tên,Họ,Địa chỉ email,Công ty,Chức vụ", "Ann,Adler,ann@example.org,Acme,Engineer"),
        ("Ime,Prezime,E-pošta,Tvrtka,Pozicija,Radno mjesto", "Ann,Adler,ann@example.org,Acme,,Engineer"),
    ],
)  # fmt: skip
def test_the_columns_of_other_products_and_languages_are_known(header: str, row: str) -> None:
    person = one(f"{header}\n{row}\n")
    assert (person.email, person.first_name, person.last_name) == ("ann@example.org", "Ann", "Adler")
    assert (person.company, person.title) == ("Acme", "Engineer")


POSSESSIVE = [
    ("Candidate's Email", "Candidate’s First Name"), ("Candidate´s e-mail", "Candidates' first name"),
    ("Email of the candidate", "First name of applicant"), ("candidateemail", "candidatefirstname"),
    ("E-Mail des Bewerbers", "Vorname des Bewerbers"), ("E-Mail-Adresse der Bewerberin", "Vorname der Bewerberin"),
    ("E-Mail Kandidat/in", "Vorname Bewerber:in"), ("Mailadresse von Kandidat*innen", "Vorname (Kandidat*in)"),
    ("Bewerbermailadresse", "Kandidatenvorname"),
    ("Adresse e-mail du candidat", "Prénom du candidat"), ("Courriel de la candidate", "Prénom de la candidate"),
    ("E-mail du candidat(e)", "Prénom du/de la candidat(e)"), ("Email du contact", "Prénom des candidats"),
    ("Email del candidato", "Primer nombre del candidato"), ("Correo electrónico de la candidata", "Nombre de pila de la candidata"),
    ("Correo del candidato/a", "Primer nombre del postulante"), ("Correo de trabajo", "Nombre de pila del contacto"),
    ("Email della candidata", "Primo nome del candidato"), ("Indirizzo e-mail dei candidati", "Primo nome della candidata"),
    ("E-mail do candidato", "Primeiro nome do candidato"), ("Endereço de e-mail da candidata", "Prenome da candidata"),
    ("E-mail do(a) candidato(a)", "Primeiro nome dos candidatos"),
    ("E-mail van kandidaat", "Voornaam van de kandidaat"), ("E-mailadres van de sollicitant", "Voornaam sollicitant"),
    ("Adres e-mail kandydatki", "Imię kandydatki"), ("E-mail kandydatów", "Imię aplikanta"),
    ("Почта соискателя", "First name (имя) кандидата"), ("Электронная почта кандидатов", "First name (имя) соискателя"),
    ("Adayın e-postası", "Adayın ilk adı"), ("ADAYLARIN E-POSTA ADRESİ", "Başvuranın ilk adı"),
    ("候補者メールアドレス", "候補者のファーストネーム"), ("応募者のメール", "応募者ファーストネーム"), ("メールアドレス(候補者)", "候補者様のファーストネーム"),
    ("候选人邮箱", "候选人 First name"), ("應聘者的電子郵件", "First Name（求职者）"), ("候选人Email", "候选人first name"),
    ("지원자 이메일", "지원자 first name"), ("후보자의 이메일 주소", "후보자 first name"),
    ("البريد الإلكتروني للمرشح", "الاسم الأول للمرشح"), ("उम्मीदवार का ईमेल", "उम्मीदवार का पहला नाम"),
    ("প্রার্থীর ইমেইল", "প্রার্থীর প্রথম নাম"), ("Email pelamar", "Nama depan kandidat"), ("Email của ứng viên", "Tên ứng viên"),
    ("Kandidatens e-post", "Sökandens förnamn"), ("Ansøgers e-mail", "Kandidatens fornavn"), ("E-mail uchazeče", "Křestní jméno kandidáta"),
]  # fmt: skip


@pytest.mark.parametrize(("email", "first_name"), POSSESSIVE)
def test_a_title_may_say_that_it_is_about_the_candidate(email: str, first_name: str) -> None:
    person = one(f"{first_name}\t{email}\tRecruiter Email\nAnn\tann@example.org\trita@acme.example\n")
    assert (person.email, person.first_name) == ("ann@example.org", "Ann")


@pytest.mark.parametrize(
    "title",
    [
        "Name of business", "Nom de l'agence", "Nombre del puesto", "Titel der Arbeit", "Place of work", "Fecha de email", "Email de",
        "E-Mail von", "Email del reclutador", "E-mail van de manager", "Leader", "Candidature", "候选人推荐人邮箱", "Personnel", "Date of email",
        "Name of the emergency contact", "Nom du contact d'urgence", "Email of the candidate's manager",
    ],
)  # fmt: skip
def test_a_title_about_something_else_stays_a_field_of_its_own(title: str) -> None:
    read_so = sheet(f"Email;{title}\nann@example.org;bob@example.org\n")
    assert read_so.people[0].email == "ann@example.org"
    assert read_so.columns.get(title, "") not in SETTABLE


@pytest.mark.parametrize(
    "header",
    [
        "Recruiter Email",
        "Email Status",
        "Email Opened",
        "Hiring Manager Email",
        "E-mail 1 - Type",
        "Email sent on",
    ],
)
def test_a_column_about_somebody_elses_address_is_not_the_persons(header: str) -> None:
    person = one(f"{header},Email\nrita@acme.example,ann@example.org\n")
    assert person.email == "ann@example.org"
    assert "no title names the people's e-mail addresses" in refused(f"{header}\nrita@acme.example\n")[0][2]


SOMEBODY_ELSES = [
    "Recruiter Email", "Recruiters' mail", "Sender Email", "From", "Manager Email", "Owner", "Hiring Manager", "Referrer e-mail", "Reply-To",
    "Account Manager", "Created by", "Absender", "Absenderadresse", "E-Mail des Personalers", "E-Mail Vorgesetzte", "Zuständig",
    "Email du recruteur", "Mail de la recruteuse", "Expéditeur", "Responsable", "Chargé de recrutement", "Propriétaire",
    "Email del reclutador", "Remitente", "Correo del gerente", "Correo de la jefa", "Propietario",
    "Email del selezionatore", "Mittente", "Responsabile", "Proprietario", "E-mail do recrutador", "Remetente", "Gestora", "Proprietária",
    "E-mail van de recruiter", "Afzender", "Leidinggevende", "Eigenaar", "E-mail rekrutera", "Nadawca", "Przełożony", "Właściciel",
    "Почта рекрутера", "Отправитель", "Руководитель", "Владелец", "Пошта керівника", "Gönderen", "Yönetici e-postası", "İK uzmanı", "Sorumlu",
    "採用担当者メール", "送信者", "差出人アドレス", "上司のメール", "招聘者邮箱", "发件人", "寄件者", "负责人邮箱", "經理電郵", "HR邮箱", "채용담당자 이메일", "발신자",
    "بريد المدير", "المرسل", "Rekryterare", "Avsändare", "Afsender", "Náborář", "Odesílatel", "Pengirim", "Người gửi",
]  # fmt: skip


@pytest.mark.parametrize("title", SOMEBODY_ELSES)
def test_nobody_is_advised_to_write_to_a_recruiter_or_sender(title: str) -> None:
    with pytest.raises(ImportRejected) as alone:
        sheet(f"Wer;{title}\nAnn;rita@acme.example\n")
    (problem,) = alone.value.problems
    assert f"by their titles somebody else's: {title!r}" in problem.what
    assert f"{title}=email" not in problem.fix
    with pytest.raises(ImportRejected) as beside:
        sheet(f"{title};Kontakt\nrita@acme.example;ann@example.org\n")
    (problem,) = beside.value.problems
    assert problem.fix.startswith('Say which column it is: --map "Kontakt=email".')
    mapped = one(f"{title};Kontakt\nrita@acme.example;ann@example.org\n", mapping={title: "email"})
    assert mapped.email == "rita@acme.example"


def test_every_column_that_holds_addresses_is_named() -> None:
    with pytest.raises(ImportRejected) as caught:
        sheet(
            "Sender Email,Recipient,Kontakt,Stadt\nrita@acme.example,,ann@example.org,Bonn\n,bob@example.org,,\n"
        )
    (problem,) = caught.value.problems
    assert problem.fix.startswith('Say which column it is: --map "Recipient=email" or --map "Kontakt=email".')
    assert "'Sender Email'" in problem.what


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Name,First Name,Last Name,Email\nAnn Adler,Ann,Adler,ann@example.org\n", ("Ann", "Adler")),
        ("Full Name,Email\nAnn Adler,ann@example.org\n", ("Ann", "Adler")),
        ('Name,Email\n"Adler, Ann",ann@example.org\n', ("Ann", "Adler")),
        ("Name,Email\nDr. Ann van Adler,ann@example.org\n", ("Ann", "van Adler")),
        ("First Name,Name,Email\nAnn,Ann Adler,ann@example.org\n", ("Ann", "Adler")),
        ("Name,Last Name,Email\nAnn,Adler,ann@example.org\n", ("Ann", "Adler")),
        ("Full Name,First Name,Email\nAnn Adler,N/A,ann@example.org\n", ("Ann", "Adler")),
        ("氏名,メール\n山田 太郎,t@example.jp\n", ("太郎", "山田")),
    ],
)
def test_full_names_are_split(text: str, names: tuple[str, str]) -> None:
    person = one(text)
    assert (person.first_name, person.last_name) == names


def test_no_column_is_hidden_by_a_standard_field() -> None:
    text = "Email,Company Name,Current Company,Sender Name,Name,First Name,Last Name,Position\na@example.org,Acme,Bolt,Rita,A B,A,B,CTO\n"
    read_so = sheet(text, keep=frozenset({"position"}))
    (person,) = read_so.people
    assert person.company == "Acme"
    assert person.fields == {
        "current_company": "Bolt",
        "column_sender_name": "Rita",
        "name": "A B",
        "position": "CTO",
    }
    assert any("{{column_sender_name}}" in each for each in read_so.warnings)


def test_columns_without_a_letter_or_title_are_reported() -> None:
    read_so = sheet("Email,Возраст,\na@example.org,30,x\n")
    assert read_so.people[0].fields == {}
    assert any("'Возраст'" in each for each in read_so.warnings)
    assert any("column 3" in each for each in read_so.warnings)


def test_the_caller_says_what_a_column_is() -> None:
    mapping = parse_mapping(["Kontakt=email", "Rufname=first_name", "Notes=", "Возраст=age"])
    person = one("Kontakt,Rufname,Notes,Возраст\na@example.org,Ann,secret,30\n", mapping=mapping)
    assert (person.email, person.first_name, person.fields) == ("a@example.org", "Ann", {"age": "30"})
    other = one(
        "Email,Second Address\na@example.org,b@example.org\n", mapping=parse_mapping(["second address=email"])
    )
    assert other.email == "a@example.org"


@pytest.mark.parametrize("pair", ["Notes", "=email", "Notes=sender_name", "Notes=Ünvan", "Notes=1st"])
def test_a_mapping_that_makes_no_sense_is_refused(pair: str) -> None:
    from domain.errors import InvalidInput

    with pytest.raises(InvalidInput, match="--map"):
        parse_mapping([pair])


def test_a_column_that_is_not_there_is_named() -> None:
    from domain.errors import InvalidInput

    with pytest.raises(InvalidInput, match="Did you mean Kontakt"):
        sheet("Kontakt,Email\n,a@example.org\n", mapping=parse_mapping(["Kontackt=first_name"]))


def test_a_file_without_a_known_column_says_which_one_holds_addresses() -> None:
    with pytest.raises(ImportRejected, match='--map "Kontakt=email"'):
        sheet("Wer,Kontakt\nAnn,ann@example.org\n")


EMPTY = ["N/A", "#N/A", "n/a", "NA", "null", "NULL", "(null)", "None", "none", "-", "--", "—", ".", "?", "unknown", "Unknown", "undefined",
         "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NV", "#BEZUG!", "#¡VALOR!", "#ЗНАЧ!", "####", "k. A.", "n.v.t.", "нет", "なし", "無",
         "[object Object]", "NaN", "nan", "TBD", " ", "\u200b", "&nbsp;", "First Name"]  # fmt: skip


@pytest.mark.parametrize("value", EMPTY)
def test_words_for_nothing_are_nothing_in_names_companies_and_titles(value: str) -> None:
    person = one(
        f"Email|First Name|Last Name|Company|Title|City\na@example.org|{value}|{value}|{value}|{value}|{value}\n"
    )
    assert person == CandidateSpec("a@example.org", 2)


@pytest.mark.parametrize(
    "value",
    ["Nan", "Na", "Null", "None Such", "#1 Plumbing", "C#", "X", "N/A Holdings", "'t Hooft", "Dash-Dot"],
)
def test_names_that_only_look_like_nothing_stay(value: str) -> None:
    assert one(f"Email,Last Name\na@example.org,{value}\n").last_name == value


@pytest.mark.parametrize("value", ["#N/A", "#REF!", "#VALUE!", "#BEZUG!", "null", "NaN"])
def test_errors_of_spreadsheets_are_nothing_in_any_field(value: str) -> None:
    assert one(f"Email,Role\na@example.org,{value}\n").fields == {}
    assert one("Email,Role\na@example.org,none\n").fields == {"role": "none"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("AT&amp;T", "AT&T"),
        ("O&#39;Neill &amp; Co", "O'Neill & Co"),
        ("M&uuml;ller &#x26; S&ouml;hne", "Müller & Söhne"),
        ("&amp;amp;", "&amp;"),
        ("R&D; more", "R&D; more"),
        ("?a=1&copy=2", "?a=1&copy=2"),
        ("Bolt&nbsp;Ltd", "Bolt Ltd"),
    ],
)
def test_entities_of_an_export_are_decoded_once(value: str, text: str) -> None:
    person = one(f'Email,Company,Role\na@example.org,"{value}","{value}"\n')
    assert person.company == person.fields["role"] == text


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("", (0, 0), "empty"),
        ("\n \n", (0, 0), "empty"),
        ("email\n", (0, 0), "nobody"),
        ("name\nJo\n", (1, 1), "no title names the people's e-mail addresses"),
        ("email\nnot an address\n", (2, 1), "not one address"),
        ("email\n-\n\nname only\n", (2, 1), "no address"),
        ('email\n"a@b.example\n', (2, 1), "not CSV"),
        ('email,name\na@b.example,"x" y\n', (2, 1), "not CSV"),
        ("email,name\na@b.example,x\x07\n", (2, 1), "U+0007"),
        ("email,name\na@b.example," + "x" * 1001 + "\n", (2, 1), "more than 1000"),
        ("email,name\na@b.example,x,y\n", (2, 1), "3 values, the header 2"),
        ("email\na@b.example\x00\n", (2, 1), "U+0000"),
    ],
)
def test_a_file_of_which_nothing_can_be_taken_is_refused_with_every_place(
    text: str, place: tuple[int, int], what: str
) -> None:
    found = refused(text)
    assert any((line, column) == place and what in said for line, column, said in found), found


def test_one_bad_row_never_refuses_the_rest() -> None:
    rows = ["good@example.org,Ann", ",Bob", "Good@Example.org,Again", "x@y,Cid", 'd@example.org,"un"closed', "e@example.org,E,F",
            "f@example.org,A\x07b", 'g@example.org,"never closed', "h@example.org,Hal"]  # fmt: skip
    text = "\n".join(["Email,First Name", *rows]) + "\n"
    found = sheet(text)
    assert [each.email for each in found.people] == ["good@example.org", "h@example.org"]
    assert [each.line for each in found.left_out] == [3, 4, 5, 6, 7, 8, 9]
    assert [each.line for each in found.left_out if each.repeated] == [4]
    assert all(each.why for each in found.left_out)
    assert {line for line, _, _ in refused(text, strict=True)} == {3, 4, 5, 6, 7, 8, 9}


@pytest.mark.parametrize(
    "cell",
    [
        "(" * 120_000,
        "'" * 20_000,
        "(x)" * 40_000,
        "a@" * 60_000,
        "a@b," * 30_000,
        "<" * 300_000,
        "\\" * 200_000,
    ],
)
def test_a_hostile_cell_is_one_row_left_out_at_once(cell: str) -> None:
    text = f'Email,First Name\n"{cell}",Eve\nann@example.org,Ann\n'
    began = time.thread_time()
    found = sheet(text)
    assert time.thread_time() - began < 0.5
    assert [each.email for each in found.people] == ["ann@example.org"]
    assert [(each.line, len(each.why) < 300) for each in found.left_out] == [(2, True)]


def test_a_file_of_broken_lines_is_read_in_time_that_its_length_bounds() -> None:
    began = time.thread_time()
    found = sheet("Email,Note\n" + 'a@example.org,"x" y\n' * 50_000 + "ann@example.org,ok\n")
    assert time.thread_time() - began < 5
    assert (len(found.left_out), [each.email for each in found.people]) == (50_000, ["ann@example.org"])


def test_the_separator_is_that_of_the_header_even_where_others_are_more_frequent() -> None:
    text = "Kontakt;Firma\na@example.org;Acme, Bolt, Crane, Dock\n"
    assert one(text, mapping=parse_mapping(["Kontakt=email"])).company == "Acme, Bolt, Crane, Dock"


def test_a_long_note_is_left_empty_and_reported() -> None:
    found = sheet("Email,Notes\na@example.org," + "x" * 1001 + "\n")
    assert found.people[0].fields == {}
    assert any("'Notes' is longer" in each for each in found.warnings)


@pytest.mark.parametrize(
    "cell",
    [
        "«ann@example.org»", "• ann@example.org", '"[""ann@example.org""]"', '"[""ann@example.org"", ""b@example.org""]"',
        "ａｎｎ＠ｅｘａｍｐｌｅ．ｏｒｇ", "“ann@example.org”", "ann@example.org •",
    ],
)  # fmt: skip
def test_what_lists_and_quotation_marks_leave_around_an_address_is_no_part_of_it(cell: str) -> None:
    assert one(f"Name,Email\nAnn,{cell}\n").email == "ann@example.org"


def test_a_file_of_which_each_line_is_one_quoted_cell_is_read_as_what_it_holds() -> None:
    person = one('"Email,First name,Company"\r\n"ann@example.org,Ann,""Acme, Inc"""\r\n')
    assert (person.first_name, person.company) == ("Ann", "Acme, Inc")


def test_letters_that_were_saved_in_the_wrong_encoding_are_set_right_and_told() -> None:
    sheet = read_candidates(
        "people.csv", "Email,First name,Company\nann@example.org,AndrÃ©,Lâ€™Ours & MÃ¼ller\n".encode()
    )
    assert (sheet.people[0].first_name, sheet.people[0].company) == ("André", "L’Ours & Müller")
    assert "Ã© to é" in sheet.warnings[0]
    untouched = "Email,First name,Company\nann@example.org,JOÃO,SÃO PAULO Â\n".encode()
    assert read_candidates("people.csv", untouched).warnings == []


@pytest.mark.parametrize(
    "value",
    [
        "{{first_name}}",
        "*|FNAME|*",
        "%first_name%",
        "[First Name]",
        "{name}",
        "first_name",
        "<<Company>>",
        "«Vorname»",
    ],
)
def test_a_merge_field_that_nobody_filled_is_nothing(value: str) -> None:
    person = one(f"Email,First name,Company\nann@example.org,{value},{value}\n")
    assert (person.first_name, person.company) == ("", "")


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("𝐀𝐧𝐧", "Ann"), ("Ａｎｎ", "Ann"), ("Ann 🚀", "Ann"), ("★ Ann", "Ann"), ("Ann 🇫🇷", "Ann"), ('="Ann"', "Ann"),
        ("[solidcore]", "[solidcore]"), ("Acme™", "Acme™"), ("(Ann)", "(Ann)"), ("e_z", "e_z"),
    ],
)  # fmt: skip
def test_what_profiles_and_spreadsheets_dress_a_name_with_comes_off(value: str, read: str) -> None:
    assert one(f"Email,First name\nann@example.org,{value}\n").first_name == read


def test_a_title_that_says_one_thing_twice_is_that() -> None:
    person = one("E-Mail,Vorname,Position/Titel,Unternehmen (aktuell)\nann@example.org,Ann,Engineer,Acme\n")
    assert (person.title, person.company) == ("Engineer", "Acme")


def test_several_addresses_and_letters_outside_ascii_are_reported() -> None:
    found = sheet("Email\na@example.org; b@example.org\njürgen@example.org\n")
    assert [each.email for each in found.people] == ["a@example.org", "jürgen@example.org"]
    assert any("several addresses" in each for each in found.warnings)
    assert any("SMTPUTF8" in each for each in found.warnings)


def test_all_problems_are_collected_and_a_sensible_number_is_shown() -> None:
    found = refused("email\n" + "nope\n" * 5000)
    assert len(found) == 5000
    with pytest.raises(ImportRejected, match="more problems"):
        read("email\n" + "nope\n" * 5000)


@given(st.text(alphabet=st.sampled_from("a@.,;|\"'\t\n\r<>()= é\u200b\x00#&;"), max_size=200))
def test_any_text_below_a_header_is_read_or_refused_with_places(text: str) -> None:
    try:
        found = sheet(f"Email,First Name\n{text}")
    except ImportRejected as error:
        assert error.problems
        return
    assert found.people
    assert all(each.why and each.line > 1 for each in found.left_out)
