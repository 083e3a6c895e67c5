"""From the administrator's request over the notifier's process to a receiver in another one, and back to the page."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from shared.contracts.meeting_state import RoomState
from shared.domain.instants import to_rfc3339
from tests.integration.services.portal.admin.webhooks.test_endpoints import add
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office
from tests.support.office_environ import office_environ
from tests.support.processes import start
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import Receiver, start_receiver

pytestmark = pytest.mark.proves("B21")


@pytest.fixture
def office(tmp_path: Path, simulator: Simulator) -> Iterator[Office]:
    """Webhooks are on, and may go to this machine."""
    with an_office(tmp_path / "home", simulator, webhooks="on", webhook_allowed_hosts="127.0.0.1") as found:
        yield found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with start_receiver() as found:
        yield found


def notifier_environ(office: Office) -> dict[str, str]:
    """A notifier on the office's own files."""
    settings = {"webhooks": "on", "webhook_allowed_hosts": "127.0.0.1"}
    return office_environ(office.engine.keyring._master, office.home, partitions=2, **settings)


def test_what_an_administrator_asks_for_arrives_and_is_shown(
    office: Office, chief: Browser, receiver: Receiver
) -> None:
    made = add(chief, f"{receiver.url}/in")
    path = f"/v1/webhooks/{made['id']}"
    [room] = office.enter_rooms(chief.tenant, "one")
    decline = office.announce(chief, office.room(chief, room, RoomState.DECLINED))
    command = [sys.executable, "-m", "cli.main", "run", "notifier"]
    with start(command, "notifier", notifier_environ(office)):
        test = chief.post(f"{path}/test").json["id"]
        wait_until("both events", lambda: {each.id for each in receiver.got("/in")} == {decline, test})
        for got in receiver.got("/in"):
            Webhook(made["secret"]).verify(got.body, got.headers)
        [tried] = [json.loads(each.body) for each in receiver.got("/in") if each.id == test]
        assert (tried["type"], tried["id"], tried["data"]) == ("roomsync.webhook.test.v1", test, {})

        def shown() -> list[tuple[str, str]]:
            listed = chief.client.get(f"{path}/deliveries").json["deliveries"]
            return sorted((each["id"], each["state"]) for each in listed)

        wait_until("the log of deliveries", lambda: shown() == [(decline, "delivered"), (test, "delivered")])
        chief.post(f"{path}/redeliver", {"ids": [decline]})
        wait_until("it again", lambda: [each.id for each in receiver.got("/in")].count(decline) == 2)
        chief.post(f"{path}/redeliver", {"since": to_rfc3339(office.clock.now_ms() - 60_000)})
        wait_until("it once more", lambda: [each.id for each in receiver.got("/in")].count(decline) == 3)
        chief.client.delete(path, headers={"X-CSRF-Token": chief.csrf})
        wait_until("nothing of it", lambda: chief.client.get(f"{path}/deliveries").status_code == 404)
