"""French marks of punctuation stay with the word before them, wherever a line is broken."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from shared.language.catalogues import FOLDER, read_catalogue
from shared.language.deciding.typography import set_spaces

pytestmark = pytest.mark.proves("P3")
PLAIN = re.compile(r" [:;!?»](?!\w)|« ")


def test_french_punctuation_is_set_with_spaces_that_break_no_line() -> None:
    assert set_spaces("fr", "Qui ? « {room} » a dit non : voyez !") == (
        "Qui\u202f? «\u00a0{room}\u00a0» a dit non\u00a0: voyez\u202f!"
    )
    assert set_spaces("fr", "de 9 h à 10 h, <code>a: b</code>") == "de 9 h à 10 h, <code>a: b</code>"
    assert set_spaces("nl", "zo :") == "zo :"


def test_no_french_sentence_is_read_with_a_plain_space_before_its_punctuation() -> None:
    read = read_catalogue("fr")
    with (FOLDER / "fr.po").open("rb") as file:
        known = [each for each in read_po(file, locale="fr") if each.id]
    shown = [
        form
        for each in known
        for form in (
            (read.gettext(each.id),) if isinstance(each.id, str) else (read.ngettext(*each.id, n) for n in (1, 2))
        )
    ]
    assert len(shown) > len(known) // 2
    assert [form for form in shown if PLAIN.search(form)] == []
    assert sum("\u00a0:" in form for form in shown) > 100
