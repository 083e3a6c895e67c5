"""What really happened (facts) and what was asked of us (requests): the simulator's own truth, append-only."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any, Literal

FactKind = Literal[
    "meeting-created",
    "meeting-changed",
    "meeting-moved",
    "meeting-cancelled",
    "room-asked",
    "room-answered",
    "room-swapped",
    "room-removed",
    "room-replaced",
    "room-released",
    "attendee-answered",
]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. `occurrence` is an original start in ms, None for a meeting or a whole series;
    `reason` is what no provider would tell.
    """

    seq: int
    atMs: int  # noqa: N815 (the name on the wire)
    kind: FactKind
    tenant: str
    meeting: str
    room: str | None = None
    attendee: str | None = None
    occurrence: int | None = None
    answer: str | None = None
    reason: str | None = None
    ask: int | None = None
    replaces: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


class History:
    """The list of facts. Guarded by the world's lock."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def add(self, kind: FactKind, at_ms: int, tenant: str, meeting: str, **more: Any) -> Fact:
        """Append one fact."""
        fact = Fact(seq=len(self.facts) + 1, atMs=at_ms, kind=kind, tenant=tenant, meeting=meeting, **more)
        self.facts.append(fact)
        return fact

    def after(self, seq: int) -> list[Fact]:
        """The facts with a number above `seq`."""
        return self.facts[max(seq, 0) :]


@dataclass(frozen=True, slots=True)
class Request:
    """One call that a provider side served; `user` is whom the token spoke for."""

    seq: int
    atMs: int  # noqa: N815 (the name on the wire)
    provider: str
    method: str
    path: str
    query: str
    user: str | None
    client: str | None
    status: int
    tookMs: int  # noqa: N815 (the name on the wire)
    inFlight: int  # noqa: N815 (the name on the wire)


class RequestLog:
    """The log of calls to both provider sides."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Request] = []

    def add(self, **fields: Any) -> None:
        """Append one call."""
        with self._lock:
            self._all.append(Request(seq=len(self._all) + 1, **fields))

    def after(self, seq: int) -> list[dict[str, Any]]:
        """The calls with a number above `seq`, as JSON."""
        with self._lock:
            return [asdict(one) for one in self._all[max(seq, 0) :]]
