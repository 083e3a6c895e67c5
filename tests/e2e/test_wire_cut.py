"""Cut the wire: with any part dead the journey fails, so the journey really goes through every part."""

from __future__ import annotations

import pytest

from cli.demo.organisations import create_organisation
from cli.demo.processes import SERVICES, start_system
from cli.demo.story import run_story

PATIENCE_S = 6.0


@pytest.mark.parametrize("dead", ["webhook-receiver", "sync-worker", "room-status"])
def test_journey_fails_without_a_service(dead: str) -> None:
    services = [name for name in SERVICES if name != dead]
    with start_system(engine="embedded", seed=7, servers={}, services=services) as stage:
        who = create_organisation(stage, "microsoft")
        with pytest.raises(RuntimeError, match="within"):
            run_story(stage, who, print, patience_s=PATIENCE_S)


@pytest.mark.parametrize(
    ("provider", "setting"),
    [("microsoft", "ROOMSYNC_MICROSOFT_GRAPH_URL"), ("google", "ROOMSYNC_GOOGLE_CALENDAR_URL")],
)
def test_journey_fails_with_the_providers_address_dead(provider: str, setting: str) -> None:
    with start_system(engine="embedded", seed=7, servers={}, overrides={setting: "http://127.0.0.1:9/dead"}) as stage:
        who = create_organisation(stage, provider)
        with pytest.raises(RuntimeError, match="within"):
            run_story(stage, who, print, patience_s=PATIENCE_S)
