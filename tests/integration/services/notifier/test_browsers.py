"""A person's browsers show what they are told of: where they asked for it, once, encrypted, content-free, until they are gone."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.notifier.channels.browser import BrowserSender, topic_of
from services.notifier.channels.port import Notice, NoticeLine, SendOutcome
from services.notifier.channels.web_push import WebPush
from services.notifier.deciding.rungs import BROWSER
from shared.contracts.browser_rows import NoticeBrowser, PushTarget
from shared.contracts.erasure import KeyClass
from shared.domain.instants import DAY_MS, HOUR_MS, SECOND_MS
from shared.organisations import decline_incidents, notice_browsers
from shared.organisations.notice_browsers import NewNoticeBrowser
from shared.registry import tables
from shared.runtime.http_post import HttpPost
from tests.integration.services.notifier.conftest import PUBLIC_URL, Desk, advance
from tests.integration.services.notifier.crowd import book, decline
from tests.integration.services.notifier.test_kills import ACCEPTED, BEFORE_ACCEPTED, RECORDED
from tests.support.builders import NOW_MS
from tests.support.emptiness import found
from tests.support.mail_server import MailSink
from tests.support.office import ADA
from tests.support.office_environ import office_environ, run_notifier
from tests.support.push_browser import CONTACT, HOSTS, PRIVATE_KEY, PUBLIC_KEY, PushBrowser, claims_of
from tests.support.waiting import WAIT_S, wait_until
from tests.support.webhook_receiver import Got, Receiver, start_receiver

pytestmark = pytest.mark.proves("B29")
SECRET = "/wpush/v2/secret-of-the-browser"


@pytest.fixture(scope="module")
def service() -> Iterator[Receiver]:
    """A push service in a process of its own."""
    with start_receiver() as running:
        yield running


@pytest.fixture
def laptop(service: Receiver, request: pytest.FixtureRequest) -> PushBrowser:
    """A browser with an endpoint of this test's own."""
    return at(service, f"{abs(hash(request.node.nodeid))}/laptop")


@pytest.fixture
def shown(desk: Desk, laptop: PushBrowser) -> Desk:
    """Ada asked for notices in it, and for no mail."""
    desk.more_channels[BROWSER] = BrowserSender(WebPush(PRIVATE_KEY, CONTACT, HOSTS, HOSTS, whole_s=1.0))
    desk.push_key = PUBLIC_KEY
    desk.take_over()
    desk.prefer(mail=False, quiet=False, zone="Europe/Zurich")
    ask(desk, laptop)
    return desk


def at(service: Receiver, name: str) -> PushBrowser:
    browser = PushBrowser(f"{service.url}{SECRET}/{name}")
    behave(service, browser, status=201)
    return browser


def path_of(browser: PushBrowser) -> str:
    return SECRET + browser.endpoint.partition(SECRET)[2]


def behave(service: Receiver, browser: PushBrowser, **manner: Any) -> None:
    service.behave(path_of(browser), **manner)


def got(service: Receiver, browser: PushBrowser) -> list[Got]:
    return service.got(path_of(browser))


def ask(desk: Desk, browser: PushBrowser, key: str = PUBLIC_KEY, user: str = "u-ada") -> None:
    new = NewNoticeBrowser(browser.target, key, "Firefox", "Linux")
    notice_browsers.add_browser(desk.engine.registry, desk.engine.keyring, desk.tenant, user, new, desk.clock.at_ms)


def listed(desk: Desk) -> list[NoticeBrowser]:
    return list(notice_browsers.list_browsers(desk.engine.registry, desk.tenant, "u-ada"))


