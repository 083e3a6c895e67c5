"""Which hints are still owed a look, and hence where input may resume: the lowest offset not yet discharged. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.domain.identity import Mailbox

Offset = tuple[str, int]
"""Topic and offset of an input record."""


@dataclass(slots=True)
class Hints:
    """
    The hints of one partition that no committed look has answered yet.

    A hint is discharged by a look that began after it was read and has committed, or by a durable `due`. Hints that arrive
    while a look runs stay: however many, they cost one more look.
    """

    _owed: dict[Mailbox, set[Offset]] = field(default_factory=dict)
    _next: dict[str, int] = field(default_factory=dict)

    def read(self, topic: str, offset: int) -> None:
        """Input up to and including `offset` has been read."""
        self._next[topic] = max(offset + 1, self._next.get(topic, 0))

    def owe(self, mailbox: Mailbox, topic: str, offset: int) -> None:
        """The record at `offset` asks for a look at `mailbox`."""
        self._owed.setdefault(mailbox, set()).add((topic, offset))

    def pending(self, mailbox: Mailbox) -> frozenset[Offset]:
        """What a look that begins now will answer."""
        return frozenset(self._owed.get(mailbox, ()))

    def discharge(self, mailbox: Mailbox, answered: Iterable[Offset]) -> None:
        """A look has committed, or a due has."""
        left = self._owed.get(mailbox, set()) - set(answered)
        if left:
            self._owed[mailbox] = left
        else:
            self._owed.pop(mailbox, None)

    def waiting(self) -> tuple[Mailbox, ...]:
        """Mailboxes that are owed a look."""
        return tuple(self._owed)

    def position(self, discharging: Mapping[Mailbox, Iterable[Offset]] | None = None) -> dict[str, int]:
        """
        Topic → where input may resume, once what `discharging` names is committed together with this position.

        A topic that nothing was read from is not named.
        """
        gone = {mailbox: set(offsets) for mailbox, offsets in (discharging or {}).items()}
        position = dict(self._next)
        for mailbox, offsets in self._owed.items():
            for topic, offset in offsets - gone.get(mailbox, set()):
                position[topic] = min(position.get(topic, offset), offset)
        return position
