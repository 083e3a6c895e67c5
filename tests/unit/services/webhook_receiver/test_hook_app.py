"""The application over a log that can be made to fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from flask.testing import FlaskClient

from services.webhook_receiver.app import MAX_BODY_BYTES, HookHandler, make_app
from services.webhook_receiver.intake import Intake
from shared.contracts import envelope
from shared.contracts.change_notification import ChangeNotification
from shared.contracts.command import Command, Gap
from shared.domain.identity import partition_of
from shared.errors import LogUnavailableError
from shared.ports.log import Append, NewRecord
from shared.runtime import metrics
from shared.runtime.breaker import Breaker
from tests.support.patience import PATIENCE_S
from tests.unit.services.webhook_receiver.pushes import (
    KEYS,
    RECEIVED_AT_MS,
    a_batch,
    a_change,
    client_state,
    google_sample,
    graph_sample,
    mailbox,
)

PARTITIONS = 4
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class FailingLog:
    """Keeps what is appended, unless told to be away."""

    def __init__(self) -> None:
        self.records: list[NewRecord] = []
        self.away: Exception | None = None
        self.appends = 0

    def append(self, records: Sequence[NewRecord]) -> None:
        self.appends += 1
        if self.away is not None:
            raise self.away
        self.records += records

    def begin_appends(self, appends: Sequence[Append]) -> None:
        for one in appends:
            try:
                self.append(one.records)
            except Exception as error:  # noqa: BLE001
                one.settle(error)
            else:
                one.settle(None)

    def probe(self) -> None:
        if self.away is not None:
            raise self.away

    def on(self, topic: str) -> list[NewRecord]:
        return [record for record in self.records if record.topic == topic]


class FixedClock:
    def now_ms(self) -> int:
        return RECEIVED_AT_MS


class Rig:
    def __init__(self) -> None:
        self.log = FailingLog()
        self.breaker = Breaker("test-log", self.log.probe, probe_every_s=0.01)
        intake = Intake(lambda: self.log, PARTITIONS, FixedClock(), self.breaker)  # type: ignore[arg-type, return-value]
        self.client: FlaskClient = make_app(
            HookHandler(intake, KEYS, FixedClock()), {"log": self.log.probe}
        ).test_client()

    def wait_until_passable(self) -> None:
        """Until the probe has let the next caller through."""
        import time  # noqa: PLC0415

        deadline = time.monotonic() + PATIENCE_S
        while self.client.post("/hooks/graph", data=a_batch(a_change())).status_code == 503:
            assert time.monotonic() < deadline


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.breaker.close()


def counted(provider: str, outcome: str) -> float:
    return (
        metrics.REGISTRY.get_sample_value("roomsync_hook_items_total", {"provider": provider, "outcome": outcome}) or 0
    )


def test_handshake_is_answered_in_plain_text_and_never_sniffed(rig: Rig) -> None:
    answer = rig.client.post("/hooks/graph/lifecycle?validationToken=a+b%2Bc")

    assert (answer.status_code, answer.text, answer.mimetype) == (200, "a b+c", "text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.proves("D2", "D4")
def test_every_proven_item_is_a_record_keyed_by_mailbox(rig: Rig) -> None:
    answer = rig.client.post("/hooks/graph", data=graph_sample("changes"), headers={"traceparent": TRACEPARENT})

    assert answer.status_code == 202
    records = rig.log.on("notifications.graph")
    assert [record.key for record in records] == [mailbox("m-ada").key, mailbox("m-bob").key]
    assert [record.partition for record in records] == [partition_of(record.key, PARTITIONS) for record in records]
    read = envelope.decode(records[0].value or b"")
    assert (read.type, read.tenant, read.correlation) == ("change-notification", "t-0000000000000001", read.id)
    assert envelope.payload_of(read, ChangeNotification).received_at_ms == RECEIVED_AT_MS
    assert dict(records[0].headers)["traceparent"].startswith(b"00-4bf92f3577b34da6a3ce929d0e0e4736-")


def test_ids_of_records_differ(rig: Rig) -> None:
    rig.client.post("/hooks/graph", data=a_batch(a_change(), a_change()))

    ids = {envelope.decode(record.value or b"").id for record in rig.log.records}
    assert len(ids) == 2


@pytest.mark.parametrize("path", ["/hooks/graph", "/hooks/graph/lifecycle"])
def test_either_graph_path_takes_either_kind(rig: Rig, path: str) -> None:
    for sample in ("changes", "lifecycle"):
        assert rig.client.post(path, data=graph_sample(sample)).status_code == 202
    assert len(rig.log.on("notifications.graph")) == 5


def test_the_client_state_is_never_written(rig: Rig) -> None:
    rig.client.post("/hooks/graph", data=graph_sample("changes"))
    rig.client.post("/hooks/google", headers=google_sample("exists"))

    written = b"".join((record.value or b"") + record.key for record in rig.log.records)
    assert client_state("m-ada").encode() not in written
    assert google_sample("exists")["X-Goog-Channel-Token"].encode() not in written


@pytest.mark.proves("D3")
def test_a_wrong_google_token_is_acknowledged_without_effect_and_counted(rig: Rig) -> None:
    before = counted("google", "forged")
    answer = rig.client.post("/hooks/google", headers={**google_sample("exists"), "X-Goog-Channel-Token": "guess"})

    assert answer.status_code == 200
    assert rig.log.records == []
    assert counted("google", "forged") == before + 1


@pytest.mark.proves("D2")
def test_forged_items_are_acknowledged_without_effect_and_counted(rig: Rig) -> None:
    before = counted("microsoft", "forged")
    answer = rig.client.post("/hooks/graph", data=a_batch(a_change(clientState="guess")))

    assert answer.status_code == 202
    assert rig.log.records == []
    assert counted("microsoft", "forged") == before + 1


@pytest.mark.proves("D4")
@pytest.mark.parametrize("failure", [LogUnavailableError("away"), RuntimeError("a bug of ours")])
def test_what_is_not_durable_is_answered_503_with_retry_after(rig: Rig, failure: Exception) -> None:
    rig.log.away = failure

    for answer in (
        rig.client.post("/hooks/graph", data=graph_sample("changes")),
        rig.client.post("/hooks/google", headers=google_sample("exists")),
    ):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert answer.json is not None
        assert answer.json["code"] == "log-unavailable"


def test_while_the_breaker_is_open_the_log_is_not_asked(rig: Rig) -> None:
    rig.log.away = LogUnavailableError("away")
    for _ in range(20):
        assert rig.client.post("/hooks/graph", data=a_batch(a_change())).status_code == 503

    assert rig.log.appends == 1


def test_an_open_lane_leaves_the_others_alone(rig: Rig) -> None:
    """One of three brokers is away: only the partitions that it led answer 503."""
    assert partition_of(mailbox("m-ada").key, PARTITIONS) != partition_of(mailbox("m-eve").key, PARTITIONS)
    rig.breaker.close()  # no probe: the lane stays open
    rig.log.away = LogUnavailableError("its leader is gone")
    rig.client.post("/hooks/graph", data=a_batch(a_change("m-ada")))
    rig.log.away = None

    assert rig.client.post("/hooks/graph", data=a_batch(a_change("m-ada"))).status_code == 503
    assert rig.client.post("/hooks/graph", data=a_batch(a_change("m-eve"))).status_code == 202


@pytest.mark.proves("D4")
def test_the_first_append_after_failed_ones_also_says_gap_once(rig: Rig) -> None:
    rig.client.post("/hooks/graph", data=a_batch(a_change()))
    assert rig.log.on("commands") == [], "nothing was missed yet"
    rig.log.away = LogUnavailableError("away")
    rig.client.post("/hooks/graph", data=a_batch(a_change()))
    rig.log.away = None
    rig.wait_until_passable()
    rig.client.post("/hooks/graph", data=a_batch(a_change()))

    [gap] = rig.log.on("commands")
    assert gap.key == mailbox("m-ada").key
    assert gap.partition == partition_of(gap.key, PARTITIONS)
    read = envelope.decode(gap.value or b"")
    assert read.type == "command"
    assert envelope.payload_of(read, Command) == Gap(at_ms=RECEIVED_AT_MS)  # type: ignore[arg-type]


def test_a_gap_that_could_not_be_said_is_said_later(rig: Rig) -> None:
    rig.log.away = LogUnavailableError("away")
    for _ in range(3):
        rig.client.post("/hooks/graph", data=a_batch(a_change()))
    rig.log.away = None
    rig.wait_until_passable()

    assert len(rig.log.on("commands")) == 1


def test_a_request_without_effect_needs_no_log(rig: Rig) -> None:
    rig.log.away = LogUnavailableError("away")

    assert rig.client.post("/hooks/graph", data=a_batch(a_change(clientState="guess"))).status_code == 202
    assert rig.client.post("/hooks/graph?validationToken=abc").text == "abc"
    assert rig.log.appends == 0


@pytest.mark.parametrize("path", ["/hooks/graph", "/hooks/google"])
def test_an_oversized_body_is_refused(rig: Rig, path: str) -> None:
    answer = rig.client.post(path, data=b" " * (MAX_BODY_BYTES + 1), headers=google_sample("exists"))

    assert answer.status_code == 413
    assert rig.log.records == []


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/hooks/graph", 405), ("POST", "/hooks/outlook", 404)])
def test_other_methods_and_paths_get_a_problem_document(rig: Rig, method: str, path: str, status: int) -> None:
    answer = rig.client.open(path, method=method)

    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json is not None
    assert {"code", "next", "status"} <= answer.json.keys()


def test_readiness_follows_the_log_and_liveness_does_not(rig: Rig) -> None:
    assert rig.client.get("/readyz").status_code == 200
    rig.log.away = LogUnavailableError("away")

    assert rig.client.get("/readyz").status_code == 503
    assert rig.client.get("/livez").status_code == 200
