"""A probe that is interrupted while an event is being made knows of it, and deletes it."""

from __future__ import annotations

import os
import signal
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from typing import Any

import pytest

from cli.probe.interruption import Interruption
from shared.domain.sighting import Access
from shared.providers.trials.service import ServiceAnswer
from shared.providers.trials.trial import BeliefTrial, TrialContext, make_event, run_trials
from tests.support.builders import NOW_MS

SENT = pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])


def answer(status: HTTPStatus, **body: Any) -> ServiceAnswer:
    return ServiceAnswer(status, body)


def deleted_after(sent: signal.Signals, unbroken: Any) -> list[str]:
    """What is deleted when the signal comes after the service has made the event, and before its answer is read."""
    deleted: list[str] = []

    def ask() -> ServiceAnswer:
        os.kill(os.getpid(), sent)
        return answer(HTTPStatus.CREATED, id="e-1")

    def delete(event_id: str) -> ServiceAnswer:
        deleted.append(event_id)
        return answer(HTTPStatus.NO_CONTENT)

    def look(context: TrialContext) -> str:
        make_event(context, ask, delete)
        pytest.fail("the interruption was forgotten")

    untouched: Any = None
    context = TrialContext(
        service=untouched, access=Access("", "", ""), now_ms=NOW_MS, run="", room="", patience_s=0.0, unbroken=unbroken
    )
    with pytest.raises(KeyboardInterrupt):
        list(run_trials([BeliefTrial("a belief", look, writes=True)], context, may_write=True))
    return deleted


@pytest.mark.proves("M10")
@SENT
def test_event_that_was_being_made_is_deleted(sent: signal.Signals) -> None:
    with Interruption() as interruption:
        assert deleted_after(sent, interruption.hold) == ["e-1"]


@SENT
def test_event_is_left_behind_where_nothing_holds_the_interruption(sent: signal.Signals) -> None:
    with Interruption():
        assert deleted_after(sent, nullcontext) == []


@SENT
def test_signals_have_their_handlers_again_afterwards(sent: signal.Signals) -> None:
    before = signal.getsignal(sent)
    held: AbstractContextManager[Interruption] = Interruption()
    with held:
        assert signal.getsignal(sent) != before
    assert signal.getsignal(sent) == before
