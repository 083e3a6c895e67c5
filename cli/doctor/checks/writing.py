"""Whether people's calendars may be written to: what an administrator of a pilot wants to be sure of."""

from __future__ import annotations

from collections.abc import Iterator

from cli.doctor.checks.check_result import CheckResult, CheckState
from shared.runtime.settings import Settings


def check_writing(settings: Settings) -> Iterator[CheckResult]:
    """Neither answer is wrong: one line that says which."""
    if settings.may_write:
        yield CheckResult("writes", CheckState.OK, "on: people may book and swap rooms from here")
    else:
        yield CheckResult("writes", CheckState.OK, "off: nothing is written to anybody's calendar")
