"""The guides for a real tenant, walked from their own text against the simulator, in Chromium."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from tests.support.abuse import RELEASE
from tests.support.emptiness import found, in_files
from tests.support.guides.failure import WalkError
from tests.support.guides.guide import Act, Step
from tests.support.guides.walk import PEOPLE, Walk, start_walk

pytestmark = pytest.mark.proves("B18")
TITLE = "Quaggasitzung"
WORDS = (TITLE, "ben@corp.example", "ada@corp.example")
GOING_TO_WRITES, REMOVAL = "Let people take another room from here", "Remove everything"
CHANGES_NO_CALENDAR = (
    "/subscriptions",
    "/events/watch",
    "/channels/stop",
    "/getSchedule",
    "/freeBusy",
    "/token",
    "/login",
)


@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_guide_leads_from_the_clone_to_the_pilot_and_leaves_no_trace(
    provider: str, chromium: Browser, tmp_path: Path
) -> None:
    seen = []

    def check(step: Step, act: Act) -> None:
        if step.title == GOING_TO_WRITES and not seen:
            assert written(walk) == [], "nothing is written before the guide says so"
            assert walk.sim("subscriptions"), "people are connected"
            seen.append("observed")
        if step.title == REMOVAL and "rm -rf" in act.text:
            assert found(in_files(walk.terminal.clone / ".roomsync"), WORDS) == []
            assert walk.sim("subscriptions") == []
            seen.append("removed")

    with start_walk(provider, chromium, tmp_path) as walk:
        walk.through(before=check)
        assert seen == ["observed", "removed"]
        assert [each for each in walk.sim("applications") if each["clientId"] != "roomsync"] == []
        assert [consent for name in PEOPLE for consent in consents(walk, name)] == []
        assert not walk.terminal.clone.exists()
        assert found(in_files(*(path for path in tmp_path.iterdir() if path.name != "programs")), [TITLE]) == []


def written(walk: Walk) -> list[str]:
    """Requests to a calendar that change more than subscriptions."""
    return [
        f"{each['method']} {each['path']}"
        for each in walk.sim("requests")
        if each["method"] != "GET"
        and "/sim/" not in each["path"]
        and not any(word in each["path"] for word in (*CHANGES_NO_CALENDAR, "/authorize", "/auth", "/adminconsent"))
    ]


def consents(walk: Walk, name: str) -> list[Any]:
    """What this person still grants any application."""
    answer = httpx.get(f"{walk.simulator}/sim/v1/users/{name.lower()}@corp.example/consents")
    listed: list[Any] = answer.raise_for_status().json()["consents"]
    return listed


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a guide that is left out, and what then happens."""

    provider: str
    begins: str
    """The part begins with this text."""
    ends: str
    """And ends before this one."""
    failing: str
    """The step that then fails."""
    cause: str
    """What it says."""


IMPORT, SIGN_IN = "Import the rooms", "Sign in, and confirm that it is you"
LEFT_OUT = {
    "registration": LeftOut("microsoft", "## 3. ", "## 4. ", "Say where it leads back", "Resource '' does not exist"),
    "address": LeftOut("microsoft", "## 4. ", "## 5. ", "Consent for everybody", "does not match the redirect URIs"),
    "secret": LeftOut("microsoft", "## 5. ", "## 6. ", "Write the settings", "MICROSOFT_CLIENT_SECRET is missing"),
    "assignment": LeftOut("microsoft", "  az rest", '  echo "assigned', "Consent for everybody", "AADSTS50105"),
    "tenant": LeftOut(
        "microsoft",
        'echo "ROOMSYNC_MICROSOFT_DIR',
        'echo "ROOMSYNC_MICROSOFT_CLI',
        "Consent for everybody",
        "multi-tenant",
    ),
    "consent": LeftOut("microsoft", "1. Press **Consent for everybody", "## 10. ", IMPORT, "Need admin approval"),
    "apis": LeftOut("google", "gcloud services enable", 'echo "two', IMPORT, "enables the API that lists rooms"),
    "calendar api": LeftOut(
        "google",
        "calendar-json.googleapis.com ",
        "admin.googleapis.com\n",
        "Test the integration",
        "accessNotConfigured",
    ),
    "description": LeftOut("google", "## 4. ", "## 5. ", "Make a client", "first configure your consent screen"),
    "redirect": LeftOut(
        "google", "   | Authorized redirect", "\n> **You see** `client", SIGN_IN, "redirect_uri_mismatch"
    ),
    "client": LeftOut("google", "## 5. ", "## 6. ", "Trust it, and choose who may use it", "has shown <client ID>"),
    "trust": LeftOut("google", "## 6. ", "## 7. ", IMPORT, "policy-blocks-app"),
}


LATE = {"address", "assignment", "consent", "calendar api"}
"""What is missed only after a minute's walk is left out at the size of a release alone."""


@pytest.mark.parametrize("name", [name for name in LEFT_OUT if RELEASE or name not in LATE])
def test_each_step_at_the_provider_is_needed_by_a_later_one(name: str, chromium: Browser, tmp_path: Path) -> None:
    part = LEFT_OUT[name]

    def cut(text: str) -> str:
        begin = text.index(part.begins)
        return text[:begin] + text[text.index(part.ends, begin) :]

    with start_walk(part.provider, chromium, tmp_path, cut) as walk:
        with pytest.raises(WalkError) as failure:
            walk.through()
        assert failure.value.step.endswith(f". {part.failing}"), str(failure.value)
        assert part.cause in str(failure.value), str(failure.value)


@pytest.mark.parametrize(
    ("written", "instead", "cause"),
    [
        ("**You see** `roomsync`", "**You see** `roombooking`", "“roombooking” is not to be seen"),
        ("2. Press **Sign in with", "2. Kindly press **Sign in with", "nobody knows how to do this: Kindly press"),
    ],
)
def test_guide_that_says_what_is_not_so_fails(
    written: str, instead: str, cause: str, chromium: Browser, tmp_path: Path
) -> None:
    with start_walk("microsoft", chromium, tmp_path, lambda text: text.replace(written, instead)) as walk:
        with pytest.raises(WalkError) as failure:
            walk.through()
        assert cause in str(failure.value)
