"""Shared by every test: real servers, a browser, and which tests run beside which."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Generator, Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.support.paths import SAMPLES

pytest_plugins = [
    "tests.support.scheduling",
    "tests.support.packages_of_images",
    "tests.support.servers",
    "tests.support.chromium",
    "tests.support.conformance.plugin",
]

# Every test speaks to loopback only, and so does every process that it starts. A machine's own bundle of authorities, named by its
# environment, is read anew by every client that is made: that was half of the processor time of the portal's tests.
os.environ["SSL_CERT_FILE"] = str(SAMPLES / "tls" / "nobodys-authority.pem")

# A process that a test starts and that dies of a fault in C says where.
os.environ["PYTHONFAULTHANDLER"] = "1"

# How long examples take says something of the machine and its load, nothing of the law.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """
    Take everything that stands once the tests are collected out of what the garbage collector searches.

    Nearly ten thousand tests and all modules stay until the end, and to search them costs a third of a second each time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


@pytest.fixture(autouse=True)
def unchanged_logging() -> Iterator[None]:
    """A command that runs in the test's own process configures the log; the next test finds it as this one did."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.configure(**before)
    root.handlers, root.level = handlers, level
