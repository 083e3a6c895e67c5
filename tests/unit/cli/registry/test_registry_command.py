"""`roomsync registry`: what comes back, what stays gone, and what moves to another house."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from click.testing import CliRunner

from cli.common.exit_codes import FINDING
from cli.demo.processes import simulator_environ
from cli.main import roomsync
from services.portal.sign_in.attempts import Purpose, SignIns
from shared.contracts import command
from shared.contracts import envelope as envelopes
from shared.contracts.command import Command, Connect, Disconnect
from shared.contracts.erasure import KeyClass
from shared.contracts.rows import (
    AttendanceRow,
    AuditRow,
    BookingRow,
    ConsentRow,
    ConsentState,
    DismissalRow,
    EndingRow,
    IntegrationState,
    OfficeDayRow,
    RoomRow,
    SessionRow,
    TakeRow,
    TakeState,
    UserRow,
)
from shared.contracts.test_run import Stage, TestRun
from shared.contracts.topics import COMMANDS
from shared.crypto.master import new_key, parse
from shared.domain.identity import Mailbox, partition_of
from shared.domain.instants import DAY_MS
from shared.engines.bound_registry import BoundRegistry
from shared.errors import ConfigurationError
from shared.grants.sleep import SLEEP_MS
from shared.organisations.audit_chain import append_act, name_row, read_chain
from shared.organisations.audit_check import check_chain
from shared.organisations.enrolment import NOBODY, enrol, enter_rooms
from shared.ports.engine import Engine
from shared.ports.log import NewRecord
from shared.registry import tables
from shared.runtime.archive import open_archive
from shared.runtime.clock import clock_from
from shared.runtime.erasure import erase_consents, erase_data
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine
from tests.support.builders import NOW_MS

SEALED = b"sealed-under-the-consent-key"
MASTER = new_key()


@dataclass
class House:
    """A deployment in a directory, and the operator's commands on it."""

    home: Path
    monkeypatch: pytest.MonkeyPatch
    now_ms: int = NOW_MS
    tenant: str = ""
    said: str = ""
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Exit code and JSON answer of `roomsync registry …`."""
        self.enter()
        result = CliRunner().invoke(roomsync, ["registry", *arguments, "--json"], standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        self.said = result.stderr
        return result.return_value or 0, json.loads(result.stdout)

    def enter(self) -> None:
        """This house's settings are the process's."""
        clock = self.home.with_suffix(".clock")
        clock.write_text(f"{self.now_ms:020d}")
        self.environ = {"HOME": str(self.home), "MASTER_KEY": MASTER, "TEST_CLOCK": str(clock), "PARTITIONS": "2"}
        self.environ |= {"RECEIVER_PORT": "0", "PORTAL_PORT": "0", "SIMULATOR_PORT": "0"}
        loopback = simulator_environ("http://127.0.0.1:1")  # the test clock is refused where a provider could be real
        for name, value in (loopback | {f"ROOMSYNC_{name}": value for name, value in self.environ.items()}).items():
            self.monkeypatch.setenv(name, value)

    def open(self) -> Engine:
        self.enter()
        return open_engine(load())

    def lose_the_registry(self) -> None:
        """Its rows, not the keys: they stand on a replica."""
        engine = self.open()
        assert isinstance(engine.registry, BoundRegistry)
        for row in engine.registry._registry.everything():  # one that was tampered with is lost as well
            engine.registry.delete(row.table, row.tenant, row.row)
        engine.close()


Build = Callable[[str], House]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Build]:
    for name in list(os.environ):
        if name.startswith("ROOMSYNC_") and not name.startswith("ROOMSYNC_TEST_K"):
            monkeypatch.delenv(name)
    return lambda name: House(tmp_path / name, monkeypatch)


@pytest.fixture
def house(build: Build) -> House:
    """An organisation with a row in every table."""
    found = build("house")
    engine = found.open()
    registry = engine.registry
    tenant = enrol(registry, engine.keyring, provider="microsoft", directory="d-1", name="Contoso")
    enter_rooms(registry, engine.keyring, tenant, [RoomRow(address="aare@x.test", name="Aare", capacity=8)])
    user = UserRow(
        provider="microsoft", subject="oid", address_sealed=SEALED, person="p-ada", mailbox="m-ada", roles=("admin",)
    )
    tables.users(registry).put(tenant, "u-ada", user)
    tables.users(registry).put(tenant, "u-ben", msgspec.structs.replace(user, mailbox="m-ben", roles=()))
    grant = ConsentRow(
        user="u-ada", provider="microsoft", subject="oid", state=ConsentState.ACTIVE, refresh_sealed=SEALED
    )
    tables.consents(registry).put(tenant, "m-ada", grant)
    tables.dismissals(registry).put(
        tenant, "p-1", DismissalRow(user="u-ada", at_ms=NOW_MS), not_after_ms=NOW_MS + DAY_MS
    )
    tables.takes(registry).put(tenant, "k-1", TakeRow(user="u-ada", prompt="p-1", room="r-1", state=TakeState.DONE))
    tables.bookings(registry).put(tenant, "b-1", BookingRow(room="r-1"))
    tables.attendances(registry).put(tenant, "m/o/p", AttendanceRow(place="office", user="u-ada"))
    tables.office_days(registry).put(tenant, "u-ada/2026-09-21", OfficeDayRow(place="office"))
    tables.audit(registry).put(tenant, "1", AuditRow(at_ms=NOW_MS, user="u-ada", act="integration.enabled"))
    tables.endings(registry).put(tenant, "m-ada", EndingRow(provider="microsoft", sealed=SEALED))
    run = TestRun(
        id="1", user="u-ada", provider="microsoft", stage=Stage.FAILED, began_at_ms=1, beat_at_ms=1, made=(SEALED,)
    )
    tables.test_runs(registry).put(tenant, "run", run)
    tables.sessions(registry).put(tenant, "s-1", SessionRow(user="u-ada", csrf="x"))
    engine.close()
    found.tenant = tenant
    return found


def backed_up(house: House) -> str:
    file = str(house.home.with_name("backup"))
    assert house.run("backup", file)[0] == 0
    return file


BY_DATA_KEYS = {table.name for table in tables.erased_with(KeyClass.DATA) if table.restored}


def left_out(answer: dict[str, Any]) -> set[str]:
    return {each["table"] for each in answer["leftOut"]}


def commands_on(engine: Engine) -> list[Command]:
    records = [record for p in range(2) for record in engine.log.read(COMMANDS.name, p, 0)]
    return [envelopes.payload_of(envelopes.decode(each.value or b""), Command) for each in records]  # type: ignore[arg-type]


def test_what_was_lost_comes_back_and_its_mailboxes_are_connected(house: House) -> None:
    file = backed_up(house)
    engine = house.open()
    before = {row for row in engine.registry.everything() if row.table != "sessions"}  # type: ignore[attr-defined]
    engine.close()
    house.lose_the_registry()

    code, answer = house.run("restore", file)

    engine = house.open()
    assert set(engine.registry.everything()) == before  # type: ignore[attr-defined]  # deadlines included
    assert code == 0
    assert answer["connected"] == 1
    assert left_out(answer) == {"sessions"}
    assert [type(wish) for wish in commands_on(engine)] == [Connect]
    engine.close()


def test_sign_in_that_was_under_way_at_the_backup_is_left_out_and_in_nobodys_way(house: House) -> None:
    engine = house.open()
    under_way = SignIns(engine.registry, clock_from(load().test_clock), b"k" * 32)
    under_way.begin("browser", "microsoft", "/", Purpose.SIGN_IN)
    engine.close()
    file = backed_up(house)
    house.lose_the_registry()

    code, answer = house.run("restore", file)

    assert (code, answer["connected"]) == (0, 1)
    assert left_out(answer) == {"sessions", "sign-ins"}


def test_command_that_nobody_can_read_counts_as_taking_back_and_refuses_no_restore(house: House) -> None:
    engine = house.open()
    key = Mailbox(house.tenant, "m-ada").key
    before = NewRecord(COMMANDS.name, partition_of(key, 2), key, b"not an envelope")
    nobodys = NewRecord(COMMANDS.name, 0, b"\xff", b"not an envelope")
    engine.log.append([before])
    engine.close()
    house.now_ms += 1000
    file = backed_up(house)
    house.lose_the_registry()
    assert house.run("restore", file, "--dry-run")[0] == 0, "what stood before the backup took nothing back since"
    house.now_ms += 1000
    engine = house.open()
    engine.log.append([before, nobodys])
    engine.close()

    code, answer = house.run("restore", file)

    assert (code, answer["connected"]) == (0, 0)
    assert {"table": "consents", "how": "disconnected since", "rows": 1} in answer["leftOut"]


def test_a_rehearsal_changes_nothing(house: House) -> None:
    file = backed_up(house)
    house.lose_the_registry()

    _, answer = house.run("restore", file, "--dry-run")

    engine = house.open()
    assert answer["rows"] == 14
    assert engine.registry.everything() == []  # type: ignore[attr-defined]
    assert commands_on(engine) == []
    engine.close()


def test_a_backup_holds_no_key(house: House) -> None:
    file = Path(backed_up(house))
    held = open_archive(file.read_bytes(), parse(MASTER), kind="backup")[1]

    assert held.keys == []
    engine = house.open()
    keys = engine.keyring.keys(house.tenant)
    engine.close()
    assert all(key not in repr(held).encode() for key in (keys.data_key, keys.hash_key, keys.consent_key or b""))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_stands_is_newer_and_stays(house: House) -> None:
    file = backed_up(house)
    engine = house.open()
    tables.office_days(engine.registry).put(house.tenant, "u-ada/2026-09-21", OfficeDayRow(place="remote"))
    engine.close()

    _, answer = house.run("restore", file)

    engine = house.open()
    assert answer["written"] == 0
    assert tables.office_days(engine.registry).get(house.tenant, "u-ada/2026-09-21") == OfficeDayRow(place="remote")
    engine.close()


def test_rows_past_their_deadline_stay_gone(house: House) -> None:
    file = backed_up(house)
    house.lose_the_registry()
    house.now_ms += DAY_MS

    assert left_out(house.run("restore", file)[1]) == {"dismissals", "sessions"}


def test_grants_do_not_outlive_the_consent_key(house: House) -> None:
    file = backed_up(house)
    engine = house.open()
    erase_data(engine, house.tenant, now_ms=NOW_MS + 1)
    erase_consents(engine, house.tenant, now_ms=NOW_MS + SLEEP_MS)
    engine.keyring.create(
        house.tenant
    )  # switched on again: other keys, of which nobody may think that they open the old
    engine.close()
    house.lose_the_registry()
    house.now_ms += 7 * DAY_MS

    _, answer = house.run("restore", file)

    engine = house.open()
    assert left_out(answer) == {"consents", "users", "endings", "test-runs", *BY_DATA_KEYS, "sessions"}
    assert answer["connected"] == 0
    user = tables.users(engine.registry).get(house.tenant, "u-ada")
    assert user is not None
    assert (user.address_sealed, user.roles) == (b"", ("admin",))
    tenant = tables.tenants(engine.registry).get(house.tenant, "tenant")
    assert tenant is not None
    assert (tenant.integration, tenant.sleep_until_ms) == (IntegrationState.OFF, 0)
    engine.close()


def test_an_organisation_that_was_switched_off_since_comes_back_switched_off_and_asleep(house: House) -> None:
    file = backed_up(house)
    engine = house.open()
    erase_data(engine, house.tenant, now_ms=NOW_MS + 1)
    engine.close()
    house.lose_the_registry()
    house.now_ms += DAY_MS

    _, answer = house.run("restore", file)

    engine = house.open()
    tenant = tables.tenants(engine.registry).get(house.tenant, "tenant")
    assert tenant is not None
    assert (tenant.integration, tenant.sleep_until_ms) == (IntegrationState.DISABLED, NOW_MS + 1 + SLEEP_MS)
    grant = tables.consents(engine.registry).get(house.tenant, "m-ada")
    assert grant is not None
    assert grant.state is ConsentState.SLEEPING
    assert [row.paired for _, row in tables.rooms(engine.registry).scan(house.tenant)] == [False]
    assert answer["connected"] == 0
    engine.close()


def test_rooms_go_by_the_names_of_the_keys_that_stand(house: House) -> None:
    file = backed_up(house)
    engine = house.open()
    erase_data(engine, house.tenant, now_ms=NOW_MS + 1)
    keys = engine.keyring.create(house.tenant)
    engine.close()
    house.lose_the_registry()

    house.run("restore", file)

    engine = house.open()
    room = tables.rooms(engine.registry).get(house.tenant, keys.room("aare@x.test"))
    assert room is not None
    assert (room.capacity, room.paired) == (8, False)
    engine.close()


def test_a_key_that_an_old_copy_brought_back_is_destroyed_again(house: House) -> None:
    engine = house.open()
    old = engine.keyring.wrapped()  # type: ignore[attr-defined]
    engine.close()
    file = backed_up(house)
    engine = house.open()
    erase_data(engine, house.tenant, now_ms=NOW_MS + 1)
    engine.keyring.adopt(old)  # type: ignore[attr-defined]  # somebody puts last week's disk back
    engine.close()

    assert house.run("restore", file, "--dry-run")[1]["keysDestroyedAgain"] == 1
    _, answer = house.run("restore", file)

    engine = house.open()
    assert answer["keysDestroyedAgain"] == 1
    fresh = engine.keyring.wrapped()  # type: ignore[attr-defined]
    assert {key for key in fresh if key in old} == {key for key in old if key.kind == "consent"}
    assert len(fresh) == 3  # an organisation without keys could not be signed in to
    engine.close()


def test_a_grant_that_was_taken_back_since_does_not_come_back(house: House) -> None:
    file = backed_up(house)
    engine = house.open()
    mailbox = Mailbox(house.tenant, "m-ada")
    wish = envelopes.encode(
        envelopes.Envelope(
            id="w", type=command.TYPE, tenant=house.tenant,
            payload=msgspec.Raw(msgspec.json.encode(Disconnect(at_ms=NOW_MS + 5))),
        )
    )  # fmt: skip
    engine.log.append([NewRecord(COMMANDS.name, partition_of(mailbox.key, 2), mailbox.key, wish)])
    engine.close()
    house.lose_the_registry()

    _, answer = house.run("restore", file)

    assert {"table": "consents", "how": "disconnected since", "rows": 1} in answer["leftOut"]


def test_an_organisation_that_came_anew_is_left_as_it_is(house: House) -> None:
    file = backed_up(house)
    house.lose_the_registry()
    engine = house.open()
    fresh = enrol(engine.registry, engine.keyring, provider="microsoft", directory="d-1", name="Contoso")
    engine.close()

    code, answer = house.run("restore", file)

    engine = house.open()
    assert code == 1
    assert answer["enrolledAnew"] == [house.tenant]
    assert {row.tenant for row in engine.registry.everything()} == {fresh, NOBODY}  # type: ignore[attr-defined]
    engine.close()


@pytest.mark.parametrize(
    "damage", [lambda raw: raw[:-9], lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), lambda raw: b"PK" + raw]
)
def test_a_damaged_file_changes_nothing(house: House, damage: Callable[[bytes], bytes]) -> None:
    file = Path(backed_up(house))
    file.write_bytes(damage(file.read_bytes()))
    house.lose_the_registry()

    with pytest.raises(click.ClickException, match="Nothing was changed"):
        house.run("restore", str(file))

    engine = house.open()
    assert engine.registry.everything() == []  # type: ignore[attr-defined]
    engine.close()


def test_a_key_file_seals_instead_of_the_master_key(house: House, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(new_key() + "\n")
    file = str(tmp_path / "elsewhere")
    house.run("backup", file, "--key-file", str(key))

    with pytest.raises(ConfigurationError, match="not at hand"):
        house.run("restore", file)
    assert house.run("restore", file, "--key-file", str(key), "--dry-run")[0] == 0


def test_moving_house_takes_the_keys_along(house: House, build: Build) -> None:
    file = str(house.home.with_name("export"))
    _, exported = house.run("export", file)
    assert "WARNING" in house.said
    assert exported["keys"] == 3
    new = build("new")

    code, answer = new.run("import", file)

    old_engine = house.open()
    keys, rows = old_engine.keyring.keys(house.tenant), old_engine.registry.everything()  # type: ignore[attr-defined]
    old_engine.close()
    engine = new.open()
    assert (code, answer["mailboxes asked to connect"]) == (0, 1)
    assert engine.keyring.keys(house.tenant) == keys
    assert engine.registry.everything() == [row for row in rows if row.table != "sessions"]  # type: ignore[attr-defined]
    assert [type(wish) for wish in commands_on(engine)] == [Connect]
    engine.close()


def test_nobody_moves_into_a_house_that_is_lived_in(house: House, build: Build) -> None:
    file = str(house.home.with_name("export"))
    house.run("export", file)
    new = build("new")
    new.run("import", file)

    with pytest.raises(click.ClickException, match="empty deployment"):
        new.run("import", file)
    assert new.run("import", file, "--force")[1]["rows"] == 0


def test_a_rehearsed_move_changes_nothing(house: House, build: Build) -> None:
    file = str(house.home.with_name("export"))
    house.run("export", file)
    new = build("new")

    assert new.run("import", file, "--dry-run")[1]["keys"] == 3
    assert new.run("import", file)[1]["keys"] == 3


def chain_of(house: House) -> list[str]:
    """What is wrong with the record of the organisation's administrators, and its length at the end."""
    engine = house.open()
    chain, _ = read_chain(engine.registry, house.tenant)
    said = [finding.as_text() for finding in check_chain(chain, house.now_ms)]
    engine.close()
    return [*said, str(len(chain.entries))]


