"""Reads the catalogues: one `.po` file a language, compiled in memory when somebody first reads that language."""

from __future__ import annotations

import gettext
import io
import re
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from shared.language.deciding.negotiation import Manner
from shared.language.deciding.sentences import Catalogue
from shared.language.deciding.typography import set_spaces

FOLDER = Path(__file__).parent / "catalogues"
_KEPT = re.compile(r"(\{[^{}]{0,60}\}|%\([a-zA-Z_]{1,60}\)[sd]|<[^<>]{1,200}>|%%|&[a-z]{1,8};)")
_ACCENTS = str.maketrans("aeiouAEIOU", "àéîõüÀÉÎÕÜ")


class MarkedCatalogue:
    """Marks every text that would be translated, for tests: what is not marked on a page is in no catalogue."""

    def gettext(self, message: str, /) -> str:
        """`⟦Ròõms⟧` for `Rooms`; what is filled in and markup stay."""
        pieces = _KEPT.split(message)
        return f"⟦{''.join(each if n % 2 else each.translate(_ACCENTS) for n, each in enumerate(pieces))}⟧"

    def ngettext(self, one: str, many: str, count: int, /) -> str:
        """As `gettext`, in the English form."""
        return self.gettext(one if count == 1 else many)


def catalogue_for(manner: Manner) -> Catalogue:
    """The translations for somebody."""
    return MarkedCatalogue() if manner.pseudo else read_catalogue(manner.language)


@cache
def read_catalogue(language: str) -> Catalogue:
    """The translations into one of `LANGUAGES`; English translates everything into itself."""
    path = FOLDER / f"{language}.po"
    if not path.exists():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    for message in catalogue:
        if message.id and message.string:
            message.string = _set(language, message.string)
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _set(language: str, forms: str | tuple[str, ...] | list[str]) -> str | tuple[str, ...]:
    return (
        set_spaces(language, forms) if isinstance(forms, str) else tuple(set_spaces(language, each) for each in forms)
    )
