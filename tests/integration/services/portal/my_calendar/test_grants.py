"""One person's grant and rows are theirs, whatever address of ours somebody else opens with whichever ids."""

from __future__ import annotations

import itertools
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from werkzeug.routing import Rule

from services.portal.frame import limits
from shared.contracts.meeting_state import RoomState
from shared.crypto.links import Link, LinkPurpose, LinkSigner
from shared.domain.identity import Mailbox
from shared.domain.instants import MINUTE_MS
from shared.domain.roles import Role
from shared.domain.sighting import Access
from shared.grants.broker import ConsentBroker
from shared.ports.holdings import StoredRow
from shared.registry import tables
from tests.integration.services.portal.office import SERVICE_TOKEN, TITLE, Browser, Office
from tests.support.abuse import RELEASE, sized

_BODIES = (
    {},
    {"roomId": "{room}"},
    {"roomId": "{room}", "user": "{user}", "mailbox": "{mailbox}", "tenant": "{tenant}"},
)
_WITHOUT_IDS = (
    "/static", "/.well-known", "/help", "/api", "/v1/openapi.json", "/auth", "/profile/sign-out-everywhere", "/v1/me/stream",
    "/v1/room-rejections", "/metrics", "/livez", "/readyz", "/version", "/profile/notices/worker.js",
)  # fmt: skip
_LINKS = "/p/"
"""Whoever has a link needs no session to be told that it is not theirs."""
_WRITES_A_SESSION = 20  # of the tightest limit, begun anew after these: nothing here may be refused for being too many


@dataclass(frozen=True)
class Victim:
    """Somebody with a meeting whose room said no, and every id of theirs that a thief could come by."""

    browser: Browser
    ids: dict[str, str]


@pytest.fixture
def gil(office: Office, domain: str) -> Browser:
    """Of another organisation, at another provider."""
    return office.signed_in(f"ada@g.{domain}", "google")


@pytest.fixture
def mallory(office: Office) -> str:
    """Address of an administrator of an organisation of her own."""
    where = f"evil{uuid.uuid4().hex[:8]}.test"
    tenant = office.simulator.post("tenants", provider="microsoft", name="Evil", domain=where)
    user = office.simulator.post("users", tenant=tenant["id"], name="Mallory", address=f"mallory@{where}")
    office.simulator.post(f"users/{user['id']}/consents", granted=True)
    give(office, office.signed_in(f"mallory@{where}"), Role.SUBSCRIPTION_ADMIN)
    return f"mallory@{where}"


