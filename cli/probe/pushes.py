"""Counts the pushes of one person's calendar that the deployment's receiver has taken."""

from __future__ import annotations

from cli.common.calendars import Calendars
from cli.common.records import read_from
from shared.domain.identity import Mailbox, Provider, partition_of
from shared.ports.engine import Engine
from shared.providers.catalogue import PROFILES


class PushCounter:
    """Counts from the moment at which it is made."""

    def __init__(self, engine: Engine, provider: Provider, mailbox: Mailbox) -> None:
        """Start at the present end of the provider's topic. Raises LogUnavailableError."""
        self._log = engine.log
        self._topic = PROFILES[provider].hooks.topic.name
        self._key = mailbox.key
        self._partition = partition_of(mailbox.key, engine.log.partitions)
        self._next = self._log.span(self._topic, self._partition).end
        self._count = 0

    def count(self) -> int:
        """Return how many have come so far. Raises LogUnavailableError."""
        for record in read_from(self._log, self._topic, self._partition, self._next):
            self._count += record.key == self._key
            self._next = record.offset + 1
        return self._count


def is_subscribed(engine: Engine, mailbox: Mailbox) -> bool:
    """Return whether a subscription of the deployment's stands for the mailbox. Raises LogUnavailableError."""
    calendars = Calendars(engine, wanted=lambda one: one == mailbox)
    calendars.refresh([partition_of(mailbox.key, engine.log.partitions)])
    state = calendars.states.get(mailbox)
    return state is not None and state.subscription is not None
