"""Whose word is believed about who somebody is: a provider that lies, one thing at a time."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from services.portal.sign_in.attempts import Purpose, SignIn
from services.portal.sign_in.openid_provider import OpenIdProvider
from services.portal.sign_in.refusals import Cause, RefusedSignInError
from shared.domain.identity import Provider
from shared.errors import RetryableError
from shared.runtime.settings import Settings

NOW_S = 1_790_000_000
TENANT = "11111111-2222-3333-4444-555555555555"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
SIGN_IN = SignIn("microsoft", "state", "nonce-of-this-sign-in", "v" * 43, "", Purpose.CONNECT)


class FixedClock:
    def now_ms(self) -> int:
        return NOW_S * 1000


class Lying(BaseHTTPRequestHandler):
    """Discovery, keys and a token endpoint that hands out whatever the test says."""

    id_token: ClassVar[str] = ""
    answer: ClassVar[tuple[int, dict[str, Any]] | None] = None
    keys: ClassVar[list[Any]] = []
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        root = f"http://127.0.0.1:{self.server.server_address[1]}"
        if self.path.endswith("openid-configuration"):
            self._send(200, {"issuer": f"{root}/{{tenantid}}/v2.0", "jwks_uri": f"{root}/keys"})
        else:
            self._send(200, {"keys": [key.as_dict(private=False) for key in self.keys]})

    def do_POST(self) -> None:
        self.seen.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        body = {"access_token": "a", "refresh_token": "r", "expires_in": 3600, "id_token": self.id_token}
        self._send(*(self.answer or (200, body)))

    def _send(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def root() -> Iterator[str]:
    Lying.answer, Lying.keys, Lying.seen = None, [KEY], []
    with HTTPServer(("127.0.0.1", 0), Lying) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def provider(root: str) -> OpenIdProvider:
    settings = Settings(microsoft_client_id="roomsync", microsoft_client_secret="s", microsoft_login_url=root)
    return OpenIdProvider(settings, Provider.MICROSOFT, FixedClock())


def claims(root: str, **changes: Any) -> dict[str, Any]:
    true = {
        "iss": f"{root}/{TENANT}/v2.0",
        "aud": "roomsync",
        "sub": "pairwise",
        "oid": "object-id",
        "tid": TENANT,
        "preferred_username": "Ada@Contoso.test",
        "nonce": SIGN_IN.nonce,
        "iat": NOW_S,
        "exp": NOW_S + 3600,
    }
    return {name: value for name, value in (true | changes).items() if value is not None}


def signed(payload: dict[str, Any], key: Any = KEY, alg: str = "RS256") -> str:
    return jwt.encode({"alg": alg, "kid": "one"}, payload, key, algorithms=[alg])


def test_true_word_is_believed_and_the_code_is_redeemed_with_verifier_and_secret(
    root: str, provider: OpenIdProvider
) -> None:
    Lying.id_token = signed(claims(root))

    identity, grant = provider.exchange("code", SIGN_IN, "http://127.0.0.1/auth/callback")

    assert (identity.subject, identity.directory, identity.address) == ("object-id", TENANT, "ada@contoso.test")
    assert grant.refresh_token == "r"
    assert f"code_verifier={'v' * 43}" in Lying.seen[0]
    assert "client_secret=s" in Lying.seen[0]


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "of-another-sign-in"},
        {"nonce": None},
        {"aud": "another-application"},
        {"aud": "another-application", "azp": "roomsync"},
        {"aud": ["roomsync", "another-application"], "azp": "another-application"},
        {"iss": "https://evil.test/v2.0"},
        {"tid": "99999999-2222-3333-4444-555555555555"},
        {"exp": NOW_S - 121},
        {"iat": NOW_S + 121},
        {"exp": None},
        {"iss": None},
    ],
)
@pytest.mark.proves("E11")
def test_word_that_is_wrong_in_one_thing_is_not_believed(
    lie: dict[str, Any], root: str, provider: OpenIdProvider
) -> None:
    Lying.id_token = signed(claims(root, **lie))

    with pytest.raises(RefusedSignInError) as refused:
        provider.exchange("code", SIGN_IN, "http://127.0.0.1/auth/callback")
    assert refused.value.error == Cause.ID_TOKEN


@pytest.mark.parametrize("tenant", ["../common", "", "9188040d", None])
def test_directory_that_is_none_is_not_put_into_an_issuer(
    tenant: str | None, root: str, provider: OpenIdProvider
) -> None:
    Lying.id_token = signed(claims(root, tid=tenant))

    with pytest.raises(RefusedSignInError):
        provider.exchange("code", SIGN_IN, "http://127.0.0.1/auth/callback")


def test_word_under_another_key_or_a_weaker_seal_is_not_believed(root: str, provider: OpenIdProvider) -> None:
    shared = OctKey.import_key("s" * 32)
    strange = RSAKey.import_key(KEY.as_dict(private=True) | {"alg": "RS512"})
    Lying.keys = [RSAKey.import_key({name: part for name, part in KEY.as_dict().items() if name != "alg"})]
    for token in (
        signed(claims(root), OTHER),
        signed(claims(root), shared, "HS256"),
        signed(claims(root), strange, "RS512"),
        "e30.e30.",
        "",
    ):
        Lying.id_token = token
        with pytest.raises(RefusedSignInError):
            provider.exchange("code", SIGN_IN, "http://127.0.0.1/auth/callback")


def test_keys_that_were_turned_over_are_fetched_again(root: str, provider: OpenIdProvider) -> None:
    Lying.id_token = signed(claims(root))
    provider.exchange("code", SIGN_IN, "http://127.0.0.1/auth/callback")
    fresh = RSAKey.generate_key(2048, {"kid": "two", "use": "sig", "alg": "RS256"})
    Lying.keys = [fresh]
    Lying.id_token = jwt.encode({"alg": "RS256", "kid": "two"}, claims(root), fresh)

    assert provider.exchange("code", SIGN_IN, "http://127.0.0.1/auth/callback")[0].subject == "object-id"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((400, {"error": "invalid_grant", "error_description": "AADSTS70008"}), RefusedSignInError),
        ((503, {"error": "temporarily_unavailable"}), RetryableError),
        ((200, {"token_type": "Bearer"}), RefusedSignInError),
        ((500, {}), RetryableError),
    ],
)
def test_token_endpoint_that_refuses_and_one_that_is_away_are_told_apart(
    answer: tuple[int, dict[str, Any]], error: type[Exception], root: str, provider: OpenIdProvider
) -> None:
    Lying.answer = answer

    with pytest.raises(error) as refused:
        provider.exchange("code", SIGN_IN, "http://127.0.0.1/auth/callback")
    if isinstance(refused.value, RetryableError):
        assert refused.value.provider_status == answer[0]


def test_provider_that_does_not_answer_at_all_has_no_status() -> None:
    settings = Settings(
        microsoft_client_id="roomsync", microsoft_client_secret="s", microsoft_login_url="http://127.0.0.1:9"
    )
    with pytest.raises(RetryableError) as away:
        OpenIdProvider(settings, Provider.MICROSOFT, FixedClock()).exchange("code", SIGN_IN, "http://127.0.0.1/x")
    assert away.value.provider_status == 0
