"""What really stands on the topics, at the pages and in the provider's log, held against what a scenario expects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from cli.scenario.answers import AnswerBook, matches
from cli.scenario.deployment import PARTITIONS, Deployment
from cli.scenario.instants import start_ms
from cli.scenario.script import Expectation, Scenario, ScenarioError
from services.room_status.operations import read_observation
from shared.contracts import envelope as envelopes
from shared.contracts.room_declined import RoomDeclined
from shared.contracts.room_outcome import RoomOutcome
from shared.contracts.topics import OBSERVATIONS, ROOM_OUTCOMES, ROOM_REJECTIONS, ROOM_STATUS
from shared.decoders import json_decoder
from shared.domain.instants import DAY_MS, to_rfc3339
from shared.errors import KeyDestroyedError
from shared.ports.log import Record

ABSENT = "absent"
_PAGE = 500

RoomDate = tuple[str, int]
"""Room key of the file (or the room's id, if the file does not name it), and the start of the date."""


@dataclass(slots=True)
class ScenarioFacts:
    """Reads what a deployment has done so far; everything is read anew at each question."""

    scenario: Scenario
    deployment: Deployment
    book: AnswerBook
    _starts: dict[str, int] = field(default_factory=dict)
    """Ask or occurrence → start, as observations name them."""
    _read: dict[int, int] = field(default_factory=dict)

    def published_declines(self) -> Counter[RoomDate]:
        """How often a decline of a room on a date was told."""
        return Counter(room_date for _, room_date in self._declines())

    def published_outcomes(self) -> Counter[tuple[str, int, str]]:
        """Room and date of each decline that ended, with the reason."""
        declines = dict(self._declines())
        events = (json_decoder(RoomOutcome).decode(record.value or b"") for record in self._records(ROOM_OUTCOMES.name))
        return Counter((*declines[event.data.decline_id], event.data.reason.value) for event in events)

    def _declines(self) -> list[tuple[str, RoomDate]]:
        """The id of each decline that was told, with its room and date."""
        self._learn_starts()
        events = [
            json_decoder(RoomDeclined).decode(record.value or b"") for record in self._records(ROOM_REJECTIONS.name)
        ]
        return [
            (event.id, (self._room(event.data.room_id), self._start(event.data.ask, event.data.occurrence_ref)))
            for event in events
        ]

    def states(self) -> dict[RoomDate, str]:
        """The newest public state of each room on each date; what has a tombstone is left out."""
        self._learn_starts()
        newest = {record.key: record.value for record in self._records(ROOM_STATUS.name)}
        found: dict[RoomDate, str] = {}
        for value in filter(None, newest.values()):
            status = json.loads(value)
            at = self._start(status["ask"], status["occurrenceRef"])
            found[self._room(status["roomId"]), at] = status["state"]
        return found

    def prompts(self) -> dict[tuple[str, str, int], str]:
        """Person, room and start of every open prompt → its id."""
        return {
            (person.key, self._room(prompt.room), prompt.start_ms): prompt.id
            for person in self.scenario.people
            for prompt in self.deployment.viewer(person.key).open_prompts()
        }

    def prompt_id(self, person: str, room: str, date: str) -> str:
        """The open prompt that a step names. Raises ScenarioError when there is none."""
        found = self.prompts()
        prompt = found.get((person, room, start_ms(date)))
        if prompt is None:
            message = f"{person} has no open prompt for {room} on {date}; open are: {_listed(found) or 'none'}"
            raise ScenarioError(message)
        return prompt

    def _learn_starts(self) -> None:
        for record in self._records(OBSERVATIONS.name):
            envelope = envelopes.decode(record.value or b"")
            try:
                seen = read_observation(record.key, envelope, self.deployment.keys)
            except KeyDestroyedError:
                continue
            for date in seen.dates:
                self._starts[self.deployment.keys.ask(date.start_ms, date.end_ms)] = date.start_ms
                self._starts[date.ref] = date.start_ms

    def _start(self, ask: str, occurrence: str) -> int:
        return self._starts.get(ask, self._starts.get(occurrence, 0))

    def _room(self, room_id: str) -> str:
        return next((key for key, found in self.deployment.rooms.items() if found == room_id), room_id)

    def _records(self, topic: str) -> Iterator[Record]:
        log = self.deployment.engine.log
        for partition in range(PARTITIONS):
            offset = 0
            while page := log.read(topic, partition, offset, limit=_PAGE):
                yield from page
                offset = page[-1].offset + 1


def differences(expected: Expectation, facts: ScenarioFacts) -> Iterator[str]:
    """A line for each difference between what a file expects at this point and what is there."""
    if expected.declines is not None:
        yield from _declines(expected, facts)
    if expected.outcomes is not None:
        yield from _outcomes(expected, facts)
    if expected.states is not None:
        yield from _states(expected, facts)
    if expected.prompts is not None:
        yield from _prompts(expected, facts)
    for each in expected.mailbox or ():
        if (found := facts.deployment.connection(each.person)) != each.state:
            yield f"mailbox of {each.person}: expected {each.state}, is {found}"
    for request in expected.requests or ():
        count = sum(matches(request.match, asked) for asked in facts.book.asked)
        if count != request.times:
            yield f"requests {request.match}: expected {request.times}, were {count}"


def _declines(expected: Expectation, facts: ScenarioFacts) -> Iterator[str]:
    wanted = Counter({(each.room, start_ms(each.date)): each.times for each in expected.declines or ()})
    told = facts.published_declines()
    for room, at in sorted({*wanted, *told}):
        if wanted[room, at] != told[room, at]:
            yield f"declines of {room} on {_at(at)}: expected {wanted[room, at]}, told {told[room, at]}"


def _outcomes(expected: Expectation, facts: ScenarioFacts) -> Iterator[str]:
    wanted = Counter((each.room, start_ms(each.date), each.reason) for each in expected.outcomes or ())
    told = facts.published_outcomes()
    for room, at, reason in sorted({*wanted, *told}):
        expectation, count = wanted[room, at, reason], told[room, at, reason]
        if expectation != count:
            yield f"outcomes of {room} on {_at(at)}, {reason}: expected {expectation}, told {count}"


def _states(expected: Expectation, facts: ScenarioFacts) -> Iterator[str]:
    found = facts.states()
    for each in expected.states or ():
        state = found.get((each.room, start_ms(each.date)), ABSENT)
        if state == "gone" and each.state == ABSENT:
            continue  # let go: the record says so until the date is past
        if state != each.state:
            yield f"state of {each.room} on {each.date}: expected {each.state}, is {state}"


def _prompts(expected: Expectation, facts: ScenarioFacts) -> Iterator[str]:
    wanted = {(each.person, each.room, start_ms(each.date)) for each in expected.prompts or ()}
    found = facts.prompts().keys()
    for person, room, at in sorted(wanted - found):
        yield f"prompt of {person} for {room} on {_at(at)}: expected open, is not"
    for person, room, at in sorted(found - wanted):
        yield f"prompt of {person} for {room} on {_at(at)}: open, expected none"


def _at(at_ms: int) -> str:
    return to_rfc3339(at_ms)[:10] if at_ms % DAY_MS == 0 else to_rfc3339(at_ms)


def _listed(found: dict[tuple[str, str, int], str]) -> str:
    return "; ".join(f"{person}: {room} on {_at(at)}" for person, room, at in sorted(found))
