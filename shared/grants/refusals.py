"""Notices that many grants are refused at once, and stops asking for a while: that is no end of each of them."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.domain.identity import Mailbox
from shared.domain.instants import HOUR_MS, MINUTE_MS, SECOND_MS
from shared.ports.clock import Clock

WITHIN_MS = 5 * MINUTE_MS
LEAST_REFUSED = 5
LEAST_SHARE = 0.2
PAUSE_MS = 10 * MINUTE_MS
MAX_PAUSE_MS = HOUR_MS
PROBE_MS = 30 * SECOND_MS
"""How long the one that is asked after a pause has for its answer, before another one is asked."""
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Opened:
    """A circuit that has opened, or gone on to be open after its probe was refused too."""

    tenant: str
    """"" for that of the whole deployment."""
    code: str
    """The refusal that most were given."""
    pause_ms: int


Observe = Callable[[str, int, Sequence[Opened]], None]
"""Is told a provider, how many of its circuits are open, and which of them have just opened."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a token endpoint is not asked now."""

    left_ms: int
    code: str
    """The refusal that most of them were given."""


@dataclass(slots=True)
class _Circuit:
    """What was answered lately for one organisation, or for all of a deployment; newest last."""

    recent: OrderedDict[Mailbox, tuple[int, str]] = field(default_factory=OrderedDict)
    """Mailbox → when it was answered, and the code of its refusal or ""."""
    until_ms: int = 0
    pause_ms: int = 0
    """0 while the circuit is closed."""
    code: str = ""
    probing: bool = False
    """Whether one has been let through since the last pause."""
    tried: set[str] = field(default_factory=set)
    """Whose probes were refused since it opened: others are let through before these."""

    def note(self, mailbox: Mailbox, code: str, now_ms: int) -> None:
        self.recent.pop(mailbox, None)
        self.recent[mailbox] = now_ms, code
        while self.recent and (
            len(self.recent) > _MOST_REMEMBERED or next(iter(self.recent.values()))[0] <= now_ms - WITHIN_MS
        ):
            self.recent.popitem(last=False)

    def refused(self, *, beyond_one_organisation: bool) -> int:
        """How many refused grants count: for a whole deployment, only those beside the organisation that has most of them."""
        tenants = Counter(mailbox.tenant for mailbox, (_, code) in self.recent.items() if code)
        return tenants.total() - (max(tenants.values(), default=0) if beyond_one_organisation else 0)

    def close(self) -> None:
        self.recent.clear()
        self.until_ms = self.pause_ms = 0
        self.code, self.probing = "", False
        self.tried.clear()

    def open(self, now_ms: int) -> None:
        codes = Counter(code for _, code in self.recent.values() if code)
        self.code = codes.most_common(1)[0][0]
        self.pause_ms = min(self.pause_ms * 2, MAX_PAUSE_MS) if self.pause_ms else PAUSE_MS
        self.until_ms, self.probing = now_ms + self.pause_ms, False


class RefusalBreaker:
    """
    One circuit an organisation and provider, and one a provider for the whole deployment. Thread-safe; one per process.

    A circuit opens once at least five grants, and a fifth of those asked for, were refused within five minutes. While it is
    open nobody is asked for; after the pause one is, and its answer closes the circuit or doubles the pause. For a whole
    deployment it is one of another organisation each time, as long as one asks.
    """

    def __init__(self, clock: Clock, observe: Observe = lambda _provider, _open, _opened: None) -> None:
        """`observe` is called with each answer of a provider."""
        self._clock = clock
        self._observe = observe
        self._lock = threading.Lock()
        self._circuits: dict[tuple[str, str], _Circuit] = {}

    def pause(self, mailbox: Mailbox, provider: str) -> Pause | None:
        """Why the endpoint is not to be asked for this mailbox now; None to ask. After a pause one mailbox is let through."""
        now_ms = self._clock.now_ms()
        with self._lock:
            if pause := self._pause_of_all(mailbox, provider, now_ms):
                return pause
            circuits = [circuit for circuit in self._both(mailbox, provider) if circuit.pause_ms]
            for circuit in circuits:
                if now_ms < circuit.until_ms:
                    return Pause(circuit.until_ms - now_ms, circuit.code)
            for circuit in circuits:
                circuit.until_ms, circuit.probing = now_ms + PROBE_MS, True
        return None

    def _pause_of_all(self, mailbox: Mailbox, provider: str, now_ms: int) -> Pause | None:
        """An organisation in trouble of its own must not be the one that is let through for all, pause after pause."""
        circuit = self._both(mailbox, provider)[1]
        until_ms = circuit.until_ms + (PAUSE_MS if mailbox.tenant in circuit.tried else 0)
        return Pause(until_ms - now_ms, circuit.code) if circuit.pause_ms and now_ms < until_ms else None

    def answered(self, mailbox: Mailbox, provider: str, code: str = "") -> None:
        """The endpoint granted, or refused with `code`. An endpoint that is merely busy is no answer."""
        now_ms = self._clock.now_ms()
        with self._lock:
            of_tenant, of_all = self._both(mailbox, provider)
            notes = (
                (
                    mailbox.tenant,
                    of_tenant,
                    self._note(of_tenant, mailbox, code, now_ms, beyond_one_organisation=False),
                ),
                ("", of_all, self._note(of_all, mailbox, code, now_ms, beyond_one_organisation=True)),
            )
            opened = [Opened(tenant, circuit.code, circuit.pause_ms) for tenant, circuit, opens in notes if opens]
            count = sum(bool(each.pause_ms) for (name, _), each in self._circuits.items() if name == provider)
        self._observe(provider, count, opened)

    def _both(self, mailbox: Mailbox, provider: str) -> tuple[_Circuit, _Circuit]:
        names = (provider, mailbox.tenant), (provider, "")
        of_tenant, of_all = (self._circuits.setdefault(name, _Circuit()) for name in names)
        return of_tenant, of_all

    def _note(
        self, circuit: _Circuit, mailbox: Mailbox, code: str, now_ms: int, *, beyond_one_organisation: bool
    ) -> bool:
        """Take an answer into account; returns whether the circuit opens by it."""
        if circuit.probing and not code:
            circuit.close()
        circuit.note(mailbox, code, now_ms)
        if circuit.pause_ms:
            opens = circuit.probing  # else it was asked before the circuit opened, and answered afterwards
        else:
            refused = circuit.refused(beyond_one_organisation=beyond_one_organisation)
            opens = refused >= max(LEAST_REFUSED, LEAST_SHARE * len(circuit.recent))
        if opens:
            if circuit.probing:
                circuit.tried.add(mailbox.tenant)
            circuit.open(now_ms)
        return opens
