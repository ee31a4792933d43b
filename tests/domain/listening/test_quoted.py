"""What mail programs put around a quote, in their languages: none of it is what a person newly wrote."""

import pytest

from domain.listening.quoted import newly_written

OURS = """Hi Ann,

I came across your profile. Would ten minutes this week suit you?

Best
Rita

If you no longer wish to receive emails from me, please reply with "unsubscribe".
"""
QUOTED = "\n".join(f"> {line}" for line in OURS.splitlines())
PROGRAMS = {
    "outlook-de": "Ja, gerne.\n\nVon: Rita Roe <rita@example.com>\nGesendet: Montag, 7. Dezember 2026 09:00\nAn: Ann <ann@example.org>\nBetreff: Hi\n\n"
    + OURS,
    "outlook-fr": "Oui, volontiers.\n\nDe : Rita Roe <rita@example.com>\nEnvoyé : lundi 7 décembre 2026 09:00\nÀ : Ann\nObjet : Hi\n\n"
    + OURS,
    "outlook-es": "Sí, claro.\n\nDe: Rita Roe\nEnviado el: lunes, 7 de diciembre de 2026 9:00\nPara: Ann\nAsunto: Hi\n\n"
    + OURS,
    "outlook-it": "Sì.\n\nDa: Rita Roe\nInviato: lunedì 7 dicembre 2026 09:00\nA: Ann\nOggetto: Hi\n\n"
    + OURS,
    "outlook-pt": "Sim.\n\nDe: Rita Roe\nEnviada em: segunda-feira, 7 de dezembro de 2026 09:00\nPara: Ann\nAssunto: Hi\n\n"
    + OURS,
    "outlook-nl": "Ja.\n\nVan: Rita Roe\nVerzonden: maandag 7 december 2026 09:00\nAan: Ann\nOnderwerp: Hi\n\n"
    + OURS,
    "outlook-pl": "Tak.\n\nOd: Rita Roe\nWysłano: poniedziałek, 7 grudnia 2026 09:00\nDo: Ann\nTemat: Hi\n\n"
    + OURS,
    "outlook-ja": "はい。\n\n差出人: Rita Roe\n送信日時: 2026年12月7日 9:00\n宛先: Ann\n件名: Hi\n\n" + OURS,
    "outlook-sv": "Ja.\n\nFrån: Rita\nSkickat: den 7 december 2026 09:00\nTill: Ann\nÄmne: Hi\n\n" + OURS,
    "outlook-ru": "Да.\n\nОт: Rita\nОтправлено: 7 декабря 2026 г. 9:00\nКому: Ann\nТема: Hi\n\n" + OURS,
    "outlook-mobile": "Yes\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\nFrom: Rita Roe <rita@example.com>\nSent: Monday, December 7, 2026 9:00:00 AM\nTo: Ann\nSubject: Hi\n\n"
    + OURS,
    "outlook-bold": "Yes\n\n*From:* Rita Roe <rita@example.com>\n*Sent:* Monday, December 7, 2026 9:00 AM\n*To:* Ann\n*Subject:* Hi\n\n"
    + OURS,
    "gmail-de": "Ja\n\nAm Mo., 7. Dez. 2026 um 09:00 Uhr schrieb Rita Roe <rita@example.com>:\n\n" + QUOTED,
    "gmail-fr": "Oui\n\nLe lun. 7 déc. 2026 à 09:00, Rita Roe <rita@example.com> a écrit :\n\n" + QUOTED,
    "gmail-es": "Sí\n\nEl lun, 7 dic 2026 a las 9:00, Rita Roe (<rita@example.com>) escribió:\n\n" + QUOTED,
    "gmail-it": "Sì\n\nIl giorno lun 7 dic 2026 alle ore 09:00 Rita Roe <rita@example.com> ha scritto:\n\n"
    + QUOTED,
    "gmail-pt": "Sim\n\nEm seg., 7 de dez. de 2026 às 09:00, Rita Roe <rita@example.com> escreveu:\n\n"
    + QUOTED,
    "gmail-nl": "Ja\n\nOp ma 7 dec 2026 om 09:00 schreef Rita Roe <rita@example.com>:\n\n" + QUOTED,
    "gmail-pl": "Tak\n\npon., 7 gru 2026 o 09:00 Rita Roe <rita@example.com> napisał(a):\n\n" + QUOTED,
    "gmail-tr": "Evet\n\nRita Roe <rita@example.com>, 7 Ara 2026 Pzt, 09:00 tarihinde şunu yazdı:\n\n"
    + QUOTED,
    "gmail-noquote-de": "Ja\n\nAm Mo., 7. Dez. 2026 um 09:00 Uhr schrieb Rita Roe <rita@example.com>:\n\n"
    + OURS,
    "gmail-noquote-fr": "Oui\n\nLe lun. 7 déc. 2026 à 09:00, Rita Roe <\nrita@example.com> a écrit :\n\n"
    + OURS,
    "apple-noquote": "Yes\n\nOn 7 Dec 2026, at 09:00, Rita Roe <rita@example.com> wrote:\n\n" + OURS,
    "thunderbird-de": "Ja\n\nAm 07.12.26 um 09:00 schrieb Rita Roe:\n" + QUOTED,
    "lotus": "Yes\n\n\nRita Roe ---07.12.2026 09:00:00---Hi Ann\n\nFrom: Rita Roe <rita@example.com>\nTo: Ann\nDate: 07.12.2026\nSubject: Hi\n\n"
    + OURS,
    "original-de": "Ja\n\n-----Ursprüngliche Nachricht-----\nVon: Rita\n" + OURS,
    "gmx": 'Ja\n\nGesendet: Montag, 07. Dezember 2026 um 09:00 Uhr\nVon: "Rita Roe" <rita@example.com>\nAn: ann@example.org\nBetreff: Hi\n'
    + OURS,
    "yahoo": "Yes\n\n    On Monday, December 7, 2026 at 09:00:00 AM GMT+1, Rita Roe <rita@example.com> wrote:  \n \n "
    + OURS,
    "proton": "Yes\n\nSent with Proton Mail secure email.\n\nOn Monday, December 7th, 2026 at 9:00 AM, Rita Roe <rita@example.com> wrote:\n\n"
    + QUOTED,
    "samsung": "Yes\n\n-------- Original message --------\nFrom: Rita\nDate: 07/12/2026 09:00 (GMT+01:00)\nTo: ann\nSubject: Hi\n"
    + OURS,
    "pipe": 'Yes\n\n| Hi Ann,\n| \n| I came across your profile. Would ten minutes this week suit you?\n| \n| Best\n| Rita\n| \n| If you no longer wish to receive emails from me, please reply with "unsubscribe".\n| ',
    "cjk": "好的\n\nRita Roe <rita@example.com> 于2026年12月7日周一 09:00写道：\n\n" + QUOTED,
    "qq": '好的\n\n\n------------------ 原始邮件 ------------------\n发件人: "Rita" <rita@example.com>;\n发送时间: 2026年12月7日(星期一) 上午9:00\n收件人: "ann"\n主题: Hi\n\n'
    + OURS,
    "naver": "네\n\n-----Original Message-----\nFrom: Rita\n" + OURS,
    "hey": "Yes\n\n---\nRita Roe <rita@example.com> wrote on 7 Dec 2026:\n" + OURS,
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_quote_of_a_program_is_cut_off(program: str) -> None:
    text = PROGRAMS[program]
    answer = text.split("\n", 1)[0]
    assert newly_written(text) == answer
    assert (
        newly_written(text.replace(answer, "Please unsubscribe me.\n\nAnn", 1))
        == "Please unsubscribe me.\n\nAnn"
    )


def test_what_stands_below_a_quote_is_newly_written() -> None:
    assert newly_written(f"On 7 Dec 2026 Rita wrote:\n{QUOTED}\n\nYes.\n") == "Yes."
    assert newly_written("> Shall we talk?\nYes.\n> When?\nOn Friday.\n-- \nAnn") == "Yes.\nOn Friday."


def test_our_own_lines_are_quotes_however_they_are_written() -> None:
    ours = "Hi Ann, would ten minutes suit you?\nIf not, just answer unsubscribe."
    assert newly_written("Yes.\n\n   IF NOT, just answer unsubscribe", ours) == "Yes."


@pytest.mark.parametrize(
    "text",
    [
        "Last week you wrote: call me. So I do.",
        "Three points:\n- from: Bern\n- to: Basel",
        "I wrote it on 7.12.:",
        "Subject: to change",
    ],
)
def test_what_only_resembles_a_quote_stays(text: str) -> None:
    assert newly_written(text) == text
