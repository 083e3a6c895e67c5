"""Whether a calendar may be changed from here, and the words for it. Pure."""

from __future__ import annotations

from enum import StrEnum

from shared.language.deciding.sentences import say

OBSERVING = say("This service only observes for now: it changes nothing in anybody's calendar.")


class Writing(StrEnum):
    """Whether a person's calendar may be changed from here."""

    ON = "on"
    OFF = "off"
    """The deployment only observes."""
    RECONNECT = "reconnect"
    """The person permitted to read alone, when the deployment only observed: they have to permit more first."""
