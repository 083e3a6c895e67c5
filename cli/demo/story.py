"""Plays the demo's story for one provider, and counts its outcome over HTTP, the live stream and the public topic."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from cli.demo.organisations import REFUSING, Organisation, book_meeting, ensure_decline, tomorrow_at
from cli.demo.person import PATIENCE_S, PortalSession, StreamEvent
from cli.demo.processes import PrintLine, RunningSystem, run_command
from shared.providers.catalogue import profile_of

TITLE = "Quarterly planning"
CHOICES = 3


@dataclass(slots=True)
class Tally:
    """The counts that the last line of the demo prints: each has to be 1, and no duplicates."""

    declines: int = 0
    prompts: int = 0
    rebooked: int = 0
    accepted: int = 0
    duplicates: int = 0

    @property
    def ok(self) -> bool:
        """Whether the story went as promised."""
        return asdict(self) == {"declines": 1, "prompts": 1, "rebooked": 1, "accepted": 1, "duplicates": 0}


def run_story(
    system: RunningSystem, who: Organisation, print_line: PrintLine, *, patience_s: float = PATIENCE_S
) -> Tally:
    """
    Book a meeting with a room that declines, wait for the prompt, take another room, wait until it accepts.

    Raises:
        RuntimeError: an event did not come within `patience_s` seconds; names the event.
    """
    tally = Tally()
    person = PortalSession(system.portal, patience_s=patience_s)
    try:
        person.sign_in(who.provider, who.host["address"])
        _wait_connected(person, patience_s)
        print_line("Ada has signed in, which is also the consent: her calendar is connected, nobody else's")
        prompt, room = _decline(system, who, person, tally, print_line)
        _rebook(person, prompt, room, tally, print_line)
    finally:
        person.close()
    _count_declines(system, who, tally)
    _count_repeats(person.seen, prompt["id"], tally)
    return tally


def _wait_connected(person: PortalSession, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while (status := person.get("/v1/me")["connection"]["state"]) != "connected":
        if time.monotonic() > deadline:
            message = f"the calendar was not connected within {patience_s:.0f} s: {status}"
            raise RuntimeError(message)
        time.sleep(0.1)


def _decline(
    system: RunningSystem, who: Organisation, person: PortalSession, tally: Tally, print_line: PrintLine
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Book a room that will decline, and wait for the prompt. Returns the prompt and its first choice."""
    at, room = tomorrow_at(10), REFUSING
    why = ensure_decline(system, who, at)
    book_meeting(system, who, host="Ada", title=TITLE, room=room, at=at, guests=["Cleo"])
    booked_s = time.monotonic()
    print_line(f"“{TITLE}” is booked in her calendar with {room}, {why}")
    # A page that was not connected in time (a service was being restarted) receives the newest state alone.
    seen = person.wait_for("room", states=("pending", "declined"))
    declined = seen
    if seen.data["state"] == "pending":
        print_line(f"{room} is pending{_after(seen, booked_s)}: asked, not booked")
        declined = person.wait_for("room", state="declined")
    print_line(f"{room} declined{_after(declined, booked_s)}; it gave no reason")
    prompt = person.wait_for("prompt")
    tally.prompts += 1
    profile = profile_of(who.provider)
    replaces = f" ({profile.company} is given some seconds to replace the room by itself)"
    grace = replaces if profile.traits.replaces_rooms_itself_ms else ""
    print_line(f"a prompt is on her page {prompt.at_s - declined.at_s:.1f} s after the decline was shown{grace}")
    choices = person.get(f"/v1/me/prompts/{prompt.data['id']}/choices")["choices"][:CHOICES]
    if not choices:
        message = "the prompt offered no room"
        raise RuntimeError(message)
    print_line(f"she may choose: {', '.join(choice['name'] for choice in choices)} ({choices[0]['label']})")
    return prompt.data, choices[0]


def _rebook(
    person: PortalSession, prompt: dict[str, Any], room: dict[str, Any], tally: Tally, print_line: PrintLine
) -> None:
    taken_s = time.monotonic()
    person.take(prompt["id"], room["roomId"])
    print_line(f"she takes {room['name']}")
    seen = person.wait_for("room", roomId=room["roomId"], states=("pending", "accepted"))
    tally.rebooked += 1
    accepted = seen
    if seen.data["state"] == "pending":
        print_line(f"{room['name']} is pending{_after(seen, taken_s)}, in her own calendar")
        accepted = person.wait_for("room", roomId=room["roomId"], state="accepted")
    tally.accepted += 1
    print_line(f"{room['name']} accepted{_after(accepted, taken_s)}")
    if not any(event.name == "prompt-closed" and event.data["id"] == prompt["id"] for event in person.seen):
        person.wait_for("prompt-closed", id=prompt["id"])
    print_line("the prompt has closed itself")


def _count_declines(system: RunningSystem, who: Organisation, tally: Tally) -> None:
    """Count the decline events on the public topic, as a subscriber reads it."""
    lines = run_command(["tail", "room-rejections", "--from", "beginning", "--json"], system.environ).splitlines()
    ids = [
        event["id"]
        for event in (_value(json.loads(line)) for line in lines)
        if event["data"]["provider"] == who.provider
    ]
    tally.declines = len(set(ids))
    tally.duplicates += len(ids) - len(set(ids))


def _count_repeats(seen: list[StreamEvent], prompt: str, tally: Tally) -> None:
    others = {event.data["id"] for event in seen if event.name == "prompt"} - {prompt}
    tally.prompts += len(others)


def _value(record: dict[str, Any]) -> dict[str, Any]:
    value = record["value"]
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found


def _after(event: StreamEvent, since_s: float) -> str:
    return f" after {event.at_s - since_s:.1f} s"
