"""What the providers send, with valid proof where a sample asks for it."""

from __future__ import annotations

import json
import re

from shared.domain.identity import Mailbox, Provider
from shared.domain.proof import HookKeys, mint
from tests.support.paths import SAMPLES

KEYS = HookKeys("k-new", {"k-new": b"n" * 32, "k-old": b"o" * 32})
RETIRED = HookKeys("k-old", KEYS.ring)
STRANGERS = HookKeys("k-new", {"k-new": b"x" * 32})
TENANT = "t-0000000000000001"
RECEIVED_AT_MS = 1_795_000_000_000


def mailbox(name: str) -> Mailbox:
    """A mailbox of the tests' tenant."""
    return Mailbox(TENANT, name)


def client_state(name: str, keys: HookKeys = KEYS) -> str:
    """What a Graph subscription of this mailbox carries."""
    return mint(keys, mailbox(name), Provider.MICROSOFT)


def graph_sample(name: str, keys: HookKeys = KEYS) -> bytes:
    """A body of `samples/graph_notifications`."""
    text = (SAMPLES / "graph_notifications" / f"{name}.json").read_text()
    return re.sub(r"\{client-state:([\w-]+)\}", lambda found: client_state(found[1], keys), text).encode()


def google_sample(name: str, owner: str = "m-ada", keys: HookKeys = KEYS) -> dict[str, str]:
    """The headers of `samples/google_notifications`."""
    headers: dict[str, str] = json.loads((SAMPLES / "google_notifications" / f"{name}.json").read_text())
    headers["X-Goog-Channel-Token"] = mint(keys, mailbox(owner), Provider.GOOGLE, headers["X-Goog-Channel-ID"])
    return headers


def a_change(name: str = "m-ada", **fields: object) -> dict[str, object]:
    """One item of a batch; keyword arguments replace fields."""
    return {"subscriptionId": "s-1", "changeType": "updated", "clientState": client_state(name), **fields}


def a_batch(*items: object) -> bytes:
    """A body."""
    return json.dumps({"value": items}).encode()
