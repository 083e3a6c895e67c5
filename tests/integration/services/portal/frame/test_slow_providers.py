"""A provider that does not answer holds a bounded number of the server's threads, whichever way a request comes to wait for it."""

from __future__ import annotations

import dataclasses
import http.client
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from services.portal.admin.integration.testflow.run_store import Runs
from services.portal.deps import Deps
from services.portal.frame import provider_calls
from services.portal.sign_in.attempts import Purpose, SignIns
from shared.contracts.rows import IntegrationState
from shared.contracts.test_run import Made, Stage, Step, TestRun
from shared.domain.identity import Mailbox, Provider
from shared.domain.instants import MINUTE_MS
from shared.domain.keys import pseudonym
from shared.domain.sighting import Subscription
from shared.grants.endings import Endings
from shared.registry import tables
from shared.runtime.serving import serve_in_background
from tests.integration.services.portal.office import Browser, Office
from tests.support.described_answers import described_portal

CONNECTIONS = 100
THREADS = 60
"""Of the server: fewer than there are connections."""
BROWSERS = 10
PATIENCE_S = 20.0
ELSEWHERE = "127.0.0.2"
"""Another client's address."""


@dataclass
class Silence:
    """A provider that takes every request and answers none before it is let go; its token endpoint can be made to answer."""

    url: str
    released: threading.Event = field(default_factory=threading.Event)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    grants: bool = False

    def hold(self, *_: object, **__: object) -> Any:
        """Also instead of a calendar's answer."""
        self.begun.release()
        assert self.released.wait(PATIENCE_S)

    def wait_for(self, count: int) -> None:
        for number in range(count):
            assert self.begun.acquire(timeout=PATIENCE_S), f"{number} of {count} requests came to the provider"


@pytest.fixture
def silence() -> Iterator[Silence]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.hold()
            self.send_error(503)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if not found.grants:
                found.hold()
            body = b'{"access_token": "a", "refresh_token": "r", "id_token": "e30.e30.e30"}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = Silence(f"http://127.0.0.1:{server.server_address[1]}")
    yield found
    found.released.set()
    server.shutdown()
    server.server_close()


Ask = Callable[[], tuple[int, dict[str, str], str]]


@dataclass
class Portal:
    """The portal behind its server, with as many threads as it has."""

    url: str
    deps: Deps
    silence: Silence
    office: Office

    def asks(self, method: str, path: str, cookies: dict[str, str], csrf: str = "") -> Ask:
        """A request on a connection of its own."""
        parts = urlsplit(self.url)
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        body = json.dumps({"provider": "microsoft"}) if path.startswith("/v1/") else f"provider=microsoft&csrf={csrf}"
        kind = "application/json" if path.startswith("/v1/") else "application/x-www-form-urlencoded"
        headers = {"Cookie": cookie, "X-CSRF-Token": csrf, "Content-Type": kind}

        def ask() -> tuple[int, dict[str, str], str]:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2 * PATIENCE_S)
            try:
                connection.request(method, path, body if method == "POST" else None, headers)
                answer = connection.getresponse()
                return answer.status, dict(answer.getheaders()), answer.read().decode()
            finally:
                connection.close()

        return ask

    def comes_back(self, purpose: Purpose, browser: str, ada: Browser | None = None, code: str = "code") -> Ask:
        """The way back from Microsoft with a state that is good."""
        session = session_of(ada) if ada else ""
        user, cookies = (ada.user, {"roomsync_session": cookie_of(ada)}) if ada else ("", {})
        began = SignIns(self.deps.engine.registry, self.deps.clock, self.deps.session_key).begin(
            browser, Provider.MICROSOFT, "", purpose, user=user, session=session
        )
        path = f"/auth/callback?state={began.state}&code={code}"
        return self.asks("GET", path, {**cookies, "roomsync_sign_in": browser})


@pytest.fixture
def portal(office: Office, silence: Silence) -> Iterator[Portal]:
    """Microsoft's sign-in is silent."""
    with a_portal(office, silence, microsoft_login_url=f"{silence.url}/login") as found:
        yield found


@contextmanager
def a_portal(office: Office, silence: Silence, **settings: Any) -> Iterator[Portal]:
    changed = dataclasses.replace(office.settings, call_timeout_s=2 * PATIENCE_S, **settings)
    deps = dataclasses.replace(office.deps, settings=changed)
    server = serve_in_background(described_portal(deps), "portal", threads=THREADS, ready=False)
    try:
        yield Portal(server.url, deps, silence, office)
    finally:
        silence.released.set()
        server.close()


def cookie_of(browser: Browser) -> str:
    cookie = browser.client.get_cookie("roomsync_session")
    assert cookie is not None
    return str(cookie.value)


def session_of(browser: Browser) -> str:
    return pseudonym(browser.office.deps.session_key, "session", cookie_of(browser))


def put_in_test(portal: Portal, ada: Browser, run: TestRun, state: IntegrationState = IntegrationState.TESTING) -> None:
    registry = portal.deps.engine.registry
    tables.users(registry).change(
        ada.tenant, ada.user, lambda row: row and msgspec.structs.replace(row, roles=("subscription-admin",))
    )
    tables.tenants(registry).change(
        ada.tenant, "tenant", lambda row: row and msgspec.structs.replace(row, integration=state)
    )
    tables.test_runs(registry).put(ada.tenant, "run", run)


