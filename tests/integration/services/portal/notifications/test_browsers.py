"""The browsers that show a person notices: asked for by a page of ours, seen and removed by their person alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest
from flask import Flask

from services.portal.notifications.current_browser import COOKIE, FORGET
from shared.contracts.browser_rows import NoticeBrowser, NoticeBrowsersRow
from shared.contracts.rows import NotificationRow
from shared.crypto.vapid import encode
from shared.domain.instants import DAY_MS
from shared.engines.bound_registry import BoundRegistry
from shared.language.deciding.negotiation import PSEUDO
from shared.organisations import notice_browsers
from shared.registry import tables
from tests.integration.services.portal.frame.test_every_page_in_each_language import untranslated
from tests.integration.services.portal.office import Browser, Office
from tests.support.described_answers import described_portal
from tests.support.push_browser import PUBLIC_KEY, PushBrowser

pytestmark = pytest.mark.proves("B29")
PATH = "/v1/me/browsers"
HOST = "https://updates.push.services.mozilla.com"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def shown(office: Office) -> Flask:
    """The portal of a deployment that shows notices in browsers."""
    settings = dataclasses.replace(office.settings, push_public_key=PUBLIC_KEY)
    return described_portal(dataclasses.replace(office.deps, settings=settings))


@pytest.fixture
def asker(shown: Flask, ada: Browser) -> Browser:
    return at(shown, ada)


def at(app: Flask, browser: Browser) -> Browser:
    """The same person, signed in there."""
    cookie = browser.client.get_cookie("roomsync_session")
    assert cookie is not None
    client = app.test_client()
    client.set_cookie("roomsync_session", cookie.value)
    return dataclasses.replace(browser, client=client)


def subscription(name: str = "laptop") -> dict[str, Any]:
    target = PushBrowser(f"{HOST}/wpush/v2/{name}").target
    return {"endpoint": target.endpoint, "keys": {"p256dh": target.p256dh, "auth": target.auth}}


def add(browser: Browser, name: str = "laptop") -> str:
    answer = browser.post(PATH, subscription(name), User_Agent=FIREFOX)
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def kept(office: Office, browser: Browser) -> list[NoticeBrowser]:
    return list(notice_browsers.list_browsers(office.engine.registry, browser.tenant, browser.user))


def ladder_of(office: Office, browser: Browser) -> NotificationRow | None:
    return tables.notifications(office.engine.registry).get(browser.tenant, browser.user)


def test_a_browser_that_asks_is_kept_as_the_notifier_reaches_it(office: Office, asker: Browser) -> None:
    assert asker.client.get(PATH).json == {"available": True, "applicationServerKey": PUBLIC_KEY, "browsers": []}
    sent = subscription()
    answer = asker.post(PATH, sent, User_Agent=FIREFOX)
    assert answer.status_code == 201
    assert answer.json["id"] == notice_browsers.browser_id(sent["endpoint"])
    [browser] = kept(office, asker)
    assert browser.key == PUBLIC_KEY
    target = notice_browsers.open_target(office.engine.keyring, asker.tenant, asker.user, browser)
    assert (target.endpoint, target.p256dh, target.auth) == (sent["endpoint"], *sent["keys"].values())
    [listed] = asker.client.get(PATH).json["browsers"]
    assert listed == answer.json
    assert (listed["name"], listed["system"], listed["goneAt"], listed["outdated"]) == ("Firefox", "Linux", None, False)
    for text in (asker.client.get(PATH).text, asker.client.get("/profile").text):
        assert HOST not in text
        assert sent["keys"]["auth"] not in text


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://updates.push.services.mozilla.com/wpush/v2/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest/meta-data",
        "https://rooms.test/x",
        "https://push.services.mozilla.com/x",
        "https://updates.push.services.mozilla.com.evil.test/x",
        "https://evil.test/updates.push.services.mozilla.com",
        "https://updates.push.services.mozilla.com@evil.test/x",
        "https://user:pass@updates.push.services.mozilla.com/x",
        "https://updates.push.services.mozilla.com:25/x",
        "https://updates.push.services.mozilla.com/x#y",
        "https://updates.push.services.mozilla.com/x y",
        "https://updates.push.services.mozilla.com/" + "x" * 1_000,
        "file:///etc/passwd",
        "",
        7,
        None,
        ["https://updates.push.services.mozilla.com/x"],
    ],
)
def test_an_endpoint_that_is_no_push_services_is_refused(office: Office, asker: Browser, endpoint: object) -> None:
    answer = asker.post(PATH, {**subscription(), "endpoint": endpoint})
    assert (answer.status_code, answer.json["code"]) == (422, "browser-invalid")
    assert "endpoint" in answer.json["title"]
    assert "mozilla" not in answer.text
    assert kept(office, asker) == []


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ({"p256dh": "AAAA"}, "keys.p256dh"),
        ({"p256dh": "B" + "A" * 86}, "keys.p256dh"),
        ({"p256dh": "é" * 87}, "keys.p256dh"),
        ({"p256dh": "A" * 5_000}, "keys"),
        ({"p256dh": None}, "keys"),
        ({"auth": "AAAA"}, "keys.auth"),
        ({"auth": encode(b"a secret of seventeen"[:17])}, "keys.auth"),
        ({"auth": 16}, "keys"),
        ({"auth": {"a": 1}}, "keys"),
    ],
)
def test_keys_that_are_none_are_refused(office: Office, asker: Browser, keys: dict[str, Any], field: str) -> None:
    sent = subscription()
    answer = asker.post(PATH, {**sent, "keys": {**sent["keys"], **keys}})
    assert (answer.status_code, answer.json["code"]) == (422, "browser-invalid")
    assert answer.json["title"] == f"The field {field} cannot be used."
    assert kept(office, asker) == []


@pytest.mark.parametrize("sent", [None, [], "text", 7])
def test_what_is_no_object_is_refused(asker: Browser, sent: object) -> None:
    answer = asker.post(PATH, sent)
    assert (answer.status_code, answer.json["code"]) == (400, "json-missing")


def test_of_more_than_five_the_oldest_goes_and_one_that_asks_again_stands_once(office: Office, asker: Browser) -> None:
    ids = [add(asker, f"b{number}") for number in range(6)]
    assert [each.id for each in kept(office, asker)] == ids[1:]
    assert add(asker, "b2") == ids[2]
    assert [each["id"] for each in asker.client.get(PATH).json["browsers"]] == [ids[1], *ids[3:], ids[2]]


def test_a_person_sees_and_removes_no_browser_of_another(
    office: Office, shown: Flask, asker: Browser, ben: Browser
) -> None:
    browser, other = add(asker), at(shown, ben)
    assert other.client.get(PATH).json["browsers"] == []
    assert f"/profile/browsers/{browser}/remove" not in other.client.get("/profile").text
    answer = other.client.delete(f"{PATH}/{browser}", headers={"X-CSRF-Token": other.csrf})
    assert (answer.status_code, answer.json["code"]) == (404, "no-such-browser")
    form = other.client.post(f"/profile/browsers/{browser}/remove", data={"csrf": other.csrf})
    assert form.status_code == 404
    assert [each.id for each in kept(office, asker)] == [browser]


def test_a_browser_is_removed_by_its_person_and_by_nothing_without_the_pages_token(
    office: Office, asker: Browser
) -> None:
    first, second = add(asker, "first"), add(asker, "second")
    assert asker.client.post(PATH, json=subscription("third")).status_code == 403
    assert asker.client.delete(f"{PATH}/{first}").status_code == 403
    assert asker.client.post(f"/profile/browsers/{first}/remove").status_code == 403
    assert [each.id for each in kept(office, asker)] == [first, second]
    assert f'action="/profile/browsers/{first}/remove"' in asker.client.get("/profile").text
    form = asker.client.post(f"/profile/browsers/{first}/remove", data={"csrf": asker.csrf})
    assert form.status_code == 303
    assert "no notice is shown in that browser any more" in asker.client.get(form.headers["Location"]).text
    assert [each.id for each in kept(office, asker)] == [second]
    gone = asker.client.delete(f"{PATH}/{second}", headers={"X-CSRF-Token": asker.csrf})
    assert gone.status_code == 204
    assert kept(office, asker) == []
    assert asker.client.delete(f"{PATH}/{second}", headers={"X-CSRF-Token": asker.csrf}).status_code == 404


def sign_out(browser: Browser, path: str = "/auth/logout") -> str | None:
    """Sign out by the page's form; what else the browser is told to forget."""
    answer = browser.client.post(path, data={"csrf": browser.csrf})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login")
    return answer.headers.get("Clear-Site-Data")


