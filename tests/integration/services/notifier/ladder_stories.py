"""What is played under kills: a decline, the moments at which somebody is to be told of it, and the points where that may die."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.notifier.deciding.rungs import BROWSER, CALENDAR, CHAT, MAIL, Rung
from shared.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from tests.integration.services.notifier.test_kills import ACCEPTED, BEFORE_ACCEPTED, RECORDED
from tests.integration.services.notifier.webhooks.test_kills import NOT_SENT, SENT
from tests.integration.services.notifier.webhooks.test_kills import RECORDED as WEBHOOK_RECORDED

WEBHOOK = "webhook"
PERSONAL = (MAIL, CALENDAR, BROWSER)
"""Channels of a person, who has quiet hours."""
CHANNELS = (*PERSONAL, CHAT)
TAKING_IN, INTENDED = BEFORE_ACCEPTED[:-1], BEFORE_ACCEPTED[-1]
SENDING_POINTS = (INTENDED, *ACCEPTED, *RECORDED)
"""Passed once with each channel's message."""
WEBHOOK_POINTS = (*NOT_SENT, *SENT, *WEBHOOK_RECORDED)
REMOVED = (f"notifier.sent/{CALENDAR}", "notifier.reminder-ended")
REMOVING_POINTS = ("notifier.reminder-ending", *REMOVED, *TAKING_IN[1:], "notifier.reminder-forgotten")
"""Passed while an event is removed; nothing else is committed then."""
SOON_MS = MINUTE_MS + SECOND_MS
"""After the decline, or after the moment of a later rung: it is due."""


@dataclass(frozen=True, slots=True)
class Telling:
    """A moment at which something is due."""

    rung: Rung
    channels: tuple[str, ...]
    after_ms: int = SOON_MS
    """After the decline."""
    is_first: bool = False
    """Whether the decline is taken in, and its webhook is due as well."""
    replaces: bool = False
    """Whether it is a later rung, whose event takes the place of the one before."""
    points_of: str = ""
    """Of which channel's message alone the points are; "": of all that happens."""

    @property
    def names(self) -> frozenset[str]:
        """How the ledger calls its rungs, each by its channel."""
        return frozenset(f"{channel}/{self.rung}" for channel in self.channels)

    @property
    def servers_due(self) -> tuple[str, ...]:
        """The channels, and the webhook where it is due."""
        return (*self.channels, WEBHOOK) if self.is_first else self.channels

    @property
    def points(self) -> tuple[str, ...]:
        """Where a process that tells of it may die."""
        if self.points_of:
            return tuple(f"{point}/{self.points_of}" for point in SENDING_POINTS)
        commits = 2 * len(self.channels)  # at least: of an intent or of a result, of whichever channel is then at it
        later = tuple(f"{point}:{number}" for point in TAKING_IN[1:] for number in range(2, commits + 1))
        sending = tuple(f"{point}/{channel}" for channel in self.channels for point in SENDING_POINTS)
        return (*(*TAKING_IN, *WEBHOOK_POINTS) * self.is_first, *later, *sending)

    def hit_by(self, point: str) -> tuple[str, ...]:
        """Of which messages the point says whether a server had them."""
        if channel := point.partition("/")[2]:
            return (channel,)
        if point in WEBHOOK_POINTS:
            return (WEBHOOK,)
        return self.channels if point in TAKING_IN else ()


@dataclass(frozen=True, slots=True)
class Story:
    """One decline of a meeting."""

    name: str
    ahead_ms: int
    """How far ahead the meeting is."""
    tellings: tuple[Telling, ...]
    quiet_ms: int = 0
    """For so long Ada's hours are quiet."""
    closes_unseen: bool = False
    """Whether the prompt closes after the kill, before anybody takes over."""

    @property
    def kills(self) -> int:
        """How often it is killed in."""
        return len(self.tellings) + (not self.closes_unseen)


_FIRST = Telling(Rung.FIRST, CHANNELS, is_first=True)
_LATER_MS = HOUR_MS + 10 * MINUTE_MS
"""A later rung is left out unless it comes an hour after the first."""
_QUIET_MS = 2 * HOUR_MS
_FAR_MS = 100 * HOUR_MS
STORIES = (
    Story(
        "a day before",
        24 * HOUR_MS + _LATER_MS,
        (_FIRST, Telling(Rung.DAY_BEFORE, CHANNELS, _LATER_MS + SOON_MS, replaces=True)),
    ),
    Story(
        "two hours before",
        2 * HOUR_MS + _LATER_MS,
        (_FIRST, Telling(Rung.HOURS_BEFORE, CHANNELS, _LATER_MS + SOON_MS, replaces=True)),
    ),
    Story(
        "quiet hours",
        _FAR_MS,
        (
            Telling(Rung.FIRST, (CHAT,), is_first=True),
            Telling(Rung.FIRST, PERSONAL, _QUIET_MS + SOON_MS),
        ),
        quiet_ms=_QUIET_MS,
    ),
    Story("closed while nobody ran", _FAR_MS, (replace(_FIRST, points_of=CALENDAR),), closes_unseen=True),
)
