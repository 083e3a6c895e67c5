"""One person's grant is used for their own calendar, whatever address of ours somebody else opens with whichever ids."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest
from werkzeug.routing import Rule

from shared.consents.broker import ConsentBroker
from shared.contracts.meeting_state import RoomState
from shared.domain.identity import Mailbox
from shared.domain.sighting import Access
from tests.integration.portal.office import TITLE, Browser, Office

_BODIES = (
    {},
    {"roomId": "{room}"},
    {"roomId": "{room}", "user": "{user}", "mailbox": "{mailbox}", "tenant": "{tenant}"},
)


@pytest.fixture
def mallory(office: Office) -> Browser:
    """Of an organisation of her own."""
    where = f"evil{uuid.uuid4().hex[:8]}.test"
    tenant = office.simulator.post("tenants", provider="microsoft", name="Evil", domain=where)
    user = office.simulator.post("users", tenant=tenant["id"], name="Mallory", address=f"mallory@{where}")
    office.simulator.post(f"users/{user['id']}/consents", granted=True)
    return office.signed_in(f"mallory@{where}")


@pytest.mark.proves("E11")
def test_no_endpoint_uses_somebody_elses_grant(
    office: Office, ada: Browser, ben: Browser, mallory: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    [room] = office.enter_rooms(ben.tenant, "one")
    declined = office.room(ben, room, RoomState.DECLINED)
    office.show(office.meeting(ben, declined), ben.tenant)
    used = recorded(monkeypatch)
    [prompt] = ben.client.get("/v1/me/prompts").json["prompts"]
    assert used == {ben.mailbox}, "the double sees whose grant is used"
    stolen = {
        "room": room, "user": ben.user, "mailbox": ben.mailbox, "tenant": ben.tenant, "prompt": prompt["id"],
        "event": "event-of-m-planning", "rejection": declined.decline_id,
    }  # fmt: skip
    for thief in (ada, mallory):
        used.clear()
        for rule, value, body in itertools.product(rules(office), stolen.values(), _BODIES):
            answer = opened(thief, rule, value, {key: text.format(**stolen) for key, text in body.items()})
            assert TITLE not in answer, rule.rule
        assert used <= {thief.mailbox}


def rules(office: Office) -> list[Rule]:
    """Every address of ours that can carry somebody's id; ending one's own session comes with none."""
    return [
        rule
        for rule in office.app.url_map.iter_rules()
        if not rule.rule.startswith(("/static", "/auth", "/v1/me/stream", "/metrics", "/livez", "/readyz", "/version"))
    ]


def opened(thief: Browser, rule: Rule, value: str, body: dict[str, str]) -> str:
    """Ask with every method, with a valid csrf token, the stolen id wherever an id can stand."""
    path = rule.rule
    for name in rule.arguments:
        for wrapped in (f"<{name}>", f"<path:{name}>", f"<int:{name}>"):
            path = path.replace(wrapped, value)
    said = ""
    for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
        sent: dict[str, Any] = (
            {"query_string": {"mailbox": value, "user": value, "at": value}} if method == "GET" else {}
        )
        if method != "GET":
            headers = {"X-CSRF-Token": thief.csrf, "Idempotency-Key": uuid.uuid4().hex}
            sent = {"json": body, "headers": headers}
        answer = thief.client.open(path, method=method, **sent)
        said += answer.text if not answer.is_streamed else ""
        answer.close()
    return said


def recorded(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Mailboxes whose grant has been asked for."""
    used: set[str] = set()
    plain = ConsentBroker.access

    def access(broker: ConsentBroker, mailbox: Mailbox, *, refused: str = "") -> Access:
        used.add(mailbox.id)
        return plain(broker, mailbox, refused=refused)

    monkeypatch.setattr(ConsentBroker, "access", access)
    return used
