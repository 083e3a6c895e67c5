"""Meetings of the probe's with a room, at any provider: booked once, and a second time for the same hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shared.providers.trials.service import CannotTryError, Json
from shared.providers.trials.trial import TrialContext

ACCEPTED, DECLINED = "accepted", "declined"


@dataclass(frozen=True, slots=True)
class RoomMeetings:
    """How one provider makes and reads them."""

    create: Callable[[TrialContext], Json]
    """Makes a meeting with the room; it is deleted after the trial."""
    read: Callable[[TrialContext, str], Json]
    """The event of an id as it is now."""
    answer: Callable[[TrialContext, Json], str]
    """What an event says of the room's answer, in the provider's word, which both spell alike."""

    def booked(self, context: TrialContext) -> Json:
        """A meeting whose room has accepted. Raises CannotTryError: it did not in time."""
        event = self.create(context)
        if not self._answered(context, event, {ACCEPTED}):
            message = "the room did not accept in time: name one that accepts by itself, or more --patience-s"
            raise CannotTryError(message)
        return self.read(context, event["id"])

    def room_declines(self, context: TrialContext) -> str:
        """Book the room twice at one time. Raises CannotTryError: it takes both."""
        self.booked(context)
        return "" if self._refused(context) else "the second meeting's room shows no answer"

    def booked_twice(self, context: TrialContext) -> tuple[Json, Json]:
        """A meeting whose room has accepted, and one whose room has declined. Raises CannotTryError: they have not."""
        accepted, declined = self.booked(context), self._refused(context)
        if declined is None:
            message = "the room shows no answer to a second meeting at one time"
            raise CannotTryError(message)
        return accepted, declined

    def _refused(self, context: TrialContext) -> Json | None:
        """A meeting at the time of another, once its room has declined; None: it shows no answer. Raises CannotTryError."""
        event = self.create(context)
        answer = self._answered(context, event, {ACCEPTED, DECLINED})
        if answer == ACCEPTED:
            message = "the room accepts two meetings at one time"
            raise CannotTryError(message)
        return self.read(context, event["id"]) if answer else None

    def _answered(self, context: TrialContext, event: Json, among: set[str]) -> str | None:
        def look() -> str | None:
            answer = self.answer(context, self.read(context, event["id"]))
            return answer if answer in among else None

        return context.eventually(look)