def test_a_browser_is_told_after_a_minute_a_day_and_two_hours_before_and_of_nothing_private(
    shown: Desk, service: Receiver, laptop: PushBrowser, sink: MailSink
) -> None:
    shown.decline(hours=48)
    shown.pass_time(55)
    assert got(service, laptop) == []
    shown.pass_time(30)
    [first] = got(service, laptop)
    notice = laptop.read(first)
    assert notice["title"] == "1 meeting has lost its room"
    assert notice["body"].startswith("Aare said no: ")
    assert "UTC" not in notice["body"]
    assert notice["open"].startswith(f"{PUBLIC_URL}/p/")
    assert notice["stop"].startswith(f"{PUBLIC_URL}/p/")
    assert notice["stop"] != notice["open"]
    assert found([("notice", repr(notice).encode())], [ADA, "Planning", "uid-e1"]) == []
    wire = "\n".join(f"{name}: {value}" for name, value in first.headers.items()).encode() + first.raw
    assert found([("wire", wire)], ["Aare", "said no", ADA, shown.declines()[0], "u-ada"]) == []
    shown.pass_time(47 * 3600, 600)
    told = got(service, laptop)
    assert len(told) == 3
    assert {each.headers["topic"] for each in told} == {first.headers["topic"]}, "a newer one replaces one that waits"
    assert sink.mails == []


def test_a_message_is_signed_for_its_push_service_and_kept_as_long_as_it_is_of_use(
    shown: Desk, service: Receiver, laptop: PushBrowser
) -> None:
    shown.decline("far", hours=48)
    shown.pass_time(90)
    shown.decline("near", hours=3)
    shown.pass_time(90)
    far, near = got(service, laptop)
    assert claims_of(far)["aud"] == service.url
    assert claims_of(far)["sub"] == CONTACT
    assert 0 < claims_of(near)["exp"] - shown.clock.at_ms / SECOND_MS <= 12 * 3600
    assert int(far.headers["ttl"]) == DAY_MS // SECOND_MS
    assert 2 * 3600 < int(near.headers["ttl"]) < 3 * 3600
    assert len(far.headers["topic"]) == 32
    assert far.headers["topic"] != near.headers["topic"]


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_left_alone_and_how_it_was_reached_goes(
    shown: Desk, service: Receiver, laptop: PushBrowser, status: int
) -> None:
    behave(service, laptop, status=status)
    shown.decline("e1")
    shown.pass_time(300)
    shown.decline("e2")
    shown.pass_time(600)
    assert len(got(service, laptop)) == 1
    [browser] = listed(shown)
    assert (browser.sealed, browser.refusal) == (b"", str(status))
    assert browser.ended_at_ms > 0


@pytest.mark.parametrize("status", [400, 413])
def test_a_message_that_is_refused_for_good_is_not_sent_again_and_the_next_one_is(
    shown: Desk, service: Receiver, laptop: PushBrowser, status: int
) -> None:
    behave(service, laptop, status=status)
    shown.decline("e1")
    shown.pass_time(600)
    assert len(got(service, laptop)) == 1
    [browser] = listed(shown)
    assert (bool(browser.sealed), browser.ended_at_ms, browser.refusal) == (True, 0, str(status))
    behave(service, laptop, status=201)
    shown.decline("e2")
    shown.pass_time(90)
    assert [each.status for each in got(service, laptop)] == [status, 201]


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_a_push_service_that_asks_to_wait_or_does_not_believe_us_is_asked_when_it_said(
    shown: Desk, service: Receiver, laptop: PushBrowser, status: int
) -> None:
    behave(service, laptop, status=status, headers={"Retry-After": "300"})
    shown.decline()
    shown.pass_time(90)
    behave(service, laptop, status=201)
    shown.pass_time(240)
    assert len(got(service, laptop)) == 1
    shown.pass_time(120)
    assert [each.status for each in got(service, laptop)] == [status, 201]
    assert listed(shown)[0].refusal == ""


def test_each_browser_has_its_own_and_one_that_fails_keeps_no_other_waiting(
    shown: Desk, service: Receiver, laptop: PushBrowser
) -> None:
    phone = at(service, f"{path_of(laptop)[-20:]}/phone".replace("//", "/"))
    ask(shown, phone)
    behave(service, laptop, status=503)
    shown.decline()
    shown.pass_time(90)
    assert phone.read(got(service, phone)[0])["body"].startswith("Aare said no")
    assert got(service, phone)[0].headers["topic"] != got(service, laptop)[0].headers["topic"]
    behave(service, laptop, status=201)
    shown.pass_time(120)
    assert [each.status for each in got(service, phone)] == [201]
    assert got(service, laptop)[-1].status == 201


