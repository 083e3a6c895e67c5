"""Taking another room, and putting a prompt away: wishes recorded first, then sent to the mailbox's owner."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from flask import has_request_context, request

from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person
from shared.contracts.command import Command, TakeRoom
from shared.contracts.dismissal import PromptDismissal
from shared.contracts.rows import DismissalRow, TakeRow, TakeState
from shared.crypto.commands import sealed_event
from shared.domain import trace
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS, MINUTE_MS, SECOND_MS
from shared.domain.keys import pseudonym
from shared.language.deciding.sentences import say
from shared.meetings.prompts import Prompt, dismissal_id
from shared.registry import tables
from shared.runtime import metrics
from shared.runtime.command_records import command_record
from shared.runtime.crash_points import crash_point
from shared.runtime.dismissal_records import dismissal_record

KEPT_MS = DAY_MS
DISMISSED_MS = 400 * DAY_MS
"""A later date of the series may come into sight declined: its prompt is put away with the first one's."""
UNDER_WAY_MS = MINUTE_MS
"""How long an unanswered take keeps a second one away."""
MAX_TAKES = 200
"""Of one person within a day; each also is a change of a meeting of theirs, of which everybody invited is mailed."""
MAX_KEY_CHARS = 200


class Takes:
    """What one person has asked for."""

    def __init__(self, deps: Deps, person: Person) -> None:
        self._deps = deps
        self._person = person
        self._rows = tables.takes(deps.engine.registry)

    def latest(self) -> dict[str, tuple[str, TakeRow]]:
        """Prompt id → the take asked for it last, of this person's."""
        return {row.prompt: (take_id, row) for take_id, row in self._list_own()}

    def find(self, take_id: str) -> TakeRow | None:
        """One of this person's own takes."""
        row = self._rows.get(self._person.tenant, take_id)
        return row if row is not None and row.user == self._person.user else None

    def known(self, key: str, prompt_id: str, room: str, *, whole_series: bool = False) -> tuple[str, TakeRow] | None:
        """
        The take that was asked for under this idempotency key before.

        Raises:
            ProblemError: 422, the key was used for something else.
        """
        take_id = self._id(key)
        row = self.find(take_id)
        if row is None:
            return None
        if (row.prompt, row.room, row.whole_series) != (prompt_id, room, whole_series):
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                say("This Idempotency-Key was used for another room or prompt."),
                next_step=say("Send a new key with each new wish; repeat a key only to repeat the same wish."),
            )
        return take_id, row

    def ask(self, prompt: Prompt, room: str, key: str) -> tuple[str, TakeRow]:
        """
        Record the wish, then send it. Sending again after a failure is harmless: who executes it looks first.

        Raises:
            ProblemError: 409, another room is being asked for this prompt; 429, too many rooms were asked for within a day.
            LogUnavailableError: nothing was sent; the same key may be used again.
        """
        take_id = self._id(key)
        _require_takeable(self._list_own(), prompt, take_id, self._deps.clock.now_ms())
        row = self._record(take_id, prompt, room)
        if row.state is TakeState.ASKED:
            crash_point("portal.take-recorded")
            self.send(take_id, prompt, row)
            crash_point("portal.take-sent")
        return take_id, row

    def ask_series(self, prompts: Sequence[Prompt], room: str, key: str) -> list[tuple[str, TakeRow]]:
        """
        As `ask`, for dates of one series by one change of it: a take for each date, and one wish for all of them.

        Raises:
            ProblemError, LogUnavailableError: as `ask`.
        """
        own, now_ms = self._list_own(), self._deps.clock.now_ms()
        wanted = {self._id(key if each is prompts[0] else f"{key}/{each.id}"): each for each in prompts}
        for take_id, each in wanted.items():  # before any is recorded: a refusal leaves none that nobody executes
            _require_takeable(own, each, take_id, now_ms)
        rows = {take_id: self._record(take_id, each, room, whole_series=True) for take_id, each in wanted.items()}
        first, *others = wanted
        if rows[first].state is TakeState.ASKED:
            crash_point("portal.take-recorded")
            self.send(first, prompts[0], rows[first], series=tuple(others))
            crash_point("portal.take-sent")
        return list(rows.items())

    def _record(self, take_id: str, prompt: Prompt, room: str, *, whole_series: bool = False) -> TakeRow:
        """The row of a take, made if there is none."""
        now_ms = self._deps.clock.now_ms()
        row = TakeRow(
            user=self._person.user,
            prompt=prompt.id,
            room=room,
            state=TakeState.ASKED,
            at_ms=now_ms,
            whole_series=whole_series,
        )
        if not self._rows.add(self._person.tenant, take_id, row, not_after_ms=now_ms + KEPT_MS):
            row = self.find(take_id) or row
        metrics.ROOMS_TAKEN.labels(prompt.provider, "asked").inc()
        return row

    def send(self, take_id: str, prompt: Prompt, row: TakeRow, series: tuple[str, ...] | None = None) -> None:
        """
        Put the wish on the mailbox's own partition.

        Args:
            take_id: Names the row.
            prompt: Which date.
            row: What was asked for.
            series: The takes of the other dates, where one change of the series is for all of them.

        Raises:
            LogUnavailableError: it is not certain to stand there.
        """
        keys = self._deps.engine.keyring.keys(self._person.tenant)
        wish = TakeRoom(
            at_ms=row.at_ms,
            take_id=take_id,
            event_id="",
            event_sealed=sealed_event(keys, take_id, prompt.event_id),
            declined_room_id=prompt.room,
            room_id=row.room,
            start_ms=prompt.start_ms,
            end_ms=prompt.end_ms,
            series=series,
        )
        append_command(self._deps, self._person.mailbox, wish, take_id)

    def dismiss(self, prompt: Prompt) -> None:
        """
        Put a prompt away, for good and for this person alone: a new decline is a new prompt.

        Only open prompts of one's own can be put away, so that the declines of one's own meetings bound these rows.

        Raises:
            LogUnavailableError: nothing has changed; room_status hears of it first, and a second time changes nothing.
        """
        now_ms = self._deps.clock.now_ms()
        put_away = PromptDismissal(
            meeting=prompt.meeting, decline=prompt.id, mailbox=self._person.mailbox.id, at_ms=now_ms
        )
        self._deps.engine.log.append(
            [dismissal_record(self._person.tenant, put_away, self._deps.engine.log.partitions)]
        )
        crash_point("portal.dismissal-sent")
        row = DismissalRow(user=self._person.user, at_ms=now_ms)
        row_id = dismissal_id(prompt.id, self._person.user)
        table = tables.dismissals(self._deps.engine.registry)
        not_after_ms = max(prompt.end_ms, now_ms) + DISMISSED_MS
        table.add(self._person.tenant, row_id, row, not_after_ms=not_after_ms)

    def _list_own(self) -> list[tuple[str, TakeRow]]:
        """This person's takes of the last day, oldest first."""
        rows = self._rows.scan(self._person.tenant)
        own = [(take_id, row) for take_id, row in rows if row.user == self._person.user]
        return sorted(own, key=lambda each: each[1].at_ms)

    def _id(self, key: str) -> str:
        keys = self._deps.engine.keyring.keys(self._person.tenant)
        return f"k-{pseudonym(keys.hash_key, 'take', self._person.user, key)}"


