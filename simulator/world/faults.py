"""Every fault that can be switched on, with its default and meaning; either side declares what it adds."""

from __future__ import annotations

import copy
from typing import Any

from simulator.world.contradictions import CONTRADICTIONS, CONTRADICTS
from simulator.world.errors import InvalidError

_COMMON: dict[str, tuple[Any, str]] = {
    "pushOff": (False, "no notification leaves; those due now are lost"),
    "dropShare": (0.0, "share of notification POSTs that are lost, 0 to 1"),
    "duplicateShare": (0.0, "share of notification POSTs that are sent twice"),
    "reorderShare": (
        0.0,
        "share of notification POSTs held back by one to three seconds, so that others overtake them",
    ),
    "pushDelayMs": ([0, 0], "each notification POST is held back by a random time in this range"),
    "retryScale": (0.05, "the documented waits before a retry are multiplied by this: 10 s become 0.5 s"),
    "roomDelayMs": ([300, 1500], "how long a room without a delay of its own takes to answer"),
    "autoReplace": (False, "a declined room is replaced by a free one, in every tenant"),
    "autoReplaceDelayMs": ([1000, 3000], "how long the replacement takes"),
    "immediateDecline": (
        {"microsoft": False, "google": True},
        "a conflict is declined at once, without the room's delay",
    ),
    "deltaLagMs": (0, "a change shows in delta or incremental lists only this long after its notification"),
    "cursorExpired": (
        False,
        'true refuses every cursor issued so far, once; {"user": id or address} only that mailbox\'s',
    ),
    "cursorExpiredAs": ("gone", "`gone` (410) or, at Microsoft, `syncStateNotFound` (400)"),
    "emptyPageShare": (0.0, "share of list pages that come empty with a link to the next"),
    "latencyMs": ([0, 0], "every provider call takes a random time in this range longer (real time)"),
    "throttle": (
        None,
        'null, or {"share", "count", "status": 429|403|503, "retryAfter": "2"|"2.128"|null, "user": id or address, "path"}',
    ),
    "concurrencyLimit": (
        0,
        "calls in flight per mailbox above this are refused with 429; 0 is off, Outlook's own limit is 4",
    ),
    "errorShare": (0.0, "share of provider calls answered with a plain 500"),
    "revokedTokens": ([], "ids or addresses of users whose access tokens are refused with 401"),
    CONTRADICTS: ([], "keys of beliefs about a provider of which the opposite is played; see docs/beliefs.md"),
}


class Faults:
    """The switches. A value may be given for both providers, or as {"microsoft": ..., "google": ...}."""

    def __init__(self) -> None:
        self._known = dict(_COMMON)
        self._set: dict[str, Any] = {}

    def declare(self, name: str, default: Any, doc: str) -> None:
        """Add a switch (a side does this once, when it is wired)."""
        self._known[name] = (default, doc)

    def get(self, name: str, provider: str | None = None) -> Any:
        """The value that holds for this provider."""
        value = self._set.get(name, self._known[name][0])
        if provider and isinstance(value, dict) and set(value) & {"microsoft", "google"}:
            return value.get(provider, self._plain_default(name, provider))
        return value

    def contradicts(self, belief: str) -> bool:
        """Whether the opposite of a belief is played; `belief` is a key of `CONTRADICTIONS`."""
        return belief in self.get(CONTRADICTS)

    def put(self, wanted: dict[str, Any]) -> None:
        """Merge the switches given; `{"reset": true}` first puts everything back. Raises InvalidError when unknown."""
        unknown = sorted(set(wanted) - set(self._known) - {"reset"})
        if unknown:
            message = f"unknown fault {', '.join(unknown)}: known are {', '.join(sorted(self._known))}"
            raise InvalidError(message)
        _check_beliefs(wanted.get(CONTRADICTS, []))
        if wanted.get("reset"):
            self._set.clear()
        self._set.update({name: copy.deepcopy(value) for name, value in wanted.items() if name != "reset"})

    def as_dict(self) -> dict[str, Any]:
        """Every switch with its value."""
        return {name: copy.deepcopy(self._set.get(name, default)) for name, (default, _) in sorted(self._known.items())}

    def describe_all(self) -> dict[str, str]:
        """Every switch with its meaning."""
        return {name: doc for name, (_, doc) in sorted(self._known.items())}

    def _plain_default(self, name: str, provider: str) -> Any:
        default = self._known[name][0]
        if isinstance(default, dict) and provider in default:
            return default[provider]
        return default


def _check_beliefs(wanted: Any) -> None:
    unknown = [key for key in wanted if key not in CONTRADICTIONS] if isinstance(wanted, list) else [wanted]
    if unknown:
        message = f"{CONTRADICTS} must be a list of keys out of {', '.join(CONTRADICTIONS)}; unknown: {unknown}"
        raise InvalidError(message)
