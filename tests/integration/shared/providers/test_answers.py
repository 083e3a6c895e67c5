"""Both clients and the token endpoint against answers that a healthy provider does not give."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.domain.identity import Provider
from shared.domain.sighting import Access, RoomContact, SeenEvent, Subscription, SubscriptionRequest, Window
from shared.errors import (
    ConfigurationError,
    PreconditionFailedError,
    RefusedError,
    RetryableError,
    RoomsyncError,
    TokenRefusedError,
)
from shared.grants.oauth import Busy, Granted, Lost, TokenRequest
from shared.grants.token_endpoint import TokenEndpoint
from shared.providers.google.client import GoogleCalendar
from shared.providers.microsoft.client import GraphCalendar

ANA = Access("token-ana", "oid-ana", "ana@contoso.example")
WINDOW = Window(1_795_000_000_000, 1_800_000_000_000)
WISH = SubscriptionRequest("c" * 32, "proof", "http://127.0.0.1:9/g", "http://127.0.0.1:9/l", 1_795_000_000_000)
HTML = b"<html><title>503 Service Unavailable</title></html>"


@dataclass
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0.0


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass
class Script:
    """Answers in turn; the last one for ever. `{base}` in a body is this server."""

    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    answer: Callable[[Asked], Reply] | None = None

    def says(self, *replies: Reply) -> None:
        self.replies = list(replies)

    def next(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if self.answer:
            return self.answer(asked)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@pytest.fixture
def script() -> Iterator[Script]:
    played = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            headers = {name.lower(): ", ".join(self.headers.get_all(name) or []) for name in self.headers}
            reply = played.next(Asked(self.command, parts.path, parse_qs(parts.query), headers, body))
            time.sleep(reply.wait_s)
            raw = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            raw = raw.replace(b"{base}", played.url.encode())
            self.send_response(reply.status)
            self.send_header("Content-Type", "text/html" if reply.body == HTML else "application/json")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        played.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield played
        server.shutdown()
        thread.join()


@pytest.fixture
def graph(script: Script) -> Iterator[GraphCalendar]:
    calendar = GraphCalendar(f"{script.url}/v1.0", 2.0)
    yield calendar
    calendar.close()


@pytest.fixture
def google(script: Script) -> Iterator[GoogleCalendar]:
    calendar = GoogleCalendar(f"{script.url}/calendar/v3", 2.0)
    yield calendar
    calendar.close()


@pytest.fixture(params=["graph", "google"])
def calendar(request: pytest.FixtureRequest) -> GraphCalendar | GoogleCalendar:
    found: GraphCalendar | GoogleCalendar = request.getfixturevalue(request.param)
    return found


def _graph_event(name: str) -> dict[str, Any]:
    times = {"dateTime": "2026-11-23T09:00:00.0000000", "timeZone": "UTC"}
    return {"id": name, "type": "singleInstance", "isOrganizer": True, "start": times, "end": times, "attendees": []}


def _google_event(name: str) -> dict[str, Any]:
    times = {"dateTime": "2026-11-23T09:00:00Z"}
    return {"id": name, "status": "confirmed", "start": times, "end": times}


def test_graph_empty_pages_with_a_next_link_are_read_on(graph: GraphCalendar, script: Script) -> None:
    root = "{base}/v1.0/me/calendarView/delta"
    script.says(
        Reply(body={"value": [_graph_event("a")], "@odata.nextLink": f"{root}?$skiptoken=1"}),
        Reply(body={"value": [], "@odata.nextLink": f"{root}?$skiptoken=2"}),
        Reply(body={"value": [_graph_event("b")], "@odata.deltaLink": f"{root}?$deltatoken=3"}),
    )
    look = graph.look(ANA, "", WINDOW)
    assert [item.event_id for item in look.seen] == ["a", "b"]
    assert look.cursor.endswith("deltatoken=3")
    assert [asked.query for asked in script.asked][1:] == [{"$skiptoken": ["1"]}, {"$skiptoken": ["2"]}]


def test_graph_every_page_is_asked_for_in_utc_with_stable_ids(graph: GraphCalendar, script: Script) -> None:
    root = "{base}/v1.0/me/calendarView/delta"
    script.says(
        Reply(body={"value": [], "@odata.nextLink": f"{root}?$skiptoken=1"}),
        Reply(body={"value": [], "@odata.deltaLink": f"{root}?$deltatoken=3"}),
    )
    graph.look(ANA, "", WINDOW)
    for asked in script.asked:
        assert set(asked.headers["prefer"].split(", ")) == {
            'IdType="ImmutableId"',
            'outlook.timezone="UTC"',
            "odata.maxpagesize=100",
        }
        assert asked.headers["authorization"] == "Bearer token-ana"
    first = script.asked[0]
    assert first.path.rstrip("()") == "/v1.0/me/calendarView/delta"
    assert first.query == {"startDateTime": ["2026-11-18T11:06:40.000Z"], "endDateTime": ["2027-01-15T08:00:00.000Z"]}


@pytest.mark.parametrize("name", ["@odata.nextLink", "@odata.deltaLink"])
@pytest.mark.parametrize(
    "link", ["https://evil.example/v1.0/me", "{base}.evil.example/v1.0/me", "{base}/beta/me", "//x"]
)
def test_graph_links_to_another_address_get_no_token(
    graph: GraphCalendar, script: Script, name: str, link: str
) -> None:
    script.says(Reply(body={"value": [], name: link}))
    with pytest.raises(RefusedError, match="not followed"):
        graph.look(ANA, "", WINDOW)
    assert len(script.asked) == 1


def test_graph_redirects_are_neither_followed_nor_taken_for_success(graph: GraphCalendar, script: Script) -> None:
    script.says(Reply(302, {}, {"Location": f"{script.url}/elsewhere"}))
    with pytest.raises(RetryableError, match="not followed"):
        graph.unsubscribe(ANA, Subscription("s1", "", 0))
    assert len(script.asked) == 1


def test_graph_links_of_an_agenda_to_another_address_get_no_token(graph: GraphCalendar, script: Script) -> None:
    script.says(Reply(body={"value": [], "@odata.nextLink": "https://evil.example/v1.0/me/calendarView?$skip=1"}))
    with pytest.raises(RefusedError, match="not followed"):
        graph.agenda(ANA, WINDOW)
    assert len(script.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_gets_a_token(calendar: GraphCalendar | GoogleCalendar, script: Script, status: int) -> None:
    """`localhost` is another host than the one that was asked, and this very server."""
    elsewhere = script.url.replace("127.0.0.1", "localhost")
    script.says(Reply(status, {}, {"Location": f"{elsewhere}/elsewhere"}))
    for call in (lambda: calendar.look(ANA, "", WINDOW), lambda: calendar.subscribe(ANA, WISH)):
        script.asked.clear()
        with pytest.raises(RoomsyncError):
            call()
        assert [asked.path for asked in script.asked if "elsewhere" in asked.path] == []
        assert len(script.asked) == 1


DEEP = b"[" * 100_000


@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize(
    "body",
    [b'{"items":' + DEEP, b'{"items":' + DEEP + b"]" * len(DEEP) + b',"value":' + DEEP + b"]" * len(DEEP) + b"}", DEEP],
    ids=["cut off", "closed", "bare"],
)
def test_an_answer_that_is_nested_without_end_is_an_error_of_ours(
    calendar: GraphCalendar | GoogleCalendar, script: Script, status: int, body: bytes
) -> None:
    script.says(Reply(status, body))
    with pytest.raises(RoomsyncError):
        calendar.look(ANA, "", WINDOW)


def test_graph_pages_in_a_circle_end(graph: GraphCalendar, script: Script) -> None:
    script.says(Reply(body={"value": [], "@odata.nextLink": "{base}/v1.0/me/calendarView/delta?$skiptoken=1"}))
    with pytest.raises(RetryableError):
        graph.look(ANA, "", WINDOW)


def test_graph_the_last_word_in_a_round_holds(graph: GraphCalendar, script: Script) -> None:
    twice = [
        _graph_event("a"),
        {"id": "a", "@removed": {"reason": "deleted"}},
        _graph_event("a") | {"changeKey": "new"},
    ]
    script.says(Reply(body={"value": twice, "@odata.deltaLink": "{base}/v1.0/me/x?$deltatoken=3"}))
    (seen,) = graph.look(ANA, "", WINDOW).seen
    assert isinstance(seen, SeenEvent)
    assert seen.version == "new"


def test_graph_a_subscription_in_the_way_is_ended_and_made_anew(graph: GraphCalendar, script: Script) -> None:
    conflict = Reply(409, {"error": {"code": "Conflict", "message": "Subscription Id s1 already exists"}})
    listed = [
        {"id": "mail", "resource": "me/messages", "expirationDateTime": "2026-11-27T08:15:00Z"},
        {"id": "s1", "resource": "users/oid-ana/events", "expirationDateTime": "2026-11-27T08:15:00Z"},
    ]
    made = {"id": "s2", "resource": "me/events", "expirationDateTime": "2026-11-27T08:15:00.1234567+00:00"}
    script.says(conflict, Reply(body={"value": listed}), Reply(204, b""), Reply(201, made))
    assert graph.subscribe(ANA, WISH).id == "s2"
    assert [(asked.method, asked.path) for asked in script.asked] == [
        ("POST", "/v1.0/subscriptions"),
        ("GET", "/v1.0/subscriptions"),
        ("DELETE", "/v1.0/subscriptions/s1"),
        ("POST", "/v1.0/subscriptions"),
    ]
    assert json.loads(script.asked[0].body) == {
        "resource": "/me/events",
        "changeType": "created,updated,deleted",
        "notificationUrl": WISH.notification_url,
        "lifecycleNotificationUrl": WISH.lifecycle_url,
        "clientState": "proof",
        "expirationDateTime": "2026-11-18T11:06:40.000Z",
    }
    assert 'IdType="ImmutableId"' in script.asked[0].headers["prefer"]


def test_graph_an_endless_conflict_is_for_later(graph: GraphCalendar, script: Script) -> None:
    def answer(asked: Asked) -> Reply:
        return (
            Reply(body={"value": []}) if asked.method == "GET" else Reply(409, {"error": {"code": "C", "message": "m"}})
        )

    script.answer = answer
    with pytest.raises(RetryableError):
        graph.subscribe(ANA, WISH)
    assert len(script.asked) == 3


def test_graph_a_swap_that_did_not_hold_is_noticed(graph: GraphCalendar, script: Script) -> None:
    room = {"type": "resource", "emailAddress": {"address": "old@x.example", "name": "Old"}}
    event = {"isOrganizer": True, "attendees": [room], "location": {}, "locations": []}
    script.says(Reply(body=event), Reply(body={}), Reply(body=event))
    with pytest.raises(PreconditionFailedError):
        graph.swap_room(ANA, "e1", "old@x.example", RoomContact("new@x.example", "New"))
    assert [asked.method for asked in script.asked] == ["GET", "PATCH", "GET"]


def test_google_short_and_empty_pages_are_read_on_with_the_same_query(google: GoogleCalendar, script: Script) -> None:
    script.says(
        Reply(body={"items": [_google_event("a")], "nextPageToken": "p1"}),
        Reply(body={"nextPageToken": "p2"}),
        Reply(body={"items": [_google_event("b")], "nextSyncToken": "s1"}),
    )
    look = google.look(ANA, "s0", WINDOW)
    assert [item.event_id for item in look.seen] == ["a", "b"]
    assert (look.cursor, look.full) == ("s1", False)
    frozen = {
        "syncToken": ["s0"],
        "singleEvents": ["true"],
        "showDeleted": ["true"],
        "maxResults": ["250"],
        "eventTypes": ["default"],
        "alt": ["json"],
    }
    assert [asked.query for asked in script.asked] == [
        frozen,
        frozen | {"pageToken": ["p1"]},
        frozen | {"pageToken": ["p2"]},
    ]
    assert {asked.headers["authorization"] for asked in script.asked} == {"Bearer token-ana"}


def test_google_a_full_look_names_its_window(google: GoogleCalendar, script: Script) -> None:
    script.says(Reply(body={"items": [], "nextSyncToken": "s1"}))
    assert google.look(ANA, "", WINDOW).full
    query = script.asked[0].query
    assert query["timeMin"] == ["2026-11-18T11:06:40.000Z"]
    assert "syncToken" not in query


@pytest.mark.parametrize("body", [{"items": [], "nextPageToken": "p"}, {"items": []}], ids=["circle", "no cursor"])
def test_google_a_round_without_an_end_is_for_later(google: GoogleCalendar, script: Script, body: object) -> None:
    script.says(Reply(body=body))
    with pytest.raises(RetryableError):
        google.look(ANA, "", WINDOW)


def test_google_a_swap_names_the_version_it_read(google: GoogleCalendar, script: Script) -> None:
    room = {"email": "old@x.example", "displayName": "Old", "resource": True}
    event = {"id": "e1", "etag": '"7"', "organizer": {"self": True}, "attendees": [room], "location": "Old"}
    body = {"error": {"code": 412, "message": "Precondition Failed", "errors": [{"reason": "conditionNotMet"}]}}
    script.says(Reply(body=event), Reply(412, body))
    with pytest.raises(PreconditionFailedError):
        google.swap_room(ANA, "e1", "old@x.example", RoomContact("new@x.example", "New"))
    patch = script.asked[1]
    assert (patch.method, patch.headers["if-match"], patch.query["sendUpdates"]) == ("PATCH", '"7"', ["all"])
    assert json.loads(patch.body)["location"] == "New"


def test_google_a_refused_token_is_not_refreshed_here(google: GoogleCalendar, script: Script) -> None:
    script.says(Reply(401, {"error": {"code": 401, "message": "Invalid", "errors": [{"reason": "authError"}]}}))
    with pytest.raises(TokenRefusedError) as caught:
        google.look(ANA, "", WINDOW)
    assert caught.value.code == "authError"
    assert len(script.asked) == 1


def _google_error(status: int, errors: list[str], details: list[dict[str, Any]]) -> Reply:
    """A body as Google's newer front end sends it: reasons under `errors`, and again, in other words, under `details`."""
    listed = [{"domain": "global", "reason": reason, "message": "said"} for reason in errors]
    return Reply(status, {"error": {"code": status, "message": "said", "errors": listed, "details": details}})


