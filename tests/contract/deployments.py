"""
Opening one deployment of any engine, from the test process or from a child of it.

The distributed engine joins by a module `tests/contract/distributed.py` with these names:

    FEATURES: Features
    def unavailable() -> str                                     # "" when the servers answer, else why the tests skip
    def open_distributed(*, prefix: str, partitions: int, master: MasterKeys, clock: Clock, **guards) -> Engine
                                                                 # makes the topics when they are missing
    def expire(engine: Engine, topic: str, partition: int, before: int) -> None
                                                                 # what retention would do to offsets below `before`

Server addresses come from the environment, which child processes inherit.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from shared.contracts.topics import BY_NAME
from shared.crypto.master import parse
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.runtime.clock import SystemClock
from tests.contract.features import EMBEDDED, Features

_DISTRIBUTED = "tests.contract.distributed"


@dataclass(frozen=True)
class Deployment:
    """One set of topics and stores. `place` is a directory (embedded) or a prefix (distributed)."""

    engine: str
    place: str
    partitions: int
    master: str

    def to_json(self) -> str:
        """For the command line of a child process."""
        return json.dumps(asdict(self))


class ManualClock:
    """Time that stands still until a test moves it."""

    def __init__(self, now_ms: int) -> None:
        self.at_ms = now_ms

    def now_ms(self) -> int:
        return self.at_ms


def distributed() -> ModuleType | None:
    """The module that adds the distributed engine, where there is one."""
    if not find_spec(_DISTRIBUTED):
        return None
    with warnings.catch_warnings():  # kafka-python reads its schemas in a way that Python 3.11 calls deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module(_DISTRIBUTED)


def features_of(engine: str) -> Features:
    if engine == "embedded":
        return EMBEDDED
    module = distributed()
    assert module
    declared = module.FEATURES
    assert isinstance(declared, Features)
    return declared


def open_deployment(deployment: Deployment, *, clock: Clock | None = None, master: str = "", **guards: Any) -> Engine:
    """
    One handle on it, as a process of its own would hold.

    Args:
        master: Replaces the deployment's master key ring.
        guards: `at_point`; `transactions`, where the engine can do without.
    """
    settings: dict[str, Any] = {
        "partitions": deployment.partitions,
        "master": parse(master or deployment.master),
        "clock": clock or SystemClock(),
    }
    if deployment.engine == "embedded":
        from shared.engines.embedded import open_engine  # noqa: PLC0415  # a child of the other engine needs none of it

        return open_engine(Path(deployment.place), prefix="t.", **settings, **guards)
    module = distributed()
    assert module
    opened: Engine = module.open_distributed(prefix=deployment.place, **settings, **guards)
    return opened


def expire(deployment: Deployment, engine: Engine, topic: str, partition: int, before: int) -> None:
    """Let retention take everything below offset `before` of one partition."""
    if deployment.engine == "embedded":
        kept = engine.log.read(topic, partition, before, limit=1)[0]
        housekeep: Callable[[int], object] = engine.log.housekeep  # type: ignore[attr-defined]
        housekeep(kept.appended_at_ms + BY_NAME[topic].retention_ms)
        return
    module = distributed()
    assert module
    module.expire(engine, topic, partition, before)


def child_command(deployment: Deployment, verb: str, *arguments: object) -> tuple[list[str], dict[str, str]]:
    """How to start `tests/contract/child.py` as a process of its own: the command, and its environment."""
    command = [sys.executable, "-m", "tests.contract.child", deployment.to_json(), verb, *map(str, arguments)]
    return command, {**os.environ, "PYTHONUNBUFFERED": "1"}
