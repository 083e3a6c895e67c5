"""Requests are held against published metadata: what it knows passes, and each kind of mistake fails, whoever answered it how."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.support.conformance.plugin import hold
from tests.support.conformance.recorded import Recorded, read_records
from tests.support.paths import ROOT

GRAPH, CALENDAR, DIRECTORY = "/microsoft/graph/v1.0", "/google/calendar/v3", "/google/admin/directory/v1"
EVENTS = f"{CALENDAR}/calendars/primary/events"
TIMES = '"start": {"dateTime": "2026-12-01T10:00:00", "timeZone": "UTC"}'
RIGHT = [
    ("GET", f"{GRAPH}/me", "$select=id,mail,userPrincipalName,proxyAddresses", ""),
    (
        "GET",
        f"{GRAPH}/me/calendarView/delta()",
        "startDateTime=2026-12-01T00:00:00Z&endDateTime=2026-12-02T00:00:00Z",
        "",
    ),
    ("GET", f"{GRAPH}/me/calendarView/delta", "$deltatoken=abc", ""),
    ("GET", f"{GRAPH}/me/events/AAMk=/instances", "startDateTime=2026-12-01&endDateTime=2026-12-02&$top=100", ""),
    ("POST", f"{GRAPH}/me/events", "", f'{{"subject": "T", {TIMES}, "attendees": [{{"type": "resource"}}]}}'),
    ("PATCH", f"{GRAPH}/me/events/AAMk=", "", '{"location": null, "showAs": "free"}'),
    ("POST", f"{GRAPH}/me/calendar/getSchedule", "", '{"schedules": ["a@b.example"], "availabilityViewInterval": 60}'),
    (
        "POST",
        f"{GRAPH}/subscriptions",
        "",
        '{"resource": "/me/events", "expirationDateTime": "2026-12-01T00:00:00.1234567Z"}',
    ),
    ("POST", f"{GRAPH}/subscriptions/1/reauthorize", "", ""),
    ("GET", f"{GRAPH}/places/microsoft.graph.room", "$top=100&$skip=0", ""),
    ("GET", EVENTS, "singleEvents=true&eventTypes=default&eventTypes=focusTime&maxResults=250&alt=json", ""),
    ("POST", EVENTS, "sendUpdates=all", '{"summary": "T", "start": {"dateTime": "2026-12-01T10:00:00Z"}}'),
    ("PATCH", f"{EVENTS}/abc", "", '{"location": null, "extendedProperties": {"private": {"a": null}}}'),
    ("DELETE", f"{EVENTS}/abc_20261201T100000Z", "sendUpdates=none", ""),
    ("POST", f"{EVENTS}/watch", "", '{"id": "c", "type": "web_hook", "expiration": "1800000000000"}'),
    ("GET", f"{CALENDAR}/calendars/a@b.example/events/x/instances", "timeMin=2026-12-01T00:00:00Z", ""),
    ("GET", f"{DIRECTORY}/customer/my_customer/resources/calendars", "maxResults=500", ""),
    ("GET", f"{DIRECTORY}/users/123", "fields=id,isAdmin", ""),
]
WRONG = [
    ("a path", "GET", f"{GRAPH}/me/happenings", "", "", "is not published"),
    ("a method", "PUT", f"{GRAPH}/me/events/AAMk=", "", "{}", "is not published"),
    ("a parameter", "GET", f"{GRAPH}/me/events", "$choose=id", "", "$choose is unknown"),
    ("a column", "GET", f"{GRAPH}/me/events", "$select=id,subjekt", "", "subjekt, which is no property"),
    ("a number", "GET", f"{GRAPH}/me/events", "$top=many", "", "'many'"),
    ("an instant", "GET", f"{GRAPH}/me/calendarView", "startDateTime=soon&endDateTime=2026-12-02", "", "'soon'"),
    ("a property", "POST", f"{GRAPH}/me/events", "", '{"subjekt": "T"}', "subjekt is no property of Event"),
    (
        "a property deep down",
        "POST",
        f"{GRAPH}/me/events",
        "",
        '{"attendees": [{"street": "a"}]}',
        "street is no property",
    ),
    ("a type", "POST", f"{GRAPH}/me/events", "", '{"isAllDay": "yes"}', "isAllDay"),
    ("a value", "POST", f"{GRAPH}/me/events", "", '{"showAs": "occupied"}', "no FreeBusyStatus"),
    ("a body", "DELETE", f"{GRAPH}/me/events/AAMk=", "", '{"comment": "bye"}', "where none belongs"),
    ("a path", "GET", f"{CALENDAR}/calendars/primary/happenings", "", "", "is no method"),
    ("a method", "PUT", f"{CALENDAR}/freeBusy", "", "{}", "is no method"),
    ("a parameter", "GET", EVENTS, "singleEvent=true", "", "singleEvent is unknown"),
    ("a value", "GET", EVENTS, "orderBy=start", "", "'start'"),
    ("a boolean", "GET", EVENTS, "singleEvents=yes", "", "'yes'"),
    ("a number", "GET", EVENTS, "maxResults=0", "", "'0'"),
    ("an instant", "GET", EVENTS, "timeMin=2026-12-01T00:00:00", "", "timeMin"),
    ("a parameter twice", "GET", EVENTS, "q=a&q=b", "", "comes twice"),
    ("a property", "POST", EVENTS, "", '{"subject": "T"}', "subject"),
    ("a type", "PATCH", f"{EVENTS}/abc", "", '{"attendees": "all"}', "attendees"),
    ("a null in an insert", "POST", EVENTS, "", '{"location": null}', "location"),
    ("a body", "GET", EVENTS, "", '{"q": 1}', "where none belongs"),
    ("a path", "GET", f"{DIRECTORY}/customer/my_customer/resources/rooms", "", "", "is no method"),
]
PLANTED = """
from simulator.app import create_app
from simulator.world import World


