"""
A scenario file as data: who there is, what happens step by step, what the provider answers, and what must follow.

Pure. docs/scenarios.md says how to write one. Unknown fields are refused, so that a typing error never makes a scenario pass.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec
import yaml

from shared.decoders import convert

MAX_BYTES = 4 * 1024 * 1024
"""A larger file is refused: the largest real look that was ever turned into one has 300 kB."""


class ScenarioError(Exception):
    """A scenario file cannot be played as it stands; the message says what to change."""


class ProviderName(StrEnum):
    """Whose answers the file holds."""

    MICROSOFT = "microsoft"
    GOOGLE = "google"


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class ScriptedRoom(_Part, frozen=True):
    """A room of the organisation's list. `key` is its name within the file."""

    key: str
    address: str
    id: str = ""
    aliases: tuple[str, ...] = ()
    name: str = ""
    capacity: int = 0


class ScriptedPerson(_Part, frozen=True):
    """A person who can connect. `key` is their name within the file; `id` the provider's own id of them."""

    key: str
    id: str
    address: str
    zone: str = "UTC"


class ScriptedAnswer(_Part, frozen=True):
    """What the provider answers to a request. `when` is `METHOD /path?query` in which `*` stands for anything."""

    when: str
    status: int = 200
    headers: dict[str, str] = {}
    body: Any = None
    optional: bool = False
    """True: it is no fault if nobody asks for it."""
    times: int = 1
    """How often it may be given."""


class ExpectedOutcome(_Part, frozen=True):
    """A decline of a room on a date has ended."""

    room: str
    date: str
    reason: str


class ExpectedDecline(_Part, frozen=True):
    """A decline event that must have been told, and how often."""

    room: str
    date: str
    times: int = 1


class State(_Part, frozen=True):
    """The public state of a room on a date; `absent`: nothing is held of it."""

    room: str
    date: str
    state: str


class OpenPrompt(_Part, frozen=True):
    """A prompt that must be open for a person."""

    person: str
    room: str
    date: str


class Connection(_Part, frozen=True):
    """How a person's calendar stands: connected, suspended, revoked, none."""

    person: str
    state: str


class ExpectedRequests(_Part, frozen=True):
    """How often the provider must have been asked something since the beginning."""

    match: str
    times: int


class Expectation(_Part, frozen=True):
    """What must be true at this point. A list that is left out is not looked at."""

    declines: tuple[ExpectedDecline, ...] | None = None
    states: tuple[State, ...] | None = None
    prompts: tuple[OpenPrompt, ...] | None = None
    outcomes: tuple[ExpectedOutcome, ...] | None = None
    mailbox: tuple[Connection, ...] | None = None
    requests: tuple[ExpectedRequests, ...] | None = None


class PromptName(_Part, frozen=True):
    """A prompt by what it is about."""

    room: str
    date: str


class Dismissal(_Part, frozen=True):
    """A person puts a prompt away."""

    person: str
    room: str
    date: str


class Take(_Part, frozen=True):
    """A person chooses another room at a prompt."""

    person: str
    prompt: PromptName
    room: str


class ScriptStep(_Part, frozen=True):
    """One step: exactly one act, with what belongs to it; or an expectation alone."""

    connect: str | None = None
    look: str | None = None
    commit: str | None = None
    clock: str | None = None
    push: str | None = None
    disconnect: str | None = None
    dismiss: Dismissal | None = None
    take: Take | None = None
    restart: str | None = None
    full: bool = False
    answers: tuple[ScriptedAnswer, ...] = ()
    hold: bool = False
    expect: Expectation | None = None


class Scenario(_Part, frozen=True):
    """One file."""

    name: str
    provider: ProviderName
    now: str
    rooms: tuple[ScriptedRoom, ...] = ()
    people: tuple[ScriptedPerson, ...] = ()
    steps: tuple[ScriptStep, ...] = ()
    expect: Expectation = Expectation()
    about: str = ""
    """Where the case comes from: a public report, a page of the documentation, a case of ours."""


ACTS = ("connect", "look", "commit", "clock", "push", "disconnect", "dismiss", "take", "restart")


class _TextualDates(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types of its own
    """Leaves times as they are written: answers hold them as text, and so does the wire."""


_TextualDates.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_scenario(text: str) -> Scenario:
    """
    Read a scenario from the text of a YAML or JSON file.

    Raises:
        ScenarioError: the text is too long, is neither, or is no scenario; the message names the place.
    """
    if len(text) > MAX_BYTES:
        message = f"the file has more than {MAX_BYTES} characters; cut the answers down to what the case needs"
        raise ScenarioError(message)
    try:
        raw = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, Loader=_TextualDates)  # noqa: S506
    except (yaml.YAMLError, json.JSONDecodeError, RecursionError) as error:
        message = f"not YAML or JSON: {error}"
        raise ScenarioError(message) from error
    try:
        scenario = convert(raw, Scenario)
    except msgspec.ValidationError as error:
        message = f"not a scenario: {error}; see docs/scenarios.md"
        raise ScenarioError(message) from error
    _check(scenario)
    return scenario


def act_of(step: ScriptStep) -> str:
    """The act of a step; "" where it only expects something."""
    return next((act for act in ACTS if getattr(step, act) is not None), "")


def _check(scenario: Scenario) -> None:
    people = {person.key for person in scenario.people}
    rooms = {room.key for room in scenario.rooms}
    for number, step in enumerate(scenario.steps, 1):
        acts = [act for act in ACTS if getattr(step, act) is not None]
        if len(acts) > 1 or (not acts and step.expect is None):
            message = f"step {number} has {len(acts)} acts ({', '.join(acts)}); give each act a step of its own"
            raise ScenarioError(message)
        _known(number, "person", _people_in(step), people)
        _known(number, "room", _rooms_in(step), rooms)
    _known(len(scenario.steps) + 1, "person", _people_expected(scenario.expect), people)
    _known(len(scenario.steps) + 1, "room", _rooms_expected(scenario.expect), rooms)


def _known(number: int, kind: str, named: list[str], known: set[str]) -> None:
    for name in named:
        if name not in known:
            message = (
                f"step {number} names {kind} {name!r}; those of this file are {', '.join(sorted(known)) or 'none'}"
            )
            raise ScenarioError(message)


def _people_in(step: ScriptStep) -> list[str]:
    named = [getattr(step, act) for act in ("connect", "look", "commit", "push", "disconnect") if getattr(step, act)]
    named += [wish.person for wish in (step.dismiss, step.take) if wish is not None]
    return named + (_people_expected(step.expect) if step.expect else [])


def _rooms_in(step: ScriptStep) -> list[str]:
    named = [step.dismiss.room] if step.dismiss else []
    named += [step.take.prompt.room, step.take.room] if step.take else []
    return named + (_rooms_expected(step.expect) if step.expect else [])


def _people_expected(expected: Expectation) -> list[str]:
    return [each.person for each in expected.prompts or ()] + [each.person for each in expected.mailbox or ()]


def _rooms_expected(expected: Expectation) -> list[str]:
    named = [each.room for each in expected.declines or ()] + [each.room for each in expected.states or ()]
    return named + [each.room for each in expected.prompts or ()]


def by_key(scenario: Scenario) -> tuple[Mapping[str, ScriptedPerson], Mapping[str, ScriptedRoom]]:
    """People and rooms by the names that the file gives them."""
    return {each.key: each for each in scenario.people}, {each.key: each for each in scenario.rooms}
