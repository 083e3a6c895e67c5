"""What a run keeps of a step beside its state: as English text, which no store translates, and read back as a sentence. Pure."""

from __future__ import annotations

import re

from shared.language.deciding.sentences import Sentence, say

NEEDS_WRITES = say("not without ROOMSYNC_WRITES=on: nothing is booked while this service only observes")
ROOMS_SEEN = say("{seen} of {asked} rooms show their times")
CAME_LATE = say("it came late, after {seconds} seconds: declines may be told as late as that")
_ANSWERS = {
    "accepted": say("it accepted"),
    "declined": say("it declined, which is an answer"),
    "tentative": say("it answered tentatively"),
}


def read_note(text: str) -> str:
    """The sentence of a note as a run keeps it: that of a room's answer, or one of the sentences above; else the text."""
    if text in _ANSWERS:
        return _ANSWERS[text]
    for sentence in (NEEDS_WRITES, ROOMS_SEEN, CAME_LATE):
        if found := _form(sentence).fullmatch(text):
            return sentence.format(**found.groupdict())
    return text


def _form(sentence: Sentence) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>\\d+)", re.escape(sentence.message)))
