"""What arrives at an endpoint, how it is proved, and what becomes of it when the receiver misbehaves."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook

from services.notifier.webhooks import results
from services.notifier.webhooks.courier import EndpointName
from services.notifier.webhooks.delivery_log import write_entry
from shared.contracts.rows import IntegrationState
from shared.contracts.webhook_records import RequestedAct
from shared.contracts.webhook_rows import PAGE_DELIVERIES, PAGES, PauseReason, WebhookDelivery, WebhookDeliveryState
from shared.domain.instants import DAY_MS, HOUR_MS
from shared.errors import StoreUnavailableError
from shared.organisations.audit_chain import read_chain
from shared.organisations.webhooks import add_secret, end_older_secret, remove_webhook, resume_webhook
from shared.registry import tables
from shared.runtime import metrics
from tests.integration.services.notifier.webhooks.conftest import Bureau
from tests.support.office import AARE, ADA, BIRS
from tests.support.webhook_receiver import Got, start_receiver

pytestmark = pytest.mark.proves("B21")


def signed_by(got: Got, secret: str) -> bool:
    """Whether the library that receivers use finds this secret's signature."""
    at = datetime.fromtimestamp(int(got.headers["webhook-timestamp"]), tz=UTC)
    return Webhook(secret).sign(got.id, at, got.body) in got.headers["webhook-signature"].split(" ")


def test_a_decline_and_how_it_ended_arrive_as_they_stand_on_their_topics(bureau: Bureau, path: str) -> None:
    endpoint = bureau.add_endpoint(path)
    bureau.connect()
    start_ms = bureau.clock.at_ms + 2 * DAY_MS
    for rooms in ({AARE: "none"}, {AARE: "declined"}, {AARE: "declined", BIRS: "accepted"}):
        bureau.calendar.book("e1", start_ms=start_ms, **rooms)
        bureau.hint()
        bureau.settle()
    bureau.deliver()
    declined, regained = bureau.receiver.got(path)
    for got, topic in ((declined, "room-rejections"), (regained, "room-outcomes")):
        [record] = bureau.engine.log.read(topic, 0, 0)
        assert got.body.encode() == record.value
        assert got.id == json.loads(got.body)["id"]
        assert got.headers["content-type"] == "application/cloudevents+json; charset=UTF-8"
        assert signed_by(got, bureau.secrets[endpoint])
        assert not any(word in str(got) for word in (AARE, ADA, "Aare", "Birs", "e1@"))
    assert [each.state for each in bureau.deliveries(endpoint)] == [WebhookDeliveryState.DELIVERED] * 2


def test_what_is_another_organisations_or_of_before_or_not_wanted_is_not_sent(bureau: Bureau, path: str) -> None:
    bureau.publish("d-before")
    bureau.clock.at_ms += 1
    bureau.add_endpoint(path)
    bureau.add_endpoint(f"{path}/outcomes", types=("roomsync.room.regained.v1",))
    bureau.publish("d-other", tenant="t-other")
    bureau.publish("d-mine")
    bureau.deliver()
    assert [each.id for each in bureau.receiver.got(path)] == ["d-mine"]
    assert bureau.receiver.got(f"{path}/outcomes") == []


def test_both_secrets_sign_until_the_older_one_is_ended(bureau: Bureau, path: str) -> None:
    endpoint, engine = bureau.add_endpoint(path), bureau.engine
    second = add_secret(engine.registry, engine.keyring, bureau.tenant, endpoint)
    assert second
    bureau.publish("d-1")
    bureau.deliver()
    end_older_secret(engine.registry, engine.keyring, bureau.tenant, endpoint)
    bureau.publish("d-2")
    bureau.deliver()
    both, newest = bureau.receiver.got(path)
    first = bureau.secrets[endpoint]
    assert [signed_by(both, first), signed_by(both, second)] == [True, True]
    assert [signed_by(newest, first), signed_by(newest, second)] == [False, True]


@pytest.mark.parametrize(
    ("manner", "status", "fault"),
    [
        ({"status": 500}, 500, ""),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/stolen"}}, 302, "redirect"),
        ({"status": 404}, 404, ""),
        ({"hang_up": True}, 0, "no-answer"),
        ({"drips": True}, 0, "timeout"),
        ({"slow_s": 5}, 0, "timeout"),
    ],
)
def test_what_is_not_taken_is_sent_again_under_the_same_id(
    bureau: Bureau, path: str, manner: dict[str, Any], status: int, fault: str
) -> None:
    endpoint = bureau.add_endpoint(path)
    bureau.receiver.behave(path, **manner)
    bureau.publish("d-1")
    bureau.deliver()
    [tried] = bureau.deliveries(endpoint)
    assert (tried.state, tried.attempts, tried.status, tried.fault) == (
        WebhookDeliveryState.WAITING, 1, status, fault,
    )  # fmt: skip
    assert 3_000 < tried.retry_at_ms - bureau.clock.at_ms < 7_000
    assert bureau.webhook(endpoint).failing_since_ms == bureau.clock.at_ms
    bureau.receiver.behave(path)
    bureau.pass_time(8, 8)
    first, second = bureau.receiver.got(path)
    assert (first.id, first.body) == (second.id, second.body)
    [taken] = bureau.deliveries(endpoint)
    assert (taken.state, taken.attempts) == (WebhookDeliveryState.DELIVERED, 2)
    assert bureau.webhook(endpoint).failing_since_ms == 0


