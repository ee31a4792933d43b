"""Whoever wants no email by the file's own words, or whose address bounced, is left out with the reason."""

import csv
from pathlib import Path

import pytest

from importing.candidates import Sheet, read_candidates
from importing.people import summary_of
from importing.rejects import rejects_csv


def sheet(text: str, mapping: dict[str, str] | None = None) -> Sheet:
    both = f"{text.rstrip()}\n"
    return read_candidates("people.csv", both.encode(), mapping=mapping)


def left_out(title: str, value: str, mapping: dict[str, str] | None = None) -> bool:
    """Is a row with the value left out, and a row without one imported?"""
    found = sheet(f"Email;{title}\nann@example.org;{value}\nbob@example.org;\n", mapping)
    assert [each.email for each in found.people][-1] == "bob@example.org"
    if len(found.people) == 2:
        assert found.left_out == []
        return False
    (row,) = found.left_out
    assert row.declined
    assert row.why == f"{title!r} says {value!r}, so they get no email"
    return True


@pytest.mark.parametrize(
    ("title", "value"),
    [
        # As these products' exports name them.
        ("Unsubscribed from all email", "true"), ("Opted out of email: One to One", "Yes"),  # HubSpot
        ("HasOptedOutOfEmail", "TRUE"), ("Email Opt Out", "1"), ("EmailBouncedDate", "2026-01-05T10:00:00Z"),  # Salesforce
        ("massMailOptOut", "1"), ("Do Not Contact", "Yes"), ("Opted Out", "2026-02-01"),  # Bullhorn, Gem, Outreach
        ("Email Status", "Bounced"), ("Email Bounced", "true"), ("Stage", "Do Not Contact"), ("isunsubscribed", "TRUE"), ("HASUNSUBSCRIBED", "1"), ("emailunsubscribed", "t"),  # Apollo, SQL
        ("donotemail", "Yes"), ("Do not allow Bulk Emails", "Do Not Allow"),  # Dynamics
        ("UNSUB_TIME", "2025-12-01 10:00:00"), ("CLEAN_TIME", "2025-12-01 10:00:00"),  # Mailchimp
        ("status", "OPT-OUT"), ("status", "INVALID"), ("Status", "cleaned"), ("Complained at", "2026-01-02"), ("Lead Status", "Unsubscribed"), ("Marketing status", "Hard bounce"),
        ("ZB Status", "do_not_mail"), ("ZB Status", "spamtrap"), ("Verification result", "undeliverable"), ("Blocklisted", "x"),
        ("isUnsubscribed", "\u2714"), ("Unsubscribe reason", "Too many emails"), ("Tags", "java, do not contact"), ("Spam complaint", "yes"),
        ("Marketing consent", "withdrawn"), ("emailoptout", "y"),
        # Languages.
        ("Abgemeldet", "ja"), ("Nicht kontaktieren", "WAHR"), ("Keine E-Mails", "x"), ("Kontaktsperre", "Ja"), ("Status", "abgemeldet"),
        ("E-Mail-Status", "ung\u00fcltig"), ("Einwilligung", "widerrufen"), ("Werbewiderspruch", "1"),
        ("D\u00e9sabonn\u00e9", "oui"), ("D\u00e9sinscrit(e)", "VRAI"), ("Ne pas contacter", "Oui"), ("Statut", "D\u00e9sabonn\u00e9e"),
        ("Dado de baja", "s\u00ed"), ("No contactar", "VERDADERO"), ("Estado", "Rebotado"), ("Estado del correo", "No contactar"),
        ("Disiscritto", "s\u00ec"), ("Non contattare", "VERO"), ("Stato", "Rimbalzato"),
        ("Descadastrado", "sim"), ("N\u00e3o contatar", "VERDADEIRO"), ("Situa\u00e7\u00e3o", "Descadastrado"),
        ("Uitgeschreven", "ja"), ("Niet benaderen", "WAAR"), ("Status", "Afgemeld"),
        ("Wypisany", "tak"), ("Nie kontaktowa\u0107", "PRAWDA"), ("Status", "Wypisana"),
        ("\u041e\u0442\u043f\u0438\u0441\u0430\u043d", "\u0434\u0430"), ("\u041d\u0435 \u043f\u0438\u0441\u0430\u0442\u044c", "\u0418\u0421\u0422\u0418\u041d\u0410"),
        ("\u0421\u0442\u0430\u0442\u0443\u0441", "\u041e\u0442\u043f\u0438\u0441\u0430\u043b\u0441\u044f"),
        ("Abonelikten \u00e7\u0131kt\u0131", "Evet"), ("\u0130leti\u015fime ge\u00e7meyin", "DO\u011eRU"), ("Durum", "Abonelikten \u00e7\u0131kt\u0131"),
        ("\u914d\u4fe1\u505c\u6b62", "\u306f\u3044"), ("\u9023\u7d61\u4e0d\u53ef", "\u25cb"), ("\u30b9\u30c6\u30fc\u30bf\u30b9", "\u914d\u4fe1\u505c\u6b62\u6e08\u307f"),
        ("\u5df2\u9000\u8ba2", "\u662f"), ("\u8bf7\u52ff\u8054\u7cfb", "\u662f"), ("\u90ae\u7bb1\u72b6\u6001", "\u9000\u4fe1"), ("\u72c0\u614b", "\u9000\u8a02"),
        ("\uc218\uc2e0\uac70\ubd80", "\uc608"), ("\uc0c1\ud0dc", "\uc218\uc2e0 \uac70\ubd80"), ("Avregistrerad", "ja"), ("Afmeldt", "ja"),
    ],
)  # fmt: skip
def test_who_wants_no_email_by_the_file_is_left_out(title: str, value: str) -> None:
    assert left_out(title, value)