def a_run(portal: Portal, ada: Browser, **fields: Any) -> TestRun:
    now_ms = portal.deps.clock.now_ms()
    given = {"stage": Stage.CHOSEN, "beat_at_ms": now_ms, **fields}
    return TestRun(id="run", user=ada.user, provider="microsoft", began_at_ms=now_ms, **given)


def sign_in(portal: Portal, _ada: Browser) -> list[Ask]:
    names = [secrets.token_urlsafe(32) for _ in range(BROWSERS)]
    return [portal.comes_back(Purpose.ENTER, names[n % BROWSERS]) for n in range(CONNECTIONS)]


def sign_in_without_keys(portal: Portal, ada: Browser) -> list[Ask]:
    portal.silence.grants = True  # so that it waits for the metadata
    return sign_in(portal, ada)


def connecting(portal: Portal, ada: Browser) -> list[Ask]:
    return [portal.comes_back(Purpose.CONNECT, secrets.token_urlsafe(32), ada) for _ in range(CONNECTIONS)]


def importing(portal: Portal, ada: Browser) -> list[Ask]:
    return [portal.comes_back(Purpose.ROOMS, secrets.token_urlsafe(32), ada) for _ in range(CONNECTIONS)]


def proving(portal: Portal, ada: Browser) -> list[Ask]:
    return [portal.comes_back(Purpose.PROVE, secrets.token_urlsafe(32), ada) for _ in range(CONNECTIONS)]


def preflight(path: str) -> Callable[[Portal, Browser], list[Ask]]:
    def asks(portal: Portal, ada: Browser) -> list[Ask]:
        put_in_test(portal, ada, a_run(portal, ada))
        ask = portal.asks("POST", path, {"roomsync_session": cookie_of(ada)}, ada.csrf)
        return [ask] * CONNECTIONS

    return asks


def settling(portal: Portal, ada: Browser) -> list[Ask]:
    """What a process that died had enabled is finished by whoever looks: subscriptions of the other calendar are ended."""
    now_ms = portal.deps.clock.now_ms()
    run = a_run(portal, ada, stage=Stage.RUNNING, step=Step.ENABLE, beat_at_ms=now_ms - 10 * MINUTE_MS)
    put_in_test(portal, ada, run, IntegrationState.ENABLED)
    engine, mailbox = portal.deps.engine, Mailbox(ada.tenant, ada.mailbox)
    tables.consents(engine.registry).change(
        ada.tenant, ada.mailbox, lambda row: row and msgspec.structs.replace(row, provider="google")
    )
    endings = Endings(engine.registry, engine.keyring, portal.deps.broker, portal.deps.providers, portal.deps.clock)
    endings.note(mailbox, Provider.GOOGLE, [Subscription("s", "", now_ms)])
    portal.office.calendar.unsubscribe = portal.silence.hold  # type: ignore[attr-defined]
    return [portal.asks("GET", "/v1/admin/integration", {"roomsync_session": cookie_of(ada)})] * CONNECTIONS


def giving_up(method: str, path: str) -> Callable[[Portal, Browser], list[Ask]]:
    def asks(portal: Portal, ada: Browser) -> list[Ask]:
        made = Made(
            tenant=ada.tenant,
            provider="microsoft",
            mailbox=ada.mailbox,
            subject="s",
            request_id="r",
            event_id="e",
            start_ms=1,
        )
        sealed = Runs(portal.deps).sealed(ada.tenant, made)
        put_in_test(portal, ada, a_run(portal, ada, stage=Stage.FAILED, made=(sealed,)), IntegrationState.FAILED)
        portal.office.calendar.cancel = portal.silence.hold  # type: ignore[attr-defined]
        return [portal.asks(method, path, {"roomsync_session": cookie_of(ada)}, ada.csrf)] * CONNECTIONS

    return asks


WAYS: dict[str, tuple[Callable[[Portal, Browser], list[Ask]], int, set[int]]] = {
    "sign-in": (sign_in, provider_calls.MAX_PER_CLIENT, {503}),
    "sign-in, metadata": (sign_in_without_keys, provider_calls.MAX_PER_CLIENT, {503}),
    "connecting": (connecting, provider_calls.MAX_PER_PERSON, {503, 429}),
    "import of rooms": (importing, provider_calls.MAX_PER_PERSON, {503, 429}),
    "proof of a directory": (proving, provider_calls.MAX_PER_PERSON, {503, 429}),
    "preflight": (preflight("/admin/integration/test/depart"), provider_calls.MAX_PER_PERSON, {503}),
    "preflight, API": (preflight("/v1/admin/integration/test/depart"), provider_calls.MAX_PER_PERSON, {503}),
    "giving up": (giving_up("POST", "/admin/integration/test/give-up"), 1, {503, 409}),
    "giving up, API": (giving_up("DELETE", "/v1/admin/integration/test"), 1, {503, 409, 429}),
    "finishing": (settling, 1, {200}),
}
"""Name → its requests, how many of them may wait, and what the others are answered."""