def _info(reason: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}


HELP = {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": "quota", "url": "https://x.example"}]}


@pytest.mark.proves("B11")
@pytest.mark.parametrize(
    "reply",
    [
        _google_error(403, ["rateLimitExceeded"], [_info("RATE_LIMIT_EXCEEDED")]),
        _google_error(403, ["rateLimitExceeded"], [HELP, _info("RATE_LIMIT_EXCEEDED")]),
        _google_error(403, ["forbidden"], [HELP, _info("RATE_LIMIT_EXCEEDED")]),
        _google_error(403, ["userRateLimitExceeded"], [HELP]),
        _google_error(403, [], [_info("RATE_LIMIT_EXCEEDED")]),
        _google_error(429, [], []),
    ],
)
def test_google_a_limit_is_for_later_wherever_its_reason_stands(
    google: GoogleCalendar, script: Script, reply: Reply
) -> None:
    script.says(reply)
    with pytest.raises(RetryableError):
        google.swap_room(ANA, "e1", "old@x.example", RoomContact("new@x.example", "New"))


def test_google_a_missing_right_says_so_wherever_its_reason_stands(google: GoogleCalendar, script: Script) -> None:
    script.says(_google_error(403, ["insufficientPermissions"], [_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT")]))
    with pytest.raises(RefusedError, match="leave every box ticked"):
        google.look(ANA, "", WINDOW)


@pytest.mark.proves("B11")
@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, "ApplicationThrottled", RetryableError),
        (404, "ErrorMailboxMoveInProgress", RetryableError),
        (403, "ErrorAccessDenied", RefusedError),
        (401, "InvalidAuthenticationToken", TokenRefusedError),
        (400, "BadRequest", RefusedError),
    ],
)
def test_graph_answers_are_read_through_the_sdk(
    graph: GraphCalendar, script: Script, status: int, code: str, error: type[Exception]
) -> None:
    inner = {"date": "2026-11-20T10:00:00", "request-id": "r", "client-request-id": "c"}
    script.says(Reply(status, {"error": {"code": code, "message": "said", "innerError": inner}}))
    with pytest.raises(error) as caught:
        graph.look(ANA, "", WINDOW)
    assert type(caught.value) is error


@pytest.mark.proves("B11")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_provider_is_asked_once(calendar: Any, script: Script, status: int) -> None:
    script.says(Reply(status, HTML, {"Retry-After": "2.128"}))
    with pytest.raises(RetryableError) as caught:
        calendar.subscribe(ANA, WISH)
    assert caught.value.retry_after_s == 2.128
    assert caught.value.provider_status == status
    assert len(script.asked) == 1


def test_an_appointment_may_be_a_date(calendar: Any, script: Script) -> None:
    late = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 90))
    script.says(Reply(503, {}, {"Retry-After": late}))
    with pytest.raises(RetryableError) as caught:
        calendar.look(ANA, "", WINDOW)
    assert caught.value.retry_after_s == pytest.approx(90, abs=3)