@pytest.mark.proves("E11")
@pytest.mark.parametrize("who", ["ada", "mallory", "berta", "nobody", "service"])
def test_no_endpoint_uses_or_changes_what_is_somebody_elses(
    who: str, office: Office, domain: str, ben: Browser, gil: Browser, mallory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = {"ada": f"ada@{domain}", "mallory": mallory, "berta": mallory}.get(who, "")
    if who == "berta":
        give(office, office.signed_in(mallory), Role.BUILDING_ADMIN)
    thief = a_thief(office, address, who)
    used = recorded(monkeypatch)
    victims = [victim(office, each) for each in (ben, gil)]
    assert used == {ben.mailbox, gil.mailbox}, "the double sees whose grant is used"
    used.clear()
    before, sent = belongings(office, victims, thief), set(office.commands())
    answered, by_link = Counter[int](), Counter[int]()
    slowest_s = 0.0
    for count, (rule, method, value, body) in enumerate(questions(office, victims, whole=who == "ada")):
        if count % _WRITES_A_SESSION == 0:
            office.app.extensions[limits.EXTENSION].reset()
            thief = a_thief(office, address, who)
        began = time.perf_counter()
        (by_link if rule.rule.startswith(_LINKS) else answered)[opened(thief, rule, method, value, body)] += 1
        slowest_s = max(slowest_s, time.perf_counter() - began)
    print(f"\n{who}: {answered.total()} requests, {dict(sorted(answered.items()))}, slowest {slowest_s * 1000:.0f} ms")
    assert max(answered) < 500
    assert set(by_link) == {404, 405, 403 if address else 303}, "not theirs"
    if address:
        assert not {401, 429} & set(answered), "every question was let through to its answer"
        assert answered[200] > 0
    else:
        assert set(answered) <= {303, 401}, "sent to sign in"
    if who != "service":
        assert {feed(thief, each) for each in victims} == {(401, 401)}
    assert used <= {thief.mailbox}
    assert belongings(office, victims, thief) == before
    assert {key for _, key, _ in set(office.commands()) - sent} <= {Mailbox(thief.tenant, thief.mailbox).key}
    for each in victims:
        [prompt] = each.browser.client.get("/v1/me/prompts").json["prompts"]
        assert (prompt["id"], prompt["open"]) == (each.ids["prompt"], True)


def a_thief(office: Office, address: str, who: str) -> Browser:
    """Signed in anew; without an address somebody who has no session, and for `service` the token of services instead."""
    if address:
        return office.signed_in(address)
    thief = office.browser()
    if who == "service":
        thief.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {SERVICE_TOKEN}"
    return thief


def give(office: Office, browser: Browser, role: Role) -> None:
    tables.users(office.engine.registry).change(
        browser.tenant,
        browser.user,
        lambda row: msgspec.structs.replace(row, roles=(role.value,)) if row else None,
    )


def feed(thief: Browser, whose: Victim) -> tuple[int, int]:
    """What the feed of services answers, whole and for one decline."""
    one = thief.client.get(f"/v1/room-rejections/{whose.ids['rejection']}")
    return thief.client.get("/v1/room-rejections").status_code, one.status_code


def victim(office: Office, browser: Browser) -> Victim:
    [room] = office.enter_rooms(browser.tenant, "one")
    meeting = f"m-{browser.user}"
    since_ms = office.clock.now_ms() - MINUTE_MS
    declined = office.room(browser, room, RoomState.DECLINED, meeting=meeting, asked_at_ms=since_ms, since_ms=since_ms)
    office.show(office.meeting(browser, declined, meeting=meeting), browser.tenant)
    [prompt] = browser.client.get("/v1/me/prompts").json["prompts"]
    ids = {
        "room": room, "user": browser.user, "mailbox": browser.mailbox, "tenant": browser.tenant,
        "prompt": prompt["id"], "event": f"event-of-{meeting}", "rejection": declined.decline_id,
        "link": LinkSigner(office.deps.link_keys).sign(
            Link(LinkPurpose.PROMPT, browser.tenant, browser.user, prompt["id"])
        ),
    }  # fmt: skip
    return Victim(browser, ids)


def belongings(office: Office, victims: Sequence[Victim], thief: Browser) -> list[StoredRow]:
    """Every stored row of the victims and of their organisations, where the thief's own is another."""
    theirs = {each.ids["tenant"] for each in victims} - {thief.tenant}
    names = [each.ids[name] for each in victims for name in ("user", "mailbox")]
    return [
        row
        for row in office.engine.registry.everything()
        if row.tenant in theirs or any(name in row.row for name in names)
    ]


def rules(office: Office) -> list[Rule]:
    """Every address of ours that can carry somebody's id; ending one's own sessions comes with none."""
    return [rule for rule in office.app.url_map.iter_rules() if not rule.rule.startswith(_WITHOUT_IDS)]


def questions(
    office: Office, victims: Sequence[Victim], *, whole: bool
) -> Iterator[tuple[Rule, str, str, dict[str, str]]]:
    """
    Rule, method, stolen id for its path or query, and body: every address with every id of every victim.

    Unless it is a release's run, the body is the one that names most, and unless `whole`, addresses get the victims in turns.
    """
    everything = [
        (rule, each)
        for turn, rule in enumerate(rules(office))
        for each in (victims if whole or RELEASE else [victims[turn % len(victims)]])
    ]
    for rule, each in everything:
        bodies = [
            {key: text.format(**each.ids) for key, text in body.items()}
            for body in _BODIES[sized(len(_BODIES) - 1, 0) :]
        ]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            reads = method == "GET"
            yield from itertools.product(
                [rule], [method], each.ids.values() if reads or rule.arguments else [""], [{}] if reads else bodies
            )


def opened(thief: Browser, rule: Rule, method: str, value: str, body: dict[str, str]) -> int:
    """Ask with a valid csrf token, and return the status."""
    path = rule.rule
    for name in rule.arguments:
        for wrapped in (f"<{name}>", f"<path:{name}>", f"<int:{name}>"):
            path = path.replace(wrapped, value)
    if method == "GET":
        sent: dict[str, Any] = {"query_string": {"mailbox": value, "user": value, "at": value}}
    else:
        sent = {"json": body, "headers": {"X-CSRF-Token": thief.csrf, "Idempotency-Key": uuid.uuid4().hex}}
    with thief.client.open(path, method=method, **sent) as answer:
        assert answer.is_streamed or TITLE not in answer.text, path
        status: int = answer.status_code
    return status


def recorded(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Mailboxes whose grant has been asked for."""
    used: set[str] = set()
    plain = ConsentBroker.access

    def access(broker: ConsentBroker, mailbox: Mailbox, *, refused: str = "") -> Access:
        used.add(mailbox.id)
        return plain(broker, mailbox, refused=refused)

    monkeypatch.setattr(ConsentBroker, "access", access)
    return used
