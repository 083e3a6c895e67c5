"""
The administrator of another organisation takes random steps with valid ids of two other organisations' people.

Whatever she does in her own organisation, in whichever order, nothing of anybody else's is read, shown or changed.
"""

from __future__ import annotations

import random
import re
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from werkzeug.routing import Rule

from services.portal.frame import limits
from shared.contracts.rows import IntegrationState
from shared.domain.roles import Role
from shared.registry import tables
from tests.integration.services.portal.my_calendar.test_grants import Victim, belongings, recorded, victim
from tests.integration.services.portal.office import TITLE, Browser, Office
from tests.support.abuse import sized

SEED = 20261128
FIELDS = (
    "address", "alsoAsk", "also", "at", "attendance", "building", "candidate", "capacity", "code", "confirmation", "contact",
    "date", "event", "floor", "from", "guests", "key", "mailbox", "marked", "meeting", "name", "occurrence", "people",
    "place", "placed", "provider", "role", "roles", "room", "roomId", "rooms", "tenant", "title", "to", "user", "zone",
)  # fmt: skip
PLAIN = (
    "", "office", "remote", "microsoft", "google", "subscription-admin", "building-admin", "2099-01-07", "10:00", "11:00",
    "Europe/Zurich", "Evil", "confirm", "refuse", "pair", "unpair", "12", "yes", "evil@evil.test",
)  # fmt: skip
_NEVER = ("/v1/me/stream", "/static", "/auth")
"""A stream does not end; nobody's data stand in the others, which have tests of their own."""
_STEPS_A_LIMIT = 4
"""Of the tightest limit: a step that is refused for being too many shows nothing."""


@dataclass
class Hostile:
    """Mallory, with an organisation of her own; with a new one once she has lost the last."""

    office: Office
    source: random.Random
    ids: Sequence[str]
    """Of others'."""
    browser: Browser = field(init=False)
    own: list[str] = field(default_factory=list)
    mailboxes: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        where = f"evil{uuid.uuid4().hex[:8]}.test"
        tenant = self.office.simulator.post("tenants", provider="microsoft", name="Evil", domain=where)
        user = self.office.simulator.post("users", tenant=tenant["id"], name="Mallory", address=f"mallory@{where}")
        self.office.simulator.post(f"users/{user['id']}/consents", granted=True)
        self.browser = self.office.signed_in(f"mallory@{where}")
        self.mailboxes.add(self.browser.mailbox)
        self.own = [self.browser.user, self.browser.mailbox, self.browser.tenant, f"mallory@{where}"]
        self.restore()

    def restore(self) -> None:
        """Put her rights and her organisation's state back, which she may have thrown away."""
        registry, tenant = self.office.engine.registry, self.browser.tenant
        tables.users(registry).change(
            tenant,
            self.browser.user,
            lambda row: msgspec.structs.replace(row, roles=tuple(role.value for role in Role)) if row else None,
        )
        tables.tenants(registry).change(
            tenant,
            "tenant",
            lambda row: msgspec.structs.replace(row, integration=IntegrationState.ENABLED) if row else None,
        )

    def value(self) -> str:
        return self.source.choice([*self.ids, *self.ids, *self.own, *PLAIN])

    def body(self) -> dict[str, Any]:
        names = self.source.sample(FIELDS, self.source.randint(0, 12))
        return {name: [self.value()] if self.source.random() < 0.1 else self.value() for name in names}

    def step(self, rule: Rule) -> tuple[str, int, str]:
        """One request; what was asked for, the status and the answer."""
        path = re.sub(r"<any\('?([^,')]+)[^>]*>", r"\1", rule.rule)
        path = re.sub(r"<[^>]+>", lambda _: self.value(), path)
        method = self.source.choice(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        headers = {"X-CSRF-Token": self.browser.csrf, "Idempotency-Key": self.value() or "k"}
        sent: dict[str, Any] = {"query_string": self.body()}
        if method != "GET":
            as_form = not rule.rule.startswith("/v1/")
            body = self.body()
            sent |= {"data": {**body, "csrf": self.browser.csrf}} if as_form else {"json": body}
        with self.browser.client.open(path, method=method, headers=headers, **sent) as answer:
            return f"{method} {path} {sent}", answer.status_code, answer.text


@pytest.mark.proves("E11")
def test_no_step_of_thousands_reads_shows_or_changes_what_is_anothers(
    office: Office, domain: str, ben: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    gil = office.signed_in(f"ada@g.{domain}", "google")
    victims = [victim(office, each) for each in (ben, gil)]
    ids = sorted({value for each in victims for value in each.ids.values()} | {f"ben@{domain}", f"ada@g.{domain}"})
    hostile = Hostile(office, random.Random(SEED), ids)
    used = recorded(monkeypatch)
    before, sent, reads = whole(office, victims, hostile), set(office.commands()), len(office.calendar.reads)
    rules = [rule for rule in office.app.url_map.iter_rules() if not rule.rule.startswith(_NEVER)]
    answered: Counter[int] = Counter()
    lost, slowest_s, steps = 0, 0.0, sized(400, 5_000)
    for number in range(steps):
        if number % _STEPS_A_LIMIT == 0:
            office.app.extensions[limits.EXTENSION].reset()
            hostile.restore()
        began = time.perf_counter()
        asked, status, text = hostile.step(hostile.source.choice(rules))
        slowest_s = max(slowest_s, time.perf_counter() - began)
        answered[status] += 1
        assert status < 500, (asked, text[:300])
        shown = [word for word in (TITLE, "Room one", "one@rooms.test", "Unlisted") if word in text]
        assert not shown, (asked, shown)
        if hostile.browser.client.get("/v1/me").status_code == 401:
            hostile.begin_anew()
            lost += 1
        if number % 50 == 0:
            assert whole(office, victims, hostile) == before, asked
    refused = sum(count for status, count in answered.items() if status >= 400)
    print(
        f"\n{steps} steps, {refused} refused, {lost} organisations thrown away, slowest {slowest_s * 1000:.0f} ms, "
        f"{dict(sorted(answered.items()))}"
    )
    assert min(refused, answered[200]) > steps / 20, "both kinds were tried"
    assert used <= hostile.mailboxes
    assert whole(office, victims, hostile) == before
    foreign = {f"event-of-m-{each.browser.user}" for each in victims}
    assert {event for _, event in office.calendar.reads[reads:]} & foreign == set()
    own = {mailbox.encode() for mailbox in hostile.mailboxes}
    assert all(any(name in key for name in own) for _, key, _ in set(office.commands()) - sent)


def whole(office: Office, victims: Sequence[Victim], hostile: Hostile) -> list[Any]:
    """Everything that is stored of the victims and their organisations."""
    return belongings(office, victims, hostile.browser)
