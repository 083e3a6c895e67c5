"""
Kills of the notifier's process at points that a seed draws, on both engines: no message is lost or gets a second id.

Each decline is told by one mail, one event in the person's own calendar, one message in a chat channel, one notice in a browser and
one webhook, to servers that are none of the killed process; most of it again a day or two hours before the meeting, or after quiet
hours. The process is killed while it tells of it, and while it removes the event once the prompt is closed; its successor does
what is left. On Kafka the broker is killed too, now and then, while a successor runs. A message comes twice only where a server
had it and the process died before that was on record: how often that was is printed. Of an event that is asked for twice there
is one.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from services.notifier.deciding.rungs import CALENDAR
from shared.domain.identity import Provider
from shared.domain.instants import SECOND_MS
from tests.chaos.servers import Servers, own_servers
from tests.integration.services.notifier.arrivals import Arrivals
from tests.integration.services.notifier.killed_desk import CHAT_PATH, PUSH_PATH, KafkaDesk, KilledDesk
from tests.integration.services.notifier.ladder_stories import (
    CHANNELS,
    REMOVED,
    REMOVING_POINTS,
    STORIES,
    WEBHOOK,
    Story,
    Telling,
)
from tests.integration.services.notifier.reminded_calendar import serve_calendar
from tests.integration.services.notifier.test_kills import ACCEPTED, RECORDED
from tests.integration.services.notifier.webhooks.test_kills import SENT
from tests.support.builders import NOW_MS
from tests.support.mail_server import MailSink
from tests.support.refused_sockets import refused_sockets
from tests.support.webhook_receiver import Receiver, start_receiver

KILLS = int(os.environ.get("ROOMSYNC_NOTIFIER_KILLS", "3"))
"""At least so many: the story that is being told is told to its end."""
SEED = int(os.environ.get("ROOMSYNC_NOTIFIER_SEED", "1"))
A_BROKER_OF = 5
"""One kill in so many goes with the broker's."""
BROKER_AWAY_S = 2.0
RETRIED_S = 31
"""What stands as intended is tried again then."""
APART_S = 600
"""Three prompts within five minutes would be told in one message."""


class Campaign:
    """Plays stories, and judges each kill as soon as it is over."""

    def __init__(self, desk: KilledDesk, servers: Servers | None, sink: MailSink, drawn: random.Random) -> None:
        self._desk, self._servers, self._drawn = desk, servers, drawn
        self._arrivals = Arrivals(desk, sink)
        self.kills, self.arrived, self.twice = 0, Counter[str](), Counter[str]()
        """Of a channel and rung: how often it was told, and how often that came twice."""
        self._hit, self._played = Counter[str](), Counter[str]()
        self.removed = Counter[str]()

    def play(self, story: Story) -> None:
        """A room says no; people are told at each moment of the story, through a kill at each; then the room accepts."""
        desk, event = self._desk, f"e{sum(self._played.values())}"
        self._played[story.name] += 1
        begun_ms = desk.clock.at_ms
        quiet = {"quiet_from": _clock(begun_ms), "quiet_until": _clock(begun_ms + story.quiet_ms)}
        desk.prefer(quiet=bool(story.quiet_ms), zone="UTC", **quiet)
        decline = desk.say_no(event, begun_ms + story.ahead_ms)
        for telling in story.tellings:
            desk.advance_to(begun_ms + telling.after_ms)
            if story.closes_unseen:
                self._tell_too_late(event, decline, telling)
            else:
                self._tell(decline, telling)
        if not story.closes_unseen:
            desk.accept(event, decline)
            self._remove(decline)
        desk.advance(APART_S)

    def _tell(self, decline: str, telling: Telling) -> None:
        """Whoever takes over tells what is left: all of it comes, and twice only what was not on record."""
        desk, point = self._desk, self._drawn.choice(telling.points)
        ledger = self._kill(decline, point)
        desk.advance(RETRIED_S)
        with desk.notifier_process():
            self._break_broker()
            posts = 1 + (point in SENT)
            desk.wait_for(f"{decline} after {point}", partial(desk.has_arrived, decline, telling.names, posts))
            if telling.replaces:
                desk.pass_time_until("the earlier event went", partial(desk.has_one_event, decline))
        copies = self._copies(point, telling)
        assert set(copies.values()) <= {1, 2}, (point, copies)
        recorded = {name.partition("/")[0] for name in ledger & telling.names}
        assert [channel for channel in recorded if copies[channel] > 1] == [], (point, copies, "on record when it died")
        for by in telling.hit_by(point):
            assert copies[by] == 1 + _is_unrecorded(point), (point, copies)
        assert len(desk.reminded.present()) == (CALENDAR in telling.channels), point
        self._show()

    def _tell_too_late(self, event: str, decline: str, telling: Telling) -> None:
        """Nobody is told of what is closed; what was made before goes, whether its name is on record or not."""
        desk, point = self._desk, self._drawn.choice(telling.points)
        self._kill(decline, point)
        desk.accept(event, decline)
        desk.advance(RETRIED_S)
        with desk.notifier_process():
            self._break_broker()
            desk.pass_time_until(f"{decline} done", partial(desk.is_done, decline, 1 + (point in SENT)))
        copies = self._copies(point, telling, all_of_them=False)
        assert max(copies[channel] for channel in CHANNELS) <= 1, (point, copies)
        for by in telling.hit_by(point):
            had = _is_unrecorded(point) or point.startswith(RECORDED)
            assert copies[by] == (1 + (point in SENT) if by == WEBHOOK else had), (point, copies)
        self._show()

    def _remove(self, decline: str) -> None:
        """Once the prompt is closed nothing more is told, and the event goes."""
        desk, point = self._desk, self._drawn.choice(REMOVING_POINTS)
        self._kill(decline, point, passing=True)
        assert (desk.reminded.present() == []) or point not in REMOVED, point
        with desk.notifier_process():
            self._break_broker()
            desk.pass_time_until(f"the event gone after {point}", partial(desk.is_done, decline, 1))
        before = self._arrivals.removals
        assert not any(self._arrivals.take().values()), point
        asked = self._arrivals.removals - before
        assert asked == 1 + (point in REMOVED) or point not in REMOVING_POINTS[: len(REMOVED) + 1], (point, asked)
        self.removed.update(["once" if asked == 1 else "twice"])
        self._show()

    def _kill(self, decline: str, point: str, *, passing: bool = False) -> set[str]:
        """Returns what is on record then of the decline."""
        self._desk.kill(point, passing=passing)
        self.kills += 1
        self._hit["removal" if passing else point.partition("/")[2] or point.partition(".")[0]] += 1
        return self._desk.recorded(decline)

    def _break_broker(self) -> None:
        if self._servers is not None and self.kills % A_BROKER_OF == 0:
            self._servers.act("kill-broker", BROKER_AWAY_S)
            self._servers.calm()

    def _copies(self, point: str, telling: Telling, *, all_of_them: bool = True) -> Counter[str]:
        """Channel → how often its message came; fails if it told by two messages, or if another channel told."""
        taken = self._arrivals.take()
        assert all(len(ids) <= 1 for ids in taken.values()), (point, taken)
        copies = Counter({channel: ids.total() for channel, ids in taken.items() if ids})
        assert copies.keys() <= {*telling.servers_due}, (point, copies)
        assert not all_of_them or copies.keys() == {*telling.servers_due}, (point, copies)
        names = {channel: channel if channel == WEBHOOK else f"{channel}/{telling.rung}" for channel in copies}
        self.arrived.update(names.values())
        self.twice.update(names[channel] for channel, count in copies.items() if count > 1)
        return copies

    def _show(self) -> None:
        happened = dict(self._servers.happened) if self._servers else {}
        of = f"seed {SEED}, {self._desk.provider}: {self.kills} kills {dict(self._hit)} {happened}"
        counts = f"told {dict(self.arrived)}, of it twice {dict(self.twice)}; events removed {dict(self.removed)}"
        print(f"{of} in {dict(self._played)}; {counts}; {self._desk.successors} ended by themselves", flush=True)


