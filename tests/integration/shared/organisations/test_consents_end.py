"""How a grant ends: at the provider, by its person, and for good when the five days are over, whatever was copied before."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from shared.contracts.command import Connect, Disconnect
from shared.contracts.envelope import read_json
from shared.contracts.rows import ConsentRow, ConsentState
from shared.crypto.sealing import unseal
from shared.domain.identity import Mailbox
from shared.domain.instants import DAY_MS, HOUR_MS, MINUTE_MS
from shared.errors import MalformedRecordError, TokenRefusedError
from shared.grants.oauth import Lost
from shared.grants.sleep import SLEEP_MS
from shared.registry import tables
from tests.integration.shared.organisations.switching import OffOffice
from tests.support.office import AARE, GRANTED


def connected(office: OffOffice) -> None:
    office.calendar.book(**{AARE: "none"})
    office.connect()


@pytest.mark.proves("S10")
@pytest.mark.parametrize("how", ["refresh refused", "token refused"])
def test_revoked_at_the_provider_ends_in_revoked_without_references_and_further_calls(
    office: OffOffice, how: str
) -> None:
    connected(office)
    if how == "refresh refused":
        office.clock.at_ms += 2 * HOUR_MS
    else:
        office.calendar.failures = [TokenRefusedError("401", code="invalid_token")]
    office.endpoint.outcome = Lost("invalid_grant")
    office.hint()
    office.settle()
    row = office.grant()
    assert (row.state, row.refresh_sealed, row.access_sealed) == (ConsentState.REVOKED, b"", b"")
    assert office.references() == {}
    calls, looks = list(office.calendar.calls), list(office.calendar.looks)
    for _ in range(3):
        office.hint()
        office.after(3600)
    assert (office.calendar.calls, office.calendar.looks) == (calls, looks)


@pytest.mark.proves("E17")
def test_connected_again_while_the_disconnect_was_under_way_stays_connected(office: OffOffice) -> None:
    connected(office)
    office.broker.leaving(office.mailbox)
    office.send(Disconnect(at_ms=office.clock.at_ms))

    def reconnect() -> None:
        office.clock.at_ms += 1000
        office.broker.store_grant(office.tenant, "u-ada", GRANTED)
        office.send(Connect(at_ms=office.clock.at_ms))

    office.when_ending = reconnect
    office.settle()
    office.settle()
    row = office.grant()
    assert (row.state, row.leaving_at_ms) == (ConsentState.ACTIVE, 0)
    assert len(office.calendar.subscriptions) == 1


@pytest.mark.proves("E17", "S9")
def test_hint_that_comes_before_the_wish_to_disconnect_reads_nothing_any_more(office: OffOffice) -> None:
    connected(office)
    looks = list(office.calendar.looks)
    office.broker.leaving(office.mailbox)
    office.hint()
    office.settle()
    assert office.calendar.looks == looks
    assert office.calendar.subscriptions == {}
    assert office.consent() is None
    assert office.references() == {}
    office.send(Disconnect(at_ms=office.clock.at_ms))
    office.send(Connect(at_ms=office.clock.at_ms))
    office.broker.store_grant(office.tenant, "u-ada", GRANTED)
    office.settle()
    assert len(office.calendar.subscriptions) == 1


@pytest.mark.proves("E17")
def test_whoever_disconnects_with_a_grant_that_is_gone_is_disconnected(office: OffOffice) -> None:
    connected(office)
    office.broker.leaving(office.mailbox)
    office.clock.at_ms += 2 * HOUR_MS
    office.endpoint.outcome = Lost("invalid_grant")
    office.send(Disconnect(at_ms=office.clock.at_ms))
    office.settle()
    assert office.consent() is None
    assert office.references() == {}


def unheard(office: OffOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ada gave the permission, and the log was away: nobody was told."""
    with monkeypatch.context() as patch:
        patch.setattr(office, "send", lambda *_: None)
        office.connect()
    office.settle()
    assert office.grant().state is ConsentState.CONNECTING


