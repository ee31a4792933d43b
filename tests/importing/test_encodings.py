"""Files that are not UTF-8: read with a warning that names the encoding, or refused with the possible readings."""

import time

import pytest

from domain.errors import InvalidInput
from importing.candidates import read_candidates
from importing.encodings import check_encoding, decode
from importing.problems import ImportRejected

KNOWN = {
    "cp1250": [
        "First Name;Last Name;Email\nŘehoř;Černý;r@example.org\n",
        "Imię;Nazwisko;E-mail\nŁukasz;Kamiński;l@example.pl\n",
        "Imię;Nazwisko;E-mail\nZażółć;Gęślą;z@example.pl\n",
        "Név;Email\nErdős Pál;e@example.hu\n",
        "Nume;Email\nŞtefan Ţuţuianu;s@example.ro\n",
        "First Name;Email\nDvořák;x1@example.com\nŽižka;x2@example.com\n",
        "Name,Email\nMałgorzata Wójcik,m@example.com\nŚwiętosława Źródło,s@example.com\n",
        "First Name,Last Name,Email\nAgnieszka,Wiśniewska,a.wisniewska@example.com\n",
        "Ime;Prezime;Email\nŽeljko;Čović;z@example.hr\nĐuro;Šimić;d@example.hr\n",
    ],
    "cp1251": [
        "First Name;Email\nАнна;a@example.org\n",
        "Имя;Фамилия;Email\nАнна;Иванова;anna@example.ru\nПётр;Петров;p@example.ru\n",
        "Ім'я;Пошта\nОлексій;o@example.ua\n",
    ],
    "cp1252": [
        "Vorname;Nachname;E-Mail\nJörg;Müller;j@example.org\n",
        "Prénom;Nom;E-mail\nHélène;Lefèvre;h@example.fr\n",
        "Nombre,Correo\nMuñoz,m@example.org\n",
        "Navn;Email\nSøren Ærø;s@example.dk\n",
        "Namn;E-post\nÅsa Öberg;asa.oberg@example.se\n",
        "Förnamn;Efternamn;E-postadress;Företag\nÅsa;Öberg;a@example.org;Volvo\n",
        "Nome,Email\nJoão Conceição,j@example.com\n",
        "Email,Company\nann@example.org,Café “Zürich” – Söhne™\n",
    ],
    "cp1253": ["Όνομα;Email\nΓιώργος;g@example.gr\n"],
    "cp1254": ["Ad;Soyad;E-posta\nAyşe;Yıldız;a@example.com.tr\n"],
    "cp1256": ["Name;Email\nمحمد علي;m@example.sa\n"],
    "cp932": [
        "First Name,Email\n花子,h@example.jp\n",
        "名,姓,メール\n花子,山田,h@example.jp\n太郎,鈴木,t@example.jp\n",
        "氏名,メールアドレス,会社\n山田 太郎,t@example.jp,ソニー\n",
    ],
    "euc_jp": ["氏名,Email\n佐藤健太,k@example.jp\n"],
    "gb18030": ["姓名,邮箱\n王小明,w@example.cn\n"],
    "big5": ["姓名,電子郵件\n王小明,w@example.tw\n"],
    "cp949": ["이름,이메일\n김민수,k@example.kr\n"],
    "mac_roman": [
        "First Name,Email\nJürgen,j@example.org\nRené,r@example.org\n",
        "Vorname;Nachname;E-Mail\nJürgen;Groß;juergen.gross@example.de\n",
        "First Name,Email\nBjörn,b@example.com\n",
    ],
    "cp850": ["Name;Email\nMüller;mueller@example.de\n"],
    "iso8859_2": ["First Name;Email\nŠárka;x1@example.com\nŽižka;x2@example.com\n"],
    "koi8_r": ["Имя;Email\nАнна;a@example.ru\n"],
    "iso2022_jp": ["名前,メール\n山田 太郎,t@example.jp\n"],
    "utf-16-le": ["Email;First Name\nann@example.org;Ann\n", "Email;Имя\nann@example.org;Анна\n"],
    "utf-16-be": ["Email\tFirst Name\r\nann@example.org\tJürgen\r\n"],
}
CASES = [(encoding, text) for encoding, texts in KNOWN.items() for text in texts]


