"""The campaign: people act while things break, round by round; after each round everything has to come right."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tests.chaos import deployment
from tests.chaos.agreement import Ask, ahead_of_the_log, missing_decisions, wrong_ends
from tests.chaos.checker import Boundary, Names, Verdict, check
from tests.chaos.deployment import RETRY_SCALE, ROOT, Deployment
from tests.chaos.employees import PATIENCE_S, Line
from tests.chaos.organisations import RULES
from tests.chaos.people import UNDECIDED
from tests.chaos.schedule import BURST_ITEMS, SLOW, Event, Kind, haunting, last_bookings, last_words, round_of
from tests.chaos.servers import Servers
from tests.chaos.service_processes import RECEIVER, STATUS
from tests.chaos.topic_records import hints, read_declines, read_ended, read_states
from tests.chaos.truth import Truth, truth_of

SETTLE_S = 75.0
QUIET_S = 2.0
START_S = 180.0
HAUNTED_S = 25.0
"""How long a zombie may take to freeze, be outlived and wake: twice a group's patience and a while."""
LULL_S = 3.0
"""Before the end of a round: the echo look that follows an empty one comes after two seconds, and would make up for a loss."""
POLL_S = 0.3
SHORT_PATIENCE_S = 4.0


class Campaign:
    """One engine, one seed, one source tree."""

    def __init__(
        self,
        seed: int,
        *,
        lossy: bool,
        tree: Path = ROOT,
        servers: Servers | None = None,
        without: str = "",
        say: Callable[[str], None] = print,
        settle_s: float = SETTLE_S,
    ) -> None:
        """
        Nothing runs yet. The arguments are those of `deployment.start`, and:

        Args:
            settle_s: How long nothing may move while things are not right.
        """
        self.seed = seed
        self.notifications = 0
        """How many stand in the log."""
        self.roads: Counter[str] = Counter()
        self._dice = random.Random(seed)
        self._kind = Kind(lossy=lossy, servers=servers is not None, fenced=without != "transactions")
        self._tree, self._servers, self._without, self._say = tree, servers, without, say
        self._settle_s = settle_s
        self._names, self._boundary = Names(), Boundary()
        self._round = 0
        self._seen_early: list[str] = []
        self._deployment: Deployment

    @property
    def faults(self) -> Counter[str]:
        """What was really done to processes and servers so far; bad roads are not among them."""
        return self._deployment.services.happened + (self._servers.happened if self._servers else Counter())

    @contextlib.contextmanager
    def running(self) -> Iterator[Campaign]:
        """Everything started and everybody connected."""
        with deployment.start(
            self.seed, lossy=self._kind.lossy, tree=self._tree, servers=self._servers, without=self._without
        ) as self._deployment:
            self._say(f"chaos seed={self.seed} logs={self._deployment.logs}")
            if self._servers:
                self._servers.happened.clear()
            self._learn_rooms()
            yield self

    def round(self) -> Verdict:
        """One round of mischief, and how things stand once it has settled."""
        self._round += 1
        self._deployment.simulator.faults(**SLOW)
        self._deployment.people.await_words()
        self._deployment.people.book_series()
        began_s = time.monotonic()
        if self._kind.servers and self._kind.fenced:
            self._play(sorted(haunting(self._dice, self._kind)))
            self._deployment.services.await_zombies(HAUNTED_S)
            time.sleep(LULL_S)
        self._play(round_of(self._dice, self._kind))
        time.sleep(LULL_S)
        ending = last_words if self._round % 2 and not self._kind.lossy else last_bookings
        self._play(ending(self._dice))
        self._calm()
        calm_s = time.monotonic()
        verdict = self._settled()
        self._boundary = verdict.boundary
        took = f"{calm_s - began_s:.0f} s of faults, settled after {time.monotonic() - calm_s:.0f} s"
        self._say(f"chaos seed={self.seed} round {self._round}: {verdict} ({took}; so far {self.notifications} "
                  f"notifications, {self.faults.total()} faults)")  # fmt: skip
        return verdict

    def counted(self) -> str:
        """Everything that was done to it, in words."""
        return ", ".join(f"{name} {count}" for name, count in sorted((self.faults + self.roads).items()))

    def _learn_rooms(self) -> None:
        """Before anything breaks: a room that somebody exchanges is on no page afterwards."""
        self._deployment.people.book_every_room()
        deadline_s = time.monotonic() + START_S
        while len(self._names.rooms) < len(RULES) * len(self._deployment.offices):
            if time.monotonic() > deadline_s:
                message = "the pages never showed every room"
                raise RuntimeError(message)
            for employee in self._deployment.employees:
                self._names.learn(employee.lines() or ())

    def _play(self, events: Sequence[Event]) -> None:
        began_s = time.monotonic()
        for event in events:
            time.sleep(max(0.0, began_s + event.at_s - time.monotonic()))
            self._do(event)

    def _do(self, event: Event) -> None:
        match event.kind:
            case "book" | "move" | "cancel" | "decide" | "take" | "decide-series" | "take-series":
                getattr(self._deployment.people, event.kind.replace("-", "_"))(event.dice)
            case "word":
                self._deployment.people.word(event.service)
            case "burst":
                self._deployment.load.burst(BURST_ITEMS)
            case "outlive-answer":
                receiver = self._deployment.services.named(RECEIVER)[0].name
                self._deployment.load.one(lambda: self._deployment.services.kill(receiver))
            case "compare":
                self._compare(event.dice)
            case "kill" | "crash" | "zombie":
                self._deployment.services.kill(self._one(event), event.point, event.seconds)
            case "freeze":
                self._deployment.services.freeze(self._one(event), event.seconds)
            case "road":
                self._deployment.simulator.faults(reset=True, **{"retryScale": RETRY_SCALE, **SLOW, **event.switches})
                self.roads["bad road"] += 1
            case _:
                if self._servers:
                    self._servers.act(event.kind, event.seconds)

    def _one(self, event: Event) -> str:
        actors = self._deployment.services.named(event.service)
        return actors[int(event.dice * len(actors))].name

    def _compare(self, dice: float) -> None:
        """While nobody can commit: no page shows what no committed record says. Something is booked just before."""
        self._deployment.people.book(dice)
        time.sleep(0.2 + dice)
        if self._servers and self._servers.busy:
            return
        with self._deployment.services.freeze_all(STATUS), contextlib.suppress(RuntimeError):
            # What stands still may hold the only file, or the portal may be dead: then nothing can be compared.
            shown = [line for page in self._pages(SHORT_PATIENCE_S) for line in page or ()]
            self._seen_early += ahead_of_the_log(shown, read_states(self._deployment.environ))
            self.roads["pages compared"] += 1

    def _pages(self, patience_s: float = PATIENCE_S) -> list[list[Line] | None]:
        with ThreadPoolExecutor(len(self._deployment.employees)) as hands:
            return list(hands.map(lambda employee: employee.lines(patience_s), self._deployment.employees))

    def _calm(self) -> None:
        self._deployment.simulator.faults(reset=True, retryScale=RETRY_SCALE)
        self._deployment.services.calm()
        if self._servers:
            self._servers.calm()
        self._deployment.services.wait_ready()

    def _settled(self) -> Verdict:
        """Poll until nothing is missing, or nothing moves any more; then once more after a pause, for what comes twice."""
        moved_s, before = time.monotonic(), ""
        while not (verdict := self._verdict()).settled and time.monotonic() < moved_s + self._settle_s:
            if (now := f"{verdict}\n{verdict.findings()}") != before:
                moved_s, before = time.monotonic(), now
            time.sleep(POLL_S)
        if verdict.settled:
            time.sleep(QUIET_S)
            verdict = self._verdict()
        return self._audited(verdict)

    def _verdict(self) -> Verdict:
        truths, pages = self._truths(), self._pages()
        lines = [line for page in pages for line in page or ()]
        self._names.learn(lines)
        environ = self._deployment.environ
        shown = read_states(environ)
        if not self._kind.fenced:  # what a torn commit wrote, its successor writes again: declared in ADR 8
            shown = list(dict.fromkeys(shown))
        verdict = check(read_declines(environ), shown, lines, truths, self._names, self._boundary)
        verdict.wrong += ["a page says that it is not complete" for page in pages if page is None]
        verdict.wrong += self._seen_early
        verdict.wrong += [
            f"{spot} has not answered yet"
            for truth in truths.values()
            for spot, found in truth.states.items()
            if found == {"pending"} and spot[1] != UNDECIDED
        ]
        self._count_takes(truths, verdict)
        return verdict

    def _audited(self, verdict: Verdict) -> Verdict:
        """Also what takes longer to ask: every acknowledged notification is in the log, every remembered decline on its topic.

        Each has ended once, or is open.
        """
        found = hints(self._deployment.environ)
        self.notifications = len(found)
        unlogged = self._deployment.load.acknowledged - set(found)
        environ = self._deployment.environ
        told, (counts, open_declines) = read_declines(environ), _remembered(environ)
        lost = missing_decisions(told, counts)
        lost += wrong_ends([each.id for each in told], read_ended(environ), open_declines)
        lost += [f"{len(unlogged)} notifications were acknowledged and are not in the log"] if unlogged else []
        return replace(verdict, lost=[*verdict.lost, *lost])

    def _truths(self) -> Mapping[str, Truth]:
        meetings, history = self._deployment.simulator.listed("meetings"), self._deployment.simulator.listed("history")
        return {
            self._deployment.tenants[office.provider]: truth_of(
                [each for each in meetings if each["tenant"] == office.directory],
                history,
                office.room_ids,
                self._deployment.people.asked,
            )
            for office in self._deployment.offices
        }

    def _count_takes(self, truths: Mapping[str, Truth], verdict: Verdict) -> None:
        """A room that was taken for what the meeting still is, is exchanged in the calendar, and once."""
        for (provider, title), wanted in self._deployment.people.takes.items():
            done = truths[self._deployment.tenants[provider]].swaps.get(title, 0)
            if done < wanted and (provider, title) not in self._deployment.people.doubtful_takes:
                verdict.lost.append(f"{title}: {wanted} rooms taken, {done} exchanged")
            elif done > wanted:
                verdict.twice.append(f"{title}: {wanted} rooms taken, {done} exchanged")


def _remembered(environ: Mapping[str, str]) -> tuple[dict[Ask, int], set[str]]:
    """How often each ask was announced as declined, and the ids of the declines that are open."""
    command = [sys.executable, "-m", "tests.chaos.announced_counts"]
    done = subprocess.run(command, env=dict(environ), cwd=ROOT, capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    counts = {(*row[:4], row[4]): row[5] for row in rows if len(row) == 6}
    return counts, {decline for _, decline in (row for row in rows if len(row) == 2)}
