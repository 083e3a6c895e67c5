"""
Names and titles that are scripts, on every page that shows them, in a browser whose content policy is switched off.

The policy would stop what gets through; this shows that nothing does.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from urllib.parse import quote

import msgspec
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from shared.contracts.meeting_state import RoomState
from shared.contracts.rows import RoomRow
from shared.domain.instants import HOUR_MS
from shared.domain.roles import Role
from shared.domain.sighting import AgendaItem, Availability, LiveAttendee
from shared.organisations.appointments import appoint
from shared.organisations.enrolment import enter_rooms
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office
from tests.support.abuse import sized

pytestmark = pytest.mark.browser
BREAKS = (
    "",
    '">',
    "'>",
    "-->",
    "]]>",
    "</script>",
    "</title>",
    "</textarea></select>",
    "</style>",
    '" ',
    "' ",
    "\\",
    "</td></p></dd>",
)
VECTORS = (
    "<script>{ran}</script>", "<img src=x onerror={ran}>", "<svg onload={ran}>", "<svg/onload={ran}//", "<body onload={ran}>",
    "<iframe srcdoc='<script>parent.{ran}</script>'>", "<details open ontoggle={ran}>x</details>",
    "<input autofocus onfocus={ran}>", "autofocus onfocus={ran} x=", "onmouseover={ran} style=position:fixed;inset:0 x=",
    "<svg><animate onbegin={ran} attributeName=x dur=1s>", "<a href=javascript:{ran}>x</a>", "javascript:{ran}",
    "data:text/html,{ran}",
    "<meta http-equiv=refresh content=0;url=javascript:{ran}>", "<object data=javascript:{ran}>", "<embed src=javascript:{ran}>",
    "<video><source onerror={ran}></video>", "<audio src=x onerror={ran}>", "<form action=javascript:{ran}><input type=submit>",
    "<base href=https://evil.test/>", "<link rel=stylesheet href=https://evil.test/{name}>", "<img src=//evil.test/{name}>",
    "';{ran};'", '";{ran};"', "${{{ran}}}", "{{{{{ran}}}}}", "{{%print({name})%}}", "{{{{7*7}}}}", "\u003cscript\u003e{ran}",
    "%3Cscript%3E{ran}%3C/script%3E", "&lt;script&gt;{ran}&lt;/script&gt;", "&#60;script&#62;{ran}&#60;/script&#62;",
    "<math><mtext></p><img src=x onerror={ran}>", "<noscript><p title='</noscript><img src=x onerror={ran}>'>",
    "<xmp><p title='</xmp><img src=x onerror={ran}>'>", "<template><script>{ran}</script></template>", "<ScRiPt>{ran}</sCrIpT>",
    "<scr\x00ipt>{ran}</script>", "<img\tsrc=x\nonerror={ran}>",
)  # fmt: skip
PROMPTS = sized(10, 40)
"""Shown by the server; as many again by the script."""
LOOK = """() => {
  const leaves = text => {
    const url = new URL(text, location.href);
    return url.protocol !== 'mailto:' && (url.protocol !== location.protocol || url.host !== location.host);
  };
  const all = [...document.querySelectorAll('*')];
  const bad = all.flatMap(one => [...one.attributes]
    .filter(each => ((each.name.startsWith('on') || each.name === 'srcdoc') && each.value.includes('pwn'))
      || (['href', 'src', 'action', 'formaction', 'data'].includes(each.name) && leaves(each.value)))
    .map(each => one.tagName + ' ' + each.name + '=' + each.value));
  const scripts = all.filter(one => one.tagName === 'SCRIPT' && one.textContent.includes('pwn')).map(one => one.outerHTML);
  const values = all.filter(one => 'value' in one && typeof one.value === 'string').map(one => one.value);
  return {bad: [...bad, ...scripts], text: [document.documentElement.textContent, document.title, ...values].join('\\n')};
}"""
"""What of the page could run or load something of ours, and all the text that it shows."""


def payloads(count: int) -> list[str]:
    """Each calls a function of its own name once it runs."""
    made = (f"{start}{vector}" for vector, start in itertools.product(VECTORS, BREAKS))
    return [
        text.format(ran=f"pwn(`{n}`)", name=f"pwn{n}") if "{" in text else text
        for n, text in enumerate(itertools.islice(made, count))
    ]


def rooms_named(texts: Sequence[str]) -> list[RoomRow]:
    """Four of them a room: its name, building and floor, and its address."""
    return [
        RoomRow(
            address=f"{four[3]}-{n}@rooms.test",
            name=four[0],
            building=four[1],
            floor=four[2],
            capacity=8,
            resource="operator",
        )
        for n, four in enumerate(zip(*[iter(texts)] * 4, strict=False))
    ]


def plan(office: Office, ada: Browser, texts: Sequence[str]) -> list[str]:
    """A day, a month and a list of meetings whose every word is a payload; the ids of the rooms."""
    rows = rooms_named(texts)
    enter_rooms(office.engine.registry, office.engine.keyring, ada.tenant, rows)
    rooms = [office.keys(ada.tenant).room(row.address) for row in rows]
    now_ms = office.clock.now_ms() // HOUR_MS * HOUR_MS
    office.calendar.planned = [
        AgendaItem(
            event_id=f"e{n}", uid=f"uid-{n}", slot="", title=title, start_ms=now_ms + HOUR_MS, end_ms=now_ms + 2 * HOUR_MS,
            all_day=False, private=False, declined=False, is_organizer=True,
            attendees=tuple(LiveAttendee(name, f"x{n}@y.test", is_room=False, answer="none") for name in (title, texts[n - 1])),
        )
        for n, title in enumerate(texts)
    ]  # fmt: skip
    office.calendar.said = {row.address: Availability.FREE for row in rows}
    return rooms


def decline(office: Office, ada: Browser, rooms: Sequence[str], texts: Sequence[str], which: range) -> None:
    """Let rooms say no to meetings that have payloads for titles."""
    for n in which:
        meeting = f"m-{n}"
        declined = office.room(ada, rooms[n], RoomState.DECLINED, meeting=meeting, occurrence=f"o-{n}")
        state = office.meeting(ada, declined, meeting=meeting)
        event = office.calendar.events[f"event-of-{meeting}"]
        office.calendar.events[f"event-of-{meeting}"] = dataclasses.replace(event, title=texts[n])
        office.show(state, ada.tenant)


def promote(office: Office, ada: Browser, texts: Sequence[str]) -> None:
    """Ada may see every page, in an organisation whose name and contact are payloads, beside one who was appointed so."""
    registry, keyring = office.engine.registry, office.engine.keyring
    tables.users(registry).change(
        ada.tenant,
        ada.user,
        lambda row: msgspec.structs.replace(row, roles=tuple(role.value for role in Role)) if row else None,
    )
    tables.tenants(registry).change(
        ada.tenant, "tenant", lambda row: msgspec.structs.replace(row, name=texts[0], contact=texts[1]) if row else None
    )
    row = tables.tenants(registry).get(ada.tenant, "tenant")
    assert row is not None
    for text in texts[:20]:
        appoint(registry, keyring, ada.tenant, row, f"{text}@evil.test", Role.BUILDING_ADMIN)


@pytest.mark.proves("E11")
def test_no_payload_of_hundreds_runs_on_any_page(
    office: Office, ada: Browser, address: str, chromium: Chromium
) -> None:
    texts = payloads(sized(120, len(VECTORS) * len(BREAKS)))
    promote(office, ada, texts)
    rooms = plan(office, ada, texts)
    ran: list[str] = []
    context = chromium.new_context(bypass_csp=True, locale="en-GB", timezone_id="Europe/Zurich")
    cookie = ada.client.get_cookie("roomsync_session")
    assert cookie is not None
    context.add_cookies([{"name": "roomsync_session", "value": cookie.value, "url": address}])

    def note(name: str) -> None:
        ran.append(name)

    context.expose_function("pwn", note)
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: ran.append(dialog.message))
    cards = page.locator("#prompt-list [data-prompt], #folded-list [data-prompt]")
    decline(office, ada, rooms, texts, range(PROMPTS))
    shown = look_at(page, address, "/")
    expect(cards).to_have_count(PROMPTS)
    decline(office, ada, rooms, texts, range(PROMPTS, 2 * PROMPTS))
    expect(cards).to_have_count(2 * PROMPTS)  # these the script has made, out of the stream
    page.locator("#folded").evaluate("folded => { folded.open = true; }")
    cards.last.get_by_role("button", name="Choose another room").click()
    expect(page.locator(".choice").first).to_be_visible()
    assert page.evaluate(LOOK)["bad"] == []
    for path in (
        "/day", "/month", "/book", "/profile", "/admin/rooms", f"/admin/rooms/{rooms[0]}", f"/admin/rooms/{rooms[-1]}",
        "/admin/people", "/admin/audit", "/admin/integration", "/admin/integration/off", "/admin/integration/help",
    ):  # fmt: skip
        shown += look_at(page, f"{address}{path}", path)
    for text in texts[:: sized(30, 4)]:
        for path in ("/prompts/", "/auth/login?next=/day?", "/auth/callback?error=", "/admin/rooms/", "/book?title="):
            look_at(page, f"{address}{path}{quote(text, safe='')}", path)
    assert ran == []
    assert [url for url in asked if not url.startswith((address, "about:", "data:,"))] == []
    hidden = [text for text in texts if text.replace("\x00", "\ufffd").strip() not in shown]
    print(f"\n{len(texts)} payloads, {len(texts) - len(hidden)} shown as text, none ran, {len(asked)} requests")
    assert len(hidden) < len(texts) / 20, hidden[:20]
    page.set_content("<img src=x onerror=pwn(`seen`)>")
    page.wait_for_timeout(500)
    assert ran == ["seen"], "the test would have seen one run"
    context.close()


def look_at(page: Page, url: str, path: str) -> str:
    """Open a page, touch what reacts to being touched, and return all the text on it."""
    page.goto(url, wait_until="domcontentloaded")
    page.mouse.move(300, 300)
    page.keyboard.press("Tab")
    found = page.evaluate(LOOK)
    assert found["bad"] == [], path
    return str(found["text"])
