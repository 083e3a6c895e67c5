"""What gauges say of mailboxes, lag and providers: an operator acts on it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from services.sync_worker.deciding.mailbox import Pace
from services.sync_worker.gauges import MailboxGauges, is_stale, state_of
from shared.contracts.calendar_state import LiveSubscription, MailboxState
from shared.contracts.topics import ROOM_STATUS_STATION
from shared.domain.identity import Provider
from shared.domain.instants import MINUTE_MS, SECOND_MS
from shared.domain.sighting import Access, Look, Window
from shared.errors import (
    CancelledSinceError,
    CursorExpiredError,
    LogUnavailableError,
    RetryableError,
    WebhookUnreachableError,
)
from shared.ports.log import Record, Span
from shared.runtime import metrics
from shared.runtime.lag import LagGauges
from shared.runtime.measured import MeasuredCalendar

NOW_MS = 1_800_000_000_000
PARTITION = 77
PACE = Pace(reconcile_ms=15 * MINUTE_MS, pending_silent_ms=0, grace_ms=0)
STATION = ROOM_STATUS_STATION


def a_mailbox(*, looked_ago_ms: int = 0, ends_in_s: int = 3600, **changes: object) -> MailboxState:
    live = LiveSubscription(id="s", key_id="k", made_at_ms=0, expires_at_ms=NOW_MS + ends_in_s * SECOND_MS)
    values = {"baseline_done": True, "looked_at_ms": NOW_MS - looked_ago_ms, "subscription": live, **changes}
    return MailboxState(provider=Provider.GOOGLE, **values)  # type: ignore[arg-type]


def value(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


def of_mailboxes(name: str, **labels: str) -> float | None:
    return value(f"roomsync_{name}", partition=str(PARTITION), provider="google", **labels)


def test_mailboxes_are_counted_by_state_and_leave_with_their_partition() -> None:
    gauges = MailboxGauges(PARTITION, lambda _: PACE)
    held = [a_mailbox(), a_mailbox(failures=2, looked_ago_ms=31 * MINUTE_MS, ends_in_s=-5), a_mailbox(connected=False)]

    gauges.show(lambda: held, NOW_MS)

    assert of_mailboxes("mailboxes", state="connected") == of_mailboxes("mailboxes", state="failing") == 1
    assert of_mailboxes("mailboxes_stale") == 1
    assert of_mailboxes("subscription_shortest_life_seconds") == -5
    gauges.close()
    assert of_mailboxes("mailboxes", state="connected") == 0
    assert of_mailboxes("subscription_shortest_life_seconds") is None, "0 would be an alarm"


def test_mailboxes_are_counted_once_a_second() -> None:
    gauges = MailboxGauges(PARTITION + 1, lambda _: PACE)
    asked: list[int] = []

    for now_ms in (NOW_MS, NOW_MS + 999, NOW_MS + 1000):
        gauges.show(lambda: asked.append(1) or [], now_ms)  # type: ignore[func-returns-value]

    assert len(asked) == 2


def test_a_mailbox_before_its_first_look_is_connecting_and_not_stale() -> None:
    fresh = a_mailbox(baseline_done=False, looked_at_ms=0)

    assert state_of(fresh) == "connecting"
    assert not is_stale(fresh, PACE.reconcile_ms, NOW_MS)


class Clock:
    at_ms = NOW_MS

    def now_ms(self) -> int:
        return self.at_ms


class Log:
    """A partition whose last offset is a commit's marker."""

    def __init__(self, records: Mapping[int, int], end: int) -> None:
        self.records, self.end, self.away = records, end, False

    def span(self, topic: str, partition: int, *, committed: bool = True) -> Span:
        assert (partition, committed) == (PARTITION, True)
        if self.away:
            raise LogUnavailableError(topic)
        return Span(0, self.end if topic == STATION.inputs[0] else 0)

    def read(self, topic: str, partition: int, offset: int, *, limit: int, committed: bool = True) -> list[Record]:
        del committed
        if topic != STATION.inputs[0]:
            return []
        found = [Record(topic, partition, at, b"", b"", (), when) for at, when in self.records.items() if at >= offset]
        return found[:limit]


def lag(name: str) -> float | None:
    return value(f"roomsync_lag_{name}", service=STATION.service, partition=str(PARTITION))


def test_lag_is_the_age_of_the_oldest_input_and_a_marker_is_no_lag() -> None:
    clock, log = Clock(), Log({0: NOW_MS - 9000, 1: NOW_MS - 7000}, 3)
    gauges = LagGauges(log, STATION, PARTITION, clock)  # type: ignore[arg-type]
    topic = STATION.inputs[0]

    gauges.show({topic: 1})
    assert (lag("records"), lag("seconds")) == (2, 7)

    clock.at_ms += 5000
    gauges.show({topic: 2})
    assert (lag("records"), lag("seconds")) == (0, 0)

    clock.at_ms += 5000
    log.away = True
    gauges.show({topic: 0})
    assert lag("records") == 0, "while the log is away the last figure stands"
    gauges.close()
    assert lag("records") is None


class Failing:
    provider = Provider.MICROSOFT
    max_subscription_ms = 1

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def look(self, access: Access, cursor: str, window: Window, known: object = None) -> Look:
        del access, cursor, window, known
        if self._error:
            raise self._error
        return Look((), "c", full=True)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        (RetryableError("x"), "busy"),
        (WebhookUnreachableError("x"), "busy"),
        (CursorExpiredError("x"), "expired"),
        (CancelledSinceError("x"), "refused"),
        (KeyError("x"), "error"),
    ],
)
def test_a_providers_answer_is_counted_by_its_outcome_and_passes_unchanged(
    error: Exception | None, outcome: str
) -> None:
    labels = {"provider": "microsoft", "operation": "look", "outcome": outcome}
    before = value("roomsync_provider_calls_total", **labels) or 0
    calendar = MeasuredCalendar(Failing(error))  # type: ignore[arg-type]

    if error is None:
        assert calendar.look(Access("token", "subject", "address"), "", Window(0, 1)).cursor == "c"
    else:
        with pytest.raises(type(error)):
            calendar.look(Access("token", "subject", "address"), "", Window(0, 1))

    assert value("roomsync_provider_calls_total", **labels) == before + 1
