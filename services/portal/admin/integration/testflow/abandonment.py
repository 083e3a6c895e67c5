"""Giving a test up: nobody comes back to it any more, and what it had made goes, as far as its grants reach."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http import HTTPStatus

import msgspec

from services.portal.admin.integration.testflow.cleanup import take_back
from services.portal.admin.integration.testflow.deciding.run import Stage, TestRun, without
from services.portal.admin.integration.testflow.run_store import Runs, SupersededError
from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from shared.errors import KeyDestroyedError, MalformedRecordError, RoomsyncError
from shared.language.deciding.sentences import say
from shared.runtime.logging import get_logger

_log = get_logger()


def abandon(runs: Runs, tenant: str, is_under_way: Callable[[TestRun], bool]) -> TestRun | None:
    """
    Leave the latest run: no tab can come back to it, nor a thread that was thought dead. None when there is none.

    Raises:
        ProblemError: 409 while its steps are being tried.
    """
    run = runs.latest(tenant)
    if run is None:
        return None

    def left(now: TestRun) -> TestRun:
        if is_under_way(now):
            raise under_way()
        if now.stage is Stage.PASSED:
            return now
        return msgspec.structs.replace(now, id=secrets.token_hex(8), stage=Stage.FAILED, step=None)

    try:
        return runs.change(tenant, run.id, left)
    except SupersededError as error:
        raise under_way() from error


def tidy(deps: Deps, runs: Runs, tenant: str, run: TestRun) -> None:
    """Remove what an abandoned run had made, and its row; what cannot be removed now stays on record for the next test."""
    try:
        for sealed in run.made:
            if _is_taken_back(deps, runs, tenant, sealed):
                runs.change(tenant, run.id, lambda now, sealed=sealed: without(now, sealed))  # type: ignore[misc]
        standing = runs.latest(tenant)
        if standing is not None and standing.id == run.id and not standing.made:
            runs.forget(tenant)
    except SupersededError:
        return  # a new test has begun, and took over what was left


def under_way() -> ProblemError:
    """A test is running at this moment."""
    return ProblemError(
        HTTPStatus.CONFLICT,
        "test-under-way",
        say("A test is under way at this moment."),
        next_step=say("Wait for its result: /admin/integration/test/result"),
    )


def _is_taken_back(deps: Deps, runs: Runs, tenant: str, sealed: bytes) -> bool:
    try:
        take_back(deps, runs.unsealed(tenant, sealed))
    except (KeyDestroyedError, MalformedRecordError):
        return True  # its grant went with the same key: nobody can undo it any more
    except RoomsyncError as error:
        _log.warning("test_clean_up_failed", tenant=tenant, kind=type(error).__name__)
        return False
    return True
