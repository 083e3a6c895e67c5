"""One deployment a test, with a receiver in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.services.webhook_receiver.receiver import Deployment, Receiver, running


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """On the embedded engine."""
    return Deployment(tmp_path / "home")


@pytest.fixture
def receiver(deployment: Deployment) -> Iterator[Receiver]:
    """Running."""
    with running(deployment) as receiver:
        yield receiver
