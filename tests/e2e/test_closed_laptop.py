"""A prompt reaches a closed laptop: a room declines, nobody looks, and one mail leads to the prompt's card."""

from __future__ import annotations

import time
from collections.abc import Mapping
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

TITLE = "Quaggasitzung XVII"
REFUSING = "Aare 4.12"
MINUTE_MS = 60_000


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


@pytest.mark.proves("B16")
def test_a_prompt_that_nobody_looks_at_is_mailed_once_and_its_link_opens_it(
    engine: str, servers: Mapping[str, str], tmp_path: Path
) -> None:
    with TickingClock(tmp_path / "clock") as clock, serve_mail() as (sink, port):
        overrides = {
            "ROOMSYNC_PROMPT_GRACE_S": "0",
            "ROOMSYNC_TEST_CLOCK": str(clock.path),
            "ROOMSYNC_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "ROOMSYNC_MAIL_FROM": "rooms@corp.example",
            "ROOMSYNC_LOG_LEVEL": "debug",
        }
        services = [*SERVICES, "notifier"]
        with start_system(engine=engine, seed=7, servers=servers, services=services, overrides=overrides) as system:
            who = create_organisation(system, "microsoft")
            person = signed_in(system, who)
            try:
                acted_on(system, who, person, clock, sink)
                looked_away(system, who, person, clock, sink)
            finally:
                person.close()
            places = list(kept(system, servers))
        [mail] = sink.mails
        assert found(places, [mail["To"], TITLE, link_in(mail).rpartition("/")[2]]) == []
        for word in (TITLE, "Cleo", "cleo@"):
            assert word not in words_in(mail)


def acted_on(
    system: RunningSystem, who: Organisation, person: PortalSession, clock: TickingClock, sink: MailSink
) -> None:
    """She takes another room within the minute: nobody is told."""
    book(system, who, 10)
    prompt = person.wait_for("prompt").data
    room = person.get(f"/v1/me/prompts/{prompt['id']}/choices")["choices"][0]
    person.take(prompt["id"], room["roomId"])
    person.wait_for("prompt-closed", id=prompt["id"])
    clock.jump(10 * MINUTE_MS)


def looked_away(
    system: RunningSystem, who: Organisation, person: PortalSession, clock: TickingClock, sink: MailSink
) -> None:
    """Nobody looks: a minute later there is one mail, and its link leads her to the card."""
    book(system, who, 12)
    prompt = person.wait_for("prompt").data
    assert sink.mails == []
    clock.jump(MINUTE_MS)
    sink.wait_for(1)
    link = link_in(sink.mails[0])
    assert link.startswith(f"{system.portal}/p/")
    stranger = httpx.get(link, follow_redirects=True)
    assert stranger.url.path == "/auth/login"
    page = person.page(link.removeprefix(system.portal))
    assert prompt["id"] in page
    assert "/take" in page
    clock.jump(2 * MINUTE_MS)