def lose_session(browser: Browser) -> None:
    """As after twelve hours: the session's cookie has ended, and others have not."""
    browser.client.delete_cookie("roomsync_session")
    assert browser.client.get("/v1/me").status_code == 401


def enter(browser: Browser, address: str) -> None:
    """Sign in with the same browser, as anybody."""
    assert browser.enter(address).status_code == 303
    browser.csrf = browser.client.get("/v1/me").json["csrf"]


def test_signing_out_ends_the_notices_of_that_browser_alone(
    office: Office, shown: Flask, asker: Browser, ada: Browser, domain: str
) -> None:
    phone = at(shown, ada)
    other = add(phone, "phone")
    add(asker, "laptop")
    assert sign_out(asker) == FORGET
    assert [each.id for each in kept(office, ada)] == [other]
    enter(asker, f"ada@{domain}")
    assert sign_out(asker) is None, "notices were not asked for in it again"
    assert [each.id for each in kept(office, ada)] == [other]


def test_signing_out_ends_notices_that_were_asked_for_in_an_earlier_session(
    office: Office, asker: Browser, domain: str
) -> None:
    browser = add(asker)
    lose_session(asker)
    assert [each.id for each in kept(office, asker)] == [browser], "a session that ends by itself ends no notices"
    enter(asker, f"ada@{domain}")
    assert [each.id for each in kept(office, asker)] == [browser]
    assert sign_out(asker) == FORGET
    assert kept(office, asker) == []


