"""The catalogues know every sentence of code and templates, in every language, with the same that is filled in."""

from __future__ import annotations

import re
import tomllib
from functools import cache

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from shared.language.catalogues import FOLDER, MarkedCatalogue, read_catalogue
from shared.language.deciding.negotiation import LANGUAGES
from tests.support.paths import ROOT

TRANSLATED = [language for language in LANGUAGES if language != "en"]
FILLED_IN = re.compile(r"\{[a-z_]+\}|%\([a-z_]+\)s|<[^<>]+>|%%")
KEYWORDS = {"say": None, "say_many": (1, 2), "_": None, "gettext": None, "ngettext": (1, 2)}


@cache
def sentences() -> dict[str, tuple[str, ...]]:
    """Every text that the code and the templates have translated: its first form → its forms."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    methods = [(each["pattern"], each["method"]) for each in mappings]
    options = {
        each["pattern"]: {"newstyle_gettext": "true", "silent": "false"}
        for each in mappings
        if "jinja" in each["method"]
    }
    found: dict[str, tuple[str, ...]] = {}
    for folder in ("services", "shared"):
        for _, _, message, _, _ in extract_from_dir(ROOT / folder, methods, options, KEYWORDS):
            forms = message if isinstance(message, tuple) else (message,)
            assert found.setdefault(forms[0], forms) == forms, f"{forms[0]!r} has one form here and two there"
    return found


@cache
def catalogue(language: str) -> Catalog:
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def messages(language: str) -> list[Message]:
    return [each for each in catalogue(language) if each.id]


@pytest.mark.proves("P3")
@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated_and_none_is_left_over(language: str) -> None:
    known = {each.id if isinstance(each.id, str) else each.id[0]: each for each in messages(language)}
    assert sorted(sentences().keys() - known.keys()) == [], f"add them to {language}.po"
    assert sorted(known.keys() - sentences().keys()) == [], f"take them out of {language}.po"
    assert [each.id for each in known.values() if each.fuzzy] == []
    assert [each.id for each in known.values() if not all(forms_of(each.string))] == []


@pytest.mark.proves("P3")
@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_fills_in_what_the_sentence_does(language: str) -> None:
    wrong = [
        (each.id, form)
        for each in messages(language)
        for n, form in enumerate(forms_of(each.string))
        for original in forms_of(each.id)[min(n, 1) :][:1] or forms_of(each.id)
        if sorted(FILLED_IN.findall(form)) != sorted(FILLED_IN.findall(original))
    ]
    assert wrong == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_numbers_take_the_forms_of_the_language(language: str) -> None:
    read = read_catalogue(language)
    one, many = "%(count)s person", "%(count)s people"
    assert read.ngettext(one, many, 1) != read.ngettext(one, many, 2)
    assert (read.ngettext(one, many, 0) == read.ngettext(one, many, 1)) is (language == "fr")


def test_a_marked_sentence_keeps_what_is_filled_in_and_its_markup() -> None:
    marked = MarkedCatalogue().gettext('At %(name)s: <a href="/profile">see {room}</a>, 100%%')
    assert marked == '⟦Àt %(name)s: <a href="/profile">sêê {room}</a>, 100%%⟧'.replace("ê", "é")


def forms_of(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)
