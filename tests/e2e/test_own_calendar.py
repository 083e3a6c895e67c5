"""A reminder in the person's own calendar, at both providers: it comes, is no meeting, survives a kill, and goes again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.demo.organisations import Organisation, create_organisation
from cli.demo.person import PortalSession
from cli.demo.processes import SERVICES, RunningSystem, start_system
from tests.e2e.test_closed_laptop import MINUTE_MS, TITLE, book, signed_in
from tests.e2e.ticking import TickingClock
from tests.support.office_environ import run_notifier
from tests.support.waiting import WAIT_S, wait_until

pytestmark = pytest.mark.proves("B30")
LOST = "1 meeting has lost its room"


@dataclass
class Story:
    """Somebody who asked to be reminded in their calendar, while no notifier runs."""

    system: RunningSystem
    who: Organisation
    person: PortalSession
    clock: TickingClock
    home: Path

    @contextmanager
    def notifier(self, crash_at: str = "") -> Iterator[Any]:
        """One that runs."""
        environ = {**self.system.environ, "ROOMSYNC_CRASH_AT": crash_at, "ROOMSYNC_NOTIFIER_PORT": "0"}
        with run_notifier(environ, self.home / "notifier.log") as process:
            yield process

    def reminders(self) -> list[dict[str, Any]]:
        """The events in her calendar that are no meetings, as the provider's own record has them."""
        listed = httpx.get(f"{self.system.simulator}/sim/v1/meetings").json()["meetings"]
        return [each for each in listed if each["title"] == LOST and not each["cancelled"]]

    def decline(self, hour: int) -> str:
        """A room says no; returns the prompt."""
        book(self.system, self.who, hour)
        return str(self.person.wait_for("prompt").data["id"])

    def close(self, prompt: str) -> None:
        """She takes another room."""
        room = self.person.get(f"/v1/me/prompts/{prompt}/choices")["choices"][0]
        self.person.take(prompt, room["roomId"])
        self.person.wait_for("prompt-closed", id=prompt)


def prefer(person: PortalSession, **wanted: bool) -> None:
    """How she wants to be told."""
    headers = {"X-CSRF-Token": person._csrf}
    person._http.put("/v1/me/notifications", json=wanted, headers=headers).raise_for_status()


@pytest.fixture(params=["microsoft", "google"])
def story(request: pytest.FixtureRequest, engine: str, servers: Mapping[str, str], tmp_path: Path) -> Iterator[Story]:
    with TickingClock(tmp_path / "clock") as clock:
        overrides = {
            "ROOMSYNC_PROMPT_GRACE_S": "0",
            "ROOMSYNC_TEST_CLOCK": str(clock.path),
            "ROOMSYNC_CALENDAR_REMINDERS": "on",
        }
        with start_system(engine=engine, seed=7, servers=servers, services=SERVICES, overrides=overrides) as system:
            who = create_organisation(system, request.param)
            person = signed_in(system, who)
            try:
                prefer(person, calendar=True, mail=False, quiet=False)
                yield Story(system, who, person, clock, tmp_path)
            finally:
                person.close()


def test_a_reminder_comes_once_through_a_kill_is_no_meeting_and_goes_when_the_prompt_closes(story: Story) -> None:
    prompt = story.decline(10)
    story.clock.jump(MINUTE_MS)
    with story.notifier("notifier.sent:1") as process:
        process.wait(WAIT_S)
    assert process.returncode == -9, "it was not killed between the event and its record"
    assert len(story.reminders()) == 1
    story.clock.jump(MINUTE_MS)
    with story.notifier():
        log = story.home / "notifier.log"
        wait_until("recorded", lambda: "message_accepted" in log.read_text())
        [reminder] = story.reminders()
        assert (reminder["rooms"], reminder["attendees"]) == ([], [])
        assert reminder["endMs"] - reminder["startMs"] == 5 * MINUTE_MS
        days = story.person.get("/v1/me/agenda?days=3")["days"]
        assert [item["title"] for day in days for item in day["items"]] == [TITLE]
        assert sum(day["meetings"] for day in days) == 1
        story.close(prompt)
        story.clock.jump(2 * MINUTE_MS)
        wait_until("removed", lambda: story.reminders() == [])


def test_disconnecting_takes_the_reminder_along(story: Story) -> None:
    story.decline(10)
    with story.notifier():
        story.clock.jump(MINUTE_MS)
        wait_until("a reminder", lambda: len(story.reminders()) == 1)
    story.person.send("/v1/me/calendar/disconnect", {}).raise_for_status()
    wait_until("removed", lambda: story.reminders() == [])
