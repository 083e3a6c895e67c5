"""One run of the test, as it happens: read, choose a room, subscribe, book, wait for the push and the answer, clean up."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from services.portal.admin.integration.testflow.cleanup import new_channel, request_subscription, take_back
from services.portal.admin.integration.testflow.deciding.room_choice import RoomChoice, place
from services.portal.admin.integration.testflow.deciding.run import (
    Made,
    Step,
    TestRun,
    Trouble,
    begin_step,
    finish_step,
    note_lateness,
    note_trouble,
    skip_steps,
    without,
)
from services.portal.admin.integration.testflow.deciding.step_notes import NEEDS_WRITES, ROOMS_SEEN
from services.portal.admin.integration.testflow.deciding.troubles import TroubleCode, changed_nothing, trouble_of
from services.portal.admin.integration.testflow.run_store import Runs, SupersededError
from services.portal.deps import Deps
from shared.contracts import change_notification
from shared.contracts import envelope as envelopes
from shared.contracts.change_notification import ChangeNotification, HintKind
from shared.domain.attendees import Answer
from shared.domain.identity import Mailbox, Provider, partition_of
from shared.domain.instants import DAY_MS
from shared.domain.sighting import Access, RoomContact, Window
from shared.errors import (
    KeyDestroyedError,
    MalformedRecordError,
    RefusedError,
    RetryableError,
    RoomsyncError,
)
from shared.ports.log import Record
from shared.providers.catalogue import profile_of
from shared.registry import tables
from shared.runtime.crash_points import crash_point
from shared.runtime.logging import get_logger

T = TypeVar("T")

TRIES = 3
_LONGEST_PAUSE_S = 5.0
_POLL_S = 0.2
_READ_EVERY_S = 1.0
_BEAT_EVERY_S = 3.0
_NOTHING = Answer.NONE.value
_log = get_logger()


class StepError(RoomsyncError):
    """A step ended badly for a reason that a page can name."""

    def __init__(self, code: str, provider_code: str = "") -> None:
        """Keep our code and what the provider calls it."""
        super().__init__(code, provider_code=provider_code)
        self.code = code


class Trial:
    """Runs once, on a thread of its own; everything it needs to be undone by another process is on record."""

    def __init__(self, deps: Deps, runs: Runs, run: TestRun, made: Made) -> None:
        """`run` is in its place and RUNNING; `made` names the test's own mailbox, whose grant is kept."""
        self._deps = deps
        self._runs = runs
        self._tenant = made.tenant
        self._run = run
        self._made = made
        self._mailbox = Mailbox(made.tenant, made.mailbox)
        self._calendar = deps.providers[Provider(made.provider)]
        self._beat_s = time.monotonic()

    def run(self) -> TestRun:
        """
        All steps, and the cleaning up whatever became of them.

        Returns:
            The run as it stands then, without its end: with troubles, or fit for enabling.

        Raises:
            SupersededError: another run took this one's place, and what it had made.
        """
        if self._clean_up_earlier():
            self._steps()
        self._step(Step.CLEAN_UP, self._clean_up)
        return self._run

    def _steps(self) -> None:
        if not self._step(Step.READ, self._read):
            return
        found: list[RoomChoice] = []
        if not self._step(Step.ROOM, lambda: self._choose(found)):
            return
        if not self._step(Step.SUBSCRIBE, self._subscribe):
            return
        if not self._deps.settings.may_write:
            self._change(lambda run: skip_steps(run, (Step.PUSH, Step.ANSWER), str(NEEDS_WRITES)))
            return
        if not self._step(Step.PUSH, lambda: self._push(found[0])):
            return
        self._step(Step.ANSWER, lambda: self._answer(found[0]))

    def _step(self, step: Step, act: Callable[[], str]) -> bool:
        self._change(lambda run: begin_step(run, step, self._now_ms()))
        try:
            note = act()
        except SupersededError:
            raise
        except StepError as error:
            self._note(step, error.code, error.provider_code)
            return False
        except Exception as error:  # noqa: BLE001  # whatever it is becomes a line on the page, and what was made is undone
            code, provider_code = trouble_of(step, error)
            if code == TroubleCode.INTERNAL:
                _log.exception("test_flow_crashed", step=step.value, kind=type(error).__name__)
            self._note(step, code, provider_code)
            return False
        self._change(lambda run: finish_step(run, step, self._now_ms(), note))
        _log.info("test_step_passed", tenant=self._tenant, run=self._run.id, step=step.value)
        return True

    def _note(self, step: Step, code: str, provider_code: str) -> None:
        if any((each.step, each.code) == (step, code) for each in self._run.troubles):
            return  # one line each: cleaning up is tried before the steps and after them
        trouble = Trouble(step=step, code=code, provider_code=provider_code, at_ms=self._now_ms())
        self._change(lambda run: note_trouble(run, trouble))
        _log.info("test_step_failed", tenant=self._tenant, run=self._run.id, step=step.value, reason=code)

    # The steps

    def _read(self) -> str:
        now_ms = self._now_ms()
        self._using(lambda access: self._calendar.agenda(access, Window(now_ms, now_ms + 7 * DAY_MS)))
        return ""

    def _choose(self, found: list[RoomChoice]) -> str:
        rooms = self._rooms()
        if not rooms:
            raise StepError(TroubleCode.ROOM_MISSING)
        chosen = place(
            rooms,
            self._now_ms(),
            lambda addresses, start_ms, end_ms: self._using(
                lambda access: self._calendar.availability(access, addresses, start_ms, end_ms)
            ),
        )
        if chosen is None:
            raise StepError(TroubleCode.ROOM_INVISIBLE)
        found.append(chosen)
        room = self._deps.engine.keyring.keys(self._tenant).room(chosen.room.address)
        self._change(lambda run: msgspec.structs.replace(run, room=room))
        return str(ROOMS_SEEN.format(seen=chosen.seen, asked=chosen.asked)) if chosen.asked > 1 else ""

    def _rooms(self) -> Sequence[RoomContact]:
        """Those that were entered; without any, those of the directory if it may be read."""
        entered = tables.rooms(self._deps.engine.registry).scan(self._tenant)
        rooms = [RoomContact(row.address, row.name) for _, row in entered]
        if rooms:
            return rooms
        try:
            listed = self._using(self._calendar.directory_rooms)
        except RefusedError:
            return []
        return [RoomContact(room.address, room.name) for room in listed]

    def _subscribe(self) -> str:
        channel = new_channel()
        wish = request_subscription(self._deps, self._made, channel)
        heard = self._hints()
        before = self._made
        self._keep(msgspec.structs.replace(self._made, channel_id=channel))
        made = self._making(before, lambda access: self._calendar.subscribe(access, wish))
        crash_point("portal.test-subscribed")
        self._keep(
            msgspec.structs.replace(
                self._made,
                subscription_id=made.id,
                resource_id=made.resource_id,
                expires_at_ms=made.expires_at_ms,
            )
        )
        if not self._deps.settings.may_write and profile_of(self._made.provider).hooks.opens_with_message:
            return self._hear(heard, HintKind.SYNC)
        return ""

    def _push(self, chosen: RoomChoice) -> str:
        heard = self._hints()  # stands at the tail as it is before the change
        request = f"test-{secrets.token_hex(12)}"
        before = self._made
        self._keep(
            msgspec.structs.replace(
                self._made,
                request_id=request,
                start_ms=chosen.start_ms,
                end_ms=chosen.end_ms,
                room=chosen.room.address,
                room_name=chosen.room.name,
            )
        )
        event_id = self._making(before, lambda access: self._calendar.book(access, chosen.meeting(request)))
        crash_point("portal.test-booked")
        self._keep(msgspec.structs.replace(self._made, event_id=event_id))
        return self._hear(heard, HintKind.CHANGED)

    def _hear(self, heard: Iterator[Sequence[Record]], kind: HintKind) -> str:
        """Wait for a push of the test's own subscription; says if it came late. Raises StepError: none came at all."""
        began_s = time.monotonic()
        if not self._until(lambda: any(self._tells(record, kind) for record in next(heard)), _POLL_S):
            raise StepError(TroubleCode.WEBHOOK_UNREACHABLE)
        return note_lateness(time.monotonic() - began_s, self._deps.settings.test_flow_s)

    def _answer(self, chosen: RoomChoice) -> str:
        said = _NOTHING

        def answered() -> bool:
            nonlocal said
            said = self._room_says(chosen)
            return said != _NOTHING

        if not self._until(answered, _READ_EVERY_S):
            raise StepError(TroubleCode.ROOM_SILENT)
        return said

    def _room_says(self, chosen: RoomChoice) -> str:
        meeting = self._using(lambda access: self._calendar.read(access, self._made.event_id))
        if meeting.cancelled:  # Google goes on showing what was deleted
            raise StepError(TroubleCode.EVENT_GONE)
        address = chosen.room.address.lower()
        answers = [each.answer for each in meeting.attendees if each.address.lower() == address]
        if not answers:
            raise StepError(TroubleCode.ROOM_INVISIBLE)
        return _NOTHING if answers[0] == "unknown" else answers[0]

    # The log

    def _hints(self) -> Iterator[Sequence[Record]]:
        """What is appended to the mailbox's partition from now on, a batch a turn."""
        log = self._deps.engine.log
        topic = profile_of(self._made.provider).hooks.topic.name
        partition = partition_of(self._mailbox.key, log.partitions)
        offset = log.span(topic, partition).end

        def batches(offset: int) -> Iterator[Sequence[Record]]:
            while True:
                records = log.read(topic, partition, offset)
                offset = records[-1].offset + 1 if records else offset
                yield records

        return batches(offset)

    def _tells(self, record: Record, kind: HintKind) -> bool:
        if record.key != self._mailbox.key:
            return False
        envelope = envelopes.decode(record.value or b"")
        if envelope.type != change_notification.TYPE:
            return False
        hint = envelopes.payload_of(envelope, ChangeNotification)
        return hint.kind is kind and hint.subscription_id == self._made.subscription_id

    # Cleaning up

    def _clean_up_earlier(self) -> bool:
        """What earlier runs left behind goes first, so that this one begins from nothing."""
        mine = self._run.made[-1:]
        earlier = self._run.made[:-1]
        if not earlier:
            return True
        for sealed in earlier:
            self._undo_sealed(sealed)
        if self._run.made != mine:
            self._note(Step.CLEAN_UP, TroubleCode.CLEAN_UP_UNFINISHED, "")
            return False
        return True

    def _clean_up(self) -> str:
        for sealed in self._run.made:
            self._undo_sealed(sealed)
        if self._run.made:
            raise StepError(TroubleCode.CLEAN_UP_UNFINISHED)
        return ""

    def _undo_sealed(self, sealed: bytes) -> None:
        try:
            made = self._runs.unsealed(self._tenant, sealed)
        except (KeyDestroyedError, MalformedRecordError):
            self._let_go(sealed)  # its grant went with the same key: nobody can undo it any more
            return
        for attempt in range(TRIES):
            try:
                take_back(self._deps, made, self._made)
            except SupersededError:
                raise
            except Exception as error:  # noqa: BLE001  # tried again, and named if it stays
                _log.warning("test_clean_up_failed", run=self._run.id, attempt=attempt, kind=type(error).__name__)
                self._beat()
                self._deps.stop.wait(attempt + 1.0)
                continue
            self._let_go(sealed)
            return

    def _let_go(self, sealed: bytes) -> None:
        self._change(lambda run: without(run, sealed))

    # How everything is done

    def _using(self, call: Callable[[Access], T]) -> T:
        """A call as the person; a busy provider is asked three times."""
        for attempt in range(TRIES):
            self._beat()
            try:
                return self._deps.broker.using(self._mailbox, call)
            except RetryableError as error:
                pause_s = min(error.retry_after_s or 1.0, _LONGEST_PAUSE_S)
                if attempt + 1 == TRIES or self._deps.stop.wait(pause_s):
                    raise
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def _making(self, before: Made, call: Callable[[Access], T]) -> T:
        """A call that makes something; if the provider refuses each try, there is nothing to be undone."""
        failures: list[Exception] = []

        def noted(access: Access) -> T:
            try:
                return call(access)
            except Exception as error:
                failures.append(error)
                raise

        try:
            return self._using(noted)
        except (RetryableError, RefusedError):
            if all(changed_nothing(each) for each in failures):
                self._keep(before)
            raise

    def _until(self, holds: Callable[[], bool], every_s: float) -> bool:
        deadline_s = time.monotonic() + self._deps.settings.test_flow_s
        while not holds():
            if time.monotonic() > deadline_s:
                return False
            if self._deps.stop.wait(every_s):
                raise StepError(TroubleCode.INTERRUPTED)
            self._beat()
        return True

    def _keep(self, made: Made) -> None:
        """On record before anything else happens."""
        before = self._run.made[:-1]
        sealed = self._runs.sealed(self._tenant, made)
        self._change(lambda run: msgspec.structs.replace(run, made=(*before, sealed)))
        self._made = made

    def _beat(self) -> None:
        if time.monotonic() - self._beat_s > _BEAT_EVERY_S:
            self._change(lambda run: msgspec.structs.replace(run, beat_at_ms=self._now_ms()))

    def _change(self, decide: Callable[[TestRun], TestRun]) -> None:
        self._run = self._runs.change(self._tenant, self._run.id, decide)
        self._beat_s = time.monotonic()

    def _now_ms(self) -> int:
        return self._deps.clock.now_ms()