def _require_takeable(own: Sequence[tuple[str, TakeRow]], prompt: Prompt, take_id: str, now_ms: int) -> None:
    """Refuse a take that may not be recorded. Raises ProblemError as `Takes.ask`."""
    _refuse_second(own, prompt, take_id, now_ms)
    _refuse_surplus(own, take_id, now_ms)


def _refuse_second(own: Sequence[tuple[str, TakeRow]], prompt: Prompt, take_id: str, now_ms: int) -> None:
    found = next((each for each in reversed(own) if each[1].prompt == prompt.id), None)
    if found is None or found[0] == take_id:
        return
    row = found[1]
    if row.state is TakeState.ASKED and now_ms - row.at_ms < UNDER_WAY_MS:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "take-under-way",
            say("Another room is being asked for this meeting right now."),
            next_step=say("Wait for its outcome, then choose again if it failed."),
        )


def _refuse_surplus(own: Sequence[tuple[str, TakeRow]], take_id: str, now_ms: int) -> None:
    if len(own) < MAX_TAKES or any(known == take_id for known, _ in own):
        return
    wait_s = max(own[0][1].at_ms + KEPT_MS - now_ms, 0) // SECOND_MS + 1
    raise ProblemError(
        HTTPStatus.TOO_MANY_REQUESTS,
        "takes-full",
        say("You have asked for {max_takes} rooms within a day, and more are not taken.").format(max_takes=MAX_TAKES),
        next_step=say("Try again tomorrow, or change the room in your calendar."),
        retry_after_s=wait_s,
    )


def append_command(deps: Deps, mailbox: Mailbox, wish: Command, wish_id: str = "") -> None:
    """
    Append a wish to `commands`, under the mailbox it is about.

    Raises:
        LogUnavailableError: it is not certain to stand there; send it again.
    """
    said = request.headers.get(trace.HEADER) if has_request_context() else None
    record = command_record(mailbox, wish, deps.engine.log.partitions, id=wish_id, step=trace.continue_trace(said))
    deps.engine.log.append([record])
