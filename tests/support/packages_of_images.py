"""
Has the processes that tests start find what the images have, as a pytest plugin.

`rich` comes with tools of the development environment, and structlog loads it wherever it is: a sixth of the processor time of
each start. Pytest's own processes keep every package.
"""

from __future__ import annotations

import os

import pytest

from tests.support.paths import ROOT
from tests.support.scheduling import hands_out

AS_IN_IMAGES = ROOT / "tests" / "support" / "as_in_images"


def pytest_configure(config: pytest.Config) -> None:
    """Put the folder before the path of what is started from here; workers of pytest are started by another process."""
    if not hands_out(config):
        given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        os.environ["PYTHONPATH"] = os.pathsep.join([str(AS_IN_IMAGES), str(ROOT), *filter(None, given)])
