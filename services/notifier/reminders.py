"""Removes events of ours from people's calendars once they have nothing to tell any more."""

from __future__ import annotations

from services.notifier.calendar_recipients import CalendarRecipients, is_calendar, owner_of
from services.notifier.channels.port import ReminderEnd, SendAttempt, SendOutcome
from services.notifier.deciding.placed import PlacedReminder, ended, find_placed, look_at, note_removed
from services.notifier.deciding.rungs import CALENDAR, is_on
from services.notifier.ledger import Ledger
from services.notifier.outbox import Dispatch, Outbox
from shared.contracts.notification import PromptLadder
from shared.domain.identity import Mailbox
from shared.ports.clock import Clock
from shared.runtime.crash_points import crash_point
from shared.runtime.logging import get_logger

_END = "end/"

logger = get_logger()


class PlacedReminders:
    """Those of one partition's people. A removal needs no record before it: doing it again changes nothing."""

    def __init__(self, ledger: Ledger, outbox: Outbox, calendars: CalendarRecipients, clock: Clock) -> None:
        self._ledger = ledger
        self._outbox = outbox
        self._calendars = calendars
        self._clock = clock

    def remove_ended(self, mailbox: Mailbox) -> None:
        """Begin to remove what is over. Raises StoreUnavailableError, KeyDestroyedError, MalformedRecordError."""
        found = self._placed(mailbox)
        if not found:
            return
        ladders, recipient = self._ledger.ladders_of(mailbox), self._calendars.find(mailbox)
        on = is_on(recipient.row, CALENDAR)
        prompts = {prompt for each in found for prompt in each.prompts} if on else set[str]()
        looked_up = {each: self._calendars.look_up(mailbox, ladders[each].meeting, each)[0] for each in prompts}
        for each in ended(found, ladders, looked_up, self._clock.now_ms(), on=on):
            self._remove(mailbox, recipient.user, each)

    def look_at(self, mailbox: Mailbox) -> int | None:
        """When the person's calendar is to be looked after again; None: nothing of ours stands there."""
        return look_at(self._placed(mailbox), self._clock.now_ms())

    def note(self, dispatch: Dispatch, attempt: SendAttempt) -> list[PromptLadder]:
        """The ladders that are to be recorded after an attempt to remove an event; it is tried again while it may succeed."""
        ladders = dict(self._ledger.ladders_of(dispatch.mailbox))
        if attempt.outcome is SendOutcome.LATER and not attempt.reason.startswith("no-grant"):
            return []
        if attempt.outcome is not SendOutcome.ACCEPTED:
            # Its person took the permission back, or the calendar refuses for good: nobody can remove it but they.
            logger.warning("reminder_left", message=dispatch.message, reason=attempt.reason)
        for step in dispatch.steps:
            if step.prompt in ladders:
                ladders[step.prompt] = note_removed(ladders[step.prompt], step)
        return [ladders[prompt] for prompt in sorted({step.prompt for step in dispatch.steps}) if prompt in ladders]

    def _placed(self, mailbox: Mailbox) -> list[PlacedReminder]:
        if not is_calendar(mailbox) or CALENDAR not in self._outbox.channels:
            return []
        return find_placed(self._ledger.ladders_of(mailbox))

    def _remove(self, mailbox: Mailbox, user: str, each: PlacedReminder) -> None:
        name = f"{_END}{each.message}"
        if self._outbox.is_sending(each.message) or self._outbox.is_sending(name):
            return
        crash_point("notifier.reminder-ending")
        end = ReminderEnd(each.message, owner_of(mailbox), each.event, each.begun_at_ms, self._clock.now_ms())
        self._outbox.send(Dispatch(name, mailbox, user, each.steps, channel=CALENDAR), end)


def is_end(dispatch: Dispatch) -> bool:
    """Whether an event is removed, and none is made."""
    return dispatch.message.startswith(_END)
