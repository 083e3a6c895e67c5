"""The commands that read, poke, rotate and diagnose, on an embedded deployment of the test's own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import click
import msgspec
import pytest

from cli.common.service_addresses import ServiceAddresses
from cli.demo.processes import simulator_environ
from cli.keys import count_key_uses
from cli.main import main, roomsync
from services.webhook_receiver.protocols import google, graph
from services.webhook_receiver.protocols.push import Notifications
from shared.contracts import envelope as envelopes
from shared.contracts.calendar_state import LiveSubscription, MailboxState
from shared.contracts.envelope import Envelope
from shared.contracts.rows import AuditRow, ConsentRow, ConsentState
from shared.contracts.topics import SYNC_WORKER, TOPICS
from shared.crypto.master import new_key, parse
from shared.crypto.records import sealed_envelope
from shared.domain.identity import Mailbox, partition_of
from shared.engines.bound_registry import BoundRegistry
from shared.errors import ConfigurationError, MalformedRecordError
from shared.organisations.audit_chain import append_act, name_row
from shared.organisations.enrolment import enrol
from shared.ports.engine import Engine
from shared.ports.log import NewRecord, StateChange
from shared.registry.tables import consents
from shared.runtime.clock import SystemClock
from shared.runtime.settings import load
from shared.runtime.wiring import open_engine
from tests.support.commands import Ran, Run, set_alone

NEW, OLD = new_key(), new_key()
FINDING, USAGE, UNREACHABLE = 1, 2, 3


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    ours = {
        "ROOMSYNC_HOME": str(tmp_path / "home"),
        "ROOMSYNC_MASTER_KEY": f"{NEW},{OLD}",
        "ROOMSYNC_RECEIVER_PORT": "0",
    }
    ours |= {"ROOMSYNC_PORTAL_PORT": "0", "ROOMSYNC_SIMULATOR_PORT": "0"}
    set_alone(monkeypatch, ours)
    return ours


def appended(engine: Engine, *values: bytes | None, topic: str = "room-rejections") -> None:
    engine.log.append([NewRecord(topic, 1, b"m-1", value, (("traceparent", b"00-x"),)) for value in values])


def a_grant(engine: Engine, provider: str, state: ConsentState, mailbox: str) -> Mailbox:
    tenant = enrol(engine.registry, engine.keyring, provider=provider, directory=f"{provider}.example", name="Office")
    row = ConsentRow(user="u-1", provider=provider, subject="s", state=state)
    consents(engine.registry).put(tenant, mailbox, row)
    return Mailbox(tenant, mailbox)


def test_tail_prints_a_line_a_record(run: Run, engine: Engine) -> None:
    appended(engine, b'{"id": "d-1"}', None, b"\xff")

    lines = run("tail", "room-rejections", "--json").lines
    assert [(line["topic"], line["partition"], line["key"]) for line in lines] == [("room-rejections", 1, "m-1")] * 3
    assert [line["value"] for line in lines] == [{"id": "d-1"}, None, "/w=="]
    assert lines[0]["headers"] == {"traceparent": "00-x"}
    assert lines[0]["offset"] < lines[1]["offset"] < lines[2]["offset"]


def test_tail_begins_at_an_instant(run: Run, engine: Engine) -> None:
    appended(engine, b"1")

    assert len(run("tail", "room-rejections", "--json", "--from", "2020-01-01T00:00:00Z").lines) == 1
    assert run("tail", "room-rejections", "--json", "--from", "2999-01-01T00:00:00Z").lines == []
    assert len(run("tail", "room-rejections", "--json", "--from", "beginning").lines) == 1


def test_tail_begins_so_long_ago(
    run: Run, engine: Engine, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    appended(engine, b"1")
    assert len(run("tail", "room-rejections", "--json", "--from", "-5m").lines) == 1

    now = Path(environ["ROOMSYNC_HOME"]) / "now"
    now.write_text(str(SystemClock().now_ms() + 4 * 60_000))
    for name, value in {**simulator_environ("http://127.0.0.1:1"), "ROOMSYNC_TEST_CLOCK": str(now)}.items():
        monkeypatch.setenv(name, value)
    assert len(run("tail", "room-rejections", "--json", "--from", "-5m").lines) == 1
    assert run("tail", "room-rejections", "--json", "--from", "-3m").lines == []
    with pytest.raises(Exception, match="-30s, -5m"):
        run("tail", "room-status", "--from", "-5w")


def keyed(engine: Engine, key: str, number: int, partition: int) -> None:
    value = json.dumps({"number": number}).encode()
    engine.log.append([NewRecord("room-rejections", partition, key.encode(), value)])


def numbers(ran: Ran) -> list[int]:
    return [line["value"]["number"] for line in ran.lines]


def test_tail_prints_the_last_records_of_all_partitions_by_time(run: Run, engine: Engine) -> None:
    for number in range(40):
        keyed(engine, "t-1/m-1" if number % 8 else "t-2/m-1", number, number % 3)
        time.sleep(0.002)  # so that each has a time of its own
    tail = ["tail", "room-rejections", "--json"]

    assert numbers(run(*tail, "-n", "5")) == [35, 36, 37, 38, 39]
    assert numbers(run(*tail, "-n", "3", "--tenant", "t-2")) == [16, 24, 32], "however far back they stand"
    assert numbers(run(*tail, "-n", "9", "--tenant", "t-2")) == [0, 8, 16, 24, 32]
    assert run(*tail, "-n", "5", "--from", "2999-01-01T00:00:00Z").lines == []
    with pytest.raises(Exception, match="1<=x"):
        run(*tail, "-n", "0")


def test_tail_chooses_by_key_and_by_organisation(run: Run, engine: Engine) -> None:
    for number, key in enumerate(("t-1/m-1", "t-1/m-1/u-ada", "t-1/m-10", "t-10/m-1", "t-2/m-1")):
        keyed(engine, key, number, 0)
    tail = ["tail", "room-rejections", "--json"]

    assert numbers(run(*tail, "--key", "t-1/m-1")) == [0, 1]
    assert numbers(run(*tail, "--tenant", "t-1")) == [0, 1, 2]
    assert numbers(run(*tail, "--tenant", "t-1", "--key", "t-2")) == []
    sealed = envelopes.encode(Envelope(id="e-1", type="x", tenant="t-3", payload=msgspec.Raw(b"{}")))
    engine.log.append([NewRecord("dead-letters", 0, b"dead/e-1", sealed)])
    assert len(run("tail", "dead-letters", "--json", "--tenant", "t-3").lines) == 1
    assert run("tail", "dead-letters", "--json", "--tenant", "t-1").lines == []


def test_tail_writes_json_over_several_lines(run: Run, engine: Engine) -> None:
    keyed(engine, "t-1/m-1", 7, 0)

    out = run("tail", "room-rejections", "--pretty").out
    assert json.loads(out)["value"] == {"number": 7}
    assert '\n    "number": 7\n' in out


def test_tail_says_which_topics_there_are(run: Run) -> None:
    with pytest.raises(Exception, match="room-status"):
        run("tail", "no-such-topic")
    with pytest.raises(Exception, match="2026-11-20T09:30:00Z"):
        run("tail", "room-status", "--from", "yesterday")


def test_tail_follows_and_whoever_has_seen_enough_may_leave(environ: dict[str, str], engine: Engine) -> None:
    appended(engine, *(b'{"filler": "%s"}' % (b"x" * 1000) for _ in range(300)))
    command = [sys.executable, "-m", "cli.main", "tail", "room-rejections", "--json", "--follow", "--from", "beginning"]
    with subprocess.Popen(
        command, env={**os.environ, **environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        for _ in range(300):
            assert json.loads(tail.stdout.readline())["key"] == "m-1"
        appended(engine, b'{"id": "late"}')
        assert json.loads(tail.stdout.readline())["value"] == {"id": "late"}
        tail.stdout.close()
        appended(engine, b'{"id": "nobody reads this"}')
        assert tail.wait(10) == 0
        assert tail.stderr.read() == ""


@pytest.mark.parametrize(("kind", "path"), [("graph", "graph"), ("microsoft", "graph"), ("google", "google")])
def test_trigger_prints_requests_that_the_receiver_accepts(run: Run, kind: str, path: str) -> None:
    keys = parse(NEW).hook_keys()
    for push in run("trigger", kind, "--synthetic", "--print", "--count", "3").lines:
        assert push["path"] == f"/hooks/{path}"
        read = graph.read if path == "graph" else google.read
        verdict = read("", push["headers"], push["body"].encode(), keys, 0)
        assert isinstance(verdict, Notifications)
        assert len(verdict.hints) == 1


def test_trigger_is_for_those_who_are_connected(run: Run, engine: Engine) -> None:
    ada = a_grant(engine, "microsoft", ConsentState.ACTIVE, "m-ada")
    a_grant(engine, "microsoft", ConsentState.REVOKED, "m-bob")
    [push] = run("trigger", "graph", "--print").lines

    verdict = graph.read("", {}, push["body"].encode(), parse(NEW).hook_keys(), 0)
    assert isinstance(verdict, Notifications)
    assert [hint.mailbox for hint in verdict.hints] == [ada]
    with pytest.raises(Exception, match="--synthetic"):
        run("trigger", "google", "--print")


def test_trigger_without_a_receiver_is_an_unreachable_dependency(run: Run) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, not listening
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"

        assert run("trigger", "graph", "--synthetic", "--url", url).code == UNREACHABLE


def test_status_looks_again_and_again(environ: dict[str, str], engine: Engine) -> None:
    appended(engine, b"1")
    command = [sys.executable, "-m", "cli.main", "status", "--json", "--watch"]
    with subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        first, second = (json.loads(watching.stdout.readline())["at"] for _ in range(2))
        watching.kill()
    assert first < second


def test_trigger_finds_the_receiver_that_status_finds(run: Run, environ: dict[str, str]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, not listening
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        ServiceAddresses(Path(environ["ROOMSYNC_HOME"])).add("webhook-receiver", url)

        tried = run("trigger", "google", "--synthetic")
    assert (tried.code, url in tried.err) == (UNREACHABLE, True)


def test_keys_new_makes_a_key_that_can_be_used(run: Run) -> None:
    assert parse(run("keys", "new").out).current.startswith("k")
    assert run("keys", "new").out != run("keys", "new").out


def test_keys_rewrap_moves_everything_to_the_newest_key(
    run: Run, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(load({**environ, "ROOMSYNC_MASTER_KEY": OLD}))
    before = engine.keyring.create("t-1")
    engine.close()

    dry = run("keys", "rewrap", "--dry-run", "--json").lines
    assert dry[0]["current"] == parse(NEW).current
    assert run("keys", "rewrap", "--json").lines[0]["rewrapped"] > 0
    assert run("keys", "rewrap", "--json").lines[0]["rewrapped"] == 0
    monkeypatch.setenv("ROOMSYNC_MASTER_KEY", NEW)
    engine = open_engine(load())
    assert engine.keyring.keys("t-1") == before
    engine.close()


def test_keys_status_counts_the_subscriptions_that_still_carry_a_key(run: Run, engine: Engine) -> None:
    keys = engine.keyring.create("t-1")
    mailbox = Mailbox("t-1", "m-ada")
    old = LiveSubscription(id="s-1", key_id=parse(OLD).current, made_at_ms=0, expires_at_ms=1_800_000_000_000)
    claim = engine.log.claim(SYNC_WORKER, partition_of(mailbox.key, engine.log.partitions))
    for state in (MailboxState(provider="google"), MailboxState(provider="google", subscription=old)):
        value = sealed_envelope(keys, state, key=mailbox.key, type="mailbox-state", id=mailbox.id)
        claim.commit([], [StateChange(mailbox.key, value)], {})
    claim.close()

    newest, retired = run("keys", "status", "--json").lines
    assert (newest["current"], newest["subscriptions"]) == (True, 0)
    assert (retired["current"], retired["subscriptions"]) == (False, 1)
    assert retired["neededUntil"] == "2027-01-15T08:00:00.000Z"


def test_a_key_that_is_needed_and_missing_is_a_finding() -> None:
    lost = LiveSubscription(id="s-1", key_id="k-lost", made_at_ms=0, expires_at_ms=0)

    uses = count_key_uses(parse(NEW), iter([lost]))
    assert [(use.known, use.subscriptions) for use in uses] == [(True, 0), (False, 1)]


def test_topics_prints_the_one_table(run: Run) -> None:
    ran = run("topics", "--json")

    assert [line["topic"] for line in ran.lines] == [topic.name for topic in TOPICS]
    assert ran.code == 0


def test_topics_refuses_another_number_of_partitions(run: Run, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.log.probe()
    monkeypatch.setenv("ROOMSYNC_PARTITIONS", "8")

    with pytest.raises(ConfigurationError, match="4 partitions"):
        run("topics", "--apply")


def test_status_shows_how_far_behind_who_is(run: Run, engine: Engine) -> None:
    a_grant(engine, "microsoft", ConsentState.ACTIVE, "m-ada")
    appended(engine, b"{}", b"{}", topic="commands")
    claim = engine.log.claim(SYNC_WORKER, 1)
    first = claim.read(1.0)[0]
    claim.commit([], [], {"commands": first.offset + 1})
    claim.close()

    [found] = run("status", "--json").lines
    [sync_worker, room_status, notifier] = found["stations"]
    assert sync_worker["lagRecords"] == 1
    assert sync_worker["partitions"][1]["lagRecords"] == 1
    assert (room_status["lagRecords"], notifier["lagRecords"]) == (0, 0)
    assert found["mailboxes"] == {"microsoft": {"active": 1}}
    assert found["lastPush"] == {"microsoft": None, "google": None}
    assert "1 active" in run("status").out


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("replay", "--from", "2026-11-20T09:30:00Z"),
        ("reconcile", "--all"),
        ("dead-letters", "list"),
        ("rebuild", "--verify"),
        ("registry", "backup", "B"),
        ("keys", "status"),
        ("tenants", "list"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_command_in_the_wrong_directory_finds_no_deployment_and_makes_none(
    run: Run, environ: dict[str, str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    here = [str(tmp_path / "backup") if word == "B" else word for word in arguments]
    with pytest.raises(ConfigurationError, match="ROOMSYNC_HOME"):
        run(*here)
    assert not Path(environ["ROOMSYNC_HOME"]).exists()
    assert not (tmp_path / "backup").exists()


@pytest.mark.proves("B14")
def test_status_does_not_call_well_what_nobody_runs(run: Run, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.log.probe()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ROOMSYNC_RECEIVER_PORT", str(nobody.getsockname()[1]))
        ran = run("status")
    assert ran.code == FINDING
    assert "nothing answers at" in ran.out


def test_redriving_nothing_says_so(run: Run, engine: Engine) -> None:
    engine.log.probe()
    assert run("dead-letters", "redrive", "--all").out == "no dead letters\n"


def test_brokers_that_are_away_are_one_sentence_and_not_the_clients_diary(environ: dict[str, str]) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        away = {
            "ROOMSYNC_ENGINE": "kafka",
            "ROOMSYNC_KAFKA_BOOTSTRAP": f"127.0.0.1:{nobody.getsockname()[1]}",
            "ROOMSYNC_VIEW_REDIS_URL": "redis://127.0.0.1:1/0",
            "ROOMSYNC_REGISTRY_REDIS_URL": "redis://127.0.0.1:1/0",
        }
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "tail", "room-rejections"],
            env={**os.environ, **environ, **away}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == UNREACHABLE
    assert [line.partition(" ")[0] for line in done.stderr.splitlines()] == ["roomsync:", "Try"]


def test_status_wants_the_whole_address_of_a_service(run: Run, engine: Engine) -> None:
    engine.log.probe()
    with pytest.raises(click.UsageError, match="http://127"):
        run("status", "--service", "127.0.0.1:8104")


@pytest.mark.parametrize(
    ("trouble", "code"),
    [(KeyboardInterrupt(), 130), (MalformedRecordError("a state that nobody wrote"), FINDING)],
    ids=["Ctrl-C", "unreadable"],
)
def test_command_that_ends_early_says_so_in_a_sentence(
    trouble: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise trouble

    monkeypatch.setattr(sys, "argv", ["roomsync", "status"])
    monkeypatch.setattr(roomsync, "get_command", lambda *_: click.Command("status", callback=fails))
    assert main() == code
    assert capsys.readouterr().err.strip().startswith("roomsync: ")


def findings(ran: Ran) -> dict[str, str]:
    return {line["check"]: line["state"] for line in ran.lines}


def test_doctor_finds_a_fresh_machine_well_and_leaves_no_trace(run: Run, environ: dict[str, str]) -> None:
    ran = run("doctor", "--json")

    assert ran.code == 0, ran.out
    assert findings(ran)["engine"] == "ok"
    assert not Path(environ["ROOMSYNC_HOME"]).exists()


def test_doctor_asks_a_deployment_that_stands(run: Run, engine: Engine) -> None:
    engine.log.probe()

    found = findings(run("doctor", "--json"))
    assert {found[name] for name in ("log", "view", "registry", "keyring")} == {"ok"}


@pytest.mark.parametrize(
    "wrong", [new_key(), f"{NEW.partition(':')[0]}:{new_key().partition(':')[2]}"], ids=["unknown", "namesake"]
)
def test_doctor_finds_a_master_key_that_opens_nothing(
    run: Run, engine: Engine, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    enrol(engine.registry, engine.keyring, provider="microsoft", directory="d", name="Contoso")
    monkeypatch.setenv("ROOMSYNC_MASTER_KEY", wrong)
    ran = run("doctor", "--json")
    assert ran.code == USAGE
    assert findings(ran)["keyring"] == "unusable"
    assert "put that one back" in ran.out or "put it back" in ran.out


@pytest.mark.parametrize(
    ("registry", "state"), [("redis://u:p@127.0.0.1:1/1", "wrong"), ("redis://127.0.0.1:2/0", None)]
)
def test_doctor_wants_a_server_of_its_own_for_the_registry(
    run: Run, monkeypatch: pytest.MonkeyPatch, registry: str, state: str | None
) -> None:
    urls = {"KAFKA_BOOTSTRAP": "127.0.0.1:1", "VIEW_REDIS_URL": "redis://127.0.0.1:1/0", "REGISTRY_REDIS_URL": registry}
    for name, value in {"ENGINE": "kafka", **urls}.items():
        monkeypatch.setenv(f"ROOMSYNC_{name}", value)
    monkeypatch.setattr("cli.doctor.checks.engine._list_probes", lambda _: {})
    assert findings(run("doctor", "--json")).get("redis servers") == state


def test_doctor_names_settings_that_contradict(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMSYNC_ENGINE", "kafka")
    ran = run("doctor", "--json")

    assert ran.code == USAGE
    assert "ROOMSYNC_KAFKA_BOOTSTRAP" in ran.out


def test_doctor_names_a_port_that_somebody_else_has(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ROOMSYNC_RECEIVER_PORT", str(holder.getsockname()[1]))
        ran = run("doctor", "--json")

    assert ran.code == FINDING
    assert findings(ran)["receiver port"] == "wrong"
    assert "ROOMSYNC_RECEIVER_PORT" in ran.out


def test_doctor_names_half_a_client_and_a_provider_that_does_not_answer(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        monkeypatch.setenv("ROOMSYNC_MICROSOFT_CLIENT_ID", "roomsync")
        monkeypatch.setenv("ROOMSYNC_MICROSOFT_LOGIN_URL", url)
        monkeypatch.setenv("ROOMSYNC_MICROSOFT_GRAPH_URL", url)
        ran = run("doctor", "--json")

    assert ran.code == UNREACHABLE
    assert findings(ran)["microsoft client"] == "wrong"
    assert findings(ran)["ROOMSYNC_MICROSOFT_GRAPH_URL"] == "away"


def test_doctor_never_says_a_secret(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMSYNC_GOOGLE_CLIENT_SECRET", "hunter2-hunter2")

    out = run("doctor").out
    assert "hunter2" not in out
    assert NEW.split(":")[1] not in out


def test_doctor_insists_on_https_for_an_address_that_is_not_this_machine(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOMSYNC_PUBLIC_URL", "http://rooms.example")
    ran = run("doctor", "--json")

    assert findings(ran)["public address"] == "wrong"


@pytest.mark.proves("E11")
def test_doctor_lists_rows_that_were_moved_beside_us(run: Run, engine: Engine) -> None:
    mailbox = a_grant(engine, "google", ConsentState.ACTIVE, "m-1")
    registry = engine.registry
    assert isinstance(registry, BoundRegistry)
    row = registry._registry.get("consents", mailbox.tenant, "m-1")
    assert row is not None
    assert "registry rows" not in run("doctor", "--json").out

    registry._registry.put("consents", mailbox.tenant, "m-2", row.value)

    found = run("doctor", "--json")
    [line] = [line for line in found.lines if line["check"] == "registry rows"]
    assert (line["state"], f"consents/{mailbox.tenant}/m-2" in line["said"]) == ("wrong", True)
    assert found.code != 0


@pytest.mark.proves("E11")
def test_doctor_says_in_one_sentence_that_the_master_key_is_a_namesake(
    run: Run, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol(engine.registry, engine.keyring, provider="microsoft", directory="d", name="Contoso")
    name = NEW.partition(":")[0]
    monkeypatch.setenv("ROOMSYNC_MASTER_KEY", f"{name}:{new_key().partition(':')[2]}")

    ran = run("doctor", "--json")

    [line] = [line for line in ran.lines if line["state"] == "unusable"]
    assert line["said"].startswith(
        f"the master key '{name}' of ROOMSYNC_MASTER_KEY is not the key of that name that bound"
    )
    assert line["next"].startswith("put that one back")
    assert not {"registry rows", "audit"} & {each["check"] for each in ran.lines}


@pytest.mark.proves("E10")
def test_doctor_says_whose_record_of_administrators_is_not_whole_and_where(run: Run, engine: Engine) -> None:
    tenants = [
        enrol(engine.registry, engine.keyring, provider="microsoft", directory=each, name=each)
        for each in ("d-1", "d-2")
    ]
    for tenant in tenants:
        for _ in range(3):
            append_act(
                engine.registry, tenant, AuditRow(at_ms=SystemClock().now_ms(), user="u-ada", act="room.entered")
            )
    assert findings(run("doctor", "--json"))["audit"] == "ok"

    engine.registry.delete("audit", tenants[0], name_row(2))

    ran = run("doctor", "--json")
    said = [(line["state"], line["said"]) for line in ran.lines if line["check"] == "audit"]
    assert said == [
        ("wrong", f"the record of what administrators of {tenants[0]} did is not whole. Entry 2 is missing."),
        ("ok", "the records of 1 organisations are whole"),
    ]
    assert ran.code == FINDING


@pytest.mark.proves("E11")
def test_doctor_lists_records_that_were_moved_beside_us(run: Run, engine: Engine) -> None:
    keys = engine.keyring.create("t-1")
    one, two = Mailbox("t-1", "m-1"), Mailbox("t-1", "m-2")
    value = sealed_envelope(keys, MailboxState(provider="google"), key=one.key, type="mailbox-state", id=one.id)
    for mailbox in (one, two):
        claim = engine.log.claim(SYNC_WORKER, partition_of(mailbox.key, engine.log.partitions))
        claim.commit([], [StateChange(mailbox.key, value)], {})
        claim.close()

    found = run("doctor", "--json")

    [line] = [line for line in found.lines if line["check"] == "sealed records"]
    assert (line["state"], "calendar-state: 't-1/m-2'" in line["said"]) == ("wrong", True)
    assert found.code != 0
