"""The administrators' consoles of Google, as far as the guide clicks in them: each form that is sent, played on the simulator."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from tests.support.guides.failure import fail

Fields = Mapping[str, str]


class Consoles:
    """What was set up in the consoles so far; `shown` is what they have shown to be copied, by its label."""

    def __init__(self, simulator: str, directory: Path) -> None:
        self._simulator, self._directory = simulator, directory
        self._has_consent_screen = False
        self.shown: dict[str, str] = {}

    def fill_in(self, place: str, button: str, fields: Fields) -> None:
        """Open a page of a console by its menu, press a button there, and send the form. Raises WalkError."""
        forms: dict[tuple[str, str], Callable[[Fields], None]] = {
            ("Google Auth platform > Branding", "Get started"): self._make_consent_screen,
            ("Google Auth platform > Clients", "Create client"): self._create_client,
            ("Security > Access and data control > API controls > Manage app access", "Configure new app"): self._trust,
        }
        form = forms.get((place, button))
        if form is None:
            fail(f"nobody knows the form {place}, {button}")
        form(fields)

    def _make_consent_screen(self, fields: Fields) -> None:
        assert fields["Audience"] == "Internal", (
            "external applications are for everybody, and end after a week in testing"
        )
        self._has_consent_screen = bool(fields["App name"] and fields["User support email"])
        self.shown["Internal"] = fields["Audience"]

    def _create_client(self, fields: Fields) -> None:
        if not self._has_consent_screen:
            fail("no client can be made", "To create an OAuth client ID, you must first configure your consent screen")
        assert fields["Application type"] == "Web application"
        apis = self._directory / "gcloud-project.json"
        sent = {
            "provider": "google",
            "tenant": "corp.example",
            "onlyHome": True,
            "apis": json.loads(apis.read_text()) if apis.exists() else [],
            "redirectUris": [fields["Authorized redirect URIs"]] if "Authorized redirect URIs" in fields else [],
        }
        client_id = self._send("POST", "applications", sent)["clientId"]
        secret = self._send("POST", f"applications/{client_id}/secrets", {})["secret"]
        self.shown |= {"client ID": client_id, "client secret": secret}

    def _trust(self, fields: Fields) -> None:
        assert fields["Access to Google data"] == "Trusted"
        self._send("PATCH", f"applications/{fields['App']}", {"trusted": True})
        self.shown["Trusted"] = fields["Access to Google data"]

    def _send(self, method: str, path: str, sent: Mapping[str, object]) -> dict[str, str]:
        answer = httpx.request(method, f"{self._simulator}/sim/v1/{path}", json=sent)
        if answer.is_error:
            fail(f"the console refuses {sent}", answer.text)
        found: dict[str, str] = answer.json()
        return found
