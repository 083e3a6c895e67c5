"""compose.yaml, structurally: there is no Docker where these tests run."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
import yaml

from cli.run import SERVICES
from shared.runtime.settings import PREFIX, Settings
from tests.support.paths import ROOT

HERE = ROOT / "deploy/compose"
COMPOSE: dict[str, Any] = yaml.safe_load((HERE / "compose.yaml").read_text())
EVERY: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = (*SERVICES, "topics", "operator")
FIXED = {
    "engine", "listen_host", "trusted_proxies", "public_url", "hooks_url", "topic_prefix", "kafka_bootstrap",
    "kafka_security_protocol", "kafka_sasl_mechanism", "kafka_sasl_username", "kafka_ca_file", "kafka_replication",
    "view_redis_url", "registry_redis_url", "health_port", "notifier_port", "receiver_port", "portal_port",
}  # fmt: skip
"""What follows from the servers and the door that the file itself starts."""
NOT_HERE = {
    "home", "simulator_port", "test_clock", "crash_at", "test_without",
    "google_auth_url", "google_token_url", "google_calendar_url", "google_directory_url",
}  # fmt: skip
"""Of the other engine, of the simulator, and what is refused off one machine; Google has one address, Microsoft has several."""
_CLIENTS = {"sync-worker", "notifier", "portal", "operator"}
FOR_SOME = {
    "mail_from": {"notifier", "portal"},
    "push_contact": {"notifier"},
    "microsoft_client_id": _CLIENTS,
    "google_client_id": _CLIENTS,
}
"""Settings that only these services look at."""
KNOWN = {PREFIX + item.name.upper() for item in dataclasses.fields(Settings)}
_KEYS = {
    "image", "build", "restart", "read_only", "tmpfs", "cap_drop", "security_opt", "networks", "stop_grace_period",
    "logging", "environment", "secrets", "depends_on", "healthcheck", "volumes", "entrypoint", "command", "ports",
    "profiles", "user",
}  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_a_service_uses_keys_of_the_specification_and_refers_to_what_is_there(name: str) -> None:
    service = EVERY[name]

    assert service.keys() <= _KEYS
    assert service["image"]
    assert set(service["networks"]) <= COMPOSE["networks"].keys()
    assert set(service.get("secrets", ())) <= COMPOSE["secrets"].keys()
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        assert (HERE / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
    for other, how in service.get("depends_on", {}).items():
        ending = how["condition"] == "service_completed_successfully"
        assert ending == (other == "topics")
        if not ending:
            assert "healthcheck" in EVERY[other] or other in SERVICES  # the image's own


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_write_nothing_and_become_nobody(name: str) -> None:
    service = EVERY[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", OURS)
def test_every_setting_exists_and_every_secret_comes_from_a_file_that_is_handed_over(name: str) -> None:
    for variable, value in EVERY[name]["environment"].items():
        assert variable.removesuffix("_FILE") in KNOWN
        if variable.endswith("_FILE"):
            assert value.removeprefix("/run/secrets/") in EVERY[name]["secrets"]
        assert not re.search(r"_(SECRET|TOKEN|(?<!_PUBLIC_)KEY)$", variable), "a secret in the environment"


@pytest.mark.parametrize("item", dataclasses.fields(Settings), ids=lambda item: item.name)
def test_what_an_operator_writes_into_env_reaches_every_service_that_looks_at_it(item: dataclasses.Field[Any]) -> None:
    variable = PREFIX + item.name.upper()
    given = {name for name in OURS if str(EVERY[name]["environment"].get(variable, "")).startswith(f"${{{variable}:-")}
    kept_here = item.name in FIXED | NOT_HERE or item.metadata["secret"]
    assert given == (set() if kept_here else FOR_SOME.get(item.name, set(OURS)))


@pytest.mark.parametrize("name", OURS)
def test_a_new_deployment_refuses_what_is_bound_to_no_place_and_one_that_upgrades_can_say_otherwise(name: str) -> None:
    assert EVERY[name]["environment"]["ROOMSYNC_UNBOUND_ROWS"] == "${ROOMSYNC_UNBOUND_ROWS:-refuse}"


def test_no_token_that_reads_all_organisations_is_made_or_handed_over() -> None:
    shipped = (HERE / "compose.yaml").read_text() + (HERE / "secrets.sh").read_text()
    assert "service_token" not in shipped.lower()


def test_each_store_is_opened_by_its_own_users_only() -> None:
    assert "registry_url_sync_worker" in EVERY["sync-worker"]["secrets"]
    for name in OURS:
        mine = name.replace("-", "_")
        urls = [secret for secret in EVERY[name].get("secrets", ()) if "_url_" in secret]
        assert all(secret.endswith(f"_url_{mine}") for secret in urls)
    assert EVERY["webhook-receiver"]["secrets"] == ["hook_keys"]


@pytest.mark.parametrize("name", ["webhook-receiver", "topics"])
def test_who_opens_no_tenants_key_is_not_given_the_master_key(name: str) -> None:
    assert "master_key" not in EVERY[name].get("secrets", ())
    assert not [setting for setting in EVERY[name]["environment"] if "MASTER_KEY" in setting]


def test_three_brokers_lose_one_and_go_on() -> None:
    brokers = [EVERY[f"kafka-{number}"]["environment"] for number in (1, 2, 3)]

    assert [one["KAFKA_NODE_ID"] for one in brokers] == ["1", "2", "3"]
    for number, one in enumerate(brokers, 1):
        assert one["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://kafka-{number}:9092"
        assert one["KAFKA_MIN_INSYNC_REPLICAS"] == one["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] == "2"
        assert one["KAFKA_BROKER_SESSION_TIMEOUT_MS"] == "3000"
        assert one["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == one["KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE"] == "false"
    assert all(EVERY[name]["environment"]["ROOMSYNC_KAFKA_REPLICATION"] == "3" for name in OURS)


def test_only_the_door_is_published() -> None:
    assert [name for name, service in EVERY.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert not any("internal" in COMPOSE["networks"][name] for name in ("door", "outside"))
    assert [name for name, service in EVERY.items() if "door" in service["networks"]] == ["proxy"]
    outside = {name for name, service in EVERY.items() if {"door", "outside"} & set(service["networks"])}
    assert outside == {
        "proxy",
        "sync-worker",
        "notifier",
        "portal",
        "operator",
    }  # who talks to providers or mails, and who is talked to


def test_the_door_leads_to_hooks_and_pages_and_nowhere_else() -> None:
    text = (HERE / "Caddyfile").read_text()

    assert re.findall(r"^\t@(\w+) path ", text, re.MULTILINE) == ["hooks", "pages"]  # which pages: test_doors
    assert "@hooks path /hooks/*\n" in text
    assert re.findall(r"reverse_proxy (\S+)", text) == ["webhook-receiver:8101", "portal:8102"]
    assert text.count("{") == text.count("}")
    assert "respond 404" in text


def test_the_secrets_that_are_declared_are_the_ones_that_are_made() -> None:
    script = (HERE / "secrets.sh").read_text()
    fixed = {
        "master_key",
        "hook_keys",
        "microsoft_client_secret",
        "google_client_secret",
        "smtp_url",
        "push_private_key",
    }

    assert all(name in script for name in fixed)
    assert COMPOSE["secrets"].keys() - fixed == {
        *(f"redis_{user}" for user in ("room_status", "sync_worker", "portal", "notifier", "operator")),
        *(f"registry_url_{user}" for user in ("room_status", "sync_worker", "portal", "notifier", "operator")),
        *(f"view_url_{user}" for user in ("room_status", "portal", "notifier", "operator")),
    }


def test_what_the_portal_offers_people_is_set_for_the_notifier_that_does_it_and_no_private_key_beside_it() -> None:
    portal, notifier = (EVERY[name]["environment"] for name in ("portal", "notifier"))
    offered = {"MAIL_FROM", "PUSH_PUBLIC_KEY", "CALENDAR_REMINDERS", "WEBHOOKS"}

    assert {name for name in offered if portal.get(f"ROOMSYNC_{name}", "") != notifier.get(f"ROOMSYNC_{name}")} == set()
    assert [name for name, each in EVERY.items() if "push_private_key" in each.get("secrets", ())] == ["notifier"]