def test_the_button_of_a_page_that_was_left_open_ends_notices_although_its_session_has_ended(
    office: Office, shown: Flask, asker: Browser
) -> None:
    add(asker)
    lose_session(asker)
    assert sign_out(asker) == FORGET
    assert kept(office, asker) == []
    answer = shown.test_client().post("/auth/logout")
    assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (303, [])


def test_signing_out_everywhere_ends_notices_in_all_of_the_persons_browsers_and_in_nobody_elses(
    office: Office, shown: Flask, asker: Browser, ada: Browser, ben: Browser
) -> None:
    others = at(shown, ben)
    add(asker, "laptop")
    add(at(shown, ada), "phone")
    theirs = add(others, "theirs")
    assert sign_out(asker, "/profile/sign-out-everywhere") == FORGET
    assert kept(office, asker) == []
    assert [each.id for each in kept(office, others)] == [theirs]


def test_notices_end_in_a_browser_when_somebody_else_signs_in_there(
    office: Office, asker: Browser, domain: str
) -> None:
    add(asker)
    lose_session(asker)
    assert asker.enter(f"ben@{domain}").headers["Clear-Site-Data"] == FORGET
    assert kept(office, asker) == []


def test_a_browser_that_says_that_it_is_anothers_ends_nothing_of_theirs(
    office: Office, shown: Flask, asker: Browser, ben: Browser, domain: str
) -> None:
    browser = add(asker)
    mark = asker.client.get_cookie(COOKIE)
    assert mark is not None
    assert mark.http_only
    assert mark.same_site == "Lax"
    proof = mark.value.rpartition(".")[2]
    for forged in (f"{asker.tenant}.{asker.user}.{browser}.{'a' * len(proof)}", f"{browser}.{proof}", "é"):
        other = at(shown, ben)
        other.client.set_cookie(COOKIE, forged)
        enter(other, f"ben@{domain}")
        assert sign_out(other) is None
        assert [each.id for each in kept(office, asker)] == [browser]


