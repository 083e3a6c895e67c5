"""A flood does not fill the log, and the handshake hands nobody a page."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.services.webhook_receiver.receiver import TIMEOUT_S, Deployment, Receiver
from tests.integration.services.webhook_receiver.test_receiver_durability import log_locked
from tests.support.abuse import sized


@pytest.mark.proves("D2")
def test_a_flood_writes_a_line_a_second_and_a_count(deployment: Deployment, tmp_path: Path) -> None:
    count = sized(300, 5_000)
    began = time.monotonic()
    log = tmp_path / "log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", "cli.main", "run", "webhook-receiver"],
            env=deployment.environ,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        host, port = process.stdout.readline().split()[2].removeprefix("http://").split(":")
        forged, good = deployment.graph_body("s-x", proven=False), deployment.graph_body("s-1")
        statuses = Counter(_post(host, int(port), forged) for _ in range(count))
        with log_locked(deployment):
            statuses += Counter(_post(host, int(port), good) for _ in range(count))
        process.terminate()
        process.wait(TIMEOUT_S)
    seconds = time.monotonic() - began

    assert statuses == {202: count, 503: count}
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    kinds = Counter(line["event"] for line in lines)
    print(f"{2 * count} requests in {seconds:.1f} s: {dict(kinds)}")
    assert 0 < kinds["items_without_effect"] <= seconds + 1
    assert 0 < kinds["log_unavailable"] <= seconds + 1
    left_out = sum(line.get("left_out", 0) for line in lines if line["event"] == "items_without_effect")
    assert left_out + kinds["items_without_effect"] <= count


def _post(host: str, port: int, body: bytes) -> int:
    with contextlib.closing(http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)) as connection:
        connection.request("POST", "/hooks/graph", body)
        return connection.getresponse().status


def test_the_echo_can_be_no_page(receiver: Receiver) -> None:
    answer = receiver.post("/hooks/graph?validationToken=Validation%3A+Testing+client")

    assert (answer.status, answer.body) == (200, b"Validation: Testing client")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"


@pytest.mark.parametrize(
    "query",
    [
        "validationToken=a&validationToken=a",
        "validationToken=a&validationToken=b",
        "validationToken=a&validationToken=",
        "validationToken=a%00b",
        "validationToken=a%0D%0ASet-Cookie:%20a=b",
        "validationToken=%1B%5B2J",
        "validationToken=a%C2%85b",
        "validationToken=a%E2%80%AEb",
        "validationToken=%3Cscript%3E",
        "validationToken=",
        "validationToken=" + "a" * 2049,
    ],
)
def test_only_one_line_of_plain_text_is_echoed(receiver: Receiver, query: str) -> None:
    answer = receiver.post(f"/hooks/graph?{query}")

    assert answer.status == 400
    assert json.loads(answer.body)["code"] == "bad-validation-token"
