"""The guides for a real tenant: every step can be seen and undone, and their tables say what the product does."""

from __future__ import annotations

import json
import re

import click
import pytest

from cli.main import roomsync
from services.sync_worker.deciding.mailbox import Pace, reconcile_every_ms
from shared.contracts.calendar_state import EventReference, LiveSubscription, MailboxState
from shared.domain.attendees import Answer
from shared.domain.identity import Provider
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.providers.catalogue import profile_of
from shared.runtime.settings import Settings
from tests.support.guides.guide import Step, read_steps
from tests.support.paths import ROOT

pytestmark = pytest.mark.proves("B18")
GUIDES = ("microsoft", "google")
GRAPH = "00000003-0000-0000-c000-000000000000"
PEOPLE, CHANGES, WORKING_HOURS = 10, 30, 8


def text_of(provider: str) -> str:
    return (ROOT / "docs" / f"try-{provider}.md").read_text()


STEPS = [(provider, step) for provider in GUIDES for step in read_steps(text_of(provider))]


@pytest.mark.parametrize(("provider", "step"), STEPS, ids=[f"{provider}-{step.number}" for provider, step in STEPS])
def test_every_step_says_what_is_seen_and_how_it_is_undone(provider: str, step: Step) -> None:
    assert any(act.kind == "see" and act.marked for act in step.acts), f"{provider}: {step.title}"
    assert step.undo, f"{provider}: {step.title}"


@pytest.mark.parametrize("provider", GUIDES)
def test_steps_are_numbered_without_a_gap(provider: str) -> None:
    numbers = [step.number for step in read_steps(text_of(provider))]
    assert numbers == list(range(1, len(numbers) + 1))


def permission_rows(provider: str) -> list[list[str]]:
    table = text_of(provider).partition("| permission |")[2].partition("\n\n")[0]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


@pytest.mark.parametrize("provider", GUIDES)
def test_permissions_are_those_that_the_product_asks_for(provider: str) -> None:
    scopes = profile_of(provider).scopes
    asked = {*scopes.identity, *scopes.basis, *scopes.reading, *scopes.writing, scopes.room_import}
    assert {row[0] for row in permission_rows(provider)} == {name.rpartition("/")[2] for name in asked}


@pytest.mark.parametrize("mode", ["reading", "writing"])
def test_registration_of_microsoft_lists_the_permissions_of_the_guide(mode: str) -> None:
    scopes = profile_of(Provider.MICROSOFT).scopes
    calendar = scopes.reading if mode == "reading" else scopes.writing
    ids = {name: number for name, number, *_ in permission_rows("microsoft")}
    wanted = {*scopes.identity, *scopes.basis, *calendar, scopes.room_import}
    [listed] = json.loads((ROOT / "deploy" / "entra" / f"permissions-{mode}.json").read_text())
    assert listed["resourceAppId"] == GRAPH
    assert {each["type"] for each in listed["resourceAccess"]} == {"Scope"}, "delegated permissions only"
    assert sorted(each["id"] for each in listed["resourceAccess"]) == sorted(ids[name] for name in wanted)


def looks_a_day(next_meeting_ms: int | None, hours: float) -> float:
    """How often a watched mailbox is looked at unasked within so many hours, by when its next room meeting begins."""
    settings = Settings()
    pace = Pace(int(settings.reconcile_s * 1000), int(settings.pending_silent_s * 1000), 0)
    live = LiveSubscription(id="s", key_id="k", made_at_ms=0, expires_at_ms=DAY_MS)
    state, references = MailboxState(provider="microsoft", subscription=live), {}
    if next_meeting_ms is not None:
        times = {"start_ms": next_meeting_ms, "end_ms": next_meeting_ms + HOUR_MS}
        references = {b"m": EventReference(event_id="e", uid="u", kind="single", rooms={"r": Answer.ACCEPTED}, **times)}
    return hours * HOUR_MS / reconcile_every_ms(state, references, pace, 0)


@pytest.mark.parametrize("provider", GUIDES)
def test_calls_are_counted_as_the_settings_have_them(provider: str) -> None:
    text = text_of(provider)
    busy = looks_a_day(HOUR_MS, WORKING_HOURS) + looks_a_day(12 * HOUR_MS, 24 - WORKING_HOURS)
    quiet = looks_a_day(None, 24)
    within = "on a day with a room meeting within two hours for eight hours, and within a day otherwise"
    assert f"| looks that nobody asked for, {within} | {busy:.0f} |" in text
    assert f"| the same, while no meeting with a room is within a day | {quiet:.0f} |" in text
    repeated = 2 if profile_of(provider).traits.push_may_run_ahead else 1
    total = PEOPLE * (busy + CHANGES * repeated + 24 + 3)
    assert f"about {round(total, -2):,.0f} calls" in text


@pytest.mark.parametrize("provider", GUIDES)
def test_every_command_that_is_named_exists(provider: str) -> None:
    command = re.compile(r"(?:^|[(/` ])roomsync ([a-z]+(?:-[a-z]+)*(?: [a-z]+(?:-[a-z]+)*)?)")
    named = [found[1] for line in commands(text_of(provider)) for found in command.finditer(line)]
    assert named
    for words in named:
        first, _, second = words.partition(" ")
        group = roomsync.get_command(click.Context(roomsync), first)
        assert group is not None, words
        assert not isinstance(group, click.Group) or group.get_command(click.Context(group), second), words


def commands(text: str) -> list[str]:
    """What stands in blocks to be run, and between backticks as a command."""
    blocks = re.findall(r"^```sh.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if re.search(r"(^|\(|/)roomsync [a-z]", line)]
    return [line for line in lines if "git clone" not in line] + re.findall(r"`(roomsync [a-z][^`\n]*)`", text)


def test_guides_are_found_from_where_people_begin() -> None:
    for page in ("README.md", "docs/deploy.md"):
        text = (ROOT / page).read_text()
        assert all(f"try-{provider}.md" in text for provider in GUIDES), page
