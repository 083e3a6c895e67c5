"""The probe clears away however it ends, says what it could not remove, and only reads where nothing may be written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
import pytest

from shared.domain.identity import Provider
from shared.providers.trials.catalogue import trials_of
from shared.providers.trials.trial import TITLE
from tests.support.paths import ROOT

EACH_PROVIDER = pytest.mark.parametrize("provider", list(Provider), ids=lambda provider: provider.value)
HARMLESS = ("/getSchedule", "/freeBusy", "/token")


@pytest.fixture
def tenant(tenant_of: Callable[..., Any], provider: Provider) -> Iterator[Any]:
    found = tenant_of(provider)
    found.contradict()
    yield found
    found.contradict()


@contextmanager
def running(tenant: Any, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "cli.main", "probe", tenant.provider.value, "--room", tenant.room, *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOMSYNC_")}
    with subprocess.Popen(
        command, cwd=ROOT, env={**kept, **tenant.settings}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.proves("M10")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
@EACH_PROVIDER
def test_interrupted_probe_deletes_its_events(tenant: Any, sent: signal.Signals) -> None:
    key = f"{tenant.provider.value}.room-declines"
    tenant.contradict(key)
    with running(tenant, "--only", key, "--patience-s", "120") as process:
        end = time.monotonic() + 60
        while tenant.titles().count(TITLE) < 2:  # the second waits for an answer that never shows
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(sent)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert tenant.titles() == ["Her own"]


@pytest.mark.proves("M10")
@EACH_PROVIDER
def test_what_cannot_be_removed_is_named_and_a_finding(
    tenant: Any, probe: Callable[..., Any], provider: Provider
) -> None:
    key = "microsoft.change-key" if provider is Provider.MICROSOFT else "google.if-match"
    tenant.simulator.ask("PUT", "faults", {"throttle": {"status": 500, "path": "/events/"}})
    ran = probe(tenant, "--json", "--only", key)
    assert [(line["outcome"], line["detail"][:30]) for line in ran.lines] == [
        ("not tried", "changing an event was refused:")
    ]
    assert ran.code == 1
    assert f"could not remove the event {TITLE!r}" in ran.err
    tenant.contradict()


@pytest.mark.proves("M10", "B19")
@EACH_PROVIDER
def test_where_nothing_may_be_written_it_only_reads(tenant: Any, probe: Callable[..., Any], provider: Provider) -> None:
    before = max(each["seq"] for each in tenant.simulator.ask("GET", "requests")["requests"])
    ran = probe(tenant, "--json", ROOMSYNC_WRITES="off")
    reading = sorted(trial.key for trial in trials_of(provider) if not trial.writes)
    assert sorted(line["key"] for line in ran.lines if line["outcome"] == "held") == reading
    assert ran.code == 0
    asked = tenant.simulator.ask("GET", f"requests?after={before}")["requests"]
    assert asked
    assert [one for one in asked if one["method"] != "GET" and not one["path"].endswith(HARMLESS)] == []


@pytest.mark.proves("M10")
@EACH_PROVIDER
def test_provider_that_does_not_answer_is_exit_code_three(tenant: Any, probe: Callable[..., Any]) -> None:
    nowhere = "http://127.0.0.1:9"
    urls = {"ROOMSYNC_MICROSOFT_GRAPH_URL": nowhere, "ROOMSYNC_GOOGLE_CALENDAR_URL": nowhere,
            "ROOMSYNC_GOOGLE_AUTH_URL": f"{nowhere}/o/oauth2/v2/auth"}  # fmt: skip
    assert probe(tenant, "--json", **urls).code == 3


@pytest.mark.proves("M10")
@EACH_PROVIDER
def test_people_and_beliefs_that_are_not_there_are_usage_errors(tenant: Any, probe: Callable[..., Any]) -> None:
    with pytest.raises(click.UsageError, match="connect the calendar"):
        probe(tenant, "--person", "bob@nowhere.example")
    with pytest.raises(click.UsageError, match=r"docs/beliefs\.md"):
        probe(tenant, "--only", "microsoft.moon")
    assert probe(tenant, "--person", tenant.person.upper(), "--only", f"{tenant.provider.value}.person-id").code == 0
