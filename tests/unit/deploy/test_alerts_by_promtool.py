"""The alerts about what was promised, evaluated by Prometheus' own tool over series that a deployment would give."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.paths import ROOT
from tests.support.servers import require

pytestmark = pytest.mark.proves("B22")
RULES = ROOT / "deploy/alerts/roomsync.rules.yml"
LIMITS = {"page": "10.0", "mail": "120.0"}


def evaluate(
    folder: Path, series: dict[str, str], at: str, firing: dict[str, bool], provider: str = "", every: str = "1m"
) -> str:
    """
    What the tool has against these alerts being so at that moment; "" for nothing. `series` give a sample a minute.

    Of alerts that fire by provider, `provider` is the one for which they fire. The rules are evaluated `every` so often; no other
    rule is: each would be, at every moment of the days that some series last.
    """
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found = {rule["alert"]: rule for rule in group["rules"]}
    asked = folder / "asked.rules.yml"
    asked.write_text(yaml.safe_dump({"groups": [{**group, "rules": [found[name] for name in firing]}]}))
    promtool = shutil.which("promtool")
    require("" if promtool else "promtool is missing: apt-get install -y prometheus")
    expected = [
        {
            "eval_time": at,
            "alertname": name,
            "exp_alerts": [
                {
                    "exp_labels": labels_of(found[name], provider),
                    "exp_annotations": annotations_of(found[name], provider),
                }
            ]
            * fires,
        }
        for name, fires in firing.items()
    ]
    test: dict[str, Any] = {
        "rule_files": [str(asked)],
        "evaluation_interval": every,
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "alert_rule_test": expected,
            }
        ],
    }
    path = folder / "alerts.yml"
    path.write_text(yaml.safe_dump(test))
    ran = subprocess.run([str(promtool), "test", "rules", str(path)], capture_output=True, text=True, check=False)
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def labels_of(rule: dict[str, Any], provider: str) -> dict[str, str]:
    return {**rule["labels"], **({"provider": provider} if provider else {})}


def annotations_of(rule: dict[str, Any], provider: str) -> dict[str, str]:
    return {name: text.replace("{{ $labels.provider }}", provider) for name, text in rule["annotations"].items()}


def series_of(channel: str, minutes: int, late_percent: float, before: int = 0) -> dict[str, str]:
    """A hundred declines a minute, of which so many are late from minute `before` on."""
    good = 100 - late_percent
    within = f"0+100x{before} {100 * before + good}+{good}x{minutes}" if before else f"0+{good}x{minutes}"
    name = "roomsync_told_seconds"
    return {
        f'{name}_bucket{{channel="{channel}",le="{LIMITS[channel]}",instance="a"}}': within,
        f'{name}_count{{channel="{channel}",instance="a"}}': f"0+100x{before + minutes + 1}",
    }


def names(channel: str) -> tuple[str, str]:
    return f"RoomsyncToldLate{channel.title()}", f"RoomsyncToldLate{channel.title()}Slowly"


@pytest.mark.parametrize("channel", LIMITS)
def test_a_promise_that_is_kept_alarms_nobody(tmp_path: Path, channel: str) -> None:
    fast, slow = names(channel)
    series = series_of(channel, 3 * 24 * 60, 0.5)
    assert evaluate(tmp_path, series, "72h", {fast: False, slow: False}, every="15m") == ""


@pytest.mark.parametrize("channel", LIMITS)
def test_a_quick_burn_pages_within_minutes_and_a_short_one_does_not(tmp_path: Path, channel: str) -> None:
    fast, _ = names(channel)
    assert evaluate(tmp_path, series_of(channel, 120, 50, before=120), "2h5m", {fast: False}) == ""
    assert evaluate(tmp_path, series_of(channel, 120, 50, before=120), "2h30m", {fast: True}) == ""
    over = {name: values.replace("x120", "x60") for name, values in series_of(channel, 120, 0, before=120).items()}
    assert evaluate(tmp_path, over, "3h", {fast: False}) == ""


@pytest.mark.parametrize("channel", LIMITS)
def test_a_burn_of_six_times_pages_within_hours_and_a_slow_one_is_a_ticket(tmp_path: Path, channel: str) -> None:
    fast, slow = names(channel)
    assert evaluate(tmp_path, series_of(channel, 8 * 60, 8), "7h", {fast: True}) == ""
    assert evaluate(tmp_path, series_of(channel, 3 * 24 * 60, 2), "72h", {fast: False, slow: True}, every="15m") == ""


def test_one_untold_meeting_pages_and_none_does_not(tmp_path: Path) -> None:
    name = 'roomsync_roomless_untold_total{instance="a"}'
    alert = "RoomsyncRoomlessUntold"
    assert evaluate(tmp_path, {name: "0x30 1x30"}, "35m", {alert: True}) == ""
    assert evaluate(tmp_path, {name: "0x60"}, "35m", {alert: False}) == ""
    assert "exp" in evaluate(tmp_path, {name: "0x60"}, "35m", {alert: True})


def test_an_incident_is_a_ticket(tmp_path: Path) -> None:
    name = 'roomsync_decline_incidents_open{partition="3",instance="a"}'
    assert evaluate(tmp_path, {name: "0x5 1x10 0x20"}, "10m", {"RoomsyncManyRoomsAtOnce": True}) == ""
    assert evaluate(tmp_path, {name: "0x5 1x10 0x20"}, "30m", {"RoomsyncManyRoomsAtOnce": False}) == ""


@pytest.mark.proves("B21")
@pytest.mark.parametrize(("at", "fires"), [("9m", False), ("12m", True), ("60m", True), ("80m", False)])
def test_pause_of_an_endpoint_opens_a_ticket_for_an_hour(tmp_path: Path, at: str, *, fires: bool) -> None:
    series = {
        'roomsync_webhooks_paused_total{reason="gone",instance="a"}': "0x9 1x120",
        'roomsync_webhooks_paused_total{reason="failing",instance="a"}': "0x130",
    }
    assert evaluate(tmp_path, series, at, {"RoomsyncWebhookPaused": fires}) == ""


@pytest.mark.proves("B16")
def test_chat_that_is_accepted_hides_no_mail_server_that_takes_nothing(tmp_path: Path) -> None:
    series = {
        'roomsync_messages_total{channel="mail",outcome="later"}': "0+1x60",
        'roomsync_messages_total{channel="chat",outcome="accepted"}': "0+1x60",
    }
    assert evaluate(tmp_path, series, "40m", {"RoomsyncMailNotAccepted": True}) == ""


def drifting(**found: str) -> dict[str, str]:
    """A thousand dates a minute are compared at Google, of which so many differ, by kind."""
    series = {f'roomsync_drift_found_total{{provider="google",kind="{kind}"}}': each for kind, each in found.items()}
    return {'roomsync_audited_dates_total{provider="google"}': "0+1000x600", **series}


@pytest.mark.proves("M5")
@pytest.mark.parametrize(
    ("found", "fires"),
    [
        ({"answer": "0+3x600"}, True),
        ({"answer": "0+1x600", "missing": "0+1x600"}, True),
        ({"answer": "0+0.5x600"}, False),
        ({"answer": "0+0x600", "push": "0+50x600"}, False),
    ],
)
def test_drift_above_one_date_in_a_thousand_opens_a_ticket(
    tmp_path: Path, found: dict[str, str], *, fires: bool
) -> None:
    assert evaluate(tmp_path, drifting(**found), "7h", {"RoomsyncDrift": fires}, "google") == ""


@pytest.mark.proves("M5")
def test_a_few_dates_of_few_that_were_compared_open_no_ticket(tmp_path: Path) -> None:
    series = {
        'roomsync_audited_dates_total{provider="google"}': "0+1x600",
        'roomsync_drift_found_total{provider="google",kind="time"}': "0x100 4x500",
    }
    assert evaluate(tmp_path, series, "7h", {"RoomsyncDrift": False}) == ""


@pytest.mark.proves("M5")
@pytest.mark.parametrize(("upcoming", "confirmed", "fires"), [(1000, 980, True), (1000, 995, False), (0, 0, False)])
def test_room_states_that_stay_unconfirmed_open_a_ticket_and_nothing_upcoming_does_not(
    tmp_path: Path, upcoming: int, confirmed: int, *, fires: bool
) -> None:
    series = {
        'roomsync_room_states_upcoming{partition="0",provider="google"}': f"{upcoming}x60",
        'roomsync_room_states_confirmed{partition="0",provider="google"}': f"{confirmed}x60",
    }
    assert evaluate(tmp_path, series, "20m", {"RoomsyncRoomStatesUnconfirmed": False}, "google") == ""
    assert evaluate(tmp_path, series, "40m", {"RoomsyncRoomStatesUnconfirmed": fires}, "google") == ""
