"""What an administrator, or a back-end service, does with the organisation's webhooks over HTTP."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.contracts import envelope as envelopes
from shared.contracts.topics import ROOM_REJECTIONS, WEBHOOK_REQUESTS
from shared.contracts.webhook_records import TEST_EVENT_TYPE, EventPlace, RequestedAct, WebhookRequest
from shared.contracts.webhook_rows import WebhookDeliveriesRow, WebhookDelivery, WebhookDeliveryState, deliveries_id
from shared.domain.instants import to_rfc3339
from shared.organisations.service_tokens import live_tokens, make_token, name_of
from shared.organisations.webhooks import MOST_ENDPOINTS, find_webhook, note_failure
from shared.registry import tables
from tests.integration.services.portal.office import Browser, Office, Simulator, an_office
from tests.support.emptiness import found, in_files

pytestmark = pytest.mark.proves("B21")
URL = "https://hooks.receiver.test/in/zebra-secret?x=1"


def add(browser: Browser, url: str = URL, **more: Any) -> dict[str, Any]:
    answer = browser.post("/v1/webhooks", {"url": url, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json
    return made


def bearer(office: Office, tenant: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(office.engine.registry, tenant, 0)[1]}"}


def requests(office: Office) -> list[tuple[int, str, WebhookRequest]]:
    """Partition, key and content of everything that was asked for."""
    log = office.engine.log
    return [
        (
            partition,
            record.key.decode(),
            envelopes.payload_of(envelopes.decode(record.value or b""), WebhookRequest),
        )
        for partition in range(log.partitions)
        for record in log.read(WEBHOOK_REQUESTS.name, partition, 0)
    ]


def test_an_endpoint_is_added_listed_and_removed_and_its_secret_is_shown_once(office: Office, chief: Browser) -> None:
    made = add(chief, types=["roomsync.room.declined.v1"])
    assert made["secret"].startswith("whsec_")
    assert made["secret"] not in chief.client.get("/v1/webhooks").text
    [listed] = chief.client.get("/v1/webhooks").json["webhooks"]
    assert listed == {key: value for key, value in made.items() if key != "secret"}
    assert (listed["url"], listed["state"], listed["types"]) == (URL, "active", ["roomsync.room.declined.v1"])
    headers = {"X-CSRF-Token": chief.csrf}
    assert chief.client.delete(f"/v1/webhooks/{made['id']}", headers=headers).status_code == 204
    assert chief.client.get("/v1/webhooks").json["webhooks"] == []
    assert {request.act for _, _, request in requests(office)} == {RequestedAct.END}
    assert chief.client.delete(f"/v1/webhooks/{made['id']}", headers=headers).status_code == 404


def test_neither_secret_nor_address_stands_anywhere_in_the_clear(office: Office, chief: Browser) -> None:
    made = add(chief)
    assert found(in_files(office.home), [made["secret"], made["secret"].removeprefix("whsec_"), "zebra-secret"]) == []


def test_a_back_end_service_does_the_same_with_its_token_and_sees_no_other_organisation(
    office: Office, chief: Browser
) -> None:
    mine, client = bearer(office, chief.tenant), office.app.test_client()
    made = client.post("/v1/webhooks", json={"url": URL}, headers=mine).json
    assert client.get("/v1/webhooks", headers=mine).json == chief.client.get("/v1/webhooks").json
    theirs = bearer(office, "t-other")
    assert client.get("/v1/webhooks", headers=theirs).json["webhooks"] == []
    for method, path in (("POST", "test"), ("GET", "deliveries"), ("POST", "resume"), ("POST", "secrets")):
        answer = client.open(f"/v1/webhooks/{made['id']}/{path}", method=method, headers=theirs)
        assert answer.status_code == 404, path
    assert client.post(f"/v1/webhooks/{made['id']}/test", headers=mine).status_code == 202
    [token] = live_tokens(office.engine.registry, chief.tenant)
    acts = chief.client.get("/v1/admin/audit").json["acts"]
    assert [(act["act"], act["user"]) for act in acts] == [
        ("webhook.tested", f"token:{name_of(token)}"),
        ("webhook.added", f"token:{name_of(token)}"),
    ]


def test_whoever_has_no_right_or_no_token_changes_nothing(office: Office, chief: Browser, ben: Browser) -> None:
    assert ben.client.get("/v1/webhooks").status_code == 403
    assert ben.post("/v1/webhooks", {"url": URL}).status_code == 403
    assert chief.client.post("/v1/webhooks", json={"url": URL}).status_code == 403  # a form of another site
    forged = {"Authorization": "Bearer t-1.x"}  # beside a session that has the right
    assert chief.client.post("/v1/webhooks", json={"url": URL}, headers=forged).status_code == 401
    operators = {"Authorization": f"Bearer {office.settings.service_token}"}
    assert office.app.test_client().get("/v1/webhooks", headers=operators).status_code == 401
    assert chief.client.get("/v1/webhooks").json["webhooks"] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.receiver.test/", "ftp://hooks.receiver.test/", "https://u:p@hooks.receiver.test/",
        "https://hooks.receiver.test/#x", "https://hooks.receiver.test:22/", "https:///x", "https://localhost/",
        "https://127.0.0.1/", "https://10.1.2.3/", "https://[::1]/", "https://[::ffff:8.8.8.8]/", "https://169.254.169.254/",
        "https://100.64.1.1/", "https://224.0.0.1/", "https://[fe80::1]/", "https://[64:ff9b::808:808]/", "https://0.0.0.0/",
        "https://hooks.receiver.test/\u00e9", f"https://hooks.receiver.test/{'x' * 1000}", "https://hooks.receiver.test:0/",
        "https://a.localhost./", "https://[2002:7f00:1::]/", "", "https://hooks receiver.test/", "https://192.0.0.192/",
        "https://192.88.99.1/", "https://168.63.129.16:32526/", "https://[2001:1::1]/", "https://[3fff::1]/",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_or_not_tls_is_refused(chief: Browser, url: str) -> None:
    answer = chief.post("/v1/webhooks", {"url": url})
    assert (answer.status_code, answer.json["code"]) == (422, "webhook-invalid"), url
    assert "p@" not in answer.text


def test_a_host_that_is_allowed_by_name_may_be_private_and_without_tls(chief: Browser) -> None:
    add(chief, "http://hooks.corp.test:81/in")
    add(chief, "http://10.0.0.7/in")
    assert chief.post("/v1/webhooks", {"url": "http://corp.test/in"}).status_code == 422


def test_an_organisation_has_twenty_at_most(chief: Browser) -> None:
    for _ in range(MOST_ENDPOINTS):
        add(chief)
    answer = chief.post("/v1/webhooks", {"url": URL})
    assert (answer.status_code, answer.json["code"]) == (409, "webhooks-full")


def test_a_new_secret_stands_beside_the_older_one_until_that_is_ended(chief: Browser) -> None:
    made = add(chief)
    path, headers = f"/v1/webhooks/{made['id']}/secrets", {"X-CSRF-Token": chief.csrf}
    assert chief.client.delete(f"{path}/older", headers=headers).status_code == 409
    second = chief.post(path).json["secret"]
    assert second != made["secret"]
    assert chief.post(path).json["code"] == "webhook-secrets"
    assert chief.client.get("/v1/webhooks").json["webhooks"][0]["secrets"] == 2
    assert chief.client.delete(f"{path}/older", headers=headers).status_code == 204
    assert chief.client.get("/v1/webhooks").json["webhooks"][0]["secrets"] == 1


def test_what_is_asked_of_deliveries_stands_in_the_partitions_that_it_concerns(office: Office, chief: Browser) -> None:
    made = add(chief)
    path, key = f"/v1/webhooks/{made['id']}", f"{chief.tenant}/{made['id']}"
    event = chief.post(f"{path}/test").json["id"]
    since_ms = office.clock.now_ms() - 60_000
    assert chief.post(f"{path}/redeliver", {"since": to_rfc3339(since_ms)}).status_code == 202
    delivery = WebhookDelivery(
        number=0,
        event="d-1",
        type="x",
        topic=ROOM_REJECTIONS.name,
        offset=7,
        state=WebhookDeliveryState.DELIVERED,
        at_ms=1,
    )
    tables.webhook_deliveries(office.engine.registry).put(
        chief.tenant, deliveries_id(made["id"], 1, 0), WebhookDeliveriesRow(deliveries=(delivery,))
    )
    assert [each["id"] for each in chief.client.get(f"{path}/deliveries").json["deliveries"]] == ["d-1"]
    assert chief.post(f"{path}/redeliver", {"ids": ["d-1", "d-1"]}).status_code == 202
    assert chief.post(f"{path}/redeliver", {"ids": ["d-1", "d-2"]}).json["code"] == "no-such-delivery"
    asked = requests(office)
    assert all(each == key for _, each, _ in asked)
    tests = [request.events for _, _, request in asked if request.act is RequestedAct.TEST]
    assert tests == [(EventPlace(event=event, type=TEST_EVENT_TYPE, at_ms=office.clock.now_ms()),)]
    again = [(partition, request) for partition, _, request in asked if request.act is RequestedAct.AGAIN]
    assert sorted(partition for partition, request in again if request.since_ms == since_ms) == [0, 1]
    assert [(partition, request.events[0].offset) for partition, request in again if request.events] == [(1, 7)]


@pytest.mark.parametrize(
    "body", [{}, {"since": "yesterday"}, {"since": "2026-11-28T09:30:00Z", "ids": ["d-1"]}, {"ids": "d-1"}, {"ids": []},
             {"ids": ["x"] * 101}, {"since": "9999-99-99"}]
)  # fmt: skip
def test_a_request_that_cannot_be_read_is_refused(chief: Browser, body: dict[str, Any]) -> None:
    answer = chief.post(f"/v1/webhooks/{add(chief)['id']}/redeliver", body)
    assert (answer.status_code, answer.json["code"]) == (422, "webhook-invalid")


def test_a_paused_endpoint_is_shown_so_and_resumed_by_a_person(office: Office, chief: Browser) -> None:
    made, registry = add(chief), office.engine.registry
    assert note_failure(registry, chief.tenant, made["id"], office.clock.now_ms(), gone=True)
    [shown] = chief.client.get("/v1/webhooks").json["webhooks"]
    assert (shown["state"], shown["pausedBecause"]) == ("paused", "gone")
    assert "410" in shown["words"]
    assert chief.post(f"/v1/webhooks/{made['id']}/test").json["code"] == "webhook-paused"
    assert chief.post(f"/v1/webhooks/{made['id']}/resume").status_code == 202
    assert [request.act for _, _, request in requests(office)] == [RequestedAct.RESUME] * 2
    webhook = find_webhook(registry, chief.tenant, made["id"])
    assert webhook is not None
    assert webhook == msgspec.structs.replace(webhook, failing_since_ms=0, paused_at_ms=0, paused_because=None)


def test_where_the_operator_has_not_switched_them_on_nobody_has_any(tmp_path: Any, simulator: Simulator) -> None:
    with an_office(tmp_path / "other", simulator, webhooks="off") as office:
        headers = bearer(office, "t-1")
        answer = office.app.test_client().post("/v1/webhooks", json={"url": URL}, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (409, "webhooks-off")
