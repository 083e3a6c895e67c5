from __future__ import annotations

import pytest

from services.webhook_receiver.protocols import google
from services.webhook_receiver.protocols.push import Notifications, ReadPush, UnreadablePush
from shared.contracts.change_notification import HintKind
from shared.domain.identity import Provider
from shared.domain.proof import mint
from tests.unit.services.webhook_receiver.pushes import (
    KEYS,
    RECEIVED_AT_MS,
    STRANGERS,
    client_state,
    google_sample,
    mailbox,
)


def judged(headers: dict[str, str], body: bytes = b"") -> ReadPush:
    return google.read("", headers, body, KEYS, RECEIVED_AT_MS)


def the_hint(headers: dict[str, str]) -> object:
    push = judged(headers)
    assert isinstance(push, Notifications)
    [hint] = push.hints
    return hint


@pytest.mark.proves("D3")
@pytest.mark.parametrize("sample", ["exists", "not_exists"])
def test_a_change_is_read_from_headers_alone(sample: str) -> None:
    push = judged(google_sample(sample))

    assert isinstance(push, Notifications)
    [hint] = push.hints
    assert hint.mailbox == mailbox("m-ada")
    assert hint.notification.kind is HintKind.CHANGED
    assert hint.notification.subscription_id == "4ba78bf0-6a47-11e2-bcfd-0800200c9a66"
    assert hint.notification.received_at_ms == RECEIVED_AT_MS


@pytest.mark.proves("D3")
def test_the_opening_message_is_not_a_change() -> None:
    push = judged(google_sample("sync"))

    assert isinstance(push, Notifications)
    assert [hint.notification.kind for hint in push.hints] == [HintKind.SYNC]


@pytest.mark.parametrize("change_case", [str.lower, str.upper, str.title])
def test_header_names_are_matched_whatever_their_case(change_case: object) -> None:
    headers = {change_case(name): value for name, value in google_sample("exists").items()}  # type: ignore[operator]

    assert the_hint(headers) == the_hint(google_sample("exists"))


@pytest.mark.proves("D3")
@pytest.mark.parametrize(
    "token",
    [
        "",
        "guess",
        mint(STRANGERS, mailbox("m-ada"), Provider.GOOGLE, "4ba78bf0-6a47-11e2-bcfd-0800200c9a66"),
        mint(KEYS, mailbox("m-ada"), Provider.GOOGLE, "another-channel"),
        mint(KEYS, mailbox("m-ada"), Provider.MICROSOFT, "4ba78bf0-6a47-11e2-bcfd-0800200c9a66"),
        client_state("m-ada"),
    ],
    ids=["empty", "guessed", "strangers-key", "another-channel", "another-provider", "graph-client-state"],
)
def test_a_token_not_made_for_this_channel_is_acknowledged_without_effect(token: str) -> None:
    assert judged({**google_sample("exists"), "X-Goog-Channel-Token": token}) == Notifications(forged=1)


def test_a_message_without_a_token_is_acknowledged_without_effect() -> None:
    headers = google_sample("exists")
    del headers["X-Goog-Channel-Token"]

    assert judged(headers) == Notifications(forged=1)


@pytest.mark.parametrize("missing", ["X-Goog-Channel-ID", "X-Goog-Resource-State"])
def test_what_is_no_channel_message_is_refused_with_advice(missing: str) -> None:
    headers = google_sample("exists")
    del headers[missing]
    push = judged(headers)

    assert isinstance(push, UnreadablePush)
    assert push.status == 400
    assert "proxy" in push.next


@pytest.mark.parametrize("channel", ["c" * 201, "canal-é"])
def test_a_channel_id_that_we_never_make_is_acknowledged_without_effect(channel: str) -> None:
    assert judged({**google_sample("exists"), "X-Goog-Channel-ID": channel}) == Notifications(malformed=1)


def test_the_calendars_address_never_stands_in_a_hint() -> None:
    said = str(the_hint(google_sample("exists")))

    assert "office.example" not in said
    assert google_sample("exists")["X-Goog-Channel-Token"] not in said
