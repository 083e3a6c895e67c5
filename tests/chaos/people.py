"""What the people of both organisations do in a round, and a journal of what they asked for when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos.employees import Employee
from tests.chaos.organisations import PEOPLE, RULES, Office, Simulator
from tests.chaos.truth import SERIES

UNDECIDED = "Doubs"
"""The room for which somebody decides."""
REFUSING = "Birs"
"""A room that refuses everything."""


@dataclass(slots=True)
class Series:
    """A series with one room, and what was last decided of its dates."""

    office: Office
    meeting: str
    title: str
    room: str
    answers: dict[int, str]
    """Date → answer."""
    apart: set[int] = field(default_factory=set)
    """Dates that somebody has decided for by themselves."""


class People:
    """Acts by a number between 0 and 1, so that a seed tells everything."""

    def __init__(self, simulator: Simulator, offices: Sequence[Office], employees: Sequence[Employee]) -> None:
        self._simulator = simulator
        self._offices = offices
        self._employees = employees
        self.asked: dict[str, list[int]] = defaultdict(list)
        """Meeting id → each start it was given."""
        self._standing: list[tuple[Office, str, tuple[str, ...]]] = []
        """Office, meeting id, rooms."""
        self._answers: dict[str, str] = {}
        self._taken: set[str] = set()
        self._cancelled: set[str] = set()
        self.takes: Counter[tuple[str, str]] = Counter()
        """Provider and title → rooms taken."""
        self.doubtful_takes: set[tuple[str, str]] = set()
        """Of these, taken for a meeting that was moved or decided in the same round: a page may not have shown that yet, and the
        take is then refused, or else the room exchanged once."""
        self._changed: set[str] = set()
        """Titles of what was moved or decided in this round."""
        self._titles: dict[str, str] = {}
        self._series: list[Series] = []
        self._words: dict[str, list[tuple[Office, str]]] = defaultdict(list)
        """Provider → meetings of one person each, whose room waits for one last word."""

    def book(self, dice: float) -> None:
        """Somebody books one or two rooms."""
        nth = len(self._titles)
        office = self._offices[nth % len(self._offices)]
        names = list(RULES)
        first = names[int(dice * 1000) % len(names)]
        second = names[int(dice * 100_000) % len(names)]
        rooms = (first,) if second == first or dice < 0.5 else (first, second)
        organizer = PEOPLE[int(dice * 10_000) % len(PEOPLE)]
        guests = [office.people[name] for name in PEOPLE if name != organizer][: int(dice * 10) % 3]
        self._book(office, organizer, rooms, guests)

    def book_every_room(self) -> None:
        """One meeting with all rooms in each organisation, so that pages teach every room's pseudonym."""
        for office in self._offices:
            self._book(office, PEOPLE[0], tuple(RULES), [])

    def await_words(self) -> None:
        """A round begins: everybody books the room that somebody decides for, alone; nothing else happens to these meetings."""
        self._changed.clear()
        for office in self._offices:
            for organizer in PEOPLE:
                self._book(office, organizer, (UNDECIDED,), [])
                self._words[office.provider].append((office, self._standing.pop()[1]))

    def word(self, provider: str) -> None:
        """The room says no to each of them at one provider: one change, one push, one look for each mailbox."""
        for office, meeting in self._words.pop(provider, []):
            self._simulator.decide(office.rooms[UNDECIDED], meeting, "declined")

    def _book(self, office: Office, organizer: str, rooms: tuple[str, ...], guests: list[str]) -> None:
        title = f"Meeting {len(self._titles):03}"
        made = self._simulator.book(office.people[organizer], title, [office.rooms[name] for name in rooms], guests)
        self.asked[made["id"]].append(made["startMs"])
        self._titles[made["id"]] = title
        self._standing.append((office, made["id"], rooms))

    def move(self, dice: float) -> None:
        """Somebody finds another time: every room is asked again. Now and then it is an earlier time of this meeting."""
        if found := self._any(dice):
            _, meeting, _ = found
            starts = self.asked[meeting]
            back = int(dice * 1000) % 4 == 0 and starts[0] != starts[-1]
            start_ms = starts[0] if back else self._simulator.fresh_slot()
            self._simulator.move(meeting, start_ms)
            starts.append(start_ms)
            self._answers.pop(meeting, None)
            self._changed.add(self._titles[meeting])

    def cancel(self, dice: float) -> None:
        """A meeting is called off."""
        if found := self._any(dice):
            self._simulator.cancel(found[1])
            self._standing.remove(found)
            self._cancelled.add(self._titles[found[1]])

    def decide(self, dice: float) -> None:
        """Somebody decides for a room; a decision is the other way than the last one."""
        open_ones = [
            each for each in self._standing if UNDECIDED in each[2] and self._titles[each[1]] not in self._taken
        ]
        if open_ones:
            office, meeting, _ = open_ones[int(dice * len(open_ones))]
            answer = "accepted" if self._answers.get(meeting) == "declined" else "declined"
            self._simulator.decide(office.rooms[UNDECIDED], meeting, answer)
            self._answers[meeting] = answer
            self._changed.add(self._titles[meeting])

    def book_series(self) -> None:
        """A round begins: somebody in each organisation books two series. One room refuses, somebody decides for the other."""
        for office in self._offices:
            for room in (REFUSING, UNDECIDED):
                title = f"{SERIES} {len(self._series):03}"
                organizer = PEOPLE[len(self._series) // 2 % len(PEOPLE)]
                guests = [office.people[name] for name in PEOPLE if name != organizer][:1]
                made = self._simulator.book_series(office.people[organizer], title, [office.rooms[room]], guests)
                answer = "declined" if room == REFUSING else ""
                dates = dict.fromkeys((each["occurrence"] for each in made["occurrences"]), answer)
                self._series.append(Series(office, made["id"], title, room, dates))
                if room == REFUSING:  # a date that says the same as its series, and stands apart from it
                    self._simulator.decide(office.rooms[room], made["id"], "declined", next(iter(dates)))

    def decide_series(self, dice: float) -> None:
        """Somebody decides for the room of a series: for all of it, or for one date, whichever way; or says no once more to one."""
        open_ones = [each for each in self._series if each.title not in self._taken]
        if not open_ones:
            return
        series = open_ones[int(dice * len(open_ones))]
        address, digits = series.office.rooms[series.room], int(dice * 100_000)
        date = list(series.answers)[digits % len(series.answers)]
        if series.room == REFUSING:
            self._simulator.decide(address, series.meeting, "declined", date)
            return
        self._changed.add(series.title)
        if digits // 10 % 2 and any(series.answers.values()):
            series.answers[date] = "accepted" if series.answers[date] == "declined" else "declined"
            series.apart.add(date)
            self._simulator.decide(address, series.meeting, series.answers[date], date)
            return
        following = [each for each in series.answers if each not in series.apart]
        answer = "accepted" if following and series.answers[following[0]] == "declined" else "declined"
        series.answers |= dict.fromkeys(following, answer)
        self._simulator.decide(address, series.meeting, answer)

    def take_series(self, dice: float) -> None:
        """The first who is prompted for a whole series takes another room on all its dates."""
        first = int(dice * len(self._employees))
        for employee in (*self._employees[first:], *self._employees[:first]):
            title, dates = employee.take_series(self._taken)
            if not title:
                continue
            self._taken.add(title)
            for label in dates:
                self.takes[employee.provider, label] += 1
                if title in self._changed:
                    self.doubtful_takes.add((employee.provider, label))
            return

    def take(self, dice: float) -> None:
        """Somebody who was prompted takes another room."""
        employee = self._employees[int(dice * len(self._employees))]
        title = employee.take_one(self._taken | self._cancelled)  # a page may still show what was just called off
        if title:
            self._taken.add(title)
            self.takes[employee.provider, title] += 1
            if title in self._changed:
                self.doubtful_takes.add((employee.provider, title))

    def _any(self, dice: float) -> tuple[Office, str, tuple[str, ...]] | None:
        """A meeting that nobody takes a room for: what a take may still find there is another test's question."""
        free = [each for each in self._standing if self._titles[each[1]] not in self._taken]
        return free[int(dice * len(free))] if free else None