def act(house: House, count: int) -> None:
    engine = house.open()
    for _ in range(count):
        house.now_ms += 1
        append_act(engine.registry, house.tenant, AuditRow(at_ms=house.now_ms, user="u-ada", act="room.entered"))
    engine.close()


@pytest.mark.proves("E10")
def test_restored_record_of_administrators_is_whole_and_goes_on(house: House) -> None:
    act(house, 4)
    file = backed_up(house)
    house.lose_the_registry()

    assert house.run("restore", file)[0] == 0

    assert chain_of(house) == ["4"]
    act(house, 2)
    assert chain_of(house) == ["6"]


@pytest.mark.proves("E10")
def test_restore_brings_back_acts_that_were_taken_away(house: House) -> None:
    act(house, 4)
    file = backed_up(house)
    act(house, 2)
    engine = house.open()
    for number in (2, 3):
        engine.registry.delete("audit", house.tenant, name_row(number))
    engine.close()
    assert chain_of(house) == ["Entries 2 to 3 are missing.", "4"]

    house.run("restore", file)

    assert chain_of(house) == ["6"]


@pytest.mark.proves("E10")
def test_acts_of_a_chain_that_was_begun_anew_since_are_left_out_and_that_is_said(house: House) -> None:
    act(house, 4)
    file = backed_up(house)
    house.lose_the_registry()
    act(house, 2)

    _, answer = house.run("restore", file)

    assert {"table": "audit", "how": "not of the chain that stands here", "rows": 2} in answer["leftOut"]
    assert chain_of(house) == ["2"]
    act(house, 1)
    assert chain_of(house) == ["3"]


