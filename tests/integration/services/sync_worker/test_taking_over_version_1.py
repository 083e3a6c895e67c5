"""An office that 0.1.0 looked after is taken over with its grants, references and cursors: nothing told twice, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.contracts.command import Reconcile
from shared.crypto.master import new_key, parse
from shared.domain.identity import Mailbox
from shared.grants.broker import ConsentBroker
from shared.runtime.settings import Settings
from tests.support.earlier_version import run_on_release, unpack_release
from tests.support.office import AARE, BIRS, Calendar, Endpoint, ManualClock, Office


class TakenOver(Office):
    """This version's workers on what another has left."""

    def __init__(self, home: Path, master_key: str, tenant: str) -> None:
        self.clock = ManualClock()
        self.calendar = Calendar(self.clock)
        self.endpoint = Endpoint()
        self._master = parse(master_key)
        self.engine = self.open_engine(home)
        self.tenant = tenant
        self.keys = self.engine.keyring.keys(tenant)
        self.mailbox = Mailbox(tenant, "m-ada")
        self.broker = ConsentBroker(
            self.engine.registry, self.engine.keyring, Settings(), self.clock, endpoint=self.endpoint
        )
        self._channels = iter(range(10_000))
        self.restart()


@pytest.fixture
def office(tmp_path: Path) -> TakenOver:
    """The office as 0.1.0 left it, opened by this version."""
    home, key = tmp_path / "home", new_key()
    script = Path(__file__).with_name("play_earlier_office.py")
    return TakenOver(home, key, run_on_release(unpack_release(tmp_path), str(script), str(home), key))


@pytest.mark.proves("D7", "M1")
def test_what_stood_is_told_by_nobody_and_what_changes_is_told_once(office: TakenOver) -> None:
    told = office.declines()
    assert len(told) == 1
    office.calendar.book("quiet", **{BIRS: "declined"})
    office.calendar.book("fine", **{AARE: "accepted"})
    office.calendar.book("told", **{AARE: "declined"})
    for ask in (office.hint, lambda: office.send(Reconcile(at_ms=office.clock.at_ms, full=True)), office.restart):
        ask()
        office.settle()
        assert office.declines() == told
    assert office.calendar.looks[-1] == "full"
    office.calendar.book("fine", **{AARE: "declined"})
    office.hint()
    office.settle()
    assert len(set(office.declines())) == len(office.declines()) == 2
    for answer in ("accepted", "declined"):
        office.calendar.book("quiet", **{BIRS: answer})
        office.calendar.book("told", **{AARE: answer})
        office.hint()
        office.settle()
    assert len(set(office.declines())) == len(office.declines()) == 4
    office.calendar.events.pop("told")
    office.hint()
    office.settle()
    assert office.states()[-1] == "gone"