@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("Email Opt Out", "FALSE"), ("Email Opt Out", "No"), ("Email Opt Out", "0"), ("Email Opt Out", "N/A"), ("Do Not Contact", "-"),
        ("Do not allow Emails", "Allow"), ("Opted Out", "not opted out"), ("Unsubscribed", "never"), ("Unsubscribed", "\u2610"), ("Abgemeldet", "Nein"),
        ("Abgemeldet", "FALSCH"), ("D\u00e9sabonn\u00e9", "FAUX"), ("Wypisany", "FA\u0141SZ"), ("Dado de baja", "FALSO"), ("Uitgeschreven", "ONWAAR"),
        ("\u041e\u0442\u043f\u0438\u0441\u0430\u043d", "\u041b\u041e\u0416\u042c"), ("\u914d\u4fe1\u505c\u6b62", "\u3044\u3044\u3048"), ("\u5df2\u9000\u8ba2", "\u5426"),
        ("HasOptedOutOfFax", "TRUE"), ("DoNotCall", "TRUE"), ("SMS Opt Out", "yes"), ("Opt-out link", "https://acme.example/u/1"),
        ("Unsubscribe URL", "https://acme.example/u/1"), ("Soft bounced", "yes"), ("Bounce count", "3"), ("Bounce rate", "12 %"),
        ("Email Status", "Verified"), ("Status", "Active"), ("Stage", "Replied"), ("Status", "not bounced"), ("Status", "soft bounce"),
        ("Subscribed", "yes"), ("OK to contact", "ja"), ("Subscribed", ""), ("Headline", "Unsubscribed from corporate life"), ("Notes", "bounced ideas"),
        ("Tags", "java, opted in"), ("Email Opt In", "TRUE"), ("Contact owner", "Rita"), ("Cleaned Company Name", "Acme"),
        # Turned round, about something else, or well.
        ("isunsubscribed", "FALSE"), ("Not contactable", "No"), ("Nicht kontaktierbar", "Nein"), ("Non contattabile", "No"), ("Email Opt Out", "FALSK"),
        ("Email Opt Out", "EPÄTOSI"), ("May we contact you? You can unsubscribe (opt out) at any time", "Yes"), ("Secondary Email Status", "Invalid"),
        ("Einwilligung", "Ja. Ich kann meine Einwilligung jederzeit widerrufen."), ("Mobile Status", "Invalid"), ("Mobile DNC", "Yes"),
        ("Bounce Status", "No bounce"), ("Bounce Status", "Valid"), ("Bounce Type", "Soft bounce"), ("退订状态", "未退订"), ("退订状态", "正常"),
        ("Opt-out date", "0000-00-00 00:00:00"), ("Tags", "Substance Abuse"), ("Tags", "data cleaned"), ("Stage", "Blocked"), ("No. Emails Sent", "3"),
        ("Right-to-work verification", "Invalid"), ("Email Opt Out", "❌"),
        ("OK to contact references?", "No"), ("Do not contact current employer", "Yes"), ("Do not contact by phone", "Yes"),
        ("Complaint management", "yes"), ("Email Status", "never bounced"), ("State", "NE"), ("Options", "No"), ("Contact person", "no"),
    ],
)  # fmt: skip
def test_nobody_else_is_left_out(title: str, value: str) -> None:
    assert not left_out(title, value)


