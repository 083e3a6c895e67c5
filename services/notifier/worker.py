"""
The owner of one partition of people: it tells them of prompts that nobody looks at, and records what it has told.

Theory of operation. Declines come by meeting, and what one person is told has to be decided in one place. So a decline read from
`room-rejections` becomes one record on `person-prompts` for each person who can act on it, in that person's partition; whom that
is, the view knows. While the view does not show the decline yet, a search is remembered and tried again.

- A record of `person-prompts` begins a ladder: which rungs are due when follows from the moment the prompt opened and from the
  meeting's begin (`deciding.rungs`). The memory holds the ladders of this partition's people; a heap holds when each person is to
  be looked at next, so that a step costs what is due.
- When something is due, the view is asked whether the prompt is still open, and the plan (`deciding.plan`) says which messages
  follow. First the attempt is committed as an intent, with the message's id, which is a keyed hash of person, prompts and rungs;
  then it is sent, outside the transaction; then the result is committed.
- A process that dies between leaves an intent. Its successor sends it again, under the same id, once its retry is due. So the
  server gets each message at least once, and a second time only if it had accepted it and the process died before that was known.
- A server that is away, or that says "later", is asked again after longer and longer waits while the rung is of use. One that
  refuses the person's address for good ends that person's mails, and their profile says so.
- Declines of one organisation meet in one partition, whose owner counts them (`brake`). When they are too many at once, whoever is
  due waits until that is over (`holding`).
- A chat channel of an organisation is told as a person is: it has a mailbox's place in the ledger, and ladders of its own
  (`chat_recipients`).
- So is a person's own calendar, if they asked for it (`calendar_recipients`). The event that tells them is removed once all of its
  prompts are closed (`reminders`): while it may stand, the ledger keeps what the calendar calls it.
- So is each browser in which a person asked for notices, by its push service (`browser_recipients`).
- The address, the room's name and the links are put together in the moment of sending (`notices`); the ledger holds none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

from services.notifier.alarms import AlarmSender
from services.notifier.appointments import Appointments
from services.notifier.brake import DeclineBrake
from services.notifier.browser_recipients import BrowserRecipients, is_browser
from services.notifier.calendar_recipients import CalendarRecipients, is_calendar
from services.notifier.channels.port import SendAttempt, SendOutcome
from services.notifier.chat_recipients import ChatRecipients, is_chat
from services.notifier.deciding.placed import note_event
from services.notifier.deciding.plan import (
    LONGEST_RETRY_MS,
    LOOK_AGAIN_MS,
    Message,
    RungStep,
    intend,
    plan,
    postpone,
    prompts_to_look_up,
    retry_after_ms,
    settle,
    wake_at,
)
from services.notifier.deciding.promise import promised_from
from services.notifier.holding import Holding
from services.notifier.intake import Addressed, DeclineIntake
from services.notifier.ledger import Ledger, ladder_change
from services.notifier.outbox import Dispatch, Outbox, drain
from services.notifier.prompt_reader import PromptReader
from services.notifier.recipients import People, Recipients
from services.notifier.reminders import PlacedReminders, is_end
from shared.contracts.notification import DeliveryState, PromptLadder, ladder_key
from shared.contracts.topics import NOTIFIER
from shared.domain.identity import Mailbox
from shared.domain.instants import SECOND_MS
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError, NewerRecordError, StoreUnavailableError
from shared.meetings.prompts import Prompt
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.log import Claim, NewRecord, Record, StateChange
from shared.runtime import metrics
from shared.runtime.crash_points import crash_point
from shared.runtime.lag import LagGauges
from shared.runtime.logging import get_logger
from shared.runtime.lost_input import note_lost_input

POLL_S = 0.25
PEOPLE_A_STEP = 50
DRAIN_S = 8.0
FULL_AGAIN_MS = 1_000
"""How long a person waits while as many messages are on their way as may be."""

logger = get_logger()


@dataclass(frozen=True, slots=True)
class Tools:
    """What an owner asks and sends with."""

    reader: PromptReader
    people: People
    chat: ChatRecipients
    calendars: CalendarRecipients
    browsers: BrowserRecipients
    outbox: Outbox
    alarms: AlarmSender


class NotifierOwner:
    """Tells the people of one partition; see the head of this module."""

    def __init__(self, claim: Claim, engine: Engine, clock: Clock, tools: Tools, *, poll_s: float = POLL_S) -> None:
        """Take over the restored ladders: whatever is due is looked at in the first step."""
        self._claim = claim
        self._engine = engine
        self._clock = clock
        self._tools = tools
        self._poll_s = poll_s
        self._ledger = Ledger(claim.state, cache(engine.keyring.keys))
        own_places = {each.channel: each.mailboxes for each in (tools.calendars, tools.browsers)}
        addressed = Addressed(tools.reader, tools.outbox.channels, tools.chat.mailboxes, own_places)
        self._intake = DeclineIntake(claim.partition, engine, clock, addressed, self._ledger)
        self._brake = DeclineBrake(claim.partition, engine, self._ledger, tools.alarms, self._commit)
        self._holding = Holding(engine.registry, claim.partition)
        self._reminders = PlacedReminders(self._ledger, tools.outbox, tools.calendars, clock)
        self._appointments = Appointments[Mailbox]()
        for mailbox in self._ledger.mailboxes():
            self._appoint(mailbox)
        self._backlog: Sequence[Record] = ()
        self._passed: Mapping[str, int] = dict(claim.position)
        self._lag = LagGauges(engine.log, NOTIFIER, claim.partition, clock)
        # What retention took before the first notifier ever ran is no loss: nobody was to be told of it.
        note_lost_input(claim, NOTIFIER.service, claim.position)
        self._forget(self._ledger.unreadable)

    def step(self) -> None:
        """Take in one poll of input, record what was sent, and send what is due."""
        if not self._backlog:
            self._backlog = self._claim.read(self._poll_s)
        if self._backlog:
            self._take_in(self._backlog)
            self._backlog = ()
        self._search_on()
        self._record(self._tools.outbox.results())
        self._brake.step(self._clock.now_ms())
        self._tell_who_is_due()
        self._lag.show(self._passed)

    def close(self) -> None:
        """Wait for what is on its way, and record what became of it."""
        drain([self._tools.outbox, self._tools.alarms.outbox], DRAIN_S)
        self._record(self._tools.outbox.results())
        self._brake.close()
        self._holding.close()
        self._lag.close()

    def _take_in(self, records: Sequence[Record]) -> None:
        taken = self._intake.take(records)
        counted = self._brake.count(taken.declines, self._clock.now_ms())
        position = {record.topic: record.offset + 1 for record in records}
        crash_point("notifier.taking-in")
        self._commit([*taken.changes, *counted.changes], taken.outputs, position)
        self._passed = {**self._passed, **position}
        for topic in position:
            count = sum(record.topic == topic for record in records)
            metrics.RECORDS.labels(NOTIFIER.service, topic).inc(count)
        self._intake.note(taken)
        self._brake.note(counted)
        for mailbox, ladders in taken.begun.items():
            self._ledger.keep(mailbox, ladders)
            self._appoint(mailbox)

    def _search_on(self) -> None:
        """Look for the people of declines that the view did not show yet."""
        found = self._intake.search()
        if found.changes:
            self._commit(found.changes, found.outputs)
        self._intake.note(found)

    def _tell_who_is_due(self) -> None:
        now_ms = self._clock.now_ms()
        for mailbox in self._holding.released(now_ms):
            self._appointments.appoint(mailbox, now_ms)
        due = self._appointments.due(now_ms, PEOPLE_A_STEP)
        for place, mailbox in enumerate(due):
            if self._tools.outbox.is_full(self._recipients(mailbox).channel, mailbox):
                self._appointments.appoint(mailbox, now_ms + FULL_AGAIN_MS)
                continue
            try:
                self._tell(mailbox, now_ms)
            except KeyDestroyedError:
                self._forget_person(mailbox)
            except (MalformedRecordError, NewerRecordError) as error:
                logger.warning("person_not_told", mailbox=mailbox.id, error=str(error))
                self._appointments.appoint(mailbox, now_ms + LOOK_AGAIN_MS)
            except Exception:
                self._appointments.appoint_all(due[place:], now_ms)
                raise

    def _tell(self, mailbox: Mailbox, now_ms: int) -> None:
        keys = self._engine.keyring.keys(mailbox.tenant)
        self._reminders.remove_ended(mailbox)
        pause = self._holding.pause_of(mailbox.tenant)
        if pause is not None and pause.lasts:
            self._holding.hold(mailbox)
            self._appointments.appoint_first(mailbox, [self._reminders.look_at(mailbox)])
            return
        ladders, recipients = self._ledger.ladders_of(mailbox), self._recipients(mailbox)
        recipient, channel = recipients.find(mailbox), recipients.channel
        row = recipient.row
        looked_up = {
            prompt: recipients.look_up(mailbox, ladders[prompt].meeting, prompt)
            for prompt in prompts_to_look_up(ladders, row, now_ms, channel)
        }
        openness = {prompt: found for prompt, (found, _) in looked_up.items()}
        decided = plan(ladders, row, openness, now_ms, pause, channel)
        changed: dict[str, PromptLadder] = {}
        for step, state in decided.settled.items():
            before = changed.get(step.prompt, ladders[step.prompt])
            changed[step.prompt] = settle(before, step.rung, state, step.channel)
        dispatches = []
        for message in decided.messages:
            name = self._name(message, mailbox, keys)
            since = (promised_from(step, ladders, row, pause, name) for step in message.steps)
            promised = tuple(each for each in since if each is not None)
            dispatches.append(Dispatch(name, mailbox, recipient.user, message.steps, promised, message.channel))
        dispatches = [each for each in dispatches if not self._tools.outbox.is_sending(each.message)]
        for dispatch in dispatches:
            for step in dispatch.steps:
                before = changed.get(step.prompt, ladders[step.prompt])
                changed[step.prompt] = intend(before, step.rung, dispatch.message, now_ms, step.channel)
        self._keep(mailbox, changed.values(), decided.expired, keys)
        again_ms = [decided.wake_at_ms, now_ms + retry_after_ms(1) if decided.messages else None]
        again_ms.append(self._reminders.look_at(mailbox))
        self._appointments.appoint_first(mailbox, again_ms)
        for dispatch in dispatches:
            self._send(dispatch, [shown for step in dispatch.steps if (shown := looked_up[step.prompt][1])])

    def _name(self, message: Message, mailbox: Mailbox, keys: TenantKeys) -> str:
        steps = (f"{step.prompt}/{step.channel}/{step.rung}" for step in message.steps)
        return message.id or keys.message(mailbox.id, steps)

    def _recipients(self, mailbox: Mailbox) -> Recipients:
        if is_chat(mailbox):
            return self._tools.chat
        if is_browser(mailbox):
            return self._tools.browsers
        return self._tools.calendars if is_calendar(mailbox) else self._tools.people

    def _send(self, dispatch: Dispatch, prompts: Sequence[Prompt]) -> None:
        crash_point("notifier.intended", dispatch.channel)
        try:
            notice = self._recipients(dispatch.mailbox).write(dispatch, prompts)
        except (StoreUnavailableError, KeyDestroyedError, MalformedRecordError) as error:
            logger.warning("message_not_written", message=dispatch.message, error=str(error))
            return  # the intent stands, and is tried again
        if notice is not None:
            self._tools.outbox.send(dispatch, notice)

    def _record(self, results: Iterable[tuple[Dispatch, SendAttempt]]) -> None:
        ends = {SendOutcome.ACCEPTED: DeliveryState.ACCEPTED, SendOutcome.REFUSED: DeliveryState.REFUSED}
        for dispatch, attempt in results:
            log = logger.info if attempt.outcome is SendOutcome.ACCEPTED else logger.warning
            log("message_" + attempt.outcome, message=dispatch.message, channel=dispatch.channel, reason=attempt.reason)
            if is_end(dispatch):
                self._record_end(dispatch, attempt)
                continue
            if attempt.outcome is SendOutcome.REFUSED:
                now_ms = self._clock.now_ms()
                self._recipients(dispatch.mailbox).note_refusal(dispatch, now_ms, attempt.reason)
            if attempt.outcome in ends:
                self._change(dispatch, partial(_settled, state=ends[attempt.outcome], event=attempt.event))
            elif attempt.retry_in_s:
                until_ms = self._clock.now_ms() + min(int(attempt.retry_in_s * SECOND_MS), LONGEST_RETRY_MS)
                self._change(dispatch, partial(postpone, until_ms=until_ms))
                self._appoint(dispatch.mailbox)
            self._measure(dispatch, attempt)

    def _record_end(self, dispatch: Dispatch, attempt: SendAttempt) -> None:
        try:
            keys = self._engine.keyring.keys(dispatch.mailbox.tenant)
        except KeyDestroyedError:
            return
        crash_point("notifier.reminder-ended")
        self._keep(dispatch.mailbox, self._reminders.note(dispatch, attempt), (), keys)
        crash_point("notifier.reminder-forgotten")

    def _measure(self, dispatch: Dispatch, attempt: SendAttempt) -> None:
        metrics.MESSAGES.labels(dispatch.channel, attempt.outcome).inc()
        for since_ms in dispatch.promised_from_ms if attempt.outcome is SendOutcome.ACCEPTED else ():
            seconds = max(self._clock.now_ms() - since_ms, 0) / SECOND_MS
            metrics.TOLD_SECONDS.labels(dispatch.channel).observe(seconds)

    def _change(self, dispatch: Dispatch, change: Callable[[PromptLadder, RungStep], PromptLadder]) -> None:
        """Commit what has become of a message's rungs."""
        ladders = self._ledger.ladders_of(dispatch.mailbox)
        changed: dict[str, PromptLadder] = {}
        for step in dispatch.steps:
            if before := changed.get(step.prompt, ladders.get(step.prompt)):
                changed[step.prompt] = change(before, step)
        try:
            keys = self._engine.keyring.keys(dispatch.mailbox.tenant)
        except KeyDestroyedError:
            return
        crash_point("notifier.accepted", dispatch.channel)
        self._keep(dispatch.mailbox, changed.values(), (), keys)
        crash_point("notifier.recorded", dispatch.channel)

    def _keep(
        self, mailbox: Mailbox, ladders: Iterable[PromptLadder], expired: Sequence[str], keys: TenantKeys
    ) -> None:
        kept = [ladder for ladder in ladders if ladder.prompt not in expired]
        changes = [ladder_change(mailbox, ladder, keys) for ladder in kept]
        changes += [StateChange(ladder_key(mailbox.key, prompt), None) for prompt in expired]
        if changes:
            self._commit(changes)
            self._ledger.keep(mailbox, kept, expired)

    def _forget_person(self, mailbox: Mailbox) -> None:
        """The organisation's keys are destroyed: what they sealed is nobody's any more."""
        prompts = tuple(self._ledger.ladders_of(mailbox))
        self._forget([ladder_key(mailbox.key, prompt) for prompt in prompts])
        self._ledger.keep(mailbox, (), prompts)

    def _forget(self, keys: Sequence[bytes]) -> None:
        if keys:
            self._commit([StateChange(key, None) for key in keys])

    def _appoint(self, mailbox: Mailbox) -> None:
        at_ms = wake_at(self._ledger.ladders_of(mailbox).values(), self._recipients(mailbox).channel)
        self._appointments.appoint_first(mailbox, [at_ms, self._reminders.look_at(mailbox)])

    def _commit(
        self,
        changes: Sequence[StateChange],
        outputs: Sequence[NewRecord] = (),
        position: Mapping[str, int] | None = None,
    ) -> None:
        with metrics.COMMIT_SECONDS.labels(NOTIFIER.service).time():
            self._claim.commit(outputs, changes, position or {})


def _settled(ladder: PromptLadder, step: RungStep, state: DeliveryState, event: str = "") -> PromptLadder:
    settled = settle(ladder, step.rung, state, step.channel)
    return note_event(settled, step, event) if event else settled
