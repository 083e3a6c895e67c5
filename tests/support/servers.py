"""
Finding real servers, as a pytest plugin: from the environment, in containers, as local processes, else a skip said aloud.

`unavailable()` climbs the ladder once per test session and leaves the addresses in the environment, which child processes
inherit. Workers of pytest-xdist ask the process that hands out their tests, so that one broker serves them all. With `CI=true`
a missing server is a failure: nothing may be skipped there.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import threading
import warnings
from collections.abc import Callable
from functools import cache
from multiprocessing.connection import Client, Listener
from pathlib import Path

import pytest

from tests.support.scheduling import RUN, hands_out

KAFKA = "ROOMSYNC_TEST_KAFKA"
VIEW_REDIS = "ROOMSYNC_TEST_VIEW_REDIS"
REGISTRY_REDIS = "ROOMSYNC_TEST_REGISTRY_REDIS"

_running = contextlib.ExitStack()
atexit.register(_running.close)  # for whoever uses this without pytest
_missing: dict[str, str] = {}


def unavailable(*names: str) -> str:
    """Why these servers cannot be had, or "". Starts them (once per session) where they can."""
    reasons = [reason for name in names or (KAFKA, VIEW_REDIS, REGISTRY_REDIS) if (reason := _provide(name))]
    return "; ".join(reasons)


def address(name: str) -> str:
    """The address of a server; skips the test, or fails it in CI, when there is none."""
    require(unavailable(name))
    return os.environ[name]


def settings(prefix: str) -> dict[str, str]:
    """The settings of services that run on the real servers, with topics and keys under `prefix`."""
    return {
        "ROOMSYNC_KAFKA_BOOTSTRAP": address(KAFKA),
        "ROOMSYNC_VIEW_REDIS_URL": address(VIEW_REDIS),
        "ROOMSYNC_REGISTRY_REDIS_URL": address(REGISTRY_REDIS),
        "ROOMSYNC_KAFKA_REPLICATION": "1",
        "ROOMSYNC_TOPIC_PREFIX": prefix,
    }


def require(missing: str) -> None:
    """Skip the test if something is `missing`; fail it in CI."""
    if missing and os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"CI allows no skip: {missing}", pytrace=False)
    if missing:
        pytest.skip(missing)


@pytest.fixture(scope="session")
def kafka_bootstrap() -> str:
    """`host:port` of a real broker."""
    return address(KAFKA)


@pytest.fixture(scope="session")
def view_redis_url() -> str:
    """A Redis for views: nothing in it is kept."""
    return address(VIEW_REDIS)


@pytest.fixture(scope="session")
def registry_redis_url() -> str:
    """Another Redis, on disk before it acknowledges."""
    return address(REGISTRY_REDIS)


def pytest_configure(config: pytest.Config) -> None:
    """Answer the workers' questions for servers, if there are workers."""
    if hands_out(config):
        listener = Listener(_counter(), "AF_UNIX")
        threading.Thread(target=_lend, args=(listener,), daemon=True).start()
        config.add_cleanup(listener.close)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud what could not be had."""
    for name, reason in _missing.items():
        terminalreporter.write_line(f"servers: no {name}: {reason}", yellow=True)


def pytest_unconfigure() -> None:
    """End what was started here, and only that."""
    _running.close()


def _provide(name: str) -> str:
    if os.environ.get(name):
        return ""
    if name not in _missing:
        found, reason = _borrowed(name) if "PYTEST_XDIST_WORKER" in os.environ else _climbed(name)
        if found:
            os.environ[name] = found
            _running.callback(os.environ.pop, name, None)
            return ""
        _missing[name] = reason
    return _missing[name]


def _counter() -> str:
    return str(Path(os.environ[RUN]) / "servers")


def _lend(listener: Listener) -> None:
    """Start what workers ask for. One thread for all, and for the whole run: a server dies with the thread that started it."""
    with contextlib.suppress(OSError):  # the listener was closed: the run is over
        while True:
            with listener.accept() as worker:
                name = worker.recv()
                reason = _provide(name)
                worker.send((os.environ.get(name, ""), reason))


def _borrowed(name: str) -> tuple[str, str]:
    with Client(_counter(), "AF_UNIX") as lender:
        lender.send(name)
        found, reason = lender.recv()
    return str(found), str(reason)


def _climbed(name: str) -> tuple[str, str]:
    """The address, or why there is none."""
    reasons = []
    for rung in (_in_container, _as_process):
        found, reason = rung(name)
        if found:
            return found, ""
        reasons.append(reason)
    return "", " and ".join(reasons)


def _in_container(name: str) -> tuple[str, str]:
    if not _docker_answers():
        return "", "no Docker engine answers"
    starters: dict[str, Callable[[], str]] = {
        KAFKA: _kafka_container,
        VIEW_REDIS: lambda: _redis_container("--save", "", "--appendonly", "no"),
        REGISTRY_REDIS: lambda: _redis_container(
            "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction", "--save", ""
        ),
    }
    try:
        return starters[name](), ""
    except Exception as error:  # noqa: BLE001  # no image, no network: the next rung is as good
        return "", f"a container did not start ({error})"


@cache
def _docker_answers() -> bool:
    if not os.environ.get("DOCKER_HOST") and not Path("/var/run/docker.sock").exists():
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the client leaves its socket open when nobody answers
        answers = _docker_pinged()
        gc.collect()
    return answers


def _docker_pinged() -> bool:
    try:
        import docker  # noqa: PLC0415  # only where testcontainers is installed

        client = docker.from_env()
    except Exception:  # noqa: BLE001  # ImportError, or DockerException from the constructor itself
        return False
    client.close()
    return True


def _kafka_container() -> str:
    from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415

    container = KafkaContainer().with_kraft()
    for setting in ("REPLICATION_FACTOR", "MIN_ISR"):  # only the offsets topic is set to one replica by itself
        container.with_env(f"KAFKA_TRANSACTION_STATE_LOG_{setting}", "1")
    container.with_env("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0")
    _running.enter_context(container)
    return str(container.get_bootstrap_server())


def _redis_container(*options: str) -> str:
    from testcontainers.community.redis import RedisContainer  # noqa: PLC0415

    container = RedisContainer(image="redis:7").with_command(["redis-server", *options])
    _running.enter_context(container)
    return f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0"


def _as_process(name: str) -> tuple[str, str]:
    from deploy.local.kafka import brokers  # noqa: PLC0415  # only on this rung
    from deploy.local.processes import ServerError  # noqa: PLC0415
    from deploy.local.redis import RedisUse, redis_server  # noqa: PLC0415

    try:
        if name == KAFKA:
            return _running.enter_context(brokers(1)).bootstrap, ""
        profile = RedisUse.VIEWS if name == VIEW_REDIS else RedisUse.REGISTRY
        return _running.enter_context(redis_server(profile)).url, ""
    except (ServerError, OSError) as error:
        return "", str(error)
