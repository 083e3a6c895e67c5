"""Mails in the language of whoever gets them: as they chose, else as their browser asked for."""

from __future__ import annotations

import re

import msgspec
import pytest

from shared.registry.tables import users
from tests.integration.services.notifier.conftest import Desk
from tests.support.mail_server import MailSink, text_of


def read(desk: Desk, **fields: str) -> None:
    """Ada reads as these fields of her row say."""
    users(desk.engine.registry).change(
        desk.tenant, "u-ada", lambda row: msgspec.structs.replace(row, **fields) if row else None
    )


@pytest.mark.proves("P3")
@pytest.mark.parametrize(
    ("fields", "subject", "sentence"),
    [
        ({}, "Aare said no: ", "The room itself gave no reason."),
        ({"browser_language": "de-CH"}, "Aare hat abgesagt: ", "Der Raum selbst hat keinen Grund genannt."),
        (
            {"browser_language": "de-CH", "language": "fr"},
            "Aare a refusé\u00a0: ",
            "La salle elle-même n\u2019a pas donné de motif.",
        ),
        ({"language": "nl"}, "Aare heeft geweigerd: ", "De ruimte zelf gaf geen reden."),
    ],
)
def test_a_mail_is_written_in_the_language_of_its_person(
    desk: Desk, sink: MailSink, fields: dict[str, str], subject: str, sentence: str
) -> None:
    read(desk, **fields)
    desk.decline()
    desk.pass_time(61)
    [mail] = sink.mails
    assert str(mail["Subject"]).startswith(subject)
    assert sentence in " ".join(text_of(mail).split())
    assert f'<html lang="{mail["Content-Language"]}" dir="ltr">' in text_of(mail, "html")


@pytest.mark.proves("P3")
def test_no_mail_has_a_sentence_that_is_not_translated(desk: Desk, sink: MailSink) -> None:
    read(desk, browser_language="en-XA")
    desk.decline()
    desk.pass_time(61)
    [mail] = sink.mails
    for text in (str(mail["Subject"]), text_of(mail), re.sub(r"<[^>]*>", "", text_of(mail, "html"))):
        assert "⟦" in text
        left = text
        while "⟦" in left:
            left = re.sub(r"⟦[^⟦⟧]*⟧", "", left)
        assert re.findall(r"[^\W\d_]{2,}", re.sub(r"https?://\S+|Aare|UTC", "", left)) == []
