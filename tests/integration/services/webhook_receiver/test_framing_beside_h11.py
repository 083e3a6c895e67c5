"""Where a request ends: what our server takes, h11 reads the same way; what is ambiguous is refused and hung up on."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import h11
import pytest

from shared.domain.identity import Mailbox, Provider
from shared.domain.proof import mint
from tests.integration.services.webhook_receiver.hostile import answered_s, everything, peak_mib
from tests.integration.services.webhook_receiver.receiver import TIMEOUT_S, Deployment, Receiver
from tests.support.abuse import sized

ECHO = """
import json
from shared.runtime.serving import serve
def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    text = json.dumps([environ["REQUEST_METHOD"], environ["REQUEST_URI"], body.decode("latin-1")]).encode()
    start_response("200 OK", [("Content-Length", str(len(text)))])
    return [text]
serve(echo, "echo", 0)
"""
SEED = 20261128

Heard = list[tuple[str, str, str]]
"""Method, target and body of each request."""


@pytest.fixture(scope="module")
def echo() -> Iterator[tuple[str, int]]:
    """The product's server before an application that tells what reached it."""
    with subprocess.Popen(
        [sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "."}
    ) as process:
        assert process.stdout is not None
        host, port = process.stdout.readline().split()[2].removeprefix("http://").split(":")
        yield host, int(port)
        process.terminate()


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the server answered to one stream of bytes."""

    statuses: list[int]
    heard: Heard


def sent_to(address: tuple[str, int], raw: bytes) -> Exchange:
    """Send a stream to its end, and read all answers."""
    with socket.create_connection(address, TIMEOUT_S) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
        return answers_in(everything(connection))


def answers_in(received: bytes) -> Exchange:
    """Read a stream of answers, with h11 as the client."""
    client = h11.Connection(h11.CLIENT)
    statuses: list[int] = []
    heard: Heard = []
    while received:
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
        client.send(h11.EndOfMessage())
        client.receive_data(received)
        response, body = _one_message(client)
        assert isinstance(response, h11.Response)
        statuses.append(response.status_code)
        if response.status_code == 200:
            heard.append(tuple(json.loads(body)))
        received = bytes(client.trailing_data[0])
    return Exchange(statuses, heard)


def _one_message(connection: h11.Connection) -> tuple[h11.Event | None, bytes]:
    first, body = None, b""
    while True:
        event = connection.next_event()
        if isinstance(event, (h11.Request, h11.Response)):
            first = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) or event in (h11.NEED_DATA, h11.PAUSED):
            return (first, body) if isinstance(event, h11.EndOfMessage) else (None, b"")
        elif isinstance(event, h11.ConnectionClosed):
            return None, b""


def read_by_h11(raw: bytes) -> Heard:
    """The complete requests that h11 finds in a stream, up to the first that it refuses."""
    heard: Heard = []
    rest = raw
    with contextlib.suppress(h11.RemoteProtocolError):
        while rest := rest.lstrip(b"\r\n"):  # a server may pass over empty lines before a request (RFC 9112, 2.2)
            server = h11.Connection(h11.SERVER, max_incomplete_event_size=1024 * 1024)
            server.receive_data(rest)
            request, body = _one_message(server)
            if not isinstance(request, h11.Request):
                break
            heard.append((request.method.decode(), request.target.decode(), body.decode("latin-1")))
            rest = bytes(server.trailing_data[0])
    return heard


BASES = [
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
    b'POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;q="1"\r\nabc\r\n0\r\n\r\n',
    b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nTrailer: 1\r\n\r\n",
    b"GET /d?q=1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /e HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
]
TWISTS = [
    b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b";", b"\x00", b"\x0b", b"\xff", b"0", b"1", b"F", b"+", b"-", b"_", b"0x",
    b"Content-Length: 3\r\n", b"content-length: 5\r\n", b"Content-Length: 5, 5\r\n", b"Content-Length: +5\r\n",
    b"Content-Length : 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding:\r\n chunked\r\n",
    b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding: chunked, chunked\r\n", b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding: \x0bchunked\r\n", b"Transfer_Encoding: chunked\r\n", b"Host: y\r\n", b" folded\r\n", b"Expect: 100\r\n",
    b"\r\n\r\n", b"0\r\n\r\n", b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0",
]  # fmt: skip


def mutant(source: random.Random) -> bytes:
    """One to three requests in a row, twisted one to four times."""
    raw = b"".join(source.choices(BASES, k=source.randint(1, 3)))
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(raw) + 1)
        line = raw.rfind(b"\n", 0, at) + 1
        match source.randrange(5):
            case 0:
                raw = raw[:at] + source.choice(TWISTS) + raw[at:]
            case 1:
                raw = raw[:line] + source.choice(TWISTS) + raw[line:]
            case 2:
                raw = raw[:at] + raw[at + source.randint(1, 3) :]
            case 3:
                raw = raw[:at] + bytes([source.randrange(256)]) + raw[at + 1 :]
            case _:
                raw = raw[:line] + raw[at:]
    return raw


def is_reported(exchange: Exchange) -> bool:
    return all(200 <= status < 500 for status in exchange.statuses)


def test_whatever_is_taken_h11_reads_the_same_way(echo: tuple[str, int]) -> None:
    source = random.Random(SEED)
    taken = refused = 0
    for _ in range(sized(600, 45_000)):
        raw = mutant(source)
        exchange = sent_to(echo, raw)
        by_h11 = read_by_h11(raw)
        assert exchange.heard == by_h11[: len(exchange.heard)], raw
        assert is_reported(exchange), raw
        taken += len(exchange.heard)
        refused += sum(status >= 400 for status in exchange.statuses)
    print(f"{taken} requests taken, {refused} refused")
    assert min(taken, refused) > sized(600, 45_000) / 4, "both kinds were tried"


def test_what_is_not_twisted_is_taken_whole(echo: tuple[str, int]) -> None:
    raw = b"".join(BASES)

    assert sent_to(echo, raw).heard == read_by_h11(raw)
    assert len(sent_to(echo, raw).heard) == len(BASES)


HEAD = b"POST /hooks/graph HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.proves("D2")
@pytest.mark.parametrize(
    "ambiguous",
    [
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
        HEAD + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: identity\r\n\r\n",
        HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\n\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST /hooks/graph HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Host: y\r\nContent-Length: 0\r\n\r\n",
        b"POST /hooks/graph HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b" " + HEAD + b"Content-Length: 0\r\n\r\n",
        b"GET /livez\r\nHost: x\r\n\r\n",
        b"GET /livez HTTP/1.2\r\nHost: x\r\n\r\n",
        b"GET /li\x0bvez HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_ambiguous_requests_are_refused_and_nothing_behind_them_is_read(
    deployment: Deployment, receiver: Receiver, ambiguous: bytes
) -> None:
    exchange = raw_answers(receiver, ambiguous + SMUGGLED)

    assert re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", exchange) == [b"400"]
    answered_s(deployment, receiver)


def forged(deployment: Deployment, source: random.Random) -> bytes:
    """A notification of either provider without our proof, or with one that was altered, bent in one to five bytes."""
    proof = mint(deployment.keys, Mailbox("t-0000000000000001", "m-ada"), Provider.MICROSOFT)
    at = source.randrange(len(proof))
    proof = source.choice(["guess", f"{proof[:at]}{chr(ord(proof[at]) ^ 1)}{proof[at + 1 :]}", proof[:-1], f"{proof}."])
    if source.random() < 0.5:
        items = [{"subscriptionId": "s-forged", "changeType": "updated", "clientState": proof}]
        body, path, more = json.dumps({"value": items}).encode(), b"graph", b""
    else:
        body, path = b"", b"google"
        more = (
            b"X-Goog-Channel-ID: s-forged\r\nX-Goog-Resource-State: exists\r\nX-Goog-Channel-Token: "
            + proof.encode()
            + b"\r\n"
        )
    head = b"POST /hooks/" + path + b" HTTP/1.1\r\nHost: x\r\n" + more + b"Content-Length: %d\r\n\r\n" % len(body)
    raw = bytearray(head + body)
    kept = (
        range(len(head) - len(more), len(head))
        if more
        else range(len(head) + raw[len(head) :].find(proof.encode()), len(raw))
    )
    for _ in range(source.randint(1, 5)):
        place = source.randrange(len(raw))
        if place not in kept:  # the proof is altered already: a bend there might put it right
            raw[place] = source.randrange(256)
    return bytes(raw)


def test_mutants_of_notifications_are_never_a_fault_of_ours_and_no_forgery_is_accepted(
    deployment: Deployment, receiver: Receiver
) -> None:
    source = random.Random(SEED)
    answered: Counter[bytes] = Counter()
    slowest, before = 0.0, peak_mib(receiver)
    count = sized(300, 45_000)
    for number in range(count):
        raw = forged(deployment, source)
        received = raw_answers(receiver, raw)
        assert not received or b" 5" not in received[8:11], raw
        answered[received[9:12]] += 1
        if number % 50 == 0:
            slowest = max(slowest, answered_s(deployment, receiver))
    print(
        f"\n{count} forged notifications, {dict(sorted(answered.items()))}, slowest good answer {slowest * 1000:.0f} ms, "
        f"+{peak_mib(receiver) - before:.0f} MiB"
    )
    assert answered[b"202"] + answered[b"200"] > count / 10, "many are read to their end"
    assert {hint.subscription_id for hint in deployment.hints("notifications.graph")} == {"s-good"}
    assert deployment.hints("notifications.google") == []


def raw_answers(receiver: Receiver, raw: bytes) -> bytes:
    with socket.create_connection(receiver.address, TIMEOUT_S) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
        return everything(connection)
