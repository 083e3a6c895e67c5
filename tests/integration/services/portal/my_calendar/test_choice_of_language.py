"""The choice of a language on the profile: what it changes for pages, answers and refusals."""

from __future__ import annotations

from typing import Any

import pytest

from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office


def put(browser: Browser, chosen: dict[str, str]) -> Any:
    return browser.client.put("/v1/me/language", json=chosen, headers={"X-CSRF-Token": browser.csrf})


GERMAN = {"Accept-Language": "de-CH,de;q=0.9"}


@pytest.mark.proves("P3")
def test_pages_and_refusals_follow_the_browser_and_codes_do_not(office: Office, ada: Browser) -> None:
    page = ada.client.get("/", headers=GERMAN)
    assert '<html lang="de" dir="ltr" data-locale="de-CH" data-hours="h23">' in page.text
    assert "Kommende Besprechungen" in page.text
    assert page.headers["Content-Language"] == "de"
    german, english = (ada.client.get("/v1/me/takes/none", headers=each) for each in (GERMAN, {}))
    assert german.json["title"] == "Einen solchen Raum haben Sie nicht angefragt."
    assert english.json["title"] == "You asked for no such room."
    assert german.json["code"] == english.json["code"] == "no-such-take"
    stranger = office.browser().client
    assert stranger.get("/v1/me", headers=GERMAN).json["title"] == "Sie sind nicht angemeldet."


@pytest.mark.proves("P3")
def test_a_choice_on_the_profile_is_stronger_than_the_browser(ada: Browser) -> None:
    sent = {"csrf": ada.csrf, "language": "nl", "clock": "12", "week": "sunday"}
    assert ada.client.post("/profile/language", data=sent).status_code == 303
    page = ada.client.get("/profile?done=language", headers=GERMAN).text
    assert '<html lang="nl" dir="ltr" data-locale="nl-NL" data-hours="h12">' in page
    assert "Opgeslagen: zo worden pagina\u2019s en mails voortaan geschreven." in page
    assert '<option value="nl" lang="nl" selected>Nederlands</option>' in page
    month = ada.client.get("/month", headers=GERMAN).text
    assert month.index("zondag") < month.index("maandag")
    assert ada.client.get("/v1/me/language", headers=GERMAN).json == {
        "language": "nl", "clock": "12", "week": "sunday", "shownIn": "nl",
    }  # fmt: skip
    assert put(ada, {}).json["shownIn"] == "en"
    assert '<html lang="de"' in ada.client.get("/profile", headers=GERMAN).text


def test_a_language_that_there_are_no_words_for_is_refused(ada: Browser) -> None:
    answer = put(ada, {"language": "tlh"})
    assert (answer.status_code, answer.json["code"]) == (422, "language-invalid")
    assert ada.client.get("/v1/me/language").json["language"] == ""


@pytest.mark.proves("P3")
def test_what_the_browser_asks_for_is_kept_for_mails_at_signing_in(office: Office, domain: str) -> None:
    browser = office.browser()
    browser.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de-CH,de;q=0.9"
    assert browser.sign_in(f"ada@{domain}").status_code == 303
    me = browser.client.get("/v1/me").json
    row = tables.users(office.engine.registry).get(me["tenant"], me["user"])
    assert row is not None
    assert (row.language, row.browser_language) == ("", "de-CH")
