"""Whatever is sent: never our fault, never an effect without proof."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.webhook_receiver.protocols import google, graph
from services.webhook_receiver.protocols.push import Handshake, Notifications, ReadPush, UnreadablePush
from tests.unit.services.webhook_receiver.pushes import KEYS, a_batch, a_change, google_sample, mailbox

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
FIELDS = st.sampled_from(
    ["subscriptionId", "clientState", "changeType", "lifecycleEvent", "tenantId", "resourceData", "id"]
)
ITEMS = JSON | st.dictionaries(FIELDS, JSON)
GOOGLE_NAMES = st.sampled_from(list(google_sample("exists"))) | st.text()


def is_harmless(push: ReadPush) -> bool:
    match push:
        case UnreadablePush(status=status):
            return 400 <= status < 500
        case Handshake(token=token):
            return "<" not in token and ">" not in token
        case Notifications(hints=hints):
            return not hints


@pytest.mark.proves("D2")
@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()), st.text(), st.integers(min_value=0))
def test_any_bytes_to_graphs_path_are_harmless(body: bytes, query: str, now_ms: int) -> None:
    assert is_harmless(graph.read(query, {}, body, KEYS, now_ms))


@given(st.lists(ITEMS))
def test_any_items_without_proof_have_no_effect(items: list[object]) -> None:
    push = graph.read("", {}, a_batch(*items), KEYS, 0)

    assert isinstance(push, Notifications)
    assert is_harmless(push)
    assert push.forged + push.malformed == len(items)


@given(st.lists(ITEMS), st.integers(min_value=0, max_value=20))
def test_one_good_item_gets_through_any_company(items: list[object], place: int) -> None:
    items.insert(min(place, len(items)), a_change())
    push = graph.read("", {}, a_batch(*items), KEYS, 0)

    assert isinstance(push, Notifications)
    assert [hint.mailbox for hint in push.hints] == [mailbox("m-ada")]


@pytest.mark.proves("D3")
@given(st.dictionaries(GOOGLE_NAMES, st.text(alphabet=st.characters(max_codepoint=255))), st.binary())
def test_any_headers_to_googles_path_are_harmless(headers: dict[str, str], body: bytes) -> None:
    assert is_harmless(google.read("", headers, body, KEYS, 0))


@given(st.text(alphabet=st.characters(max_codepoint=255), min_size=1))
def test_any_state_with_proof_is_one_hint(state: str) -> None:
    push = google.read("", {**google_sample("exists"), "X-Goog-Resource-State": state}, b"", KEYS, 0)

    assert isinstance(push, Notifications)
    assert len(push.hints) == 1