def test_planted() -> None:
    create_app(World()).test_client().get("{path}")
"""


def recorded(method: str, path: str, query: str, body: str, status: int = 200, **headers: str) -> Recorded:
    return Recorded(method=method, path=path, query=query, headers=headers, body=body, status=status)


@pytest.mark.proves("M10")
@pytest.mark.parametrize(("method", "path", "query", "body"), RIGHT, ids=lambda value: str(value)[:40])
def test_what_is_published_passes(method: str, path: str, query: str, body: str) -> None:
    report = hold([recorded(method, path, query, body)])
    assert report.faults == {}
    assert report.requests == 1


@pytest.mark.proves("M10")
@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize(("what", "method", "path", "query", "body", "fault"), WRONG, ids=lambda value: str(value)[:30])
def test_each_mistake_is_found(
    what: str, method: str, path: str, query: str, body: str, fault: str, status: int
) -> None:
    (found,) = hold([recorded(method, path, query, body, status)]).faults
    assert fault in found, what


def test_prefer_is_read_and_a_long_query_is_found_in_its_form() -> None:
    prefer = 'outlook.timezone="UTC", IdType="ImmutableId", odata.maxpagesize=50'
    assert hold([recorded("GET", f"{GRAPH}/me/events", "", "", Prefer=prefer)]).faults == {}
    (found,) = hold([recorded("GET", f"{GRAPH}/me/events", "", "", Prefer='IdTyp="ImmutableId"')]).faults
    assert "IdTyp" in found
    long = {"X-HTTP-Method-Override": "GET"}
    assert hold([recorded("POST", EVENTS, "", "maxResults=5", **long)]).faults == {}
    (found,) = hold([recorded("POST", EVENTS, "", "maxResult=5", **long)]).faults
    assert "maxResult is unknown" in found


def test_line_that_a_killed_simulator_left_unfinished_is_passed_over(tmp_path: Path) -> None:
    whole = msgspec.json.encode(recorded("GET", EVENTS, "", ""))
    (tmp_path / "requests-1.jsonl").write_bytes(whole + b"\n" + whole[:40])
    assert hold(read_records(tmp_path)).requests == 1


@pytest.mark.proves("M10")
@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        (
            f"{EVENTS}?maxResults=5",
            0,
            "1 requests to the simulator held against published metadata, 0 of them wrong on purpose, 0",
        ),
        (f"{EVENTS}?maxResult=5", 1, "parameter maxResult is unknown"),
        (f"{GRAPH}/me/events?$top=5&$limit=5", 1, "parameter $limit is unknown"),
    ],
)
def test_run_of_tests_fails_when_one_of_them_sends_what_is_unknown(
    tmp_path: Path, path: str, code: int, said: str
) -> None:
    file = tmp_path / "test_planted.py"
    file.write_text(PLANTED.format(path=path))
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.conformance.plugin", "-p", "no:cacheprovider", "-q",
               "--rootdir", str(tmp_path), "-c", os.devnull, str(file)]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert said in done.stdout, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    assert done.returncode == code
