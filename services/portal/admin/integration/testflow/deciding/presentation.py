"""A run as pages and programs see it, and the diagnosis that may be copied into a ticket: codes and times, nobody's data. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from services.portal.admin.integration.answers import StepShape, StepState, TestShape, TroubleShape
from services.portal.admin.integration.testflow.deciding.run import Stage, Step, TestRun
from services.portal.admin.integration.testflow.deciding.step_notes import read_note
from services.portal.admin.integration.testflow.deciding.troubles import TroubleCode, about
from services.portal.sign_in.refusals import Who
from shared.domain.instants import to_rfc3339
from shared.language.deciding.sentences import say

WORDS = {
    Step.CONSENT: say("Ask for the permission"),
    Step.READ: say("Read your own calendar"),
    Step.ROOM: say("Find a meeting room that can be seen"),
    Step.SUBSCRIBE: say("Subscribe to changes of your calendar"),
    Step.PUSH: say("Book a short event and be told of it"),
    Step.ANSWER: say("See the room answer"),
    Step.CLEAN_UP: say("Remove the event, the subscription and the permission"),
    Step.ENABLE: say("Enable the integration and pair the rooms"),
}
STEP_STATES: Mapping[StepState, str] = {
    "passed": say("done"),
    "failed": say("failed"),
    "running": say("under way"),
    "waiting": say("waiting"),
    "not-tried": say("not tried"),
}


def run_shape(run: TestRun, *, interrupted: bool) -> TestShape:
    """Everything that may be shown of a run."""
    troubles = [_trouble(each.code, each.provider_code, each.step, each.at_ms) for each in run.troubles]
    if interrupted and all(each["code"] != TroubleCode.INTERRUPTED for each in troubles):
        troubles.append(_trouble(TroubleCode.INTERRUPTED, "", run.step or Step.CONSENT, run.beat_at_ms))
    return {
        "id": run.id,
        "provider": run.provider,
        "stage": Stage.FAILED if interrupted else run.stage,
        "interrupted": interrupted,
        "underWay": run.stage is Stage.RUNNING and not interrupted,
        "began": to_rfc3339(run.began_at_ms),
        "steps": [_step(run, step, interrupted=interrupted) for step in Step],
        "troubles": troubles,
        "leftovers": len(run.made) if run.stage is not Stage.RUNNING or interrupted else 0,
    }


def diagnosis(run: TestShape, facts: dict[str, str]) -> str:
    """Lines for a ticket: versions, codes and times."""
    lines = ["roomsync test of the integration", *(f"{name}: {value}" for name, value in facts.items())]
    lines += [f"run: {run['id']}", f"provider: {run['provider']}", f"began: {run['began']}", f"stage: {run['stage']}"]
    lines += [
        f"step {step['step']}: {step['state']}{' at ' + step['at'] if step['at'] else ''}" for step in run["steps"]
    ]
    lines += [
        f"trouble: {each['code']} at step {each['step']}, {each['at']}"
        + (f", provider says {each['providerCode']}" if each["providerCode"] else "")
        for each in run["troubles"]
    ]
    return "\n".join(lines)


def _step(run: TestRun, step: Step, *, interrupted: bool) -> StepShape:
    state, at = _state(run, step, interrupted=interrupted)
    note = run.notes.get(step.value, "")
    return {"step": step, "words": WORDS[step], "state": state, "at": at, "note": read_note(note)}


def _state(run: TestRun, step: Step, *, interrupted: bool) -> tuple[StepState, str]:
    if step.value in run.passed:
        return "passed", to_rfc3339(run.passed[step.value])
    failed = [each.at_ms for each in run.troubles if each.step is step]
    if failed:
        return "failed", to_rfc3339(failed[0])
    if step.value in run.notes and step not in {run.step, Step.ROOM}:
        return "not-tried", ""  # left out, and the note says why
    if run.step is step:
        return ("failed" if interrupted else "running"), ""
    return "waiting" if run.stage is Stage.RUNNING and not run.troubles and not interrupted else "not-tried", ""


def _trouble(code: str, provider_code: str, step: Step, at_ms: int) -> TroubleShape:
    known = about(code)
    return {
        "code": known.code,
        "meaning": known.meaning,
        "who": Who.YOU if known.who is Who.ADMINISTRATOR else known.who,
        "next": known.next_step,
        "providerCode": provider_code,
        "step": step,
        "stepWords": WORDS[step],
        "at": to_rfc3339(at_ms),
    }
