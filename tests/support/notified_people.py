"""A person's days as the notifier plans them: prompts open and close, the clock runs from one wake to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.notifier.deciding.plan import Openness, Plan, RungStep, intend, plan, prompts_to_look_up, settle, wake_at
from shared.contracts.notification import DeliveryState, PromptLadder
from shared.contracts.rows import NotificationRow

MAX_WAKES = 3_000


@dataclass(frozen=True)
class Declined:
    """A prompt: when it opened, when its meeting begins, when it closes."""

    name: str
    opened_at_ms: int
    starts_ms: int
    closed_at_ms: int = 1 << 60

    @property
    def ladder(self) -> PromptLadder:
        return PromptLadder(prompt=self.name, meeting="m-1", opened_at_ms=self.opened_at_ms, starts_ms=self.starts_ms)


@dataclass
class Received:
    """One message as it was accepted."""

    at_ms: int
    steps: tuple[RungStep, ...]


@dataclass
class Person:
    """Somebody with prompts and a server that takes everything."""

    prompts: Sequence[Declined]
    row: NotificationRow
    ladders: dict[str, PromptLadder] = field(default_factory=dict)
    told: list[Received] = field(default_factory=list)
    wakes: int = 0

    def live(self) -> None:
        """Run until nothing is appointed any more."""
        arrivals = sorted(self.prompts, key=lambda each: each.opened_at_ms)
        now_ms: int | None = arrivals[0].opened_at_ms if arrivals else None
        while now_ms is not None:
            while arrivals and arrivals[0].opened_at_ms <= now_ms:
                self.ladders[arrivals[0].name] = arrivals[0].ladder
                arrivals = arrivals[1:]
            wake_ms = self.wake(now_ms)
            moments = [each for each in (wake_ms, *(each.opened_at_ms for each in arrivals[:1])) if each is not None]
            now_ms = min(moments, default=None)

    def wake(self, now_ms: int) -> int | None:
        """Plan, send, record; returns when to look again."""
        self.wakes += 1
        assert self.wakes < MAX_WAKES, "it looks again and again at what does not change"
        found = self.plan(now_ms)
        for step, state in found.settled.items():
            self.ladders[step.prompt] = settle(self.ladders[step.prompt], step.rung, state)
        for number, message in enumerate(found.messages):
            for step in message.steps:
                begun = intend(self.ladders[step.prompt], step.rung, message.id or f"n-{now_ms}-{number}", now_ms)
                self.ladders[step.prompt] = settle(begun, step.rung, DeliveryState.ACCEPTED)
            self.told.append(Received(now_ms, message.steps))
        for prompt in found.expired:
            del self.ladders[prompt]
        if found.wake_at_ms is not None:
            assert found.wake_at_ms > now_ms
        return found.wake_at_ms if found.wake_at_ms is not None or not self.ladders else wake_at(self.ladders.values())

    def plan(self, now_ms: int) -> Plan:
        """What the plan comes to, knowing only what it asked about."""
        closed = {each.name: each.closed_at_ms for each in self.prompts}
        asked = prompts_to_look_up(self.ladders, self.row, now_ms)
        openness = {each: Openness.CLOSED if closed[each] <= now_ms else Openness.OPEN for each in asked}
        return plan(self.ladders, self.row, openness, now_ms)
