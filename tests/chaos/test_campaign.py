"""Kills, freezes and bad roads at seeded random instants: no decline is lost, none is told twice, order is kept."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator

import pytest

from deploy.local.processes import ServerError
from tests.chaos.campaign import Campaign
from tests.chaos.servers import Servers, own_servers
from tests.servers import require

ROUNDS = int(os.environ.get("ROOMSYNC_CHAOS_ROUNDS", "2"))
"""Of each test."""
A_CAMPAIGN = 8
"""Rounds that fit into the days that are watched."""
SEED = int(os.environ.get("ROOMSYNC_CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.fixture
def servers() -> Iterator[Servers]:
    """A broker and Redis servers that may be broken: nobody else's."""
    try:
        with own_servers() as started:
            yield started
    except ServerError as error:
        require(str(error))


def held(campaign_of: Callable[[int], Campaign]) -> None:
    """Every round comes right. A campaign is a few rounds; a long run is many campaigns, each with the next seed."""
    for first in range(0, ROUNDS, A_CAMPAIGN):
        campaign = campaign_of(SEED + first // A_CAMPAIGN)
        with campaign.running():
            for _ in range(first, min(first + A_CAMPAIGN, ROUNDS)):
                verdict = campaign.round()
                assert verdict.ok, f"again with ROOMSYNC_CHAOS_SEED={campaign.seed}: {verdict}\n{verdict.findings()}"
                assert verdict.told > 0


def loud(capsys: pytest.CaptureFixture[str], engine: str) -> Callable[[str], None]:
    """Shows the seed and the counts, whatever pytest captures."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n{engine}: {line}", end="", flush=True)

    return say


@pytest.mark.proves("D4", "D7")
def test_no_hint_and_no_decline_is_lost_or_doubled_while_services_die(capsys: pytest.CaptureFixture[str]) -> None:
    held(lambda seed: Campaign(seed, lossy=False, say=loud(capsys, "embedded")))


@pytest.mark.proves("B4")
def test_declines_behind_lost_pushes_are_told_once_by_reconciliation(capsys: pytest.CaptureFixture[str]) -> None:
    held(lambda seed: Campaign(seed, lossy=True, say=loud(capsys, "embedded, pushes lost")))


@pytest.mark.kafka
@pytest.mark.proves("D4", "D7")
def test_no_decline_is_lost_or_doubled_while_services_and_servers_die(
    servers: Servers, capsys: pytest.CaptureFixture[str]
) -> None:
    held(lambda seed: Campaign(seed, lossy=False, servers=servers, say=loud(capsys, "kafka")))
