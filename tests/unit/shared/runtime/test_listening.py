"""Where services listen, and what may be read from files: what containers need of the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.run import _child_environment
from shared.errors import ConfigurationError
from shared.runtime.settings import Settings, load

LOCAL = {
    f"ROOMSYNC_{name}_URL": "http://127.0.0.1:8103"
    for name in (
        "MICROSOFT_LOGIN", "MICROSOFT_GRAPH", "GOOGLE_AUTH", "GOOGLE_TOKEN", "GOOGLE_CALENDAR", "GOOGLE_DIRECTORY",
    )
}  # fmt: skip


def test_services_listen_on_loopback_unless_told_otherwise() -> None:
    assert (load({}).listen_host, load({}).health_port) == ("127.0.0.1", 0)
    told = load({"ROOMSYNC_LISTEN_HOST": "0.0.0.0", "ROOMSYNC_HEALTH_PORT": "8104"})
    assert (told.listen_host, told.health_port) == ("0.0.0.0", 8104)


def test_a_service_that_others_can_reach_enrols_nobody_by_itself() -> None:
    assert load(LOCAL).open_enrolment
    assert not load({**LOCAL, "ROOMSYNC_LISTEN_HOST": "0.0.0.0"}).open_enrolment
    with pytest.raises(ConfigurationError, match="ROOMSYNC_CRASH_AT"):
        load({**LOCAL, "ROOMSYNC_LISTEN_HOST": "0.0.0.0", "ROOMSYNC_CRASH_AT": "x:1"})


def test_webhooks_are_on_by_themselves_while_all_is_on_this_machine() -> None:
    assert load(LOCAL).sends_webhooks
    assert not load({**LOCAL, "ROOMSYNC_WEBHOOKS": "off"}).sends_webhooks
    elsewhere = {**LOCAL, "ROOMSYNC_PUBLIC_URL": "https://rooms.corp.example"}
    assert not load(elsewhere).sends_webhooks
    assert load({**elsewhere, "ROOMSYNC_WEBHOOKS": "on"}).sends_webhooks


@pytest.mark.parametrize("name", ["ROOMSYNC_CRASH_AT", "ROOMSYNC_TEST_WITHOUT"])
def test_what_only_tests_may_ask_for_is_refused_where_anybody_else_can_reach(name: str) -> None:
    value = "transactions" if name.endswith("WITHOUT") else "x:1"
    assert load({**LOCAL, name: value}).loopback
    with pytest.raises(ConfigurationError, match=name):
        load({**LOCAL, name: value, "ROOMSYNC_PUBLIC_URL": "https://rooms.example.org"})


def test_a_guard_that_is_not_known_cannot_be_left_out() -> None:
    with pytest.raises(ConfigurationError, match="transactions or tail-check"):
        load({**LOCAL, "ROOMSYNC_TEST_WITHOUT": "fencing"})


def test_two_workers_on_one_machine_do_not_fight_for_the_health_port() -> None:
    assert _child_environment(Settings(health_port=8104))["ROOMSYNC_HEALTH_PORT"] == "0"


def test_a_setting_may_come_from_a_file_that_is_named(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("from-a-file\n")

    assert load({"ROOMSYNC_SERVICE_TOKEN_FILE": str(secret)}).service_token == "from-a-file"
    both = {"ROOMSYNC_SERVICE_TOKEN_FILE": str(secret), "ROOMSYNC_SERVICE_TOKEN": "said"}
    assert load(both).service_token == "said"


def test_a_file_that_is_not_there_is_said_and_its_setting_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ROOMSYNC_MASTER_KEY_FILE cannot be read"):
        load({"ROOMSYNC_MASTER_KEY_FILE": str(tmp_path / "nowhere")})
