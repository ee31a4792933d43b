"""When an automatic reply of 9 December 2026 says that somebody is back."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from domain.listening.message import Incoming
from inbox.dates import return_on

SAYS = [
    ("I'll be back in the office on Monday, 14th December.", "2026-12-14"),
    ("I am out of the office from Wednesday, December 9 until Friday, December 18, 2026.", "2026-12-19"),
    ("I will be out of the office through 12/18.", "2026-12-19"),
    ("Out of office 9-18 Dec", "2026-12-19"),
    ("I am on annual leave returning Thursday 17 December", "2026-12-17"),
    ("I'm out until the 15th", "2026-12-16"),
    ("I'll return on the 15th of December", "2026-12-15"),
    ("I am away until and including 18/12/2026.", "2026-12-19"),
    ("I am currently on leave and will be back to work on 2026/12/15", "2026-12-15"),
    ("I am on PTO 12/9 - 12/18 and will reply when I return.", "2026-12-19"),
    ("I will be returning to the office Jan 4.", "2027-01-04"),
    ("Back January 4th!", "2027-01-04"),
    ("I shall be back at my desk on Mon 14 Dec.", "2026-12-14"),
    ("Our offices are closed from 24 December to 3 January.", "2027-01-04"),
    ("Ich bin vom 09.12. bis 18.12.2026 nicht im Haus.", "2026-12-19"),
    ("Ich bin bis einschließlich Freitag, den 18. Dezember 2026, im Urlaub.", "2026-12-19"),
    ("Ich bin bis 18.12.2026 (einschl.) abwesend", "2026-12-19"),
    ("Ab Montag, den 21. Dezember bin ich wieder erreichbar.", "2026-12-21"),
    ("Am 21.12. bin ich zurück.", "2026-12-21"),
    ("Ich bin erst am 4. Januar wieder im Büro.", "2027-01-04"),
    ("Ich bin zurück ab dem 5.1.", "2027-01-05"),
    ("Sie erreichen mich wieder ab 21.12.", "2026-12-21"),
    ("Ich kehre am 21. Dezember ins Büro zurück", "2026-12-21"),
    ("bin ich ab heute bis zum 18.12. außer Haus", "2026-12-19"),
    ("Bis Ende Dezember bin ich nicht da", None),
    ("Ich befinde mich bis Mittwoch, 16.12.2026 in Urlaub", "2026-12-17"),
    ("Mein letzter Urlaubstag ist der 18.12.", None),
    ("Je suis absent du 9 au 18 décembre 2026 inclus.", "2026-12-19"),
    ("Je serai de retour lundi 21 décembre.", "2026-12-21"),
    ("De retour au bureau le 21/12.", "2026-12-21"),
    ("Absent jusqu'au vendredi 18 décembre.", "2026-12-19"),
    ("Je reviens le 4 janvier 2027", "2027-01-04"),
    ("en congés jusqu’au 18/12 inclus", "2026-12-19"),
    ("Je serai à nouveau joignable à partir du 21 décembre", "2026-12-21"),
    ("Je serai absente jusqu'à lundi 14 décembre", "2026-12-15"),
    ("Estaré fuera de la oficina hasta el viernes 18 de diciembre.", "2026-12-19"),
    ("Volveré el lunes, 21 de diciembre.", "2026-12-21"),
    ("Estoy de vacaciones del 9 de diciembre al 18 de diciembre, ambos inclusive.", "2026-12-19"),
    ("Me reincorporo el 21/12/2026", "2026-12-21"),
    ("hasta el 18 de diciembre inclusive", "2026-12-19"),
    ("Sono assente fino a venerdì 18 dicembre.", "2026-12-19"),
    ("Rientrerò lunedì 21 dicembre 2026.", "2026-12-21"),
    ("Sarò in ferie dal 9/12 al 18/12 compresi", "2026-12-19"),
    ("Sarò nuovamente in ufficio dal 21 dicembre", "2026-12-21"),
    ("Estarei ausente até 18 de dezembro, inclusive.", "2026-12-19"),
    ("Regresso ao escritório a 21 de dezembro.", "2026-12-21"),
    ("Estou de férias entre 9 e 18 de dezembro.", "2026-12-19"),
    ("Retorno em 21/12/2026", "2026-12-21"),
    ("Voltarei no dia 21/12", "2026-12-21"),
    ("Ik ben afwezig tot en met vrijdag 18 december.", "2026-12-19"),
    ("Ik ben weer bereikbaar vanaf maandag 21 december.", "2026-12-21"),
    ("Vanaf 21 december ben ik weer aanwezig", "2026-12-21"),
    ("Ik ben van 9 t/m 18 december met vakantie", "2026-12-19"),
    ("Maandag 21-12 ben ik weer op kantoor", "2026-12-21"),
    ("Będę nieobecny do 18 grudnia.", "2026-12-19"),
    ("Wracam do biura 21.12.2026.", "2026-12-21"),
    ("Od 9.12 do 18.12 przebywam na urlopie", "2026-12-19"),
    ("Będę dostępna od 21 grudnia", "2026-12-21"),
    ("Я в отпуске до 18 декабря включительно.", "2026-12-19"),
    ("Буду в офисе 21 декабря.", "2026-12-21"),
    ("В отпуске с 9.12 по 18.12.2026", "2026-12-19"),
    ("18 Aralık 2026 tarihine kadar izindeyim.", "2026-12-19"),
    ("21 Aralık Pazartesi günü ofiste olacağım.", "2026-12-21"),
    ("9-18 Aralık tarihleri arasında izinliyim", "2026-12-19"),
    ("21 Aralık'ta döneceğim", "2026-12-21"),
    ("12月18日（金）まで休暇をいただきます。", "2026-12-19"),
    ("12月9日(水)～12月18日(金)まで不在です", "2026-12-19"),
    ("12/18まで出張しております", "2026-12-19"),
    ("12月21日（月）より通常通り対応いたします", "2026-12-21"),
    ("2026年12月21日に出社予定です", "2026-12-21"),
    ("12月18日に戻ります", "2026-12-18"),
    ("我将于2026年12月21日回到办公室。", "2026-12-21"),
    ("本人12月9日至18日休假", "2026-12-19"),
    ("12月18日前不在办公室", "2026-12-18"),
    ("12月21日起恢复正常工作", "2026-12-21"),
    ("12월 9일부터 12월 18일까지 부재중입니다.", "2026-12-19"),
    ("12월 21일(월)에 복귀 예정입니다.", "2026-12-21"),
    ("Jag är tillbaka måndag den 21 december.", "2026-12-21"),
    ("Jag är ledig t.o.m. 18/12", "2026-12-19"),
    ("Tillbaka 21/12.", "2026-12-21"),
    ("Jeg er på ferie til og med 18. desember", "2026-12-19"),
    ("Jeg er tilbage på kontoret d. 21/12", "2026-12-21"),
    ("Olen lomalla 18.12. asti ja palaan töihin 21.12.2026", "2026-12-21"),
    ("Jsem na dovolené do 18. prosince", "2026-12-19"),
    ("Vrátím se 21. 12. 2026", "2026-12-21"),
    ("I am out of the office on 9 December.", None),
    ("I will be out of the office starting 12/09/2026 and will not return until 12/21/2026.", "2026-12-21"),
    ("AUTO: I am out of the office (returning 12/14/2026)", "2026-12-14"),
    ("I am out of the office until 12/14/2026 at 8:00 AM.", "2026-12-15"),
    ("Away until 6pm on 14 December", "2026-12-15"),
    ("Back at 9am Monday", "2026-12-14"),
    ("Please expect a reply after December 18.", "2026-12-19"),
    ("Return date: 21 December 2026", "2026-12-21"),
    ("Rückkehr: 21.12.2026", "2026-12-21"),
    ("Retour : 21 décembre", "2026-12-21"),
    ("My last day in the office is December 18 and I will be back January 4", "2027-01-04"),
    ("Call 555-12-18 for help until I am back", None),
    ("Version 12.12 is out; back soon", None),
    ("I am away until Friday.", "2026-12-12"),
    ("Ich bin bis Freitag nicht da.", "2026-12-12"),
    ("I'm back on the 21st Dec", "2026-12-21"),
    ("I am out of the office from December 9th-18th", "2026-12-19"),
    ("out of office December 9 through 18", "2026-12-19"),
    ("I will be out of the office from 12/9 to 12/18, returning on Monday, December 21st.", "2026-12-21"),
    ("Away 27-Nov-2026 to 18-Dec-2026. Back 21-Dec-2026.", "2026-12-21"),
    ("I will return on 21-Dec.", "2026-12-21"),
    ("I am on leave until 18-Dec-26.", "2026-12-19"),
    ("Do 18. 12. 2026 čerpám dovolenou.", "2026-12-19"),
    ("Ich bin derzeit nicht im Büro und ab dem 14.12. wieder erreichbar.", "2026-12-14"),
    ("Ich bin nicht im Haus und bin ab Montag, 14.12.2026 wieder da.", "2026-12-14"),
    ("Ich bin nicht erreichbar und kehre am 14. Dezember zurück.", "2026-12-14"),
    ("Ich bin am 14. Dezember nicht im Büro.", "2026-12-15"),
    ("Absente du 1er au 18 décembre. Retour le 21.", "2026-12-21"),
    ("Je reviens le 14.", "2026-12-14"),
    ("Ich bin am 14. wieder da.", "2026-12-14"),
    ("Vuelvo el 14.", "2026-12-14"),
    ("Le 14 est mon jour de télétravail.", None),
    ("Ich bin am 14. um 9 Uhr beim Arzt.", None),
    ("I'm out until EOD Friday.", "2026-12-12"),
    ("I'll be back in two weeks.", "2026-12-23"),
    ("Back in 3 days.", "2026-12-12"),
    ("Our meeting in two weeks still stands.", None),
    ("No access to email before 14 December.", "2026-12-14"),
]


def back(text: str, day: int, headers: Mapping[str, tuple[str, ...]] | None = None) -> str | None:
    found = return_on(
        Incoming("ann@example.org", datetime(2026, 12, day, 9, tzinfo=UTC), text=text, headers=headers or {})
    )
    return found.isoformat() if found else None


@pytest.mark.parametrize(("text", "day"), SAYS)
@pytest.mark.row("E3")
def test_the_first_day_back_is_read(text: str, day: str | None) -> None:
    assert back(text, 9) == day


def test_the_order_of_an_english_date_is_the_one_that_lies_ahead() -> None:
    assert back("I am out of the office and will be back on 12/15.", 7) == "2026-12-15"
    assert back("I am out of the office and will be back on 21/12.", 7) == "2026-12-21"


def test_an_american_writes_the_month_first() -> None:
    american = {"date": ("Mon, 7 Dec 2026 09:00:00 -0500",)}
    assert back("I am out of the office and will be back on 01/12.", 7, american) == "2027-01-12"


def test_a_day_sooner_than_tomorrow_or_later_than_in_sixty_days_is_none() -> None:
    assert back("I am back on 7 December 2026.", 7) is None
    assert back("I am back on 8 December 2026.", 7) == "2026-12-08"
    assert back("I am back on 5 February 2027.", 7) == "2027-02-05"
    assert back("I am back on 6 February 2027.", 7) is None


def test_what_is_quoted_names_no_day() -> None:
    assert back("I am away.\n\n> back on 14 December", 7) is None
    assert (
        back("I am away.\n\nFrom: Rita\nSent: Monday\nTo: Ann\nSubject: Hi\n\nback on 14 December", 7) is None
    )