def test_a_field_of_ones_own_overrules_the_title_and_says_so() -> None:
    text = "Email,Email Opt Out\nann@example.org,TRUE\nbob@example.org,FALSE\n"
    found = sheet(text, {"email opt out": "past_choice"})
    assert [each.fields for each in found.people] == [{"past_choice": "TRUE"}, {"past_choice": "FALSE"}]
    assert found.warnings == [
        "In 'Email Opt Out' 1 row says that the person gets no email. They are imported, because the column is made a field."
    ]
    # To leave the column out is no word about the people.
    found = sheet(text, {"Email Opt Out": ""})
    assert [each.email for each in found.people] == ["bob@example.org"]
    assert found.left_out[0].fix == 'If they agree to be written to: --map "Email Opt Out=email_opt_out".'


@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("Accepts email", "no"),
        ("Subscribed", "FALSE"),
        ("OK to contact?", "❌"),
        ("Darf kontaktiert werden", "nein"),
    ],
)
def test_a_missing_permission_is_reported(title: str, value: str) -> None:
    found = sheet(f"Email,{title}\nann@example.org,{value}\n")
    assert len(found.people) == 1
    assert found.warnings == [
        f"In {title!r} 1 row says no. They are imported: check whether they may be written to."
    ]


def test_a_missing_consent_is_no_refusal_and_is_reported() -> None:
    found = sheet("Email,Email Opt In,Consent\nann@example.org,FALSE,no\nbob@example.org,,yes\n")
    assert len(found.people) == 2
    assert found.warnings == [
        "In 'Email Opt In' 1 row says no. They are imported: check whether they may be written to.",
        "In 'Consent' 1 row says no. They are imported: check whether they may be written to.",
    ]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param("{no}{yes}", id="first"),
        pytest.param("{yes}{no}", id="later"),
        pytest.param("{yes}{no}{yes}", id="between"),
    ],
)
def test_one_row_that_says_so_counts_for_all_rows_of_the_person(rows: str) -> None:
    text = rows.format(no="ANN@example.org,TRUE,Ann\n", yes="ann@example.org,,Ann\n")
    found = sheet(f"Email,Unsubscribed,First Name\n{text}bob@example.org,,Bob\n")
    assert [each.email for each in found.people] == ["bob@example.org"]
    assert len(found.left_out) == rows.count("{")
    assert all(each.declined for each in found.left_out)
    listed = list(csv.reader(rejects_csv(found.titles, found.left_out).splitlines()))
    assert {row[2].lower() for row in listed[1:]} == {"ann@example.org"}


def test_rows_left_out_by_wish_are_counted_by_themselves(tmp_path: Path) -> None:
    found = sheet("Email,Unsubscribed\nann@example.org,TRUE\nbroken,\nbob@example.org,\nbob@example.org,\n")
    summary = summary_of(found, dry_run=True)
    assert [each["line"] for each in summary.declined] == [2]
    assert [each["line"] for each in summary.left_out] == [3]
    assert [each["line"] for each in summary.duplicates] == [5]
