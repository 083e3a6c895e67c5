"""
Holds every request that any test sent to any simulator against the providers' published metadata, as a pytest plugin.

The simulators of a run, in a test's own process or beside it, write their requests to one folder. When the tests are over, what
is unknown to the metadata fails the run, whatever the simulator answered, unless it is one of `DELIBERATE`.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from simulator.recording import FOLDER
from tests.support.conformance import google, graph
from tests.support.conformance.deliberate import is_deliberate
from tests.support.conformance.recorded import Recorded, distinct, read_records

_SHOWN = 20


@dataclass
class ConformanceReport:
    """How many requests were held against metadata, and what it does not know."""

    requests: int = 0
    deliberate: int = 0
    faults: Counter[str] = field(default_factory=Counter)


def hold(records: Iterable[Recorded]) -> ConformanceReport:
    """Hold requests against the metadata of their provider."""
    report = ConformanceReport()
    for encoded, times in distinct(iter(records)).items():
        record = msgspec.json.decode(encoded, type=Recorded)
        report.requests += times
        faults = list((graph if record.path.startswith(graph.ROOT) else google).faults_of(record))
        if faults and is_deliberate(record):
            report.deliberate += times
        else:
            report.faults.update({f"{fault}: {record}": times for fault in faults})
    return report


class Conformance:
    """Of the process that hands out tests, or runs them all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.report = ConformanceReport()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Check what was written down, and fail the run if something is unknown."""
        self.report = hold(read_records(self._folder))
        if self.report.faults and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how many requests were held, and which are unknown."""
        found = self.report
        if found.requests:
            line = (
                f"conformance: {found.requests} requests to the simulator held against published metadata, "
                f"{found.deliberate} of them wrong on purpose, {found.faults.total()} faults"
            )
            terminalreporter.write_line(line, red=bool(found.faults), green=not found.faults)
        for fault, times in found.faults.most_common(_SHOWN):
            terminalreporter.write_line(f"  {times} times: {fault}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Name the folder to the simulators, where this process hands tests out or runs them all."""
    if hasattr(config, "workerinput"):
        return
    folder = tempfile.TemporaryDirectory(prefix="roomsync-requests-")
    before = os.environ.get(FOLDER)
    os.environ[FOLDER] = folder.name
    config.pluginmanager.register(Conformance(Path(folder.name)), "conformance-of-requests")
    config.add_cleanup(folder.cleanup)
    config.add_cleanup(lambda: _restore(before))


def _restore(before: str | None) -> None:
    if before is None:
        os.environ.pop(FOLDER, None)
    else:
        os.environ[FOLDER] = before