@pytest.mark.parametrize("act", ["switched off", "removed", "another key"])
def test_whoever_does_not_want_it_any_more_is_shown_nothing(
    shown: Desk, service: Receiver, laptop: PushBrowser, act: str
) -> None:
    shown.decline()
    shown.pass_time(30)
    if act == "switched off":
        shown.prefer(browser=False)
    elif act == "removed":
        assert notice_browsers.remove_browser(shown.engine.registry, shown.tenant, "u-ada", listed(shown)[0].id)
    else:
        ask(shown, laptop, key="B" + "x" * 86)
    shown.pass_time(600)
    assert got(service, laptop) == []


def test_a_browser_of_somebody_else_is_told_nothing_of_it(shown: Desk, service: Receiver, laptop: PushBrowser) -> None:
    """The notifier's name of a browser holds its mailbox: a row under another person is none of hers."""
    other = at(service, f"{path_of(laptop)[-20:]}/other")
    ask(shown, other, user="u-ben")
    shown.decline()
    shown.pass_time(90)
    assert (len(got(service, laptop)), got(service, other)) == (1, [])


def test_browsers_wait_while_many_rooms_say_no_at_once_and_get_one_notice(
    shown: Desk, service: Receiver, laptop: PushBrowser
) -> None:
    book(shown, 40)
    decline(shown, 40)
    shown.pass_time(600)
    assert got(service, laptop) == []
    assert decline_incidents.release(shown.engine.registry, shown.tenant, shown.clock.at_ms) is not None
    shown.pass_time(600)
    [digest] = [laptop.read(each) for each in got(service, laptop)]
    assert digest["title"] == "40 meetings have lost their room"
    assert digest["body"].count("\n") == 3
    assert digest["open"] == f"{PUBLIC_URL}/"


def test_how_a_browser_is_reached_is_sealed_and_goes_with_the_organisations_key(
    shown: Desk, laptop: PushBrowser, tmp_path: Path
) -> None:
    target = laptop.target
    stored = [(path.name, path.read_bytes()) for path in tmp_path.rglob("*") if path.is_file()]
    assert found(stored, [SECRET, target.endpoint, target.p256dh, target.auth]) == []
    tables.delete_with(shown.engine.registry, shown.tenant, KeyClass.CONSENT)
    assert listed(shown) == []


def test_the_oldest_goes_with_one_too_many_and_a_browser_that_asks_again_stays_one(
    shown: Desk, service: Receiver, laptop: PushBrowser
) -> None:
    many = [at(service, f"many/{number}") for number in range(notice_browsers.MOST_BROWSERS)]
    for each in [*many, many[0]]:
        ask(shown, each)
    ids = [notice_browsers.browser_id(each.endpoint) for each in (*many[1:], many[0])]
    assert [each.id for each in listed(shown)] == ids


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/fcm/send/x",
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://fcm.googleapis.com.evil.test/x",
        "https://user:pass@fcm.googleapis.com/x",
        "https://rooms.test/x",
    ],
)
def test_an_endpoint_that_is_no_push_services_is_never_asked(
    laptop: PushBrowser, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: pytest.fail("its name was resolved"))
    push = WebPush(PRIVATE_KEY, CONTACT, {"fcm.googleapis.com"}, frozenset(), whole_s=1.0)
    attempt = BrowserSender(push).send(a_notice(PushTarget(endpoint=endpoint, p256dh=laptop.target.p256dh, auth="")))
    assert (attempt.outcome, attempt.reason) == (SendOutcome.LATER, "address-refused")


def test_a_push_services_name_that_stands_for_a_private_address_is_not_asked(
    service: Receiver, laptop: PushBrowser
) -> None:
    port = service.url.rpartition(":")[2]
    push = WebPush(PRIVATE_KEY, CONTACT, {"fcm.googleapis.com"}, frozenset(), whole_s=1.0)
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(port)))]
    push._post = HttpPost(frozenset(), resolve=lambda *_args, **_more: inside)
    target = PushTarget(
        endpoint=f"https://fcm.googleapis.com:{port}{path_of(laptop)}",
        p256dh=laptop.target.p256dh,
        auth=laptop.target.auth,
    )
    attempt = BrowserSender(push).send(a_notice(target))
    assert (attempt.outcome, attempt.reason) == (SendOutcome.LATER, "address-refused")
    assert got(service, laptop) == []


