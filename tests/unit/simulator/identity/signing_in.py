"""One person's way through the authorization code flow, as a browser and a client would walk it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

VERIFIER = "v" * 50
REDIRECT = "http://127.0.0.1:8102/auth/callback"
MICROSOFT_SCOPES = "openid profile email offline_access User.Read Calendars.ReadWrite"
GOOGLE_SCOPES = "openid email https://www.googleapis.com/auth/calendar.events.owned"


def s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Flow:
    """The two endpoints of one provider and what a client sends to them."""

    http: httpx.Client
    authorize_path: str
    token_path: str
    scope: str
    extra: dict[str, str] = field(default_factory=dict)

    def authorize(self, hint: str | None, **changes: str | None) -> httpx.Response:
        return self.http.get(self.authorize_url(hint, **changes))

    def authorize_url(self, hint: str | None, **changes: str | None) -> str:
        params: dict[str, str | None] = {
            "client_id": "roomsync",
            "response_type": "code",
            "redirect_uri": REDIRECT,
            "scope": self.scope,
            "state": "st&te",
            "nonce": "n0nce",
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
            "login_hint": hint,
            **self.extra,
            **changes,
        }
        return f"{self.authorize_path}?{urlencode({k: v for k, v in params.items() if v is not None})}"

    def press(self, url: str, decision: str, **fields: Any) -> httpx.Response:
        return self.http.post(url, data={"decision": decision, **fields})

    def token(self, **changes: str | None) -> httpx.Response:
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "client_id": "roomsync",
            "client_secret": "simulated-secret",
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
            **changes,
        }
        return self.http.post(self.token_path, data={k: v for k, v in form.items() if v is not None})

    def refresh(self, refresh_token: str) -> httpx.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, code_verifier=None)

    def sign_in(self, hint: str, **changes: str | None) -> dict[str, Any]:
        answer = self.token(code=query_of(self.authorize(hint, **changes))["code"])
        assert answer.status_code == 200, answer.text
        return answer.json()


def microsoft(http: httpx.Client, tenant: str = "organizations") -> Flow:
    base = f"/microsoft/login/{tenant}/oauth2/v2.0"
    return Flow(http, f"{base}/authorize", f"{base}/token", MICROSOFT_SCOPES)


def google(http: httpx.Client) -> Flow:
    return Flow(
        http,
        "/google/o/oauth2/v2/auth",
        "/google/token",
        GOOGLE_SCOPES,
        {"access_type": "offline", "prompt": "consent"},
    )


def query_of(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def hidden_fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page))
