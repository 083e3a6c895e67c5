"""Chat channels are added, tested and removed by those who may; an address is never shown whole, nor left unguarded."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.portal.frame.provider_calls import MAX_CHAT_TESTS
from shared.domain.roles import Role
from shared.organisations.chat_channels import find_channel
from shared.organisations.service_tokens import make_token
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office
from tests.support.emptiness import found, in_files
from tests.support.patience import PATIENCE_S
from tests.support.webhook_receiver import Receiver, start_receiver

pytestmark = pytest.mark.proves("B29")
LIST, API = "/admin/chat", "/v1/chat-channels"
SECRET = "services/T0/B0/only-the-channel-knows"


@pytest.fixture(scope="module")
def product() -> Iterator[Receiver]:
    """A chat product in a process of its own."""
    with start_receiver() as running:
        yield running


@pytest.fixture
def office(tmp_path: Path, simulator: Simulator) -> Iterator[Office]:
    """Chat may be posted to this machine alone."""
    hosts = {"chat_hosts": "127.0.0.1,hooks.slack.com,10.0.0.7", "webhook_allowed_hosts": "127.0.0.1"}
    with an_office(tmp_path / "home", simulator, **hosts) as running:
        yield running


@pytest.fixture
def chief(office: Office, ada: Browser) -> Browser:
    """Ada, who is a subscription administrator."""
    tables.users(office.engine.registry).change(
        ada.tenant,
        ada.user,
        lambda row: msgspec.structs.replace(row, roles=(Role.SUBSCRIPTION_ADMIN.value,)) if row else None,
    )
    return ada


def press(browser: Browser, path: str, **form: Any) -> Any:
    return browser.client.post(path, data={"csrf": browser.csrf, **form})


def add(browser: Browser, url: str) -> str:
    answer = press(
        browser, LIST, product="slack", name="<b>#rooms</b>", url=url, zone="Europe/Zurich", reminders="true"
    )
    assert answer.status_code == 303, answer.text
    [channel] = browser.client.get(API).json["channels"]
    return str(channel["id"])


def test_address_is_kept_sealed_and_shown_by_its_host_alone(
    office: Office, chief: Browser, product: Receiver, tmp_path: Path
) -> None:
    add(chief, f"{product.url}/{SECRET}")
    page, answer = chief.client.get(LIST).text, chief.client.get(API)
    assert "at 127.0.0.1" in page
    assert "<b>" not in page.partition("<main")[2]
    assert SECRET not in page + answer.text
    [shape] = answer.json["channels"]
    assert (shape["host"], shape["zone"], shape["reminders"], shape["refusedAt"]) == (
        "127.0.0.1", "Europe/Zurich", True, None,
    )  # fmt: skip
    assert found(in_files(tmp_path / "home"), [SECRET, "only-the-channel-knows"]) == []


def test_test_is_posted_at_once_and_says_what_the_product_answered(
    office: Office, chief: Browser, product: Receiver
) -> None:
    path = f"/{SECRET}"
    channel = add(chief, f"{product.url}{path}")
    product.behave(path, status=404)
    assert "404" in press(chief, f"{LIST}/{channel}/test").text
    row = find_channel(office.engine.registry, chief.tenant, channel)
    assert row is not None
    assert row.refusal == "404"
    product.behave(path, status=200)
    assert "has taken the message" in press(chief, f"{LIST}/{channel}/test").text
    row = find_channel(office.engine.registry, chief.tenant, channel)
    assert row is not None
    assert not row.refused_at_ms
    assert "This is a test" in product.got(path)[-1].body
    acts = [act["words"] for act in chief.client.get("/v1/admin/audit").json["acts"]]
    assert acts == ["tested a chat channel"] * 2 + ["added a chat channel"]


def test_eleventh_channel_is_refused_until_one_is_removed(office: Office, chief: Browser) -> None:
    form = {"product": "slack", "name": "#rooms", "url": "https://hooks.slack.com/services/x"}
    assert [press(chief, LIST, **form).status_code for _ in range(11)] == [303] * 10 + [409]
    first, *others = chief.client.get(API).json["channels"]
    assert len(others) == 9
    assert press(chief, f"{LIST}/{first['id']}/remove").status_code == 303
    assert press(chief, LIST, **form).status_code == 303
    assert [each["id"] for each in chief.client.get(API).json["channels"]][:9] == [each["id"] for each in others]


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com.evil.test/services/x",
        "http://hooks.slack.com/services/x",
        "https://user:pw@hooks.slack.com/x",
        "https://example.org/x",
        "https://10.0.0.7/x",
    ],
)
def test_address_elsewhere_is_refused(chief: Browser, url: str) -> None:
    answer = press(chief, LIST, product="slack", name="x", url=url)
    assert answer.status_code == 422
    assert chief.client.get(API).json["channels"] == []


def test_whoever_has_no_right_sees_and_changes_nothing(chief: Browser, ben: Browser, product: Receiver) -> None:
    channel = add(chief, f"{product.url}/{SECRET}")
    assert ben.client.get(LIST).status_code == 403
    assert ben.client.get(API).status_code == 403
    for act in ("test", "remove"):
        assert press(ben, f"{LIST}/{channel}/{act}").status_code == 403
    assert press(chief, f"{LIST}/{channel}/remove").status_code == 303
    assert chief.client.get(API).json["channels"] == []
    assert press(chief, f"{LIST}/{channel}/remove").status_code == 404


@dataclass
class Silence:
    """A product that takes every request, and answers none before it is let go."""

    url: str = ""
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def silent_product() -> Iterator[Silence]:
    silence = Silence()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            silence.asked.release()
            silence.released.wait(PATIENCE_S)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        silence.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield silence
        finally:
            silence.released.set()
            server.shutdown()
            serving.join()


def test_product_that_never_answers_holds_one_thread_of_an_organisation_and_few_of_all(office: Office) -> None:
    """Whoever has an account at a product chooses what answers there, and how late; a token is counted by no account."""
    client = office.app.test_client()

    def ask(token: dict[str, str], channel: str) -> Any:
        return office.app.test_client().post(f"{API}/{channel}/test", headers=token)

    with silent_product() as silence, ThreadPoolExecutor(MAX_CHAT_TESTS) as pool:
        tests = []
        for number in range(MAX_CHAT_TESTS + 1):
            tenant = f"t-{number}"
            office.engine.keyring.create(tenant)
            token = {"Authorization": f"Bearer {make_token(office.engine.registry, tenant, 0)[1]}"}
            sent = {"product": "slack", "name": "#rooms", "url": silence.url}
            tests.append((token, client.post(API, json=sent, headers=token).json["id"]))
        held = [pool.submit(ask, *test) for test in tests[:-1]]
        for _ in held:
            assert silence.asked.acquire(timeout=PATIENCE_S)
        for test in (tests[0], tests[-1]):  # its own is under way; all places are taken
            refused = ask(*test)
            assert refused.status_code == 503, refused.text
            assert (refused.json["code"], refused.headers["Retry-After"]) == ("chat-busy", "5")
        silence.released.set()
        assert [each.result().json["taken"] for each in held] == [True] * MAX_CHAT_TESTS
        assert ask(*tests[-1]).json["taken"]
