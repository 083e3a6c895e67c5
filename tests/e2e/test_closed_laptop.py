"""A prompt reaches a closed laptop: a room declines, nobody looks, and one mail and one notice lead to the prompt's card."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from cli.demo.organisations import Organisation, book_meeting, create_organisation, ensure_decline, tomorrow_at
from cli.demo.person import PortalSession
from cli.demo.processes import SERVICES, RunningSystem, start_system
from tests.e2e.test_nothing_is_kept import kept
from tests.e2e.ticking import TickingClock
from tests.support.emptiness import found
from tests.support.mail_server import MailSink, link_in, serve_mail, text_of
from tests.support.push_browser import CONTACT, PRIVATE_KEY, PUBLIC_KEY, PushBrowser
from tests.support.waiting import wait_until
from tests.support.webhook_receiver import Receiver, start_receiver

TITLE = "Quaggasitzung XVII"
REFUSING = "Aare 4.12"
MINUTE_MS = 60_000
PUSH_PATH = "/wpush/v2/quagga-endpoint"


@dataclass(frozen=True)
class Arrived:
    """The servers by which she is told, and her browser."""

    sink: MailSink
    push: Receiver
    browser: PushBrowser

    def notices(self) -> list[dict[str, str]]:
        """What her browser was given to show."""
        return [self.browser.read(each) for each in self.push.got(PUSH_PATH)]


def book(system: RunningSystem, who: Organisation, hour: int) -> None:
    """A meeting whose room will decline."""
    at = tomorrow_at(hour)
    ensure_decline(system, who, at)
    book_meeting(system, who, host="Ada", title=TITLE, room=REFUSING, at=at, guests=["Cleo"])


def signed_in(system: RunningSystem, who: Organisation) -> PortalSession:
    person = PortalSession(system.portal)
    person.sign_in(who.provider, who.host["address"])
    deadline = time.monotonic() + 60
    while person.get("/v1/me")["connection"]["state"] != "connected":
        assert time.monotonic() < deadline, "the calendar was not connected within 60 s"
        time.sleep(0.1)
    return person


def words_in(mail: EmailMessage) -> str:
    return f"{mail['Subject']}\n{text_of(mail)}\n{text_of(mail, 'html')}"


def ask_for_notices(person: PortalSession, browser: PushBrowser) -> None:
    """Press the button on the profile, whose script posts this."""
    sent = {"endpoint": browser.endpoint, "keys": {"p256dh": browser.target.p256dh, "auth": browser.target.auth}}
    person.send("/v1/me/browsers", sent).raise_for_status()


@pytest.mark.proves("B16", "B29")
def test_a_prompt_that_nobody_looks_at_is_mailed_and_shown_in_a_browser_once_and_both_links_open_it(
    engine: str, servers: Mapping[str, str], tmp_path: Path
) -> None:
    with TickingClock(tmp_path / "clock") as clock, serve_mail() as (sink, port), start_receiver() as push:
        push.behave(PUSH_PATH, status=201)
        arrived = Arrived(sink, push, PushBrowser(f"{push.url}{PUSH_PATH}"))
        overrides = {
            "ROOMSYNC_PROMPT_GRACE_S": "0",
            "ROOMSYNC_TEST_CLOCK": str(clock.path),
            "ROOMSYNC_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "ROOMSYNC_MAIL_FROM": "rooms@corp.example",
            "ROOMSYNC_PUSH_PRIVATE_KEY": PRIVATE_KEY,
            "ROOMSYNC_PUSH_PUBLIC_KEY": PUBLIC_KEY,
            "ROOMSYNC_PUSH_CONTACT": CONTACT,
            "ROOMSYNC_PUSH_HOSTS": "127.0.0.1",
            "ROOMSYNC_WEBHOOK_ALLOWED_HOSTS": "127.0.0.1",
            "ROOMSYNC_LOG_LEVEL": "debug",
        }
        services = [*SERVICES, "notifier"]
        with start_system(engine=engine, seed=7, servers=servers, services=services, overrides=overrides) as system:
            who = create_organisation(system, "microsoft")
            person = signed_in(system, who)
            try:
                ask_for_notices(person, arrived.browser)
                acted_on(system, who, person, clock)
                looked_away(system, who, person, clock, arrived)
            finally:
                person.close()
            places = list(kept(system, servers))
        [mail], [notice] = sink.mails, arrived.notices()
        secrets = [link_in(mail).rpartition("/")[2], notice["open"].rpartition("/")[2], PUSH_PATH, PRIVATE_KEY]
        assert found(places, [mail["To"], TITLE, *secrets]) == []
        for word in (TITLE, "Cleo", "cleo@"):
            assert word not in words_in(mail)
            assert word not in repr(notice)


def acted_on(system: RunningSystem, who: Organisation, person: PortalSession, clock: TickingClock) -> None:
    """She takes another room within the minute: nobody is told."""
    book(system, who, 10)
    prompt = person.wait_for("prompt").data
    room = person.get(f"/v1/me/prompts/{prompt['id']}/choices")["choices"][0]
    person.take(prompt["id"], room["roomId"])
    person.wait_for("prompt-closed", id=prompt["id"])
    clock.jump(10 * MINUTE_MS)


def looked_away(
    system: RunningSystem, who: Organisation, person: PortalSession, clock: TickingClock, arrived: Arrived
) -> None:
    """Nobody looks: a minute later there are one mail and one notice, and the link of each leads her to the card."""
    book(system, who, 12)
    prompt = person.wait_for("prompt").data
    assert (arrived.sink.mails, arrived.notices()) == ([], [])
    clock.jump(MINUTE_MS)
    arrived.sink.wait_for(1)
    wait_until("a notice", lambda: bool(arrived.notices()))
    for link in (link_in(arrived.sink.mails[0]), arrived.notices()[0]["open"]):
        assert link.startswith(f"{system.portal}/p/")
        stranger = httpx.get(link, follow_redirects=True)
        assert stranger.url.path == "/auth/login"
        page = person.page(link.removeprefix(system.portal))
        assert prompt["id"] in page
        assert "/take" in page
    clock.jump(2 * MINUTE_MS)
