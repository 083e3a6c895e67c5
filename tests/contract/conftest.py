"""The engines that the contract suite runs on, as fixtures: what a test needs is a deployment and an unused partition."""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.crypto.master import new_key
from shared.ports.engine import Engine
from tests.contract.deployments import Deployment, ManualClock, distributed, features_of, open_deployment
from tests.contract.features import Features

PARTITIONS = 20
START_MS = 1_800_000_000_000


def _engines() -> list[object]:
    module = distributed()
    if module is None:
        return [pytest.param("embedded")]
    reason = module.unavailable()
    marks = [pytest.mark.kafka, *([pytest.mark.skip(reason=reason)] if reason else [])]
    return [pytest.param("embedded"), pytest.param("distributed", marks=marks)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that asks for an engine, directly or not, runs on each of them."""
    if "engine_name" in metafunc.fixturenames:
        metafunc.parametrize("engine_name", _engines(), scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What an engine declares to be different must differ: strictly expected to fail."""
    for item in items:
        call = getattr(item, "callspec", None)
        name = call.params.get("engine_name") if call else None
        if name and not any(mark.name == "skip" for mark in item.iter_markers()):
            for fragment, reason in features_of(name).differences.items():
                if fragment in item.name:
                    item.add_marker(pytest.mark.xfail(strict=True, reason=reason))


def pytest_report_header() -> list[str]:
    """What the engines say of themselves."""
    names = ["embedded", *(["distributed"] if distributed() else [])]
    return [f"engine {name}: {'; '.join(features_of(name).declared) or 'no differences'}" for name in names]


@pytest.fixture
def features(engine_name: str) -> Features:
    """What the engine declares of itself."""
    return features_of(engine_name)


@pytest.fixture(scope="module")
def deployment(engine_name: str, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """One per module, because topics are dear: tests take partitions, tenants and keys that nobody else uses."""
    place = str(tmp_path_factory.mktemp("home")) if engine_name == "embedded" else f"c{uuid.uuid4().hex[:8]}."
    return Deployment(engine_name, place, PARTITIONS, new_key())


@pytest.fixture(scope="module")
def _partitions(deployment: Deployment) -> Iterator[int]:
    return itertools.count()


@pytest.fixture
def partition(_partitions: Iterator[int]) -> int:
    """A partition that no other test of this module touches."""
    number = next(_partitions)
    assert number < PARTITIONS, "this module has more tests than partitions: raise PARTITIONS or split it"
    return number


@pytest.fixture
def tenant() -> str:
    """A tenant that no other test knows."""
    return f"t-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def clock() -> ManualClock:
    """The test's own time."""
    return ManualClock(START_MS)


EngineFactory = Callable[..., Engine]


@pytest.fixture
def engine_factory(deployment: Deployment, clock: ManualClock) -> Iterator[EngineFactory]:
    """Opens the module's deployment once more, as another process would; closed after the test."""
    with contextlib.ExitStack() as opened:

        def open_another(*, master: str = "", **guards: Any) -> Engine:
            engine = open_deployment(deployment, clock=clock, master=master, **guards)
            opened.callback(engine.close)
            return engine

        yield open_another


@pytest.fixture
def engine(engine_factory: EngineFactory) -> Engine:
    """The deployment, opened."""
    return engine_factory()
