"""Finds on a page, in a language in which each translated sentence is marked, what nobody has translated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "img", "br"}
UNREAD = {"script", "style", "code"}
INLINE = {"a", "abbr", "b", "bdi", "code", "em", "q", "span", "strong", "time"}
SHOWN = ("aria-label", "title", "placeholder", "alt", "data-granted", "data-denied", "data-failed")
NAMES = re.compile(
    r"https?://\S+|roomsync|Slack|Microsoft Teams|Google Chat|Microsoft 365|Microsoft|Google Workspace"
    r"|Google|Outlook|Contoso|Europe/Zurich|UTC|Jane Example|Ada|Room (one|two)"
    r"|North"
    r"|Zebra council|Budget of the Zebra project|security\.txt|English|Deutsch|Français|Nederlands|JSON"
    r"|\S+@\S+|[a-z0-9]+\.test|\bpm\b"
)
"""What has the same name in every language."""


class Words(HTMLParser):
    """Collects what a person reads of a page, block by block, and in attributes; code is not read."""

    def __init__(self, *, english: bool = False) -> None:
        super().__init__()
        self._english = english
        self._open: list[tuple[str, bool, str]] = []
        self._block = ""
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        english = bool(self._open and self._open[-1][1]) or (known.get("lang") == "en" and tag != "html")
        if tag not in INLINE:
            self.end_block()
        if not english:
            self.pieces += [known[name] or "" for name in SHOWN if name in known]
            self.pieces += [str(text) for text in json.loads(known.get("data-texts") or "{}").values()]
        if tag not in VOID:
            self._open.append((tag, english, str(known.get("id") or "")))

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self.end_block()
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tag, english, name = self._open[-1] if self._open else ("", False, "")
        if name == "words":
            self.pieces += strings_in(json.loads(data))
        elif tag not in UNREAD and not english and not (self._english and tag == "title"):
            self._block += data

    def end_block(self) -> None:
        self.pieces.append(self._block)
        self._block = ""


def strings_in(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from strings_in(each)
    elif isinstance(value, str):
        yield value


def unmarked(text: str) -> str:
    """What is left of a text once marked sentences, and what has the same name everywhere, are taken out."""
    before = ""
    while before != text:
        before, text = text, re.sub(r"⟦[^⟦⟧]*⟧", "", text)
    return NAMES.sub("", re.sub(r"\{[a-zA-Z]+\}", "", text))


def untranslated(page: str, *, english: bool = False) -> list[str]:
    words = Words(english=english)
    words.feed(page)
    words.end_block()
    return [piece.strip() for piece in words.pieces if re.search(r"[^\W\d_]{2,}", unmarked(piece))]
