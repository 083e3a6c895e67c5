"""Child processes of a test: started, listened to, killed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from tests.contract.deployments import Deployment, child_command


class Child:
    """One process on the same deployment. What it says comes as JSON lines; leaving the block kills it with SIGKILL."""

    def __init__(self, deployment: Deployment, verb: str, *arguments: object) -> None:
        command, environment = child_command(deployment, verb, *arguments)
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        assert self._process.stdout
        self._process.stdout.close()

    def heard(self) -> dict[str, Any]:
        """The next thing it says; fails when it has ended."""
        return next(self._lines())

    def rest(self) -> list[dict[str, Any]]:
        """Everything it says until it ends, or said before it was killed."""
        return list(self._lines())

    def kill(self) -> None:
        """SIGKILL: no chance to clean up."""
        self._process.kill()
        self._process.wait()

    def _lines(self) -> Iterator[dict[str, Any]]:
        assert self._process.stdout
        while (line := self._process.stdout.readline()).endswith("\n"):  # the last line may be torn
            yield json.loads(line)
