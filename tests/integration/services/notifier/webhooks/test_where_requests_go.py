"""Requests go to public addresses alone, to the very address that was checked, and TLS proves the name."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared.runtime.http_post import HttpPost
from tests.integration.services.notifier.webhooks.conftest import Bureau

pytestmark = pytest.mark.proves("B21")
Answers = Sequence[Sequence[str]]


def resolving(answers: Answers, asked: list[str]) -> Callable[..., Any]:
    """A resolver that gives one list of addresses after the other, the last one for ever."""

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in found
        ]

    return resolve


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"], ["10.1.2.3"], ["192.168.1.1"], ["172.16.0.1"], ["169.254.169.254"], ["100.64.0.1"], ["0.0.0.0"],
        ["224.0.0.1"], ["255.255.255.255"], ["::1"], ["::ffff:127.0.0.1"], ["::ffff:8.8.8.8"], ["fe80::1"], ["fc00::1"],
        ["64:ff9b::7f00:1"], ["2002:7f00:1::"], ["ff02::1"], ["::"], ["8.8.8.8", "127.0.0.1"], ["fec0::1"], ["::127.0.0.1"],
        ["192.0.0.192"], ["192.88.99.1"], ["168.63.129.16"], ["2001:1::1"], ["3fff::1"],
    ],
    ids=lambda found: found[-1],
)  # fmt: skip
def test_a_name_that_stands_for_any_private_address_is_not_spoken_to(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    tried: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: tried.append(address))
    bureau.take_over(HttpPost(frozenset(), resolve=resolving([addresses], [])))
    endpoint = bureau.add_endpoint("", url="https://hooks.receiver.test/in")
    bureau.publish("d-1")
    bureau.deliver()
    assert tried == []
    [delivery] = bureau.deliveries(endpoint)
    assert (delivery.status, delivery.fault) == (0, "address-refused")


def test_a_private_address_without_a_name_is_not_spoken_to_even_if_it_was_allowed_once(
    bureau: Bureau, path: str
) -> None:
    endpoint = bureau.add_endpoint(path)
    bureau.take_over(HttpPost(frozenset()))  # with the real resolver
    bureau.publish("d-1")
    bureau.deliver()
    assert bureau.receiver.got(path) == []
    assert bureau.deliveries(endpoint)[0].fault == "address-refused"


def test_a_real_name_of_this_machine_is_not_spoken_to(bureau: Bureau) -> None:
    port = bureau.receiver.url.rpartition(":")[2]
    result = HttpPost(frozenset()).send(f"https://{socket.gethostname()}:{port}/in", {}, b"{}")
    assert (result.status, result.fault) in {(0, "address-refused"), (0, "no-such-host")}


def test_a_name_is_resolved_once_and_the_connection_made_to_what_was_checked(bureau: Bureau, path: str) -> None:
    asked: list[str] = []
    rebinding = resolving([["127.0.0.1"], ["127.0.0.2"]], asked)
    bureau.take_over(HttpPost(frozenset({"hooks.corp.test"}), resolve=rebinding))
    port = bureau.receiver.url.rpartition(":")[2]
    bureau.add_endpoint("", url=f"http://hooks.corp.test:{port}{path}")
    bureau.publish("d-1")
    bureau.deliver()
    [got] = bureau.receiver.got(path)
    assert asked == ["hooks.corp.test"]
    assert got.headers["host"] == f"hooks.corp.test:{port}"


def test_a_name_that_is_public_when_checked_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []

    def connect(_: socket.socket, address: Any) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    asked: list[str] = []
    post = HttpPost(frozenset(), resolve=resolving([["8.8.8.8"], ["127.0.0.1"]], asked))
    assert post.send("https://hooks.receiver.test/in", {}, b"{}").fault == "no-answer"
    assert (tried, asked) == ([("8.8.8.8", 443)], ["hooks.receiver.test"])


@pytest.mark.parametrize(("host", "status", "fault"), [("hooks.corp.test", 204, ""), ("other.corp.test", 0, "tls")])
def test_tls_proves_the_name_whatever_address_it_stands_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, status: int, fault: str
) -> None:
    certificate = certified(tmp_path, "hooks.corp.test")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving_tls(certificate) as port:
        post = HttpPost(frozenset({host}), resolve=resolving([["127.0.0.1"]], []))
        result = post.send(f"https://{host}:{port}/in", {}, b"{}")
    assert (result.status, result.fault) == (status, fault)


def certified(folder: Path, host: str) -> Path:
    """A certificate of that name, which is its own authority, and its key: one file."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    place = folder / "receiver.pem"
    place.write_bytes(made.public_bytes(serialization.Encoding.PEM) + pem)
    return place


@contextmanager
def serving_tls(certificate: Path) -> Iterator[int]:
    """A receiver with that certificate; its port."""

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = HTTPServer(("127.0.0.1", 0), Taking)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that goes away is none
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
