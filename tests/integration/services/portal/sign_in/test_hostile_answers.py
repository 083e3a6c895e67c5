"""Answers of OpenID Connect are read up to a bound, and lead nowhere: neither a code nor a secret goes elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from services.portal.admin.integration.testflow.preflight import refusal_of
from services.portal.sign_in.attempts import Purpose, SignIn
from services.portal.sign_in.openid_provider import OpenIdProvider
from services.portal.sign_in.refusals import RefusedSignInError
from shared.domain.answer_body import IDENTITY_BYTES
from shared.domain.identity import Provider
from shared.errors import RetryableError
from shared.runtime.clock import SystemClock
from shared.runtime.settings import Settings
from tests.support.large_answers import KINDS, MIB, LargeAnswers, large_answers

SIGN_IN = SignIn("microsoft", "state", "nonce", "v" * 43, "", Purpose.CONNECT)
BACK = "http://127.0.0.1/auth/callback"
BUFFERS = 24 * MIB
TOKEN = b'{"access_token": "a", "refresh_token": "r", "id_token": "e30.e30.e30"}'


def openid(url: str) -> OpenIdProvider:
    settings = Settings(
        microsoft_client_id="roomsync", microsoft_client_secret="secret-of-ours", microsoft_login_url=url
    )
    return OpenIdProvider(settings, Provider.MICROSOFT, SystemClock())


@pytest.fixture
def server() -> Iterator[LargeAnswers]:
    with large_answers() as found:
        found.small = TOKEN
        yield found


@pytest.mark.parametrize("small_for", ["", "POST"], ids=["tokens", "metadata"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_not_read_beyond_the_bound(kind: str, small_for: str, server: LargeAnswers) -> None:
    server.kind, server.small_for = kind, small_for
    with pytest.raises(RetryableError, match="longer than 1 MiB"):
        openid(server.url).exchange("code", SIGN_IN, BACK)
    assert server.sent < IDENTITY_BYTES + BUFFERS
    assert len(server.asked) == (2 if small_for else 1)


@dataclass
class Redirecting:
    """A provider that sends every request on to `elsewhere`, but those to its token endpoint if it `grants`."""

    url: str = ""
    status: int = 302
    grants: bool = False
    asked: list[str] = field(default_factory=list)
    """Host and path of each request."""


@pytest.fixture
def redirecting() -> Iterator[Redirecting]:
    found = Redirecting()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found.asked.append(f"{self.headers['Host'].partition(':')[0]} {self.path}")
            granted = found.grants and self.command == "POST"
            body = TOKEN if granted else b""
            self.send_response(200 if granted else found.status)
            self.send_header("Location", f"{found.url.replace('127.0.0.1', 'localhost')}/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _serve  # noqa: N815  # the names http.server looks for

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("grants", [False, True], ids=["tokens", "metadata"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_gets_a_code_or_a_secret(status: int, grants: bool, redirecting: Redirecting) -> None:
    redirecting.status, redirecting.grants = status, grants
    with pytest.raises((RetryableError, RefusedSignInError)):
        openid(redirecting.url).exchange("code", SIGN_IN, BACK)
    assert len(redirecting.asked) == (2 if grants else 1)
    assert [each for each in redirecting.asked if "localhost" in each or "elsewhere" in each] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_preflight_reads_the_beginning_of_a_page_and_follows_no_redirect(
    kind: str, server: LargeAnswers, redirecting: Redirecting
) -> None:
    server.kind, server.status = kind, 400
    assert refusal_of(f"{server.url}/authorize", 10.0) is None
    assert server.sent < BUFFERS
    assert refusal_of(f"{redirecting.url}/authorize", 10.0) is None
    assert len(redirecting.asked) == 1