@pytest.mark.proves("S3")
def test_permission_that_nobody_heard_of_is_connected_all_the_same(
    office: OffOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    unheard(office, monkeypatch)
    office.sweep()
    office.settle()
    assert office.calendar.calls == [], "an ordinary wish is given its time"
    office.move_to(office.clock.at_ms + MINUTE_MS)
    assert office.grant().state is ConsentState.ACTIVE
    assert len(office.calendar.subscriptions) == 1


@pytest.mark.proves("E17")
def test_permission_that_nobody_heard_of_is_forgotten_when_its_person_disconnects(
    office: OffOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    unheard(office, monkeypatch)
    office.broker.leaving(office.mailbox)
    office.send(Disconnect(at_ms=office.clock.at_ms))
    office.settle()
    assert office.consent() is None


@pytest.mark.proves("E17")
def test_wish_to_disconnect_that_nobody_heard_is_fulfilled(office: OffOffice) -> None:
    connected(office)
    office.broker.leaving(office.mailbox)
    office.move_to(office.clock.at_ms + MINUTE_MS)
    assert office.consent() is None
    assert office.calendar.subscriptions == {}


@pytest.mark.proves("E29", "M7")
def test_no_copy_of_day_two_gives_a_token_back_on_day_six(office: OffOffice, tmp_path: Path) -> None:
    connected(office)
    office.switch_off()
    off_at_ms = office.clock.at_ms
    office.settle()
    office.move_to(off_at_ms + 2 * DAY_MS)
    copy = tmp_path / "day-two"
    shutil.copytree(office.home, copy)
    sealed = office.grant().refresh_sealed
    day_two = office.engine.keyring.consent_key(office.tenant)
    assert unseal(day_two, sealed, purpose=purpose(office)) == b"refresh", "until then it can be brought back"
    office.move_to(off_at_ms + 6 * DAY_MS)
    # The attacker has every file of day two and of today, and today's keyring with its master key, but no old keyring.
    found = sealed_grants(copy)
    assert sealed in {row.refresh_sealed for row in found}, "the copy holds the sealed grant"
    today = office.engine.keyring.consent_key(office.tenant)
    for row in found:
        for kind, token in (("refresh", row.refresh_sealed), ("access", row.access_sealed)):
            with pytest.raises(MalformedRecordError):
                unseal(today, token, purpose=purpose(office, kind))
    now = b"".join(path.read_bytes() for path in office.home.rglob("*") if path.is_file())
    assert sealed not in now


@pytest.mark.proves("E28", "M7")
def test_at_hour_119_every_consent_comes_back(office: OffOffice) -> None:
    connected(office)
    office.switch_off()
    off_at_ms = office.clock.at_ms
    office.settle()
    office.sweep()
    office.move_to(off_at_ms + SLEEP_MS - HOUR_MS)
    office.switch_on()
    office.settle()
    assert [row.state for _, row in tables.consents(office.engine.registry).scan(office.tenant)] == [
        ConsentState.ACTIVE
    ]


@pytest.mark.proves("E11")
def test_grant_sealed_for_one_mailbox_opens_for_no_other(office: OffOffice) -> None:
    connected(office)
    row = office.grant()
    users = tables.users(office.engine.registry)
    ada = users.get(office.tenant, "u-ada")
    assert ada
    other = Mailbox(office.tenant, "m-eve")
    tables.consents(office.engine.registry).put(office.tenant, other.id, row)
    with pytest.raises(MalformedRecordError):
        office.broker.access(other)


def purpose(office: OffOffice, kind: str = "refresh") -> str:
    return f"{kind}-token/{office.tenant}/{office.mailbox.id}"


def sealed_grants(home: Path) -> list[ConsentRow]:
    """Every consent row that any database file below `home` holds."""
    rows = []
    for path in home.rglob("*"):
        if not path.is_file() or path.read_bytes()[:6] != b"SQLite":
            continue
        connection = sqlite3.connect(path)
        try:
            found = connection.execute("SELECT value FROM rows WHERE name = 'consents'").fetchall()
        except sqlite3.OperationalError:
            found = []  # a log's file: it has no rows
        finally:
            connection.close()
        rows += [read_json(value, ConsentRow) for (value,) in found]
    return rows
