"""A building administrator enters a colleague's address as a room, and an accomplice invites the colleague as a resource."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest

from cli.demo.person import PortalSession
from cli.demo.processes import CLIENT_ID, CLIENT_SECRET, RunningSystem, run_command, start_system
from tests.support.patience import PATIENCE_S

SCOPES = {
    "microsoft": "openid User.Read Calendars.ReadWrite",
    "google": "openid https://www.googleapis.com/auth/calendar.events",
}


@dataclass
class Firm:
    """An organisation with a proven room that a person decides for, and one that is free."""

    stage: RunningSystem
    provider: str
    sim: httpx.Client
    users: dict[str, str]
    directory: str
    room: str

    def address(self, name: str) -> str:
        return f"{name}@{self.provider}.test"

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.sim.post(path, json=body).raise_for_status().json()
        return found

    def meetings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sim.get("meetings").raise_for_status().json()["meetings"]
        return [each for each in found if each["tenant"] == self.directory]


@pytest.fixture(scope="module")
def stage() -> Iterator[RunningSystem]:
    with start_system(engine="embedded", seed=7, servers={}, overrides={"ROOMSYNC_PROMPT_GRACE_S": "0"}) as found:
        yield found


@pytest.fixture(params=["microsoft", "google"])
def firm(request: pytest.FixtureRequest, stage: RunningSystem, tmp_path: Path) -> Iterator[Firm]:
    provider: str = request.param
    with httpx.Client(base_url=f"{stage.simulator}/sim/v1", timeout=10) as sim:
        found = Firm(stage, provider, sim, {}, "", "")
        found.directory = found.post("tenants", provider=provider, name="Firm", domain=f"{provider}.test")["id"]
        for name in ("eve", "mal", "ben"):
            user = found.post("users", tenant=found.directory, name=name.title(), address=found.address(name))
            found.users[name] = user["id"]
            found.post(f"users/{user['id']}/consents", granted=True)
        rooms = [{"name": name, "address": found.address(name), "capacity": 6} for name in ("aare", "birs")]
        rules = {"mode": "manual", "delayMs": [0, 50]}
        found.room, _ = (found.post("rooms", tenant=found.directory, rules=rules, **room)["id"] for room in rooms)
        file = tmp_path / "rooms.json"
        file.write_text(json.dumps(rooms))
        directory = ["--provider", provider, "--directory", found.directory]
        run_command(["tenants", "enable", *directory, "--name", "Firm", "--rooms", str(file)], stage.environ)
        appointed = ["--account", found.users["eve"], "--role", "building-admin"]
        run_command(["tenants", "admin", *directory, *appointed], stage.environ)
        yield found


@pytest.mark.proves("S8", "E19")
def test_colleague_who_is_entered_and_invited_as_a_room_is_neither_shown_nor_told_nor_offered(firm: Firm) -> None:
    mal = PortalSession(firm.stage.portal)
    with httpx.Client(base_url=firm.stage.portal, timeout=30.0) as eve:
        go(eve, f"/auth/login?provider={firm.provider}&for=sign-in&login_hint={firm.address('eve')}")
        token = {"X-CSRF-Token": eve.get("/v1/me").raise_for_status().json()["csrf"]}
        victim = {"address": firm.address("ben"), "name": "Ben", "capacity": 6}
        entered = eve.post("/v1/admin/rooms", json=victim, headers=token).raise_for_status().json()["id"]
        # Only now is a calendar looked at: the list of rooms is remembered for ten seconds.
        mal.sign_in(firm.provider, firm.address("mal"))
        until(lambda: mal.get("/v1/me")["connection"]["state"] == "connected")

        invite_as_resources(firm, "mal", firm.address("ben"), firm.address("aare"))
        [meeting] = until(firm.meetings)
        firm.post(f"users/{firm.users['ben']}/answers", meeting=meeting["id"], answer="declined")
        firm.post(f"rooms/{firm.room}/answers", meeting=meeting["id"], answer="declined")
        prompt = mal.wait_for("prompt", roomName="aare").data["id"]

        assert answers(firm) == {firm.address("ben"): "declined", firm.address("aare"): "declined"}
        proven = {room["name"]: room for room in eve.get("/v1/admin/rooms").json()["rooms"]}["aare"]
        told = run_command(["tail", "room-rejections", "--json"], firm.stage.environ)
        assert (proven["id"] in told, entered in told) == (True, False), "the colleague's no is nobody's event"
        shown = eve.get(f"/v1/admin/rooms/{entered}").raise_for_status().json()
        assert (shown["confirmed"], shown["schedule"]) == (None, [])
        assert (shown["health"]["accepted"], shown["health"]["declined"], shown["health"]["waiting"]) == (0, 0, 0)
        assert (proven["confirmed"], proven["health"]["declined"]) == ("operator", 1), "what is proven is shown"
        mine = mal.get("/v1/me/rooms")["rooms"]
        assert {room["roomName"] for room in mine} == {"aare"}
        choices = mal.get(f"/v1/me/prompts/{prompt}/choices")["choices"]
        assert [choice["name"] for choice in choices] == ["birs"]
    mal.close()


def invite_as_resources(firm: Firm, who: str, *addresses: str) -> None:
    """Book a meeting through the provider's own API, with everybody in it called a resource."""
    begins = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    times = [(begins + timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%S") for hour in (0, 1)]
    headers = {"Authorization": f"Bearer {access_token(firm, who)}"}
    if firm.provider == "microsoft":
        attendees = [{"type": "resource", "emailAddress": {"address": address}} for address in addresses]
        start, end = ({"dateTime": time, "timeZone": "UTC"} for time in times)
        path = f"{firm.stage.environ['ROOMSYNC_MICROSOFT_GRAPH_URL']}/me/events"
        body: dict[str, Any] = {"subject": "x", "start": start, "end": end, "attendees": attendees}
    else:
        guests = [{"email": address, "resource": True} for address in addresses]
        start, end = ({"dateTime": f"{time}Z"} for time in times)
        path = f"{firm.stage.environ['ROOMSYNC_GOOGLE_CALENDAR_URL']}/calendars/primary/events"
        body = {"summary": "x", "start": start, "end": end, "attendees": guests}
    made = httpx.post(path, json=body, headers=headers).raise_for_status().json()
    called = [each.get("resource", each.get("type") == "resource") for each in made["attendees"]]
    assert called == [True] * len(addresses), "the provider writes down what the organiser says"


def access_token(firm: Firm, who: str) -> str:
    """What an application of the accomplice's own gets at the provider."""
    environ, redirect = firm.stage.environ, "http://127.0.0.1:9/auth/callback"
    root = f"{environ['ROOMSYNC_MICROSOFT_LOGIN_URL']}/organizations/oauth2/v2.0"
    microsoft = firm.provider == "microsoft"
    where = f"{root}/authorize" if microsoft else environ["ROOMSYNC_GOOGLE_AUTH_URL"]
    asked = {
        "client_id": CLIENT_ID, "response_type": "code", "redirect_uri": redirect, "state": "s", "nonce": "n",
        "scope": SCOPES[firm.provider], "login_hint": firm.address(who),
    }  # fmt: skip
    back = httpx.get(where, params=asked)
    assert back.status_code == 302, back.text[:500]
    form = {
        "grant_type": "authorization_code", "code": parse_qs(urlsplit(back.headers["Location"]).query)["code"][0],
        "redirect_uri": redirect, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
    }  # fmt: skip
    answer = httpx.post(f"{root}/token" if microsoft else environ["ROOMSYNC_GOOGLE_TOKEN_URL"], data=form)
    token: str = answer.raise_for_status().json()["access_token"]
    return token


def answers(firm: Firm) -> dict[str, str]:
    """Who was invited to the only meeting, and what each truly answers."""
    [meeting] = firm.meetings()
    return {each["address"]: each["answer"] for each in (*meeting["rooms"], *meeting["attendees"])}


def go(client: httpx.Client, path: str) -> httpx.Response:
    """As a browser goes: over the provider and back, each redirect in turn."""
    answer = client.get(path)
    while answer.is_redirect:
        answer = client.get(urljoin(str(answer.url), answer.headers["Location"]))
    return answer


def until(found: Callable[[], Any]) -> Any:
    """What `found` finds, once it finds something."""
    deadline = time.monotonic() + PATIENCE_S
    while not (it := found()):
        assert time.monotonic() < deadline, f"not within {PATIENCE_S:.0f} s"
        time.sleep(0.1)
    return it