@pytest.mark.proves("E10")
def test_record_of_administrators_moves_to_another_house_whole(house: House, build: Build) -> None:
    act(house, 3)
    file = str(house.home.with_name("export"))
    assert house.run("export", file)[0] == 0
    new = build("new")
    new.tenant, new.now_ms = house.tenant, house.now_ms

    assert new.run("import", file)[0] == 0

    assert chain_of(new) == ["3"]
    act(new, 1)
    assert chain_of(new) == ["4"]


def tampered_with(house: House, table: str, row: str) -> str:
    """Alter a row beside us; its place."""
    engine = house.open()
    assert isinstance(engine.registry, BoundRegistry)
    store = engine.registry._registry
    [place] = [
        (each.table, each.tenant, each.row) for each in store.everything() if (each.table, each.row) == (table, row)
    ]
    found = store.get(*place)
    assert found is not None
    store.put(*place, found.value.replace(b"{", b'{"more":1,', 1))
    engine.close()
    return "/".join(place)


@pytest.mark.parametrize("kind", ["backup", "export"])
@pytest.mark.parametrize(("table", "row"), [("directories", "microsoft:d-1"), ("users", "u-ben")])
def test_row_that_was_tampered_with_is_named_and_the_others_are_backed_up(
    house: House, kind: str, table: str, row: str
) -> None:
    engine = house.open()
    whole = len(engine.registry.everything())  # type: ignore[attr-defined]
    engine.close()
    place = tampered_with(house, table, row)
    file = str(house.home.with_name("kept"))

    code, answer = house.run(kind, file)

    assert (code, answer["rows"], answer["refused"]) == (FINDING, whole - 1, 1)
    assert place in house.said
    assert "roomsync doctor" in house.said
    if kind == "backup":
        house.lose_the_registry()
        code, answer = house.run("restore", file)
        engine = house.open()
        places = {(each.table, each.row) for each in engine.registry.everything()}  # type: ignore[attr-defined]
        assert ("tenants", "tenant") in places
        assert (table, row) not in places
        engine.close()