def _is_unrecorded(point: str) -> bool:
    """Whether the server has what the point speaks of, and nobody knows."""
    return point.partition("/")[0] in {*ACCEPTED, *SENT}


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / SECOND_MS, tz=UTC).strftime("%H:%M")


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Where webhooks, chat messages and notices go."""
    with start_receiver() as running:
        running.behave(CHAT_PATH, status=200)
        running.behave(PUSH_PATH, status=201)
        yield running


@pytest.fixture
def broken() -> Iterator[ExitStack]:
    """Holds what was started for a test."""
    with refused_sockets(), ExitStack() as stack:
        yield stack


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def killed(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    server: tuple[MailSink, int],
    receiver: Receiver,
    broken: ExitStack,
) -> tuple[KilledDesk, Servers | None]:
    """The office on an engine, and what of that can be broken. Engines and seeds take turns with the provider of her calendar."""
    clock = tmp_path / "clock"
    clock.write_text(f"{NOW_MS:015}")
    on_kafka = request.param == "kafka"
    provider = list(Provider)[(SEED + on_kafka) % len(Provider)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ROOMSYNC_")}
    reminded = broken.enter_context(serve_calendar(provider, environ, clock))
    desk: KilledDesk
    if on_kafka:
        servers = broken.enter_context(own_servers())
        desk = KafkaDesk(tmp_path, server[1], receiver, reminded, clock, servers)
    else:
        desk, servers = KilledDesk(tmp_path, server[1], receiver, reminded, clock), None
    broken.callback(desk.engine.close)
    broken.callback(desk.broker.close)
    return desk, servers


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the client leaves the sockets of refused connections lying
@pytest.mark.proves("B16", "B21", "B29", "B30")
def test_seeded_kills_lose_nothing_and_repeat_only_what_a_server_had_already(
    killed: tuple[KilledDesk, Servers | None], sink: MailSink
) -> None:
    desk, servers = killed
    campaign = Campaign(desk, servers, sink, random.Random(SEED))  # repeatable, and guards nothing
    turn = SEED + (servers is not None)
    while campaign.kills < KILLS:
        campaign.play(STORIES[turn % len(STORIES)])
        turn += 1
    assert desk.reminded.present() == []