def test_a_provider_that_does_not_answer_is_for_later(calendar: Any, script: Script) -> None:
    script.says(Reply(body={"value": []}, wait_s=2.6))
    with pytest.raises(RetryableError) as caught:
        calendar.look(ANA, "", WINDOW)
    assert (caught.value.provider_status, caught.value.provider_code) == (0, "")


@pytest.mark.parametrize("made", [GraphCalendar, GoogleCalendar])
def test_a_provider_that_is_not_there_is_for_later(made: Any) -> None:
    calendar = made("http://127.0.0.1:9/v1.0", 2.0)
    with pytest.raises(RetryableError, match="cannot be reached") as caught:
        calendar.look(ANA, "", WINDOW)
    assert (caught.value.provider_status, caught.value.provider_code) == (0, "")
    calendar.close()


def test_an_address_that_is_none_is_said_at_once() -> None:
    with pytest.raises(ConfigurationError, match="ROOMSYNC_GOOGLE_CALENDAR_URL"):
        GoogleCalendar("calendar/v3", 2.0)


@pytest.mark.parametrize("body", [b"<html>a portal's login page</html>", b"", b"[]", b'{"value": 7, "items": 7}'])
def test_an_answer_that_cannot_be_read_is_for_later(calendar: Any, script: Script, body: bytes) -> None:
    script.says(Reply(200, body))
    with pytest.raises(RetryableError):
        calendar.look(ANA, "", WINDOW)
    with pytest.raises(RetryableError):
        calendar.read(ANA, "e1")


