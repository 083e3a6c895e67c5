"""What only the tests need: Java and Redis for the distributed engine, Chromium for the pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from cli.doctor.checks.check_result import CheckResult, CheckState

_TOOLS = {
    "java": (("java",), "real Kafka brokers", "default-jre-headless"),
    "redis": (("redis-server",), "real Redis servers", "redis-server"),
    "chromium": (("chromium", "chromium-browser", "google-chrome"), "the tests of the pages", "chromium"),
}


def check_tools() -> Iterator[CheckResult]:
    """Missing ones are notes: the product runs without, its tests skip and count."""
    for name, (binaries, what_for, package) in _TOOLS.items():
        found = next(filter(None, map(shutil.which, binaries)), None)
        if found:
            yield CheckResult(name, CheckState.OK, f"{found} (tests only)")
        else:
            yield CheckResult(
                name, CheckState.NOTE, f"missing: {what_for} cannot be tested", f"`sudo apt-get install {package}`"
            )