@pytest.fixture
def people() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        yield pool


@pytest.mark.parametrize("way", WAYS)
def test_hundred_connections_that_wait_for_a_silent_provider_keep_nobody_else_waiting(
    way: str, portal: Portal, office: Office, ada: Browser, domain: str, people: ThreadPoolExecutor
) -> None:
    made, most, refusals = WAYS[way]
    ben = office.signed_in(f"ben@g.{domain}", "google")
    requests = [people.submit(ask) for ask in made(portal, ada)]
    try:
        answers, held = answered_but(requests, most)
        portal.silence.wait_for(most)
        assert {status for status, _, _ in answers} <= refusals
        refused = [(headers, text) for status, headers, text in answers if status == 503]
        for headers, text in refused:
            assert int(headers["Retry-After"]) > 0
            assert ("provider-slow" in text and "Nothing was done" in text) or "rebuilding" in text, text
        slow = ["provider-slow" in text for _, text in refused]
        assert slow.count(True) >= len(slow) / 2  # the others' sign-ins could not be written: a busy disk
        check_others(portal, ben, office)
        assert not any(request.done() for request in held)
    finally:
        portal.silence.released.set()
        wait(requests, PATIENCE_S)


def test_a_directory_that_does_not_answer_holds_two_threads_of_whoever_imports_rooms(
    office: Office, silence: Silence, ada: Browser, domain: str, people: ThreadPoolExecutor
) -> None:
    ben = office.signed_in(f"ben@g.{domain}", "google")
    office.calendar.directory_rooms = silence.hold  # type: ignore[method-assign]
    with a_portal(office, silence) as portal:
        tables.users(office.engine.registry).change(
            ada.tenant, ada.user, lambda row: row and msgspec.structs.replace(row, roles=("building-admin",))
        )
        requests = [people.submit(imports(portal, ada)) for _ in range(BROWSERS)]
        answers, held = answered_but(requests, provider_calls.MAX_PER_PERSON)
        silence.wait_for(len(held))
        assert {status for status, _, _ in answers} == {503}
        check_others(portal, ben, office)
        assert not any(request.done() for request in held)
        silence.released.set()
        wait(requests, PATIENCE_S)


def imports(portal: Portal, ada: Browser) -> Ask:
    """The way back from Microsoft, which has given its permission."""
    asked = portal.asks("POST", "/v1/admin/rooms/import", {"roomsync_session": cookie_of(ada)}, ada.csrf)
    status, headers, text = asked()
    assert status == 200, text
    browser = headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    back = urlsplit(portal.office.simulator.follow(json.loads(text)["location"]))
    cookies = {"roomsync_session": cookie_of(ada), "roomsync_sign_in": browser}
    return portal.asks("GET", f"{back.path}?{back.query}", cookies)


def answered_but(requests: list[Future[Any]], most: int) -> tuple[list[Any], set[Future[Any]]]:
    """All answers but of those who may wait, and the requests that do."""
    pending = set(requests)
    while len(pending) > most:
        done, pending = wait(pending, PATIENCE_S, FIRST_COMPLETED)
        assert done, f"{len(pending)} requests hold threads"
    return [each.result() for each in requests if each not in pending], pending


def check_others(portal: Portal, ben: Browser, office: Office) -> None:
    """Everything that does not wait for the silent provider is answered: pages, and a whole sign-in at the other provider."""
    session = {"roomsync_session": cookie_of(ben)}
    for path in ("/livez", "/auth/login", "/profile", "/v1/me/agenda", "/v1/me/prompts"):
        assert portal.asks("GET", path, session)()[0] == 200, path
    transport = httpx.HTTPTransport(local_address=ELSEWHERE)
    with httpx.Client(base_url=portal.url, transport=transport, timeout=PATIENCE_S) as browser:
        begun = browser.get("/auth/login", params={"provider": "google", "login_hint": "ben@g." + office_domain(ben)})
        back = urlsplit(office.simulator.follow(begun.headers["Location"]))
        assert browser.get(f"{back.path}?{back.query}").status_code == 303


def office_domain(ben: Browser) -> str:
    row = tables.tenants(ben.office.engine.registry).get(ben.tenant, "tenant")
    assert row is not None
    return row.directory.removeprefix("g.")


def test_whoever_was_refused_comes_back_with_the_same_address(
    portal: Portal, ada: Browser, people: ThreadPoolExecutor
) -> None:
    browser = secrets.token_urlsafe(32)
    asks = [portal.comes_back(Purpose.ENTER, browser) for _ in range(provider_calls.MAX_PER_PERSON + 1)]
    held = [people.submit(ask) for ask in asks[:-1]]
    portal.silence.wait_for(len(held))
    assert asks[-1]()[0] == 503
    portal.silence.released.set()
    wait(held, PATIENCE_S)
    status, _, text = asks[-1]()  # the provider was asked: the attempt had not been used up
    assert status == 503
    assert "calendar-busy" in text or "identity-not-proven" in text
    assert asks[-1]()[0] == 403  # and now it has been
