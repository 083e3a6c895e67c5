"""The story the demo plays for one provider, and what it counts: everything is read over HTTP, the stream or the topic."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from cli.demo.organisations import REFUSING, Organisation, book, refusing, tomorrow_at
from cli.demo.person import PATIENCE_S, Event, Person
from cli.demo.processes import Say, Stage, run_command
from shared.providers.catalogue import profile_of

TITLE = "Quarterly planning"
CHOICES = 3


@dataclass(slots=True)
class Tally:
    """What must be one is one; the last line of the demo prints it."""

    declines: int = 0
    prompts: int = 0
    rebooked: int = 0
    accepted: int = 0
    duplicates: int = 0

    @property
    def ok(self) -> bool:
        """Whether the story went as promised."""
        return asdict(self) == {"declines": 1, "prompts": 1, "rebooked": 1, "accepted": 1, "duplicates": 0}


def play(stage: Stage, who: Organisation, say: Say, *, patience_s: float = PATIENCE_S) -> Tally:
    """
    One meeting: booked with a room that is taken, declined, prompted for, rebooked, accepted.

    Raises:
        RuntimeError: something did not come within `patience_s` seconds; says what was waited for.
    """
    tally = Tally()
    person = Person(stage.portal, patience_s=patience_s)
    try:
        person.sign_in(who.provider, who.host["address"])
        _wait_connected(person, patience_s)
        say("Ada has signed in, which is also the consent: her calendar is connected, nobody else's")
        prompt, room = _decline(stage, who, person, tally, say)
        _rebook(person, prompt, room, tally, say)
    finally:
        person.close()
    _count_declines(stage, who, tally)
    _count_repeats(person.seen, prompt["id"], tally)
    return tally


def _wait_connected(person: Person, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while (status := person.get("/v1/me")["connection"]["state"]) != "connected":
        if time.monotonic() > deadline:
            message = f"the calendar was not connected within {patience_s:.0f} s: {status}"
            raise RuntimeError(message)
        time.sleep(0.1)


def _decline(
    stage: Stage, who: Organisation, person: Person, tally: Tally, say: Say
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ada asks for a room that will say no. Returns the prompt and its first choice."""
    at, room = tomorrow_at(10), REFUSING
    why = refusing(stage, who, at)
    book(stage, who, host="Ada", title=TITLE, room=room, at=at, guests=["Cleo"])
    booked_s = time.monotonic()
    say(f"“{TITLE}” is booked in her calendar with {room}, {why}")
    # A page that could not be told in time (something was being restarted) is told the newest state alone.
    seen = person.wait_for("room", states=("pending", "declined"))
    declined = seen
    if seen.data["state"] == "pending":
        say(f"{room} is pending{_after(seen, booked_s)}: asked, not booked")
        declined = person.wait_for("room", state="declined")
    say(f"{room} declined{_after(declined, booked_s)}; it gave no reason")
    prompt = person.wait_for("prompt")
    tally.prompts += 1
    profile = profile_of(who.provider)
    replaces = f" ({profile.company} is given some seconds to replace the room by itself)"
    grace = replaces if profile.traits.replaces_rooms_itself_ms else ""
    say(f"a prompt is on her page {prompt.at_s - declined.at_s:.1f} s after the decline was shown{grace}")
    choices = person.get(f"/v1/me/prompts/{prompt.data['id']}/choices")["choices"][:CHOICES]
    if not choices:
        message = "the prompt offered no room"
        raise RuntimeError(message)
    say(f"she may choose: {', '.join(choice['name'] for choice in choices)} ({choices[0]['label']})")
    return prompt.data, choices[0]


def _rebook(person: Person, prompt: dict[str, Any], room: dict[str, Any], tally: Tally, say: Say) -> None:
    taken_s = time.monotonic()
    person.take(prompt["id"], room["roomId"])
    say(f"she takes {room['name']}")
    seen = person.wait_for("room", roomId=room["roomId"], states=("pending", "accepted"))
    tally.rebooked += 1
    accepted = seen
    if seen.data["state"] == "pending":
        say(f"{room['name']} is pending{_after(seen, taken_s)}, in her own calendar")
        accepted = person.wait_for("room", roomId=room["roomId"], state="accepted")
    tally.accepted += 1
    say(f"{room['name']} accepted{_after(accepted, taken_s)}")
    if not any(event.name == "prompt-closed" and event.data["id"] == prompt["id"] for event in person.seen):
        person.wait_for("prompt-closed", id=prompt["id"])
    say("the prompt has closed itself")


def _count_declines(stage: Stage, who: Organisation, tally: Tally) -> None:
    """On the topic, as a subscriber sees it."""
    lines = run_command(["tail", "room-rejections", "--from", "beginning", "--json"], stage.environ).splitlines()
    ids = [
        event["id"]
        for event in (_value(json.loads(line)) for line in lines)
        if event["data"]["provider"] == who.provider
    ]
    tally.declines = len(set(ids))
    tally.duplicates += len(ids) - len(set(ids))


def _count_repeats(seen: list[Event], prompt: str, tally: Tally) -> None:
    others = {event.data["id"] for event in seen if event.name == "prompt"} - {prompt}
    tally.prompts += len(others)


def _value(record: dict[str, Any]) -> dict[str, Any]:
    value = record["value"]
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found


def _after(event: Event, since_s: float) -> str:
    return f" after {event.at_s - since_s:.1f} s"
