"""Notices in Chromium: the worker shows what the notifier writes, and the button subscribes, without a push service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from services.notifier.channels.browser import BrowserNotice
from services.portal.frame.headers import CONTENT_SECURITY_POLICY
from services.portal.notifications.current_browser import FORGET
from shared.crypto.vapid import new_pair
from shared.language.deciding.negotiation import LANGUAGES
from tests.support.chromium import PATIENCE_MS
from tests.support.paths import ROOT

STATIC = ROOT / "services" / "portal" / "static"
KEY = new_pair()[1]
SIGN_OUT = "/auth/logout"
FILES = {
    "/profile/notices/worker.js": "notices/worker.js",
    "/static/notices.js": "notices.js",
    "/static/page_state.js": "page_state.js",
}
PAGE = f"""<!doctype html><title>Profile</title>
<input type="hidden" name="csrf" value="token-1">
<form method="post" action="{SIGN_OUT}"><button>Sign out</button></form>
<button type="button" data-notices-button data-application-server-key="{KEY}" hidden>Show notices</button>
<p data-notices-status data-granted="Granted." data-denied="Denied." data-failed="Failed."></p>
<ul data-notices-list>%s</ul>
<script type="module" src="/static/notices.js"></script>"""

REGISTER = """async () => {
  const registration = await navigator.serviceWorker.register("/profile/notices/worker.js", { scope: "/profile/notices/" });
  const worker = registration.installing;
  await new Promise((done) => worker.addEventListener("statechange", () => worker.state === "activated" && done()));
}"""
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.getRegistration("/profile/notices/");
  return (await registration.getNotifications()).map(({ title, body, lang, tag, data, actions }) =>
    ({ title, body, lang, tag, data, actions: actions.map(({ action, title }) => [action, title]) }));
}"""
CLICK = """async ([title, action]) => {
  const notification = (await registration.getNotifications()).find((each) => each.title === title);
  const led = [];
  clients.openWindow = (address) => led.push(address);
  const event = new NotificationEvent("notificationclick", { notification, action });
  const ends = [];
  event.waitUntil = (end) => ends.push(end);  // what no person did, a browser lets no handler wait for
  dispatchEvent(event);
  await Promise.all(ends);
  return led;
}"""
WITHOUT_PUSH_SERVICE = """
window.did = [];
const subscription = (name) => ({
  toJSON: () => ({ endpoint: `https://push.test/${name}`, expirationTime: null, keys: { p256dh: "p", auth: "a" } }),
  unsubscribe: async () => did.push(`end ${name}`),
});
PushManager.prototype.getSubscription = async () => subscription("older");
PushManager.prototype.subscribe = async (options) => { did.push(options); return subscription("newer"); };
"""

pytestmark = pytest.mark.browser


@dataclass
class Portal:
    """As much of the portal as the two scripts see of it, with its policy of content."""

    address: str = ""
    status: int = 201
    """What it answers to a browser that is added."""
    posts: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    """Path, headers and body of each."""


