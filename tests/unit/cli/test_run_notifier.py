"""When the notifier runs: always, since it counts declines as well; and which settings of it are refused."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx
import pytest

from cli.run import SERVICES
from shared.errors import ConfigurationError
from shared.runtime.settings import load
from tests.support.paths import ROOT
from tests.support.processes import start
from tests.support.waiting import wait_until

MAIL = {"ROOMSYNC_SMTP_URL": "smtps://mailer:secret@mail.test", "ROOMSYNC_MAIL_FROM": "Rooms <rooms@corp.test>"}


def test_all_services_are_five_whatever_is_configured() -> None:
    assert SERVICES[-1] == "notifier"
    assert len(SERVICES) == 5


@pytest.mark.proves("B17")
def test_without_a_mail_server_chat_and_webhooks_it_owns_its_partitions_and_answers_health_checks(
    tmp_path: Path,
) -> None:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("ROOMSYNC_")}
    environ |= {"PYTHONPATH": str(ROOT), "ROOMSYNC_HOME": str(tmp_path / "home")}
    environ |= {"ROOMSYNC_WEBHOOKS": "off", "ROOMSYNC_CHAT_HOSTS": "none"}
    with start([sys.executable, "-m", "cli.main", "run", "notifier"], "notifier", environ) as running:
        wait_until("it is ready", lambda: httpx.get(f"{running.url}/readyz").status_code == 200)
        for path in ("/livez", "/version", "/metrics"):
            assert httpx.get(f"{running.url}{path}").status_code == 200
        assert 'roomsync_claims{service="notifier"}' in httpx.get(f"{running.url}/metrics").text
        running.process.terminate()
        assert running.process.wait(10) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"ROOMSYNC_SMTP_URL": "mail.test:587"},
        {"ROOMSYNC_SMTP_URL": "https://mail.test"},
        {"ROOMSYNC_SMTP_URL": "smtp://"},
        {"ROOMSYNC_SMTP_URL": "smtp://mail.test:port"},
        {"ROOMSYNC_SMTP_URL": "smtp://mail.test?starttls=perhaps"},
        {"ROOMSYNC_MAIL_FROM": ""},
        {"ROOMSYNC_MAIL_FROM": "nobody"},
        {"ROOMSYNC_MAIL_FROM": "a@b.test\r\nBcc: c@d.test"},
        {"ROOMSYNC_NOTIFIER_PORT": "70000"},
        {"ROOMSYNC_WEBHOOKS": "perhaps"},
    ],
)
def test_what_cannot_be_meant_is_refused_without_repeating_a_password(changes: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load({**MAIL, **changes})
    assert next(iter(changes)) in str(refused.value)
    assert "secret" not in str(refused.value)


def test_the_mail_servers_address_is_a_secret_and_has_to_be_this_machine_for_tests() -> None:
    settings = load(MAIL)
    assert settings.shown()["smtp_url"] == "***"
    assert not settings.loopback
