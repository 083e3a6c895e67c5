from __future__ import annotations

import json

import pytest

from services.webhook_receiver.protocols import graph
from services.webhook_receiver.protocols.push import Handshake, Notifications, ReadPush, UnreadablePush
from shared.contracts.change_notification import HintKind
from tests.unit.services.webhook_receiver.pushes import (
    KEYS,
    RECEIVED_AT_MS,
    RETIRED,
    STRANGERS,
    a_batch,
    a_change,
    client_state,
    graph_sample,
    mailbox,
)


def judged(body: bytes = b"", query: str = "") -> ReadPush:
    return graph.read(query, {}, body, KEYS, RECEIVED_AT_MS)


def accepted(body: bytes) -> Notifications:
    push = judged(body)
    assert isinstance(push, Notifications)
    return push


@pytest.mark.proves("D2")
def test_handshake_echoes_the_token_as_the_sender_wrote_it_before_encoding() -> None:
    query = "validationToken=Validation%3A+Testing+client+application+reachability+for+subscription%2Brequest+Id%3A+7f"

    assert judged(query=query) == Handshake(
        "Validation: Testing client application reachability for subscription+request Id: 7f"
    )


def test_handshake_wins_over_whatever_else_the_request_holds() -> None:
    assert judged(a_batch(a_change()), "tenant=1&validationToken=abc") == Handshake("abc")


@pytest.mark.parametrize("token", ["%3Cscript%3E", "a%3Eb", "", "x" * 2049])
def test_handshake_refuses_what_graph_never_sends(token: str) -> None:
    push = judged(query=f"validationToken={token}")

    assert isinstance(push, UnreadablePush)
    assert push.status == 400


@pytest.mark.proves("D2")
def test_a_batch_for_several_subscriptions_is_split_and_each_item_checked() -> None:
    push = accepted(graph_sample("changes"))

    assert [(hint.mailbox, hint.notification.subscription_id) for hint in push.hints] == [
        (mailbox("m-ada"), "5b0c9a1e-7a6f-4f0d-9d2c-0d2f7a9e1c11"),
        (mailbox("m-bob"), "7d2ebc30-9c81-4b2f-9f4e-2f4b9c103e33"),
    ]
    assert {hint.notification.kind for hint in push.hints} == {HintKind.CHANGED}
    assert (push.forged, push.malformed) == (2, 0)


@pytest.mark.proves("D2")
def test_each_kind_of_lifecycle_notification_keeps_its_meaning() -> None:
    push = accepted(graph_sample("lifecycle"))

    assert [hint.notification.kind for hint in push.hints] == [
        HintKind.MISSED,
        HintKind.SUBSCRIPTION_REMOVED,
        HintKind.REAUTHORIZATION_REQUIRED,
    ]
    assert push.hints[2].mailbox == mailbox("m-bob")


def test_words_not_known_yet_mean_look_again() -> None:
    push = accepted(graph_sample("oddities"))

    assert [hint.notification.kind for hint in push.hints] == [HintKind.CHANGED] * 3
    assert push.hints[1].notification.detail == {"lifecycleEvent": "somethingNewIn2027"}
    assert (push.forged, push.malformed) == (0, 1), "the item without a subscription id is the malformed one"


def test_a_subscription_nobody_has_recorded_yet_is_accepted() -> None:
    """Notifications may arrive before the call that creates the subscription has returned."""
    assert len(accepted(a_batch(a_change(subscriptionId="never-seen-before"))).hints) == 1


def test_hint_says_under_which_key_it_was_proven() -> None:
    push = accepted(graph_sample("lifecycle", RETIRED))

    assert {hint.notification.key_id for hint in push.hints} == {"k-old"}


@pytest.mark.parametrize(
    "state",
    [
        None,
        "",
        "k3y-9f21",
        "1.k-new.t.m.short",
        client_state("m-ada", STRANGERS),
        client_state("m-ada") + "A",
        "é" * 20,
    ],
)
def test_an_item_without_our_proof_has_no_effect(state: str | None) -> None:
    push = accepted(a_batch(a_change(clientState=state), a_change("m-bob")))

    assert [hint.mailbox for hint in push.hints] == [mailbox("m-bob")]
    assert push.forged == 1


def test_a_proof_made_for_google_proves_nothing_here() -> None:
    from shared.domain.identity import Provider  # noqa: PLC0415
    from shared.domain.proof import mint  # noqa: PLC0415

    push = accepted(a_batch(a_change(clientState=mint(KEYS, mailbox("m-ada"), Provider.GOOGLE))))

    assert push == Notifications(forged=1)


def test_nothing_secret_and_no_content_stands_in_a_hint() -> None:
    body = graph_sample("changes")
    said = str([hint.notification for hint in accepted(body).hints])

    assert client_state("m-ada") not in said
    assert "Events/" not in said
    assert "AAkALg" not in said


@pytest.mark.parametrize(
    "item", [1, None, "text", [], {}, {"subscriptionId": 5}, {"subscriptionId": ""}, {"subscriptionId": "s" * 201}]
)
def test_an_item_that_makes_no_sense_costs_only_itself(item: object) -> None:
    push = accepted(a_batch(item, a_change()))

    assert (len(push.hints), push.malformed) == (1, 1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b"null",
        b'{"value": 3}',
        b'{"value": {}}',
        b'{"value": null}',
        b"\xff\xfe",
        b'{"value":' + b"[" * 100_000,
        b'{"value":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        b'{"value":[{"a":' * 50_000,
        b'{"value":[{"subscriptionId":"\\ud800"}',
    ],
)
def test_what_is_no_batch_is_refused_as_the_senders_fault(body: bytes) -> None:
    push = judged(body)

    assert isinstance(push, UnreadablePush)
    assert push.status == 400


def test_an_empty_batch_is_acknowledged() -> None:
    assert judged(a_batch()) == Notifications()


def test_more_items_than_graph_could_mean_are_refused() -> None:
    push = judged(json.dumps({"value": [0] * (graph.MAX_ITEMS + 1)}).encode())

    assert isinstance(push, UnreadablePush)
    assert push.status == 413


def test_a_query_of_absurdly_many_fields_is_refused() -> None:
    push = judged(query="&".join(f"f{number}=1" for number in range(50)))

    assert isinstance(push, UnreadablePush)