@pytest.fixture
def portal() -> Iterator[Portal]:
    """Serve the scripts on loopback."""
    served = Portal()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = FILES.get(self.path)
            text = (STATIC / name).read_text() if name else PAGE % ("<li>one" * len(served.posts))
            self._answer(200, "text/javascript" if name else "text/html", text)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            served.posts.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            if self.path == SIGN_OUT:
                self._answer(200, "text/html", "<h1>Signed out</h1>", {"Clear-Site-Data": FORGET})
                return
            self._answer(served.status, "application/json", '{"id": "b-1", "title": "No.", "next": "Ask later."}')

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def _answer(self, status: int, kind: str, text: str, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            self.end_headers()
            self.wfile.write(text.encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    served.address = f"http://127.0.0.1:{server.server_port}"
    yield served
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True)
class Worker:
    """The registered worker, and what a push service would have brought it."""

    context: BrowserContext
    page: Page
    devtools: CDPSession
    portal: Portal
    registration: str

    def push(self, text: str) -> None:
        """Deliver a message, decrypted."""
        message = {"origin": self.portal.address, "registrationId": self.registration, "data": text}
        self.devtools.send("ServiceWorker.deliverPushMessage", message)

    def shown(self, title: str) -> list[dict[str, object]]:
        """All notices that stand once one of this title does."""
        one = f"async (title) => {{ const all = await ({SHOWN})(); return all.some((each) => each.title === title) && all; }}"
        found: list[dict[str, object]] = self.page.wait_for_function(one, arg=title, timeout=PATIENCE_MS).json_value()
        return found

    def click(self, title: str, action: str = "") -> list[str]:
        """Click the notice, or its button, which closes it; returns the addresses that are opened."""
        found: list[str] = self.context.service_workers[0].evaluate(CLICK, [title, action])
        return found


def register(chromium: Browser, portal: Portal, locale: str = "en-GB") -> Worker:
    """Register the worker in a browser of this language that allows notices."""
    context = chromium.new_context(locale=locale)
    context.grant_permissions(["notifications"], origin=portal.address)
    page = context.new_page()
    page.goto(f"{portal.address}/profile")
    devtools = context.new_cdp_session(page)
    found: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(each["registrationId"] for each in event["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    page.evaluate(REGISTER)
    return Worker(context, page, devtools, portal, found[-1])


def notice(portal: Portal, **changes: str) -> str:
    """A message as the notifier writes it."""
    shown = BrowserNotice(
        id="m-1",
        title="1 meeting has lost its room",
        body="Aspen said no: Monday, 10:00",
        lang="en",
        tag="p-1",
        open=f"{portal.address}/p/open",
        stop=f"{portal.address}/p/stop",
        off="Switch off",
    )
    return msgspec.json.encode(msgspec.structs.replace(shown, **changes)).decode()


def test_the_worker_shows_what_the_notifier_writes_and_a_newer_one_in_its_place(
    chromium: Browser, portal: Portal
) -> None:
    worker = register(chromium, portal)
    worker.push(notice(portal))
    [shown] = worker.shown("1 meeting has lost its room")
    assert (shown["body"], shown["lang"], shown["tag"]) == ("Aspen said no: Monday, 10:00", "en", "p-1")
    assert shown["actions"] == [["stop", "Switch off"]]

    worker.push(notice(portal, id="m-2", title="2 meetings have lost their room"))
    assert len(worker.shown("2 meetings have lost their room")) == 1
    worker.context.close()


@pytest.mark.parametrize(("language", "text"), [*zip(LANGUAGES, ("", "no json", "null", "{}"), strict=True)])
def test_a_message_that_cannot_be_read_is_shown_as_news_in_the_browsers_language(
    chromium: Browser, portal: Portal, language: str, text: str
) -> None:
    worker = register(chromium, portal, language)
    worker.push(text)
    [shown] = worker.shown("roomsync")
    assert (shown["lang"], shown["actions"]) == (language, [])
    assert shown["body"]
    worker.context.close()


def test_a_click_leads_to_the_signed_link_and_never_to_another_origin(chromium: Browser, portal: Portal) -> None:
    worker = register(chromium, portal)
    worker.push(notice(portal, title="Ours", tag="p-1"))
    worker.shown("Ours")
    assert worker.click("Ours") == [f"{portal.address}/p/open"]

    elsewhere = {"open": "https://elsewhere.test/", "stop": "https://elsewhere.test/stop"}
    worker.push(notice(portal, title="Elsewhere", tag="p-2", **elsewhere))
    shown = {each["title"]: each for each in worker.shown("Elsewhere")}["Elsewhere"]
    assert shown["actions"] == []
    assert worker.click("Elsewhere") == [f"{portal.address}/"]
    worker.context.close()


def test_the_notices_button_posts_the_link_that_ends_them_and_opens_it_where_that_fails(
    chromium: Browser, portal: Portal
) -> None:
    worker = register(chromium, portal)
    for title, status, led in (("Taken", 200, []), ("Away", 503, [f"{portal.address}/p/stop"])):
        portal.status = status
        worker.push(notice(portal, title=title, tag=title))
        worker.shown(title)
        assert worker.click(title, "stop") == led
    assert [path for path, _, _ in portal.posts] == ["/p/stop", "/p/stop"]
    worker.context.close()


def test_the_button_ends_an_older_subscription_and_sends_the_new_one_with_the_sessions_token(
    chromium: Browser, portal: Portal
) -> None:
    context = chromium.new_context()
    context.grant_permissions(["notifications"], origin=portal.address)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(WITHOUT_PUSH_SERVICE)
    page.goto(f"{portal.address}/profile")
    page.get_by_role("button", name="Show notices").click()
    page.get_by_text("Granted.").wait_for()
    options = {"userVisibleOnly": True, "applicationServerKey": KEY}
    assert page.evaluate("did") == ["end older", options]
    [(path, headers, body)] = portal.posts
    assert (path, headers["x-csrf-token"]) == ("/v1/me/browsers", "token-1")
    assert json.loads(body) == {"endpoint": "https://push.test/newer", "keys": {"p256dh": "p", "auth": "a"}}
    assert page.locator("[data-notices-list] li").count() == 1

    portal.status = 422
    page.get_by_role("button", name="Show notices").click()
    page.get_by_text("No. Ask later.").wait_for()
    assert page.evaluate("did.at(-1)") == "end newer"
    context.close()


def test_signing_out_takes_the_worker_and_what_it_shows_out_of_the_browser(chromium: Browser, portal: Portal) -> None:
    worker = register(chromium, portal)
    worker.push(notice(portal))
    worker.shown("1 meeting has lost its room")
    worker.page.get_by_role("button", name="Sign out").click()
    worker.page.get_by_role("heading", name="Signed out").wait_for()
    assert worker.page.evaluate("async () => (await navigator.serviceWorker.getRegistrations()).length") == 0
    worker.page.evaluate(REGISTER)
    assert worker.page.evaluate(SHOWN) == []
    worker.context.close()


def test_nothing_is_subscribed_where_the_browser_is_not_allowed_to_show_notices(
    chromium: Browser, portal: Portal
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(WITHOUT_PUSH_SERVICE)
    page.goto(f"{portal.address}/profile")
    page.get_by_role("button", name="Show notices").click()
    page.get_by_text("Denied.").wait_for()
    assert (page.evaluate("did"), portal.posts) == ([], [])
    context.close()
