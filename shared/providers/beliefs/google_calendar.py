"""What is believed about events and rooms in Google's calendars. Data only."""

from __future__ import annotations

from shared.providers.beliefs.belief import Belief, Trust

_CLIENT = "shared/providers/google/client.py"
_PARSE = "shared/providers/google/parse.py"
_ROOMS = "shared/providers/google/rooms.py"
_FAILURES = "shared/providers/google/failures.py"
_FOLD = "services/room_status/deciding/fold.py"
_EVENTS = "developers.google.com/workspace/calendar/api/v3/reference/events"
_SYNC = "developers.google.com/workspace/calendar/api/guides/sync"
_TWO_PEOPLE = "it takes a second person who answers"

BELIEFS = (
    Belief(
        key="google.sync-token-last-page",
        text="Only the last page of a list carries the next sync token.",
        source=_SYNC,
        trust=Trust.DOCUMENTED,
        dependents=(_CLIENT,),
        otherwise="The look fails and is tried again later; what was read is not committed.",
    ),
    Belief(
        key="google.windowed-sync-token",
        text="A first list that is bound by `timeMin` and `timeMax` gives a sync token like any other.",
        source=f"{_SYNC}, whose own example is bound by `timeMin`",
        trust=Trust.REPORTED,
        dependents=(_CLIENT,),
        otherwise="No look ends with a cursor: every mailbox fails, and the status screen says so.",
    ),
    Belief(
        key="google.bad-sync-token",
        text="A sync token that cannot be read is refused with 400 `invalid`, or with 410.",
        source="Thunderbird's Google provider; developers.google.com/workspace/calendar/api/guides/errors names 410 alone",
        trust=Trust.REPORTED,
        dependents=(_FAILURES,),
        otherwise="The mailbox fails until its daily full look, instead of being read in full at once.",
    ),
    Belief(
        key="google.cancelled-date-named",
        text="A cancelled date of a series stands in the next increment under its own id, as `cancelled`.",
        source=f"{_EVENTS}, `status`",
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE,),
        otherwise="The date's room stays as it was until the full look after midnight UTC.",
    ),
    Belief(
        key="google.cancelled-date-thin",
        text="A cancelled date may come with its id and status alone; the series is read from the form of the id.",
        source="commit 976e26253 of the repository compass-calendar; the reference promises more",
        trust=Trust.REPORTED,
        dependents=(_PARSE,),
        otherwise="Nothing: what a date says of itself counts before its id.",
        not_tried="a full entry does not disprove it",
    ),
    Belief(
        key="google.instance-id",
        text="The id of a date is that of its series, an underscore, and its original start in UTC.",
        source="repository compass-calendar, google-instance-id.ts; the reference does not promise it",
        trust=Trust.REPORTED,
        dependents=(_PARSE,),
        otherwise="A cancelled date that says its id alone is not found, and stays until the full look.",
    ),
    Belief(
        key="google.deleted-event-named",
        text="A deleted event stands in the next increment under its id, as `cancelled`.",
        source=_SYNC,
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE,),
        otherwise="Its room stays as it was until the full look after midnight UTC.",
    ),
    Belief(
        key="google.deleted-event-readable",
        text="A deleted event can still be read by its id, and says `cancelled`.",
        source=f"{_EVENTS}/get",
        trust=Trust.DOCUMENTED,
        dependents=(_CLIENT, _ROOMS),
        otherwise="A booking whose id is taken by a deleted event fails without saying that it was cancelled.",
    ),
    Belief(
        key="google.uid-of-a-series",
        text="All dates of a series share its `iCalUID`.",
        source=f"{_EVENTS}, `iCalUID`",
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE, "shared/providers/google/agenda.py"),
        otherwise="Copies of one meeting are taken for different ones; declines are told once a copy.",
    ),
    Belief(
        key="google.own-event-id",
        text="A second insert with the same id is refused with 409 `duplicate`.",
        source=f"{_EVENTS}/insert, `id`",
        trust=Trust.DOCUMENTED,
        dependents=("shared/providers/google/booking.py", _CLIENT),
        otherwise="A booking that is sent again after a lost answer stands twice in the calendar.",
    ),
    Belief(
        key="google.private-properties",
        text="An event's private extended properties are given with it in lists and increments.",
        source="developers.google.com/workspace/calendar/api/guides/extended-properties",
        trust=Trust.DOCUMENTED,
        dependents=("shared/providers/google/reminders.py", _PARSE, "shared/providers/google/agenda.py"),
        otherwise="A reminder of ours is shown in its person's own agenda as if it were a meeting.",
    ),
    Belief(
        key="google.if-match",
        text="A change under an etag that is no longer current is refused with 412 and changes nothing.",
        source="developers.google.com/workspace/calendar/api/guides/version-resources",
        trust=Trust.DOCUMENTED,
        dependents=(_CLIENT,),
        otherwise="Taking a room overwrites what somebody changed in the same second.",
    ),
    Belief(
        key="google.room-declines",
        text="A room that is taken at the time stands as `declined` among the attendees of the organiser's copy.",
        source="support.google.com/calendar/answer/16107253; the field is inferred",
        trust=Trust.ASSUMED,
        dependents=(_PARSE, _FOLD),
        otherwise="No decline is ever told.",
    ),
    Belief(
        key="google.answers-survive-patch",
        text="Attendees that are written back as they were read keep their answers.",
        source="repository google-calendar-mcp, pull request 148: bare addresses lose them",
        trust=Trust.REPORTED,
        dependents=(_ROOMS, "services/sync_worker/deciding/opened_answers.py"),
        otherwise="Taking another room asks every guest anew; what other rooms had answered counts until they answer again.",
    ),
    Belief(
        key="google.series-at-once",
        text=(
            "Changing the attendees of a series changes them on all its dates, past ones too, but not on those that were "
            "changed for themselves."
        ),
        source=(
            "developers.google.com/workspace/calendar/api/guides/recurringevents (instances follow the recurring "
            "event; only a split spares the earlier ones); that exceptions keep their attendees is reported: "
            "macro-inc/macro#6062"
        ),
        trust=Trust.REPORTED,
        dependents=("shared/meetings/series_refusals.py", "services/sync_worker/looking/series_swap.py"),
        otherwise="Nothing: a date that follows its series is found changed, and left as it is; guests get fewer mails.",
    ),
    Belief(
        key="google.move-asks-again",
        text="A meeting that is moved asks its rooms again; their earlier answers are gone.",
        source="support.google.com/calendar/answer/16107253",
        trust=Trust.DOCUMENTED,
        dependents=(_FOLD, "services/room_status/deciding/room_transitions.py"),
        otherwise=(
            "A room counts as accepted for the new time until it answers otherwise: Google does not say when an answer was given."
        ),
    ),
    Belief(
        key="google.own-replacement",
        text="Google may replace a declined room by itself, within seconds.",
        source="support.google.com/a/answer/9682138",
        trust=Trust.DOCUMENTED,
        dependents=("shared/providers/google/profile.py", "services/room_status/deciding/confirmation.py"),
        otherwise="A decline is told fifteen seconds later than it could be.",
        not_tried="it takes the right edition and rooms of one building",
    ),
    Belief(
        key="google.guests-see-answers",
        text="A guest's copy follows everybody's answers, unless the guest list is hidden or longer than 200.",
        source=f"{_EVENTS}, `attendees[]` and `guestsCanSeeOtherGuests`",
        trust=Trust.DOCUMENTED,
        dependents=("shared/providers/google/profile.py", "services/room_status/deciding/speaking.py"),
        otherwise="A decline of a meeting whose organiser is not connected is told by nobody.",
        not_tried=_TWO_PEOPLE,
    ),
    Belief(
        key="google.attendees-omitted",
        text="A list of attendees that was cut short says so with `attendeesOmitted`.",
        source=f"{_EVENTS}, `attendeesOmitted`",
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE, _ROOMS),
        otherwise="Taking a room would drop the guests that were not shown.",
        not_tried="it takes a meeting with very many guests",
    ),
    Belief(
        key="google.resource-is-a-claim",
        text="`attendees[].resource` is what the organiser's program sent: anybody can be invited as a resource.",
        source=f"{_EVENTS}, `attendees[].resource`",
        trust=Trust.DOCUMENTED,
        dependents=("services/sync_worker/deciding/listed_rooms.py",),
        otherwise="Nothing: what is no room by the directory or the operator is none.",
        not_tried="it would invite somebody",
    ),
    Belief(
        key="google.resource-address",
        text="Addresses that end in `@resource.calendar.google.com` belong to resources that an administrator made.",
        source="developers.google.com/workspace/admin/directory/reference/rest/v1/resources.calendars",
        trust=Trust.DOCUMENTED,
        dependents=("shared/contracts/rows.py",),
        otherwise="A calendar that is no room could be entered as one.",
        not_tried="an address of the other kind does not disprove it",
    ),
)