def test_after_a_receiver_was_away_for_a_day_all_arrive_and_little_was_held_meanwhile(bureau: Bureau) -> None:
    with start_receiver() as before:
        port = int(before.url.rpartition(":")[2])
    endpoint = bureau.add_endpoint("", url=f"http://127.0.0.1:{port}/in")
    ids = [f"d-{number}" for number in range(240)]
    for begin in range(0, 240, 10):
        bureau.publish(*ids[begin : begin + 10])
        bureau.pass_time(3_600, 3_600)
        backlog = next(iter(bureau.owner._backlogs._known.values()))[0]
        assert len(backlog.waiting) <= 100
        if begin == 120:
            bureau.take_over()  # somewhere on the way another process goes on
    with start_receiver(port) as back:
        bureau.pass_time(3_700, 3_700)
        assert sorted(each.id for each in back.got("/in")) == sorted(ids)
        assert Counter(each.id for each in back.got()).most_common(1)[0][1] == 1
    assert bureau.webhook(endpoint).failing_since_ms == 0


def test_an_event_that_is_never_taken_holds_up_no_other_and_is_given_up_after_three_days(
    bureau: Bureau, path: str
) -> None:
    endpoint = bureau.add_endpoint(path)
    bureau.receiver.behave(path, refuses=["d-bad"])
    bureau.publish("d-bad")
    bureau.deliver()
    for day in range(4):
        bureau.publish(f"d-{day}")
        bureau.pass_time(24 * 3_600, 3_600)
    arrived = Counter(each.id for each in bureau.receiver.got(path))
    bad, *others = bureau.deliveries(endpoint)
    assert (bad.state, bad.status) == (WebhookDeliveryState.FAILED, 422)
    assert 40 < arrived["d-bad"] == bad.attempts < 130
    assert [(each.event, each.state) for each in others] == [
        (f"d-{day}", WebhookDeliveryState.DELIVERED) for day in range(4)
    ]
    assert bureau.webhook(endpoint).paused_at_ms == 0


def test_an_endpoint_that_takes_nothing_for_three_days_is_paused_and_told_of_until_a_person_resumes_it(
    bureau: Bureau, path: str
) -> None:
    endpoint = bureau.add_endpoint(path)
    labels = {"reason": "failing"}
    before = metrics.REGISTRY.get_sample_value("roomsync_webhooks_paused_total", labels) or 0
    bureau.receiver.behave(path, status=503)
    bureau.publish("d-1", "d-2")
    bureau.pass_time(71 * 3_600, 1_800)
    assert bureau.webhook(endpoint).paused_at_ms == 0
    bureau.pass_time(3 * 3_600, 1_800)
    assert bureau.webhook(endpoint).paused_because is PauseReason.FAILING
    tries = len(bureau.receiver.got(path))
    assert 100 < tries < 250
    bureau.publish("d-3")
    bureau.pass_time(12 * 3_600, 1_800)
    assert len(bureau.receiver.got(path)) == tries
    chain, _ = read_chain(bureau.engine.registry, bureau.tenant)
    acts = [(entry.row.act, entry.row.about, entry.row.outcome) for entry in chain.entries.values()]
    assert acts == [("webhook.paused", endpoint, "failing")]
    assert (metrics.REGISTRY.get_sample_value("roomsync_webhooks_paused_total", labels) or 0) == before + 1
    bureau.receiver.behave(path)
    resume_webhook(bureau.engine.registry, bureau.tenant, endpoint)
    bureau.ask(endpoint, RequestedAct.RESUME)
    bureau.deliver()
    assert {each.id for each in bureau.receiver.got(path)[tries:]} == {"d-1", "d-2", "d-3"}


def test_410_pauses_at_once(bureau: Bureau, path: str) -> None:
    endpoint = bureau.add_endpoint(path)
    bureau.receiver.behave(path, status=410)
    bureau.publish("d-1", "d-2")
    bureau.pass_time(7_200, 60)
    assert len(bureau.receiver.got(path)) == 1
    assert bureau.webhook(endpoint).paused_because is PauseReason.GONE


