"""The facts that the screen shows. None means "could not be read"; `unreachable` or `unseen` says why."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.grants.common_refusal import CommonRefusal
from shared.meetings.confirmed_states import ConfirmedStates


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a service is behind one topic."""

    records: int
    """Offsets, gaps included: an upper bound."""
    seconds: float
    """Age of the oldest input not passed; 0 when all is."""


@dataclass(frozen=True, slots=True)
class ServiceLag:
    """How far a stateful service is behind, per topic and partition."""

    service: str
    lags: Mapping[str, Sequence[Lag]]
    """Topic → partition → lag."""

    def of_partition(self, number: int) -> Lag:
        """Return the lag of one partition over all topics."""
        lags = [each[number] for each in self.lags.values()]
        return Lag(sum(lag.records for lag in lags), max(lag.seconds for lag in lags))

    def of_topic(self, topic: str) -> Lag:
        """Return the lag of one topic over all partitions."""
        lags = self.lags[topic]
        return Lag(sum(lag.records for lag in lags), max(lag.seconds for lag in lags))

    @property
    def seconds(self) -> float:
        """The age of the oldest waiting record of all topics."""
        return max((lag.seconds for lags in self.lags.values() for lag in lags), default=0.0)

    @property
    def records(self) -> int:
        """How many records wait on all topics."""
        return sum(lag.records for lags in self.lags.values() for lag in lags)


@dataclass(slots=True)
class MailboxCounts:
    """How many mailboxes at one provider are in which state."""

    held: int = 0
    connecting: int = 0
    failing: int = 0
    """Their last look failed."""
    stale: int = 0
    """Not looked at within twice the reconcile time."""
    unwatched: int = 0
    """Their subscription is over or missing."""
    expiring: int = 0
    """Their subscription ends within 24 hours."""
    forgotten: int = 0
    """Their owners are connected, and the log does not have them: no worker looks at them."""
    late: int = 0
    """Of those, how many should have been prolonged long ago."""
    doubted: int = 0
    """A look of theirs found changes that no push had announced, and no push has come since."""
    heard_at_ms: int = 0
    looked_at_ms: int = 0
    oldest_look_ms: int = 0
    """The look that is longest ago."""


@dataclass(frozen=True, slots=True)
class DeadLetterCounts:
    """How many dead letters are open, and the newest of them."""

    count: int
    newest_ms: int = 0
    newest_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """A process that was asked for its health."""

    url: str
    named: bool
    """Whether it is to answer there; those at default ports may simply not run here."""
    answers: bool
    name: str = ""
    version: str = ""
    ready: bool = False
    checks: Mapping[str, str] = field(default_factory=dict)
    open_lanes: int | None = None
    """Of its breaker; None for a service without one."""
    claims: int | None = None
    """Partitions it owns; None for a service without."""


@dataclass(slots=True)
class Facts:
    """Everything that could be read."""

    now_ms: int
    engine: str
    version: str
    stations: dict[str, ServiceLag] = field(default_factory=dict)
    last_push: dict[str, int | None] = field(default_factory=dict)
    """Provider → when its newest hint was received; None: none is kept. Missing: could not be seen."""
    watched: dict[str, MailboxCounts] | None = None
    consents: dict[str, dict[str, int]] | None = None
    refused_at_once: dict[str, CommonRefusal] | None = None
    """Organisation → what many of its grants are refused for."""
    emptied: bool | None = None
    """Whether the registry knows no organisation although the log holds mailboxes."""
    letters: DeadLetterCounts | None = None
    open_prompts: int | None = None
    confirmed: ConfirmedStates | None = None
    rebuilding: Sequence[int] | None = None
    """Partitions of the view that are being rebuilt."""
    services: Sequence[ServiceHealth] = ()
    hesitant: list[str] = field(default_factory=list)
    """Parts that answered only when they were asked again, once for each time."""
    unreachable: dict[str, str] = field(default_factory=dict)
    """Store → what was wrong."""
    unseen: dict[str, str] = field(default_factory=dict)
    """Part of the screen → why it is empty, where no store is to blame."""

    def setter(self, name: str) -> Callable[[Any], None]:
        """Return a function that sets the field of that name."""
        return functools.partial(setattr, self, name)
