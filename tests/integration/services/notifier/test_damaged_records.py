"""A row or record that somebody put there beside us stops nobody's messages but those that it is about."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.notifier import intake
from services.notifier.ledger import search_change
from shared.contracts.notification import AddresseeSearch
from shared.engines.bound_registry import BoundRegistry
from shared.ports.log import NewRecord
from tests.integration.services.notifier.conftest import Desk
from tests.support.mail_server import MailSink

pytestmark = pytest.mark.proves("M7")


def forget_and_publish_again(desk: Desk) -> None:
    """The decline of `e1` is published again, while the view does not show its meeting: it is searched for from now on."""
    desk.engine.view.reset(0)
    [record] = desk.engine.log.read("room-rejections", 0, 0)
    desk.engine.log.append([NewRecord(record.topic, 0, record.key, record.value, record.headers)])
    for _ in range(4):
        desk.notifier.step()


def damage_view(desk: Desk) -> None:
    with desk.engine.view._database.write() as connection:  # type: ignore[attr-defined]
        assert connection.execute("UPDATE view_rows SET value = ?", (b"\x00",)).rowcount > 0


def damage_consent(desk: Desk) -> None:
    assert isinstance(desk.engine.registry, BoundRegistry)
    desk.engine.registry._registry.put("consents", desk.tenant, "m-ada", b"\x00")


@pytest.mark.parametrize("damage", [damage_view, damage_consent])
def test_decline_that_is_searched_for_and_whose_rows_are_damaged_stops_no_others(
    desk: Desk, damage: Callable[[Desk], None]
) -> None:
    desk.decline()
    forget_and_publish_again(desk)
    assert len(desk.notifier._ledger.searches) == 1
    desk.clock.at_ms += 61_000
    for _ in range(4):
        desk.status.step()  # shows the meeting again
    damage(desk)
    for _ in range(4):
        desk.notifier.step()
    assert desk.notifier._ledger.searches != {}, "once it is put right, its people are told"
    desk.clock.at_ms += 3_600_000
    for _ in range(4):
        desk.notifier.step()
    assert desk.notifier._ledger.searches == {}, "and it ends as others do"


def test_searches_take_turns(desk: Desk, sink: MailSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that finds nothing for an hour keeps the next one waiting for no longer than its turn."""
    monkeypatch.setattr(intake, "SEARCHES_A_STEP", 1)
    desk.decline()
    gone = AddresseeSearch(prompt="d-gone", meeting="m-gone", declined_at_ms=desk.clock.at_ms)
    change = search_change(gone, desk.engine.keyring.keys(desk.tenant))
    desk.notifier._commit([change])
    desk.take_over()
    forget_and_publish_again(desk)
    assert len(desk.notifier._ledger.searches) == 2
    desk.pass_time(120)
    assert [AddresseeSearch] == [type(each) for each in desk.notifier._ledger.searches.values()]
    assert len(sink.mails) == 1
