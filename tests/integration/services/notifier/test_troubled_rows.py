"""A row that somebody altered, or a store that is away for a moment, costs nobody else their messages."""

from __future__ import annotations

import msgspec
import pytest

from shared.contracts.rows import NotificationRow
from shared.crypto.sealing import seal
from shared.errors import StoreUnavailableError
from shared.registry import tables
from shared.registry.tables import notifications, rooms, users
from tests.integration.services.notifier.conftest import Desk
from tests.integration.services.notifier.crowd import ADMIN, answer, appoint_administrator, book, decline
from tests.integration.services.sync_worker.test_refused_rows import tamper
from tests.support.mail_server import MailSink
from tests.support.office import ADA

BEN = "ben@contoso.test"


def receivers(sink: MailSink) -> list[str]:
    return sorted(str(mail["To"]) for mail in sink.mails)


@pytest.mark.proves("B16")
def test_store_that_is_away_for_a_moment_costs_nobody_their_mail(
    desk: Desk, sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    book(desk, 1)
    desk.connect("ben")
    answer(desk, [0], "declined")
    desk.clock.at_ms += 61_000

    def away(_: str) -> None:
        raise StoreUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(desk.notifier._holding, "pause_of", away)
        with pytest.raises(StoreUnavailableError):
            desk.notifier.step()
    desk.settle()
    assert receivers(sink) == [ADA, BEN]


@pytest.mark.proves("B16")
def test_store_that_is_away_when_mails_were_taken_has_nobody_told_twice(
    desk: Desk, sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    book(desk, 1)
    desk.connect("ben")
    answer(desk, [0], "declined")
    desk.clock.at_ms += 61_000
    desk.notifier.step()
    assert receivers(sink) == [ADA, BEN]

    def away(*_: object) -> None:
        raise StoreUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(desk.notifier, "_change", away)
        with pytest.raises(StoreUnavailableError):
            desk.notifier.step()
    desk.pass_time(600)
    assert receivers(sink) == [ADA, BEN]


@pytest.mark.proves("B17")
@pytest.mark.parametrize(
    ("table", "row_id", "told"),
    [
        ("decline-incidents", "latest", [ADMIN]),
        ("notifications", "u-grace", []),
        ("rooms", "", [ADMIN]),
        ("consents", "m-ben", [ADMIN]),
    ],
)
def test_altered_row_ends_no_notifier(desk: Desk, sink: MailSink, table: str, row_id: str, told: list[str]) -> None:
    appoint_administrator(desk)
    notifications(desk.engine.registry).put(desk.tenant, "u-grace", NotificationRow())
    book(desk, 40)
    desk.connect("ben")
    if table == "decline-incidents":
        decline(desk, 40)
        tamper(desk, table, row_id)
        desk.take_over()
    else:
        notifier = desk.notifier
        del desk.notifier  # the others have done their part by then
        decline(desk, 40)
        tamper(desk, table, row_id or next(name for name, _ in rooms(desk.engine.registry).scan(desk.tenant)))
        desk.notifier = notifier
    desk.pass_time(60)
    assert [name for name in receivers(sink) if name == ADMIN] == told
    assert desk.notifier._ledger.incidents


@pytest.mark.proves("B17", "B26")
def test_alarm_goes_where_the_directory_says_that_mail_reaches_its_administrator(desk: Desk, sink: MailSink) -> None:
    appoint_administrator(desk)
    sealed = seal(desk.keys.consent_key or b"", b"grace.hopper@mail.test", purpose=f"user-mail/{desk.tenant}/u-grace")
    users(desk.engine.registry).change(
        desk.tenant, "u-grace", lambda row: msgspec.structs.replace(row, mail_sealed=sealed) if row else None
    )
    book(desk, 40)
    decline(desk, 40)
    desk.pass_time(60)
    assert receivers(sink) == ["grace.hopper@mail.test"]


@pytest.mark.proves("B16")
def test_addressee_whose_row_is_refused_keeps_no_other_from_being_told_and_is_told_once_it_is_put_right(
    desk: Desk, sink: MailSink
) -> None:
    book(desk, 1)
    desk.connect("ben")
    good = tables.consents(desk.engine.registry).get(desk.tenant, "m-ben")
    assert good is not None
    notifier = desk.notifier
    del desk.notifier  # the sync worker has seen the answer by then
    answer(desk, [0], "declined")
    tamper(desk, "consents", "m-ben")
    desk.notifier = notifier
    desk.pass_time(120)
    assert receivers(sink) == [ADA]
    assert list(desk.topic("dead-letters")) == []
    tables.consents(desk.engine.registry).put(desk.tenant, "m-ben", good)
    desk.pass_time(180)
    assert receivers(sink) == [ADA, BEN]
    assert desk.notifier._ledger.searches == {}
