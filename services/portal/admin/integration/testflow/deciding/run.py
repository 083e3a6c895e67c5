"""How one run of the test flow goes on: steps begun, done, left out and failed, and the run that has ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from services.portal.admin.integration.testflow.deciding.step_notes import CAME_LATE
from shared.contracts.test_run import Made, Stage, Step, TestRun, Trouble
from shared.domain.instants import SECOND_MS

__all__ = (
    "SILENT_MS",
    "Made",
    "Stage",
    "Step",
    "TestRun",
    "Trouble",
    "begin_step",
    "end_run",
    "finish_step",
    "is_silent",
    "note_lateness",
    "note_trouble",
    "skip_steps",
    "without",
)  # fmt: skip

SILENT_MS = 20 * SECOND_MS
"""A run that has given no sign of life for this long was in a process that died."""


def begin_step(run: TestRun, step: Step, now_ms: int) -> TestRun:
    """`step` is under way."""
    return msgspec.structs.replace(run, step=step, beat_at_ms=now_ms)


def finish_step(run: TestRun, step: Step, now_ms: int, note: str = "") -> TestRun:
    """`step` ended well."""
    notes = {**run.notes, step.value: note} if note else run.notes
    return msgspec.structs.replace(
        run, step=None, beat_at_ms=now_ms, passed={**run.passed, step.value: now_ms}, notes=notes
    )


def skip_steps(run: TestRun, steps: Iterable[Step], reason: str) -> TestRun:
    """These steps are not tried, for a reason that is shown with them."""
    return msgspec.structs.replace(run, notes={**run.notes, **{step.value: reason for step in steps}})


def note_lateness(took_s: float, patience_s: float) -> str:
    """
    Say that a push was late, which is not the same as never; "" for one that came as pushes mostly do.

    Microsoft names less than a minute as the mean and three minutes as the most, for calendars
    (https://learn.microsoft.com/graph/change-notifications-overview, *Latency*).

    Args:
        took_s: How long it took, in seconds.
        patience_s: How long it was waited for; a fifth of it is ordinary, which is a minute of five.
    """
    if took_s <= patience_s / 5:
        return ""
    return str(CAME_LATE.format(seconds=f"{took_s:.0f}"))


def note_trouble(run: TestRun, trouble: Trouble) -> TestRun:
    """Something went wrong; the run goes on to clean up."""
    return msgspec.structs.replace(run, step=None, beat_at_ms=trouble.at_ms, troubles=(*run.troubles, trouble))


def end_run(run: TestRun, now_ms: int) -> TestRun:
    """Passed without trouble, or failed."""
    stage = Stage.FAILED if run.troubles else Stage.PASSED
    return msgspec.structs.replace(run, stage=stage, step=None, beat_at_ms=now_ms)


def without(run: TestRun, sealed: bytes) -> TestRun:
    """What `sealed` names has been undone, or cannot be undone by anybody any more."""
    return msgspec.structs.replace(run, made=tuple(each for each in run.made if each != sealed))


def is_silent(run: TestRun, now_ms: int) -> bool:
    """Whether the run says that it is under way, and has not moved for so long that its process must have died."""
    return run.stage is Stage.RUNNING and now_ms - run.beat_at_ms > SILENT_MS
