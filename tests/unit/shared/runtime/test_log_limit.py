"""At most a line a second of each kind, and how many were left out."""

from __future__ import annotations

import logging

import structlog

from shared.runtime.log_limit import LimitedLog, LimitedRecords, Limiter


class Clock:
    """Seconds, set by the test."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_of_each_kind_is_written_and_the_next_says_how_many_were_not() -> None:
    clock = Clock()
    log = LimitedLog(structlog.get_logger(), Limiter(clock))
    with structlog.testing.capture_logs() as lines:
        for second in (0.0, 0.2, 0.9, 1.1, 1.2):
            clock.now = second
            log.warning("flooded", at=second)
        log.warning("other")

    assert [(line["event"], line.get("at"), line.get("left_out")) for line in lines] == [
        ("flooded", 0.0, None),
        ("flooded", 1.1, 2),
        ("other", None, None),
    ]


def test_a_librarys_messages_are_one_kind_whatever_is_filled_in() -> None:
    clock = Clock()
    limited = LimitedRecords(Limiter(clock))

    def passes(message: str, *arguments: object) -> str | None:
        record = logging.LogRecord("waitress", logging.WARNING, "", 0, message, arguments, None)
        return record.getMessage() if limited.filter(record) else None

    assert passes("lost %s", "one") == "lost one"
    assert [passes("lost %s", number) for number in range(3)] == [None] * 3
    clock.now = 1.0
    assert passes("lost %s", "five") == "lost five (3 more left out)"
