"""
Random histories: what people, rooms and workers do, as small tuples that can be printed, replayed and made smaller.

A history is played against the model of the truth and against the product at once. Looks are read at one moment and committed at
another, in any order between people and in order within one person, or lost with the worker that made them.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.support.truth.model import (
    ACCEPTED,
    DECLINED,
    HOUR_MS,
    MINUTE_MS,
    NONE,
    ORGANISER,
    ROOMS,
    Calendar,
    Word,
)
from tests.support.truth.product import Product

NUMBERS = (0, 1, 2)
Step = tuple[object, ...]


def draw_history(seed: int, people: tuple[str, ...], length: int, *, dense: bool = False) -> list[Step]:
    """
    A history whose steps are drawn independently of each other. Looks are as frequent as what they look at.

    Lists that Hypothesis makes repeat and vary few steps: faults that need several people to meet were found five times less often.

    Args:
        seed: The same one draws the same history.
        people: Who connects; nobody else ever does.
        length: How many steps.
        dense: Everything happens to one date and one room, so that steps meet more often.
    """
    drawn = Random(seed)
    return [_draw_step(drawn, people, dense=dense) for _ in range(length)]


def shorten(history: list[Step], fails: Callable[[list[Step]], bool]) -> list[Step]:
    """The history without the steps that its failure does not need. `fails` plays one and says whether it fails."""
    at = 0
    while at < len(history):
        shorter = history[:at] + history[at + 1 :]
        if fails(shorter):
            history = shorter
        else:
            at += 1
    return history


def _draw_step(drawn: Random, people: tuple[str, ...], *, dense: bool) -> Step:
    number, room = drawn.choice(NUMBERS[:1] if dense else NUMBERS), drawn.choice(ROOMS[:1] if dense else ROOMS)
    person = drawn.choice(people)
    choices: tuple[Step, ...] = (
        ("restart",),
        ("book", number, room),
        ("answer", number, room, drawn.choice((DECLINED, DECLINED, ACCEPTED, NONE))),
        ("answer", number, room, DECLINED),
        ("move", number, drawn.choice((-2, 1, 2, 26))),
        ("move-keeping", number, drawn.choice((-2, 1, 26))),
        ("cancel", number),
        ("uninvite", number, room),
        ("clock", drawn.choice((1, 5, 60, 30 * 60))),
        ("connect", person),
        ("disconnect", person),
        ("look", person),
        ("look-and-commit", person),
        ("look-and-commit", person),
        ("commit", person),
        ("lose", person),
        ("repeat", person),
        ("blind", person),
        ("dismiss", person, number, room),
    )
    return drawn.choice(choices)


@dataclass
class Play:
    """A history being played."""

    product: Product
    calendar: Calendar = field(default_factory=Calendar)
    connected: set[str] = field(default_factory=set)
    baseline_due: set[str] = field(default_factory=set)
    pending: dict[str, deque[Word]] = field(default_factory=lambda: defaultdict(deque))
    last: dict[str, Word] = field(default_factory=dict)
    heard: list[Word] = field(default_factory=list)
    """Every word in the order of its commit."""
    dismissed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def do(self, step: Step) -> None:
        """Play one step; one that makes no sense now does nothing."""
        name = str(step[0]).replace("-", "_")
        getattr(self, f"_{name}")(*step[1:])

    def settle(self) -> None:
        """Everybody who is connected is looked at twice, a minute apart, and everything is committed."""
        for person in sorted(self.connected):
            while self.pending[person]:
                self._commit(person)
        for _ in range(2):
            self.calendar.now_ms += MINUTE_MS
            for person in sorted(self.connected):
                self._look_and_commit(person)
        self.product.sweep(self.calendar.now_ms)

    def _book(self, number: int, room: str) -> None:
        self.calendar.book(number, room)

    def _answer(self, number: int, room: str, answer: str) -> None:
        self.calendar.answer(number, room, answer)

    def _move(self, number: int, hours: int) -> None:
        self.calendar.move(number, hours)

    def _move_keeping(self, number: int, hours: int) -> None:
        """
        A date moves, and its organiser's program clears no answer that was seen with its moment.

        Of one that was never seen nobody can tell that it was given to another time, nor where the calendar does not say when.
        """
        date = self.calendar.dates.get(number)
        if date is None or date.end_ms <= self.calendar.now_ms:
            return
        shown = [
            dict(of.given) for word in self.heard if word.person == ORGANISER for at, of in word.dates if at == number
        ]
        seen = [room for room, at_ms in date.given if any(given.get(room) == at_ms for given in shown)]
        self.calendar.move_keeping(number, hours, seen if self.product.says_when else ())

    def _cancel(self, number: int) -> None:
        self.calendar.cancel(number)

    def _uninvite(self, number: int, room: str) -> None:
        self.calendar.uninvite(number, room)

    def _clock(self, minutes: int) -> None:
        self.calendar.now_ms += minutes * MINUTE_MS
        self.product.sweep(self.calendar.now_ms)

    def _connect(self, person: str) -> None:
        if person not in self.connected:
            self.connected.add(person)
            self.baseline_due.add(person)

    def _disconnect(self, person: str) -> None:
        if person in self.connected:
            self.connected.discard(person)
            self.pending[person].clear()
            self.last.pop(person, None)
            self.product.withdraw(person, self._at(person))

    def _blind(self, person: str) -> None:
        if person in self.connected and person in self.last:
            self.last.pop(person)
            self.product.blind(person, self._at(person))

    def _look(self, person: str) -> None:
        """One look of a mailbox at a time: another begins once the one before is committed or lost."""
        if person in self.connected and not self.pending[person]:
            self._at(person)
            word = self.calendar.shown_to(person, baseline=person in self.baseline_due)
            self.pending[person].append(word)

    def _commit(self, person: str) -> None:
        if not self.pending[person]:
            return
        word = self.pending[person].popleft()
        self.baseline_due.discard(person)
        self.last[person] = word
        self.heard.append(word)
        self.product.hear(word)

    def _look_and_commit(self, person: str) -> None:
        self._look(person)
        self._commit(person)

    def _lose(self, person: str) -> None:
        self.pending[person].clear()

    def _repeat(self, person: str) -> None:
        if person in self.last and person in self.connected:
            self.product.hear(self.last[person])

    def _restart(self) -> None:
        self.product.restart()

    def _dismiss(self, person: str, number: int, room: str) -> None:
        for prompt, (ofnumber, ofroom) in self.product.prompts(
            person, self.calendar.now_ms, self.dismissed[person]
        ).items():
            if (ofnumber, ofroom) == (number, room):
                self.dismissed[person].add(prompt)
                self.product.dismiss(person, prompt, self._at(person))

    def _at(self, person: str) -> int:
        """Looks of one mailbox begin at rising moments, as the worker sees to."""
        del person
        self.calendar.now_ms += 1
        return self.calendar.now_ms


def is_ahead(play: Play, number: int) -> bool:
    """Whether the date is not over yet, with an hour to spare."""
    return play.calendar.dates[number].end_ms > play.calendar.now_ms + HOUR_MS


__all__ = ["NUMBERS", "Play", "Step", "draw_history", "is_ahead", "shorten"]
