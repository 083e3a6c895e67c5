"""No administrator throws anything away by one click: each act asks first, shows first, or can be undone from where one is."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support.paths import ROOT

TEMPLATES = ROOT / "services" / "portal" / "templates"
ASKS = {
    "/admin/chat/<channel>/remove",
    "/admin/incident/release",
    "/admin/integration/domains/leave",
    "/admin/integration/off",
    "/admin/integration/switch",
    "/admin/integration/test/give-up",
    "/admin/people/<row_id>/candidates/<user>/<any(confirm, refuse):act>",
    "/admin/people/<row_id>/dismiss",
    "/admin/rooms/<room_id>/remove",
    "/admin/rooms/selected/<any(pair, unpair, remove):act>",
    "/admin/webhooks/<endpoint>/end-older-secret",
    "/admin/webhooks/<endpoint>/remove",
}
"""What is gone afterwards: a question stands before it."""
SHOWS_FIRST = {"/admin/rooms/import/<preview>", "/admin/rooms/sheet"}
HARMLESS = {
    "/admin/chat": "adds; Remove takes it away",
    "/admin/chat/<channel>/test": "posts one message that says that it is a test",
    "/admin/integration/contact": "words that are changed again",
    "/admin/integration/directory": "leads to the provider",
    "/admin/integration/domains": "leads to the provider",
    "/admin/integration/test": "begins a test; in place of one that has ended only by Try again",
    "/admin/integration/test/depart": "leads to the provider",
    "/admin/integration/test/reported": "writes down what the provider's page said",
    "/admin/people": "appoints; Remove role takes it away",
    "/admin/rooms": "adds; Remove takes it away",
    "/admin/rooms/<room_id>": "information that is changed again",
    "/admin/rooms/<room_id>/<any(pair, unpair):act>": "each undoes the other",
    "/admin/rooms/import": "leads to the provider",
    "/admin/webhooks": "adds; Remove takes it away",
    "/admin/webhooks/<endpoint>/redeliver": "sends again, under the same ids",
    "/admin/webhooks/<endpoint>/resume": "sends what waits",
    "/admin/webhooks/<endpoint>/secrets": "adds one beside the one there is",
    "/admin/webhooks/<endpoint>/test": "sends one event that says that it is a test",
}
"""What throws nothing away, and why."""
ENDS = ("remove", "release", "give-up", "refuse", "dismiss", "end-older-secret")
"""The last word of addresses that throw something away at once when they are posted to."""


def test_every_change_of_an_administrator_is_one_of_these() -> None:
    routes = tomllib.loads((ROOT / "docs" / "routes.toml").read_text())
    listed = str(routes)
    changes = set(re.findall(r"'POST (/admin[^']*)'", listed))
    assert changes == ASKS | SHOWS_FIRST | HARMLESS.keys()
    assert {path for path in changes if path.endswith(ENDS)} <= ASKS


@pytest.mark.proves("P7")
@pytest.mark.parametrize("end", ENDS)
def test_no_page_has_a_button_that_throws_away_without_a_question(end: str) -> None:
    asked, bare = 0, []
    for page in sorted(TEMPLATES.glob("*.html")):
        text = page.read_text()
        asked += len(re.findall(rf"asking\([^\n]*/{end}\"", text))
        for form in re.findall(rf'<form method="post" action="/admin[^"]*/{end}"[^>]*>.*?</form>', text, re.DOTALL):
            if 'name="sure"' in form:
                asked += 1
            elif "rooms/selected" not in form:  # the question is the answer to it
                bare.append((page.name, form[:120]))
        bare += [(page.name, each) for each in re.findall(rf'\bact\([^)]*"{end}"[^)]*\)', text)]
    assert bare == []
    assert asked


@pytest.mark.proves("P7")
def test_a_click_on_a_switch_of_administrators_only_begins_or_leads_on() -> None:
    text = (TEMPLATES / "integration.html").read_text()
    switches = re.findall(r'<form method="(\w+)" action="([^"]+)"[^>]*>(?:(?!</form>).)*role="switch"', text, re.DOTALL)
    assert len(switches) == 3
    assert [action for method, action in switches if method == "post"] == ["/admin/integration/test"]