def test_a_pause_stands_in_the_audit_although_the_store_was_away_for_a_moment(
    bureau: Bureau, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = bureau.add_endpoint(path)
    bureau.receiver.behave(path, status=410)
    bureau.publish("d-1")

    def away(*_: object) -> None:
        raise StoreUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(results, "append_act", away)
        with pytest.raises(StoreUnavailableError):
            bureau.deliver()
    bureau.deliver()
    chain, _ = read_chain(bureau.engine.registry, bureau.tenant)
    acts = [(each.row.act, each.row.about) for each in chain.entries.values()]
    assert acts == [("webhook.paused", endpoint)]


def test_a_slow_receiver_delays_nobody(bureau: Bureau, path: str) -> None:
    bureau.add_endpoint(f"{path}/slow")
    bureau.add_endpoint(f"{path}/quick")
    bureau.receiver.behave(f"{path}/slow", slow_s=1.5)
    ids = [f"d-{number}" for number in range(30)]
    bureau.publish(*ids)
    bureau.step_until_arrived(f"{path}/quick", 30)
    assert len(bureau.receiver.got(f"{path}/slow")) <= 10
    assert [each.id for each in bureau.receiver.got(f"{path}/quick")] == ids


def test_many_slow_receivers_together_keep_a_quick_one_waiting_no_longer(bureau: Bureau, path: str) -> None:
    for number in range(19):
        bureau.add_endpoint(f"{path}/slow{number}")
        bureau.receiver.behave(f"{path}/slow{number}", slow_s=60)
    bureau.publish("d-0")
    bureau.deliver()
    bureau.clock.at_ms += 1_000
    bureau.deliver()  # each has shown that it is slow
    bureau.courier._post._whole_s = 8.0
    quick = bureau.add_endpoint(f"{path}/quick")
    bureau.clock.at_ms += 8_000
    bureau.owner.step()
    slow = set(bureau.owner._on_the_way)
    assert len(slow) == 16  # as many as the lane of the slow has threads
    bureau.publish(*(f"d-{number}" for number in range(1, 11)))
    bureau.step_until_arrived(f"{path}/quick", 10)
    assert {name for name in bureau.owner._on_the_way if name.id != quick} == slow, "none of them has had its turn yet"


def test_events_are_sent_again_one_by_one_and_since_an_instant(bureau: Bureau, path: str) -> None:
    endpoint = bureau.add_endpoint(path)
    bureau.publish("d-1", "d-2")
    bureau.clock.at_ms += HOUR_MS
    bureau.publish("d-3", "d-4")
    bureau.deliver()
    bureau.ask(endpoint, RequestedAct.AGAIN, "d-2", "d-4")
    bureau.deliver()
    bureau.ask(endpoint, RequestedAct.AGAIN, since_ms=bureau.clock.at_ms)
    bureau.deliver()
    ids = [each.id for each in bureau.receiver.got(path)]
    assert ids == ["d-1", "d-2", "d-3", "d-4", "d-2", "d-4", "d-3", "d-4"]
    late = bureau.add_endpoint(f"{path}/late")
    bureau.ask(late, RequestedAct.AGAIN, since_ms=1)
    bureau.deliver()
    assert [each.id for each in bureau.receiver.got(f"{path}/late")] == ["d-1", "d-2", "d-3", "d-4"]


def test_a_range_that_is_larger_than_a_backlog_is_sent_whole(bureau: Bureau, path: str) -> None:
    ids = [f"d-{number}" for number in range(330)]
    bureau.publish(*ids)
    bureau.publish("d-other", tenant="t-other")
    bureau.deliver()
    endpoint = bureau.add_endpoint(path)
    bureau.ask(endpoint, RequestedAct.AGAIN, since_ms=1)
    bureau.deliver()
    assert [each.id for each in bureau.receiver.got(path)] == ids
    assert len(bureau.deliveries(endpoint)) <= 250
    assert {each.state for each in bureau.deliveries(endpoint)} == {WebhookDeliveryState.DELIVERED}


def test_whoever_was_removed_or_switched_off_gets_nothing_more(bureau: Bureau, path: str) -> None:
    removed, stays = bureau.add_endpoint(f"{path}/removed"), bureau.add_endpoint(f"{path}/stays")
    for name in ("removed", "stays"):
        bureau.receiver.behave(f"{path}/{name}", status=500)
    bureau.publish("d-1")
    bureau.deliver()
    remove_webhook(bureau.engine.registry, bureau.tenant, removed)
    for name in ("removed", "stays"):
        bureau.receiver.behave(f"{path}/{name}")
    bureau.pass_time(60, 10)
    assert len(bureau.receiver.got(f"{path}/removed")) == 1
    assert len(bureau.receiver.got(f"{path}/stays")) == 2
    bureau.receiver.behave(f"{path}/stays", status=500)
    bureau.publish("d-2")
    bureau.deliver()
    tables.tenants(bureau.engine.registry).change(
        bureau.tenant,
        "tenant",
        lambda row: msgspec.structs.replace(row, integration=IntegrationState.DISABLED) if row else None,
    )
    bureau.engine.keyring.destroy_data(bureau.tenant)
    bureau.receiver.behave(f"{path}/stays")
    bureau.pass_time(7_200, 300)
    assert len(bureau.receiver.got(f"{path}/stays")) == 3
    assert bureau.webhook(stays)
    assert list(bureau.owner._backlogs.names()) == []


def test_a_receiver_says_when_it_wants_to_be_asked_again(bureau: Bureau, path: str) -> None:
    endpoint = bureau.add_endpoint(path)
    bureau.receiver.behave(path, status=429, headers={"Retry-After": "120"})
    bureau.publish("d-1")
    bureau.deliver()
    [tried] = bureau.deliveries(endpoint)
    assert tried.retry_at_ms == bureau.clock.at_ms + 120_000


def test_a_receiver_that_asks_for_longer_than_time_lasts_is_asked_after_an_hour(bureau: Bureau, path: str) -> None:
    endpoint = bureau.add_endpoint(path)
    bureau.receiver.behave(path, status=503, headers={"Retry-After": "1e308"})
    bureau.publish("d-1")
    bureau.deliver()
    [tried] = bureau.deliveries(endpoint)
    assert tried.retry_at_ms == bureau.clock.at_ms + 3_600_000


def test_a_delivery_that_is_tried_for_long_takes_no_later_one_off_the_log(bureau: Bureau, path: str) -> None:
    endpoint = bureau.add_endpoint(path)
    name = EndpointName(bureau.tenant, endpoint)

    def tried(number: int) -> None:
        entry = WebhookDelivery(
            number=number, event=f"d-{number}", type="t", state=WebhookDeliveryState.WAITING, at_ms=bureau.clock.at_ms
        )
        write_entry(bureau.engine.registry, name, 0, entry)

    lap = PAGE_DELIVERIES * PAGES
    for number in (10, lap + 10, lap + 11, 10, lap + 12):
        tried(number)
    assert [each.number for each in bureau.deliveries(endpoint)] == [lap + 10, lap + 11, lap + 12]


def test_store_that_is_away_for_a_moment_costs_no_endpoint_its_delivery(
    bureau: Bureau, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        bureau.add_endpoint(f"{path}/{number}")
    bureau.deliver()
    bureau.publish("d-1")

    def away(_: object) -> None:
        raise StoreUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(bureau.owner._preparation, "find", away)
        with pytest.raises(StoreUnavailableError):
            bureau.owner.step()
    bureau.deliver()
    assert [len(bureau.receiver.got(f"{path}/{number}")) for number in range(3)] == [1, 1, 1]


def test_nothing_is_prepared_for_an_endpoint_while_there_is_no_thread_for_it(
    bureau: Bureau, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bureau.add_endpoint(path)
    bureau.deliver()
    bureau.publish("d-1")
    find, asked = bureau.owner._preparation.find, list[EndpointName]()

    def asking(name: EndpointName) -> Any:
        asked.append(name)
        return find(name)

    with monkeypatch.context() as patch:
        patch.setattr(bureau.owner._preparation, "find", asking)
        patch.setattr(bureau.courier, "has_room", lambda _: False)
        for _ in range(3):
            bureau.owner.step()
            bureau.clock.at_ms += 1_000
        assert asked == []
    bureau.deliver()
    assert len(bureau.receiver.got(path)) == 1


@pytest.mark.proves("B22")
def test_time_from_answer_to_receiver_is_measured_once_and_not_of_what_is_sent_again(bureau: Bureau, path: str) -> None:
    def measured() -> float:
        return metrics.REGISTRY.get_sample_value("roomsync_told_seconds_count", {"channel": "webhook"}) or 0.0

    endpoint, before = bureau.add_endpoint(path), measured()
    bureau.publish("d-1")
    bureau.deliver()
    assert measured() == before + 1
    bureau.ask(endpoint, RequestedAct.AGAIN, "d-1")
    bureau.deliver()
    assert len(bureau.receiver.got(path)) == 2
    bureau.receiver.behave(path, status=503)
    bureau.publish("d-2")
    bureau.deliver()
    bureau.receiver.behave(path, status=204)
    bureau.pass_time(60, 10)
    assert [each.id for each in bureau.receiver.got(path)][-1] == "d-2"
    assert measured() == before + 1, "a receiver that was not there is late by itself"