@pytest.mark.parametrize("kind", ["backup", "export"])
def test_file_that_exists_is_a_mistake_of_usage_and_stays_as_it_is(house: House, kind: str) -> None:
    there = house.home.with_name("there")
    there.write_text("an earlier one")
    with pytest.raises(click.UsageError, match="is not replaced: name another file") as refused:
        house.run(kind, str(there))
    assert refused.value.exit_code == 2
    assert there.read_text() == "an earlier one"


def test_directory_that_was_tampered_with_stops_no_other_organisations_restore(house: House) -> None:
    file = backed_up(house)
    engine = house.open()
    users = {row for row, _ in tables.users(engine.registry).scan(house.tenant)}
    enrol(engine.registry, engine.keyring, provider="google", directory="g.test", name="Other")
    for row in users:
        engine.registry.delete("users", house.tenant, row)
    engine.close()
    place = tampered_with(house, "directories", "google:g.test")

    code, _ = house.run("restore", file)

    assert code == 1
    assert place in house.said
    engine = house.open()
    assert {row for row, _ in tables.users(engine.registry).scan(house.tenant)} == users
    engine.close()


def test_what_a_tampered_directory_is_of_does_not_come_back(house: House) -> None:
    """Nobody knows whose it is today: its organisation may have been enrolled anew."""
    file = backed_up(house)
    engine = house.open()
    engine.registry.delete("users", house.tenant, "u-ben")
    engine.close()
    place = tampered_with(house, "directories", "microsoft:d-1")

    code, _ = house.run("restore", file)

    assert code == 1
    assert place in house.said
    engine = house.open()
    assert engine.registry.get("users", house.tenant, "u-ben") is None
    engine.close()


def test_rows_of_a_ring_that_is_not_at_hand_are_no_tampered_ones(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "MASTER", new_key())
    with pytest.raises(ConfigurationError, match="master key"):
        house.run("backup", str(house.home.with_name("nothing")))
    assert not house.home.with_name("nothing").exists()
