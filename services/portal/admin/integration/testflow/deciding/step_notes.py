"""What a run keeps of a step beside its state: as English text, which no store translates, and read back as a sentence. Pure."""

from __future__ import annotations

import re

from shared.language.deciding.sentences import say

NEEDS_WRITES = say("not without ROOMSYNC_WRITES=on: nothing is booked while this service only observes")
ROOMS_SEEN = say("{seen} of {asked} rooms show their times")
CAME_LATE = say("it came late, after {seconds} seconds: declines may be told as late as that")
_FORMS = (
    (re.compile(r"(?P<seen>\d{1,9}) of (?P<asked>\d{1,9}) rooms show their times"), ROOMS_SEEN),
    (
        re.compile(r"it came late, after (?P<seconds>\d{1,9}) seconds: declines may be told as late as that"),
        CAME_LATE,
    ),
)
"""How a run's note that is one of these sentences reads in English."""
_NOTES = {
    str(NEEDS_WRITES): NEEDS_WRITES,
    "accepted": say("it accepted"),
    "declined": say("it declined, which is an answer"),
    "tentative": say("it answered tentatively"),
}


def read_note(text: str) -> str:
    """The sentence of a note as a run keeps it: that of a room's answer, or one of the sentences above; else the text."""
    if text in _NOTES:
        return _NOTES[text]
    for form, sentence in _FORMS:
        if found := form.fullmatch(text):
            return sentence.format(**found.groupdict())
    return text
