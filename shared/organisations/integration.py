"""The integration's state machine: which act leads where, and for how long consents sleep (design §8). Pure."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.contracts.rows import IntegrationState, TenantRow
from shared.errors import RefusedError
from shared.grants.sleep import SLEEP_MS


class IntegrationTransition(StrEnum):
    """What happens to an integration."""

    BEGIN_TEST = "begin-test"
    TEST_FAILED = "test-failed"
    TEST_PASSED = "test-passed"
    GIVE_UP = "give-up"
    """An administrator leaves a test that runs or has failed."""
    DISABLE = "disable"
    SLEEP_OVER = "sleep-over"
    """The consents' key has been destroyed."""


_OFF, _TESTING, _FAILED = IntegrationState.OFF, IntegrationState.TESTING, IntegrationState.FAILED
_ENABLED, _DISABLED = IntegrationState.ENABLED, IntegrationState.DISABLED

TRANSITIONS: dict[tuple[IntegrationState, IntegrationTransition], IntegrationState] = {
    (_OFF, IntegrationTransition.BEGIN_TEST): _TESTING,
    (_DISABLED, IntegrationTransition.BEGIN_TEST): _TESTING,
    (_FAILED, IntegrationTransition.BEGIN_TEST): _TESTING,
    (_TESTING, IntegrationTransition.BEGIN_TEST): _TESTING,  # begun anew: the browser was closed in the middle of one
    (_TESTING, IntegrationTransition.TEST_FAILED): _FAILED,
    (_TESTING, IntegrationTransition.TEST_PASSED): _ENABLED,
    (_TESTING, IntegrationTransition.GIVE_UP): _OFF,
    (_FAILED, IntegrationTransition.GIVE_UP): _OFF,
    (_ENABLED, IntegrationTransition.DISABLE): _DISABLED,
    (_DISABLED, IntegrationTransition.SLEEP_OVER): _OFF,
    (_TESTING, IntegrationTransition.SLEEP_OVER): _TESTING,
    (_FAILED, IntegrationTransition.SLEEP_OVER): _FAILED,
}


def after(row: TenantRow, act: IntegrationTransition, now_ms: int) -> TenantRow:
    """
    The organisation's row once `act` has happened.

    While consents sleep, giving up a test leads back to `disabled`, so that the sleep goes on; enabling ends the sleep.

    Raises:
        RefusedError: the act is not possible in the row's state; names both.
    """
    state = TRANSITIONS.get((row.integration, act))
    if state is None:
        message = f"the integration is {row.integration.value}: {act.value} is not possible now; reload the page"
        raise RefusedError(message)
    if act is IntegrationTransition.GIVE_UP and row.sleep_until_ms:
        state = _DISABLED
    return msgspec.structs.replace(row, integration=state, sleep_until_ms=_sleep_until(row, act, now_ms))


def is_asleep(row: TenantRow, now_ms: int) -> bool:
    """Whether sleeping consents can still be woken: until the last millisecond of the 120 hours."""
    return bool(row.sleep_until_ms) and now_ms < row.sleep_until_ms


def _sleep_until(row: TenantRow, act: IntegrationTransition, now_ms: int) -> int:
    if act is IntegrationTransition.DISABLE:
        return now_ms + SLEEP_MS
    return 0 if act in {IntegrationTransition.TEST_PASSED, IntegrationTransition.SLEEP_OVER} else row.sleep_until_ms
