"""Kills, freezes and bad roads at seeded random instants: no decline is lost, none is told twice, order is kept."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

import pytest

from tests.chaos.campaign import Campaign
from tests.chaos.servers import Servers

ROUNDS = int(os.environ.get("ROOMSYNC_CHAOS_ROUNDS", "2"))
"""Of each test."""
A_CAMPAIGN = 8
"""Rounds that fit into the days that are watched."""
SEED = int(os.environ.get("ROOMSYNC_CHAOS_SEED", "7"))
"""The same acts each time, so that a red belongs to the change before it; `make chaos` draws new ones. Instants still differ."""
FAULTS, NOTIFICATIONS = 60, 20_000
"""At least so many in the six rounds of CI."""

faults: Counter[str] = Counter()
notifications: Counter[str] = Counter()
"""By test, for the sum at the end."""


def run_campaign(name: str, campaign_of: Callable[[int], Campaign], say: Callable[[str], None]) -> None:
    """Every round comes right. A campaign is a few rounds; a long run is many campaigns, each with the next seed."""
    for first in range(0, ROUNDS, A_CAMPAIGN):
        campaign = campaign_of(SEED + first // A_CAMPAIGN)
        with campaign.running():
            for _ in range(first, min(first + A_CAMPAIGN, ROUNDS)):
                verdict = campaign.round()
                assert verdict.ok, f"again with ROOMSYNC_CHAOS_SEED={campaign.seed}: {verdict}\n{verdict.findings()}"
                assert verdict.told > 0
            say(f"what happened: {campaign.counted()}")
            faults.update(campaign.faults)
            notifications[name] += campaign.notifications


def loud(capsys: pytest.CaptureFixture[str], name: str) -> Callable[[str], None]:
    """Shows the seed and the counts, whatever pytest captures."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n{name}: {line}", end="", flush=True)

    return say


@pytest.mark.proves("D4", "D7")
def test_no_hint_and_no_decline_is_lost_or_doubled_while_services_die(capsys: pytest.CaptureFixture[str]) -> None:
    say = loud(capsys, "embedded")
    run_campaign("embedded", lambda seed: Campaign(seed, lossy=False, say=say), say)


@pytest.mark.proves("B4")
def test_declines_behind_lost_pushes_are_told_once_by_reconciliation(capsys: pytest.CaptureFixture[str]) -> None:
    say = loud(capsys, "embedded, pushes lost")
    run_campaign("lossy", lambda seed: Campaign(seed, lossy=True, say=say), say)


@pytest.mark.kafka
@pytest.mark.proves("D4", "D7")
def test_no_decline_is_lost_or_doubled_while_services_and_servers_die(
    servers: Servers, capsys: pytest.CaptureFixture[str]
) -> None:
    say = loud(capsys, "kafka")
    run_campaign("kafka", lambda seed: Campaign(seed, lossy=False, servers=servers, say=say), say)


def test_enough_was_done_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Counted from what happened: signals that were sent, points that were reached, records that stand in the log."""
    say = loud(capsys, "in all")
    say(f"{faults.total()} faults, {notifications.total()} notifications")
    played = len(notifications)
    assert faults.total() >= FAULTS * played / 3
    assert notifications.total() >= NOTIFICATIONS * played / 3