def test_threads_use_their_own_tokens_and_get_their_own_answers(calendar: Any, script: Script) -> None:
    def answer(asked: Asked) -> Reply:
        who = asked.headers["authorization"].removeprefix("Bearer ")
        event = _google_event(who) if "calendars" in asked.path else _graph_event(who)
        return Reply(
            body={
                "value": [event],
                "items": [event],
                "nextSyncToken": who,
                "@odata.deltaLink": "{base}/v1.0/me/x?$deltatoken=3",
            },
            wait_s=0.01,
        )

    script.answer = answer

    def look(number: int) -> tuple[str, ...]:
        found = calendar.look(Access(f"token-{number}", "s", "a"), "", WINDOW)
        return tuple(item.event_id for item in found.seen)

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(look, range(24))) == [(f"token-{number}",) for number in range(24)]


def test_a_token_endpoint_is_asked_once_and_understood(script: Script) -> None:
    endpoint = TokenEndpoint(2.0)
    request = TokenRequest(
        f"{script.url}/token", {"grant_type": "refresh_token", "refresh_token": "r"}, Provider.GOOGLE
    )
    script.says(
        Reply(503, HTML, {"Retry-After": "1.5"}),
        Reply(302, b"", {"Location": f"{script.url}/elsewhere"}),
        Reply(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}),
        Reply(200, {"access_token": "a", "expires_in": 3599, "scope": "openid"}),
    )
    assert endpoint.ask(request) == Busy("token endpoint answered 503", 1.5)
    assert isinstance(endpoint.ask(request), Busy)
    assert endpoint.ask(request) == Lost("invalid_grant")
    assert endpoint.ask(request) == Granted("a", 3599.0, "", ("openid",))
    assert len(script.asked) == 4
    assert parse_qs(script.asked[0].body.decode()) == {"grant_type": ["refresh_token"], "refresh_token": ["r"]}
    assert isinstance(endpoint.ask(TokenRequest("http://127.0.0.1:9/token", {}, Provider.GOOGLE)), Busy)
    endpoint.close()


def test_one_unreadable_row_of_an_agenda_leaves_the_others_with_their_titles(calendar: Any, script: Script) -> None:
    def answer(asked: Asked) -> Reply:
        make = _google_event if "calendars" in asked.path else _graph_event
        good = make("good") | {"subject": "Planning", "summary": "Planning"}
        bad = make("bad") | {"start": {"dateTime": "soon", "timeZone": "UTC"}}
        return Reply(body={"value": [bad, good], "items": [bad, good]})

    script.answer = answer
    assert [(item.event_id, item.title) for item in calendar.agenda(ANA, WINDOW)] == [("good", "Planning")]