def test_a_redirect_is_not_followed(service: Receiver, laptop: PushBrowser) -> None:
    other = at(service, f"{path_of(laptop)[-20:]}/elsewhere")
    behave(service, laptop, status=307, headers={"Location": other.endpoint})
    push = WebPush(PRIVATE_KEY, CONTACT, HOSTS, HOSTS, whole_s=1.0)
    attempt = BrowserSender(push).send(a_notice(laptop.target))
    assert (attempt.outcome, attempt.reason) == (SendOutcome.LATER, "redirect")
    assert got(service, other) == []


@pytest.mark.parametrize("key", ["", "AAAA", "B" + "A" * 86, "not base64!"])
def test_keys_that_are_none_are_no_fault_of_ours(laptop: PushBrowser, key: str) -> None:
    push = WebPush(PRIVATE_KEY, CONTACT, HOSTS, HOSTS, whole_s=1.0)
    target = PushTarget(endpoint=laptop.endpoint, p256dh=key, auth=laptop.target.auth)
    assert BrowserSender(push).send(a_notice(target)).reason == "keys-refused"


def test_the_longest_notice_fits_into_what_every_push_service_takes(service: Receiver, laptop: PushBrowser) -> None:
    line = NoticeLine("会" * 500, NOW_MS, NOW_MS + HOUR_MS, "https://rooms.test/p/" + "x" * 600)
    push = WebPush(PRIVATE_KEY, CONTACT, HOSTS, HOSTS, whole_s=1.0)
    notice = a_notice(laptop.target, *[line] * 100)
    assert BrowserSender(push).send(notice).outcome is SendOutcome.ACCEPTED
    assert len(got(service, laptop)[0].raw) <= 4_096


def test_every_notice_arrives_through_kills_and_twice_only_where_the_push_service_had_it(
    shown: Desk, service: Receiver, laptop: PushBrowser, tmp_path: Path, clock_file: Path
) -> None:
    settings = {
        "push_private_key": PRIVATE_KEY, "push_public_key": PUBLIC_KEY, "push_contact": CONTACT, "push_hosts": "127.0.0.1",
        "webhook_allowed_hosts": "127.0.0.1", "test_clock": str(clock_file),
    }  # fmt: skip
    shown.notifier.close()
    del shown.notifier
    points = [*BEFORE_ACCEPTED, *ACCEPTED, *RECORDED]
    log = tmp_path / "notifier.log"

    def ids() -> Counter[str]:
        return Counter(laptop.read(each)["id"] for each in got(service, laptop))

    for number, point in enumerate(points, 1):
        shown.decline(f"e{number}", hours=47 + number)
        advance(shown, clock_file, 61)
        crashing = office_environ(shown._master, tmp_path, **settings, crash_at=f"{point}:1")
        with run_notifier(crashing, log) as process:
            process.wait(WAIT_S)
        assert process.returncode == -9, f"{point} was not passed"
        advance(shown, clock_file, 31)
        with run_notifier(office_environ(shown._master, tmp_path, **settings), log):
            wait_until(f"told after {point}", lambda told=number: len(ids()) == told)
            wait_until("recorded", lambda told=number: log.read_text().count("message_accepted") >= told)
        advance(shown, clock_file, 600)
    assert Counter(ids().values()) == {1: len(points) - len(ACCEPTED), 2: len(ACCEPTED)}
    secrets = [SECRET, laptop.target.auth, laptop.target.p256dh, PRIVATE_KEY, ADA, "Aare"]
    assert found([("log", log.read_bytes())], secrets) == []


def a_notice(target: PushTarget, *lines: NoticeLine) -> Notice:
    return Notice(
        id="n-1",
        address="",
        lines=lines or (NoticeLine("Aare", NOW_MS + HOUR_MS, NOW_MS + 2 * HOUR_MS, "https://rooms.test/p/one"),),
        zone=None,
        page="https://rooms.test/",
        stop="https://rooms.test/p/" + "s" * 300,
        at_ms=NOW_MS,
        browser=target,
    )


def test_topics_of_two_browsers_cannot_be_compared() -> None:
    assert topic_of("https://a.test/1", "d-1") != topic_of("https://a.test/2", "d-1")
