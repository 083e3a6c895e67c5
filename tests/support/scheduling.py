"""
Decides which tests share a worker of pytest-xdist, which come first, and which have the machine to themselves.

A file's tests run in one worker, because expensive fixtures are the module's; so do folders with one cluster for all of their
files. A journey of e2e shares nothing, and may run anywhere. What takes minutes begins first. A test marked `alone` measures
the machine: it waits until no other worker runs a test, and none begins one meanwhile.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

RUN = "ROOMSYNC_TEST_RUN"
"""The environment variable that tells workers their run's directory."""
WHOLE_FOLDERS = ("tests/e2e/outages/", "tests/integration/deploy/kafka/")
FIRST = (
    "tests/chaos/",
    "tests/e2e/outages/",
    "tests/e2e/",
    "tests/integration/services/room_status/replaying/test_on_servers",
)


def scope_of(nodeid: str) -> str:
    """Tests of one scope run in one worker, in their order."""
    for folder in WHOLE_FOLDERS:
        if nodeid.startswith(folder):
            return folder
    return nodeid if nodeid.startswith("tests/e2e/") else nodeid.partition("::")[0]


def rank_of(nodeid: str, *, alone: bool) -> int:
    """Lower begins earlier."""
    if alone:
        return len(FIRST) + 1
    return next((rank for rank, start in enumerate(FIRST) if nodeid.startswith(start)), len(FIRST))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Make the run's directory, if this process hands tests out to workers."""
    if hands_out(config):
        run = tempfile.TemporaryDirectory(prefix="roomsync-tests-")
        os.environ[RUN] = run.name
        config.add_cleanup(run.cleanup)
        config.option.loadscopereorder = False  # the order is that of the collection


def hands_out(config: pytest.Config) -> bool:
    """Whether this process only hands tests out to workers."""
    return bool(getattr(config.option, "numprocesses", None)) and not hasattr(config, "workerinput")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes minutes first, and what has to be alone last; else everything keeps its order."""
    items.sort(key=lambda item: rank_of(item.nodeid, alone=_is_alone(item)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand tests out scope by scope."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415  # only where workers are

    class ByScope(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return scope_of(nodeid)

    return ByScope(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Share the machine with other workers, or have it alone."""
    with _machine(alone=_is_alone(item)):
        return (yield)


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None


@contextlib.contextmanager
def _machine(*, alone: bool) -> Iterator[None]:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    with (Path(os.environ[RUN]) / "machine").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