def test_a_row_of_browsers_that_was_tampered_with_keeps_nobody_signed_in(office: Office, asker: Browser) -> None:
    add(asker)
    registry = office.engine.registry
    assert isinstance(registry, BoundRegistry)
    registry._registry.put("notice-browsers", asker.tenant, asker.user, b"{}")
    assert sign_out(asker) == FORGET
    assert asker.client.get("/v1/me").status_code == 401


def test_a_browser_that_is_gone_or_knows_an_earlier_key_says_so(office: Office, asker: Browser) -> None:
    browser = add(asker)
    assert "Gone since" not in asker.client.get("/profile").text
    now_ms = office.clock.now_ms() + DAY_MS
    notice_browsers.note_end(office.engine.registry, asker.tenant, asker.user, browser, now_ms, "410")
    page = asker.client.get("/profile").text
    assert "Gone since" in page
    assert asker.client.get(PATH).json["browsers"][0]["goneAt"] is not None
    row = NoticeBrowsersRow(browsers=(msgspec.structs.replace(kept(office, asker)[0], key="another", ended_at_ms=0),))
    tables.notice_browsers(office.engine.registry).put(asker.tenant, asker.user, row)
    assert asker.client.get(PATH).json["browsers"][0]["outdated"] is True
    assert "other keys now" in asker.client.get("/profile").text


def test_without_settings_nobody_may_ask_and_the_page_says_so(office: Office, asker: Browser, ada: Browser) -> None:
    browser = add(asker)
    listed = ada.client.get(PATH).json
    assert (listed["available"], listed["applicationServerKey"]) == (False, None)
    page = ada.client.get("/profile").text
    assert "Notices in browsers are not set up here." in page
    assert "data-notices-button" not in page
    assert "notices.js" not in page
    assert "Show notices in my browsers" not in page
    answer = ada.post(PATH, subscription("other"))
    assert (answer.status_code, answer.json["code"]) == (409, "browsers-off")
    assert [each.id for each in kept(office, ada)] == [browser]
    assert ada.client.delete(f"{PATH}/{browser}", headers={"X-CSRF-Token": ada.csrf}).status_code == 204


def test_the_page_gives_its_script_the_key_and_translated_sentences(asker: Browser) -> None:
    page = asker.client.get("/profile").text
    assert f'data-application-server-key="{PUBLIC_KEY}" hidden' in page
    assert "notices.js" in page
    assert "<noscript>" in page
    add(asker)
    asker.client.put("/v1/me/language", json={"language": "de"}, headers={"X-CSRF-Token": asker.csrf})
    page = asker.client.get("/profile").text
    for sentence in ("data-granted", "data-denied", "data-failed"):
        assert f'{sentence}="' in page
    assert 'data-granted="Notices' not in page


def test_no_sentence_about_notices_is_left_untranslated(office: Office, asker: Browser) -> None:
    add(asker)
    page = asker.client.get("/profile", headers={"Accept-Language": PSEUDO}).text
    assert untranslated(page) == []


def test_the_ladder_has_browsers_as_one_more_way_which_asking_anew_switches_on(office: Office, asker: Browser) -> None:
    assert "Show notices in my browsers" in asker.client.get("/profile").text
    answer = asker.client.get("/v1/me/notifications").json
    assert (answer["browserAvailable"], answer["browser"]) == (True, True)
    form = {"csrf": asker.csrf, "first": "on", "quietFrom": "21:00", "quietUntil": "06:00", "zone": ""}
    assert asker.client.post("/profile/notifications", data=form).status_code == 303
    row = ladder_of(office, asker)
    assert row is not None
    assert (row.browser, row.mail) == (False, True)
    assert "You switched these notices off" in asker.client.get("/profile").text
    add(asker)
    row = ladder_of(office, asker)
    assert row is not None
    assert (row.browser, row.quiet_from) == (True, "21:00")
    changed = asker.client.put("/v1/me/notifications", json={"browser": False}, headers={"X-CSRF-Token": asker.csrf})
    assert changed.json["browser"] is False


def test_the_service_worker_has_one_address_and_is_looked_for_anew_each_time(office: Office) -> None:
    with office.app.test_client().get("/profile/notices/worker.js") as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "text/javascript"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "Service-Worker-Allowed" not in answer.headers, "its scope is its own folder, where no page lies"
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
