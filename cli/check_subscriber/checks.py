"""What a subscriber has to get right, one check each: what it is given, and what it has to have handled then."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.check_subscriber.trial import SubscriberTrial
from shared.contracts.published import samples

BAD_RECORDS = (b"\xff\xfe no JSON at all", b'{"id": 7, "data": "not an object"}')


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """How a check went."""

    ok: bool
    expected: str
    found: str = ""


def make_event(**more: Any) -> tuple[str, bytes]:
    """The id and the bytes of a decline that nobody has seen before."""
    event = json.loads(samples()["RoomDeclined"])
    event["id"] = f"d-check{uuid.uuid4().hex[:20]}"
    event["data"] |= {"href": f"/v1/room-rejections/{event['id']}"} | more
    return event["id"], json.dumps(event | more).encode()


def handle_sample(trial: SubscriberTrial) -> CheckFinding:
    """An ordinary event."""
    name, value = make_event()
    trial.start()
    trial.send(value)
    return _find(trial, "the sample to be handled once", name)


def handle_repeat(trial: SubscriberTrial) -> CheckFinding:
    """The same event twice, as a consumer that reads uncommitted records, or dies before its commit, may get it."""
    name, value = make_event()
    last, end = make_event()
    trial.start()
    trial.send(value, value, end)
    return _find(trial, "an event that comes twice to be handled once", name, last)


def ignore_unknown_field(trial: SubscriberTrial) -> CheckFinding:
    """An event of a later version."""
    name, value = make_event(addedlater={"nested": [1, None]})
    last, end = make_event()
    trial.start()
    trial.send(value, end)
    return _find(trial, "an event with a field that it does not know to be handled", name, last)


def pass_bad_record(trial: SubscriberTrial) -> CheckFinding:
    """What is no event, before one."""
    last, end = make_event()
    trial.start()
    trial.send(*BAD_RECORDS, end)
    return _find(trial, "the event behind a record that cannot be read to be handled", last)


def catch_up(trial: SubscriberTrial) -> CheckFinding:
    """It is stopped, events go on, and it is started again."""
    before, first = make_event()
    away = [make_event() for _ in range(3)]
    trial.start()
    trial.send(first)
    if trial.await_handled(before):
        return _find(trial, "an event to be handled before it was stopped", before)
    trial.stop()
    trial.send(*(value for _, value in away))
    trial.start()
    names = [name for name, _ in away]
    return _find(trial, "what came while it was stopped to be handled once, and nothing again", before, *names)


CHECKS: Mapping[str, Callable[[SubscriberTrial], CheckFinding]] = {
    "sample": handle_sample,
    "repeat": handle_repeat,
    "unknown-field": ignore_unknown_field,
    "bad-record": pass_bad_record,
    "day-offline": catch_up,
}


def _find(trial: SubscriberTrial, expected: str, *ids: str) -> CheckFinding:
    missing = trial.await_handled(*ids)
    repeated = [each for each in ids if trial.handled[each] > 1]
    faults = [
        f"not handled: {', '.join(missing)}" if missing else "",
        f"handled more than once: {', '.join(repeated)}" if repeated else "",
        trial.describe_end() if missing else "",
    ]
    return CheckFinding(ok=not (missing or repeated), expected=expected, found="; ".join(filter(None, faults)))
