"""One belief tried: what it needs, how it is tried, what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import TypeVar

from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS, to_rfc3339
from shared.domain.sighting import Access
from shared.providers.trials.service import CannotTryError, Json, Service, ServiceAnswer

T = TypeVar("T")

TITLE = "roomsync probe - a test, may be deleted"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0
_AHEAD_MS = 20 * DAY_MS
_DATES = 3
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


class TrialOutcome(StrEnum):
    """What became of a trial."""

    HOLDS = "held"
    CONTRADICTED = "not held"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The outcome for one belief, and in words why it was not tried or what was seen instead."""

    key: str
    outcome: TrialOutcome
    detail: str = ""


@dataclass(kw_only=True)
class TrialContext:
    """What a trial works with. `undo` runs backwards when the trial is over, however it ends."""

    service: Service
    access: Access
    now_ms: int
    """When the probe began, in epoch milliseconds."""
    run: str
    """Some letters of this run alone, for ids and addresses that nobody else has."""
    room: str
    """The address of a room that may be booked; "" when none was named."""
    patience_s: float
    """How long to wait for something that takes its time."""
    discovery_url: str = ""
    """Where the provider's OpenID metadata is."""
    pushes: Callable[[], int] | None = None
    """How many pushes of the person's calendar have come since the probe began; None: the deployment has no subscription to it."""
    unbroken: Callable[[], AbstractContextManager[None]] = nullcontext
    """While it is entered, whoever interrupts the probe waits: what was made has to be known before it can be cleared away."""
    undo: ExitStack = field(default_factory=ExitStack)
    left_behind: list[str] = field(default_factory=list)
    """What could not be cleared away, in words for people."""

    def eventually(self, look: Callable[[], T | None]) -> T | None:
        """Look again and again, at growing pauses, until there is something; None when patience ends."""
        ends_at, pause_s = time.monotonic() + self.patience_s, _FIRST_PAUSE_S
        while True:
            found = look()
            if found or time.monotonic() >= ends_at:
                return found
            time.sleep(min(pause_s, max(ends_at - time.monotonic(), 0.0)))
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    def start_ms(self, *, days: int = 0) -> int:
        """When the probe's meetings begin: three weeks ahead, at an odd minute of the night."""
        return (self.now_ms + _AHEAD_MS) // DAY_MS * DAY_MS + 3 * HOUR_MS + 17 * MINUTE_MS + days * DAY_MS

    def needs_room(self) -> str:
        """Return the room's address. Raises CannotTryError: none was named."""
        if not self.room:
            message = "name a room that may be booked, with --room"
            raise CannotTryError(message)
        return self.room


@dataclass(frozen=True, slots=True)
class BeliefTrial:
    """How one belief is tried. `look` returns "" if it holds, else what was seen instead."""

    key: str
    look: Callable[[TrialContext], str]
    writes: bool
    """Whether it makes events in the person's calendar."""


def wait_for_push(context: TrialContext, change: Callable[[], object], *, within_s: float) -> str:
    """
    Change the calendar and wait for the deployment's own receiver to be told.

    Args:
        context: Of the trial.
        change: Changes something that no earlier trial has changed.
        within_s: How long it may take for the belief to hold.

    Returns:
        "" if a push came in time, else how late it was.

    Raises:
        CannotTryError: nobody is subscribed to the calendar.
    """
    if context.pushes is None:
        message = "the deployment has no subscription to this calendar: let `roomsync run all` run until the person is connected"
        raise CannotTryError(message)
    count = context.pushes
    before, began = count(), time.monotonic()
    change()
    if not context.eventually(lambda: count() > before):
        return f"no push came within {context.patience_s:.0f} s"
    took_s = time.monotonic() - began
    return "" if took_s <= within_s else f"the push took {took_s:.0f} s"


def run_trials(trials: Iterable[BeliefTrial], context: TrialContext, *, may_write: bool) -> Iterator[TrialResult]:
    """
    Try beliefs one after another, and clear away after each.

    Args:
        trials: In the order of the report.
        context: Shared by them.
        may_write: False: those that make events are not tried.

    Raises:
        ServiceUnreachableError: the service does not answer.
    """
    for trial in trials:
        if trial.writes and not may_write:
            reason = "it makes events, and ROOMSYNC_WRITES=off"
            yield TrialResult(trial.key, TrialOutcome.NOT_TRIED, reason)
        else:
            yield _tried(trial, context)


def _tried(trial: BeliefTrial, context: TrialContext) -> TrialResult:
    try:
        with context.undo:
            seen = trial.look(context)
    except CannotTryError as error:
        return TrialResult(trial.key, TrialOutcome.NOT_TRIED, str(error))
    return TrialResult(trial.key, TrialOutcome.CONTRADICTED if seen else TrialOutcome.HOLDS, seen)


def make_event(
    context: TrialContext, ask: Callable[[], ServiceAnswer], delete: Callable[[str], ServiceAnswer]
) -> ServiceAnswer:
    """
    Ask for an event. If it is made, it is deleted after the trial, also where the trial is interrupted meanwhile.

    Args:
        context: Of the trial.
        ask: Sends the request that makes it.
        delete: Deletes the event of an id.
    """
    with context.unbroken():
        answer = ask()
        if answer.is_success:
            _remove_event_later(context, str(answer.body["id"]), delete)
    return answer


def created(answer: ServiceAnswer) -> Json:
    """The event that was asked for. Raises CannotTryError: making it was refused."""
    if not answer.is_success:
        message = f"making an event was refused: {answer.refusal}"
        raise CannotTryError(message)
    return answer.body


def _remove_event_later(context: TrialContext, event_id: str, delete: Callable[[str], ServiceAnswer]) -> None:
    def remove() -> str:
        gone = delete(event_id)
        return "" if gone.is_success or gone.status in _GONE else gone.refusal

    day = to_rfc3339(context.start_ms())[:10]
    _remove_later(context, remove, f"the event {TITLE!r} of {day} or later in your calendar")


def three_dates(listed: Iterable[Json]) -> list[Json]:
    """The dates of a series of the probe's, in order. Raises CannotTryError: fewer are listed than were made."""
    dates = sorted(listed, key=lambda date: str(date["start"]["dateTime"]))
    if len(dates) < _DATES:
        message = f"a series of three dates lists {len(dates)}"
        raise CannotTryError(message)
    return dates


def _remove_later(context: TrialContext, remove: Callable[[], str], what: str) -> None:
    """
    Clear something away when the trial is over.

    Args:
        context: Of the trial.
        remove: Returns "" when it is gone, else why not.
        what: The thing, for a person who has to remove it by hand.
    """

    def clear() -> None:
        try:
            refusal = remove()
        except Exception as error:  # noqa: BLE001 - the other things have to be cleared away all the same
            context.left_behind.append(f"{what} ({error})")
            return
        if refusal:
            context.left_behind.append(f"{what} ({refusal})")

    context.undo.callback(clear)