@pytest.mark.parametrize(("encoding", "text"), CASES, ids=[f"{e}-{n}" for n, (e, _) in enumerate(CASES)])
def test_a_file_is_read_as_what_it_is_with_a_warning_that_names_it(encoding: str, text: str) -> None:
    found = decode("people.csv", text.encode(encoding))
    assert found.text == text
    assert found.encoding.lower() in found.warning.lower()


@pytest.mark.parametrize(
    ("encoding", "text", "readings"),
    [
        ("cp1252", "Nome,Email\nNicolò,n@example.com\n", ["Nicolò", "Nicolň"]),
        ("cp1254", "Ad;E-posta\nAyşe;a@example.com\n", ["Ayşe", "Ayþe"]),
        ("cp1255", "Name;Email\nדוד;d@example.com\n", ["דוד"]),
    ],
)
def test_what_is_not_certain_is_asked_with_the_readings(
    encoding: str, text: str, readings: list[str]
) -> None:
    with pytest.raises(ImportRejected) as refused:
        decode("people.csv", text.encode(encoding))
    said = str(refused.value)
    assert "not certain" in said
    assert "--encoding" in said
    assert all(f"“{each}”" in said for each in readings)
    assert decode("people.csv", text.encode(encoding), encoding).text == text


def test_a_wrong_reading_is_rare_and_never_without_a_word() -> None:
    tried, wrong = 0, []
    for encoding, text in CASES:
        for other in KNOWN:
            try:
                raw = text.encode(other)
            except UnicodeEncodeError:
                continue
            tried += 1
            try:
                found = decode("people.csv", raw)
            except ImportRejected:
                continue
            if found.text != text:
                assert found.encoding in found.warning
                wrong.append((encoding, other, found.encoding, text))
    assert tried > 100
    assert len(wrong) < tried * 0.05, wrong


def test_an_endless_line_is_judged_by_its_beginning() -> None:
    text = "名前,メール\n山田," + "あ" * 200_000 + "@b" + ".b" * 200_000 + "\n"
    began = time.thread_time()
    assert decode("people.csv", text.encode("cp932")).encoding == "cp932"
    assert time.thread_time() - began < 5


def test_marks_decide() -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        found = decode("people.csv", "Email\nJürgen@example.org\n".encode(encoding))
        assert (found.text.splitlines()[1], found.warning) == ("Jürgen@example.org", "")


def test_a_damaged_encoding_is_refused() -> None:
    with pytest.raises(ImportRejected, match="damaged"):
        decode("people.csv", "email\n".encode("utf-16") + b"\x00")


def test_bytes_that_are_not_utf_8_cost_their_own_line_only() -> None:
    raw = "Email,First Name\na@example.org,Jörg\nb@example.org,Zoë\n".encode() + "c@example.org,Zoë\n".encode(
        "cp1252"
    )
    found = read_candidates("people.csv", raw)
    assert [each.first_name for each in found.people] == ["Jörg", "Zoë"]
    assert [(each.line, "not in the file's encoding" in each.why) for each in found.left_out] == [(4, True)]
    assert any("UTF-8, except" in each for each in found.warnings)


def test_an_encoding_that_is_said_is_used_or_refused() -> None:
    assert check_encoding("Windows-1250") == "cp1250"
    for name in ("no-such", "rot13", "base64", "", "x" * 200):
        with pytest.raises(InvalidInput, match="--encoding"):
            check_encoding(name)
    with pytest.raises(ImportRejected, match=r"people\.csv:2:1"):
        decode("people.csv", "Email\nЖ\n".encode("cp1251"), "ascii")
