"""What is believed about events and rooms in Outlook's calendars. Data only."""

from __future__ import annotations

from shared.providers.beliefs.belief import Belief, Trust

_CLIENT = "shared/providers/microsoft/client.py"
_ROUNDS = "shared/providers/microsoft/delta_rounds.py"
_PARSE = "shared/providers/microsoft/parse.py"
_SERIES = "shared/providers/microsoft/series.py"
_TIMES = "shared/providers/microsoft/times.py"
_ROOMS = "shared/providers/microsoft/rooms.py"
_FOLD = "services/room_status/deciding/fold.py"
_EVENT = "learn.microsoft.com/graph/api/resources/event"
_DELTA = "learn.microsoft.com/graph/api/event-delta"
_TWO_PEOPLE = "it takes a second person who answers"

BELIEFS = (
    Belief(
        key="microsoft.delta-link-last",
        text="Every page of a delta round but the last names a next page; the last names the delta link instead.",
        source=_DELTA,
        trust=Trust.DOCUMENTED,
        dependents=(_ROUNDS,),
        otherwise="The look fails and is tried again later; what was read is not committed.",
    ),
    Belief(
        key="microsoft.delta-lag",
        text="A delta round may lag behind the notification that announced its change.",
        source="learn.microsoft.com/graph/delta-query-overview, processing delays",
        trust=Trust.DOCUMENTED,
        dependents=("services/sync_worker/deciding/mailbox.py",),
        otherwise="The second look after an empty one is a call too many.",
        not_tried="a change that shows at once does not disprove it",
    ),
    Belief(
        key="microsoft.delta-replays",
        text="A delta round may repeat what an earlier one has reported, and name one event twice; the last entry counts.",
        source="learn.microsoft.com/graph/delta-query-overview, replays",
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE, _ROUNDS),
        otherwise="Nothing: an event that comes once is the ordinary case.",
        not_tried="a round without repetition does not disprove it",
    ),
    Belief(
        key="microsoft.removed-event",
        text="A deleted event stands in the next delta round under its id, with `@removed`.",
        source=_DELTA,
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE,),
        otherwise="Its room stays as it was until the full look after midnight UTC.",
    ),
    Belief(
        key="microsoft.outside-window",
        text="An event outside the window of a delta round comes as `@removed`, although it stands in the calendar.",
        source="microsoftgraph/microsoft-graph-docs-contrib#6146",
        trust=Trust.REPORTED,
        dependents=(_SERIES, _ROUNDS),
        otherwise="Nothing is lost: each removal of a known meeting is confirmed by its id before it counts.",
    ),
    Belief(
        key="microsoft.occurrences-sparse",
        text="The dates of a series come in a delta round without attendees, subject and `iCalUId`; the master carries them.",
        source="microsoftgraph/microsoft-graph-docs-contrib#34",
        trust=Trust.REPORTED,
        dependents=(_PARSE,),
        otherwise="Nothing is lost: what a date says of itself counts before what its master says.",
    ),
    Belief(
        key="microsoft.cancelled-date-unnamed",
        text="A cancelled date of a series has no entry of its own in a delta round; the series comes with the other dates.",
        source="microsoftgraph/microsoft-graph-docs#4501",
        trust=Trust.REPORTED,
        dependents=(_SERIES,),
        otherwise="Nothing is lost: a date that is named as removed has its series read anew as well.",
    ),
    Belief(
        key="microsoft.series-master-id",
        text="With immutable ids asked for, `seriesMasterId` of a date is the id of its series in the same format.",
        source="learn.microsoft.com/graph/outlook-immutable-id does not say it; one header for all ids suggests it",
        trust=Trust.ASSUMED,
        dependents=(_PARSE, _SERIES, "shared/providers/microsoft/agenda.py"),
        otherwise="Dates find no series: their rooms stay unknown, and every look asks for a master that is not there.",
    ),
    Belief(
        key="microsoft.uid-of-a-date",
        text="`iCalUId` of a date of a series differs from that of the series; all mailboxes agree on both.",
        source=f"{_EVENT}, `iCalUId`",
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE, "shared/providers/microsoft/agenda.py"),
        otherwise="Nothing is lost: a date is named by the series and its original start.",
    ),
    Belief(
        key="microsoft.original-start",
        text="`originalStart` of a date is the instant, in UTC, at which the series had it begin.",
        source=f"{_EVENT}, `originalStart`",
        trust=Trust.DOCUMENTED,
        dependents=(_TIMES,),
        otherwise="A date has two names: its decline is told twice.",
    ),
    Belief(
        key="microsoft.all-day-midnight",
        text="An all-day event begins at 00:00 on its day, whatever time zone is preferred.",
        source=f"{_EVENT}, `isAllDay`; that the preferred zone does not shift it is reported by users",
        trust=Trust.REPORTED,
        dependents=(_TIMES,),
        otherwise="West of Greenwich the meeting is taken for the day before or after.",
    ),
    Belief(
        key="microsoft.change-key",
        text="`changeKey` differs after every change of the event.",
        source=f"{_EVENT}, `changeKey`",
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE, "services/sync_worker/deciding/references.py"),
        otherwise="A change of title or guests is not taken up before the next change of an answer.",
    ),
    Belief(
        key="microsoft.gone-is-404",
        text="Reading an event that was deleted is answered with 404.",
        source="learn.microsoft.com/graph/errors; microsoftgraph/microsoft-graph-docs#15350",
        trust=Trust.REPORTED,
        dependents=(_ROUNDS, "shared/providers/failures.py"),
        otherwise="A removal is not confirmed; the room of the meeting stays as it was until the full look.",
    ),
    Belief(
        key="microsoft.transaction-id",
        text="A second create with the same `transactionId` makes no second event.",
        source=f"{_EVENT}, `transactionId`",
        trust=Trust.DOCUMENTED,
        dependents=("shared/providers/microsoft/booking.py", _CLIENT),
        otherwise="A booking that is sent again after a lost answer stands twice in the calendar.",
    ),
    Belief(
        key="microsoft.transaction-id-shown",
        text="An event that was made with a `transactionId` shows it in delta and in the calendar view.",
        source=f"{_EVENT}, `transactionId`; events that Outlook makes show theirs in lists",
        trust=Trust.DOCUMENTED,
        dependents=("shared/providers/microsoft/reminders.py", _PARSE, _CLIENT),
        otherwise="A reminder of ours is shown in its person's own agenda as if it were a meeting.",
    ),
    Belief(
        key="microsoft.room-declines",
        text="A room that declines stands as `declined` among the attendees of the organiser's copy.",
        source="learn.microsoft.com/graph/api/resources/responsestatus; for rooms nobody says it in so many words",
        trust=Trust.ASSUMED,
        dependents=(_PARSE, _FOLD),
        otherwise="No decline is ever told.",
    ),
    Belief(
        key="microsoft.answers-survive-patch",
        text="Writing the list of attendees without `status` keeps the answers of those who stay.",
        source="learn.microsoft.com/graph/api/event-update does not say it; a client cannot set an answer anyhow",
        trust=Trust.ASSUMED,
        dependents=(_ROOMS, "services/sync_worker/deciding/opened_answers.py"),
        otherwise="Taking another room opens every guest's answer; what other rooms had answered counts until they answer again.",
    ),
    Belief(
        key="microsoft.written-decline-opens",
        text="A `declined` that is written back among the attendees becomes `notResponded`; an `accepted` stays.",
        source="microsoftgraph/microsoft-graph-docs#5545 and #16158",
        trust=Trust.REPORTED,
        dependents=(_ROOMS,),
        otherwise="Nothing: no answer is ever written.",
    ),
    Belief(
        key="microsoft.series-at-once",
        text=(
            "Changing the attendees of a series changes them on all its dates, past ones too, but not on those that were "
            "changed for themselves."
        ),
        source=(
            "learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxocal, 3.1.4.6.2 (recipients are copied when an "
            "exception is made) and 3.1.4.7.3.5 (an update of the series is followed by one of each exception to come); for "
            "Graph nobody says it"
        ),
        trust=Trust.REPORTED,
        dependents=("shared/meetings/series_refusals.py", "services/sync_worker/looking/series_swap.py"),
        otherwise="Nothing: a date that follows its series is found changed, and left as it is; guests get fewer mails.",
    ),
    Belief(
        key="microsoft.move-asks-again",
        text="A meeting that is moved asks its rooms again; their earlier answers are gone.",
        source=(
            "learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxocal, 3.1.4.7.3.2: the organiser's program should clear"
            " answers, where responses are requested; that Graph does, and that rooms are asked, no page says"
        ),
        trust=Trust.ASSUMED,
        dependents=(_FOLD, "services/room_status/deciding/room_transitions.py"),
        otherwise="An answer that was seen beside the earlier time is none to the new one: the room is pending until it answers.",
    ),
    Belief(
        key="microsoft.answer-moment",
        text="An attendee's `status.time` is that of the answer: it rises with each answer, and a change of the meeting leaves it.",
        source=(
            "learn.microsoft.com/graph/api/resources/responsestatus; learn.microsoft.com/openspecs/exchange_server_protocols/"
            "ms-oxocal, 3.1.5.2 (an answer that is not later is out of date) and 3.1.4.7.3.2 (need not change)"
        ),
        trust=Trust.DOCUMENTED,
        dependents=("shared/providers/microsoft/parse.py", "services/room_status/deciding/room_transitions.py"),
        otherwise="A room that answers a new time with an earlier moment reads as pending.",
    ),
    Belief(
        key="microsoft.late-decline",
        text="A room may decline at any time after it accepted: its owner, a policy or a missed check-in takes it back.",
        source="learn.microsoft.com/powershell/module/exchange/set-calendarprocessing",
        trust=Trust.DOCUMENTED,
        dependents=(_FOLD,),
        otherwise="Nothing: a room that keeps its word is the ordinary case.",
        not_tried="it takes somebody who decides for the room",
    ),
    Belief(
        key="microsoft.guest-copy-lags",
        text="A guest's copy does not follow the answers of others; the organiser's alone is complete.",
        source="microsoftgraph/microsoft-graph-docs#5281",
        trust=Trust.REPORTED,
        dependents=("services/room_status/deciding/speaking.py", "shared/providers/microsoft/profile.py"),
        otherwise="Nothing is lost; a guest's copy could be believed earlier than it is.",
        not_tried=_TWO_PEOPLE,
    ),
    Belief(
        key="microsoft.no-answer-has-two-words",
        text="An attendee without an answer reads `notResponded` in their own copy and `none` in all others.",
        source="learn.microsoft.com/graph/api/resources/responsestatus",
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE,),
        otherwise="Nothing: both words are read as no answer.",
        not_tried=_TWO_PEOPLE,
    ),
    Belief(
        key="microsoft.draft",
        text="While `isDraft` is set the organiser has changed the meeting and not sent it: attendees' answers may be stale.",
        source=f"{_EVENT}, `isDraft`",
        trust=Trust.DOCUMENTED,
        dependents=(_PARSE, "services/sync_worker/deciding/references.py"),
        otherwise="What was believed before is kept for longer than needed.",
        not_tried="the API makes no draft of a meeting that was sent",
    ),
    Belief(
        key="microsoft.draft-of-a-series",
        text="While a series is a draft, its dates show the draft, but for those that were changed for themselves.",
        source=(
            "learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxocal, 2.2.1.44 (dates are computed from the series);"
            " what `isDraft` says of a date no page tells"
        ),
        trust=Trust.ASSUMED,
        dependents=("services/sync_worker/deciding/references.py",),
        otherwise="What was believed of the dates before is kept for longer than needed.",
        not_tried="the API makes no draft of a meeting that was sent",
    ),
    Belief(
        key="microsoft.type-is-a-claim",
        text="`attendees[].type` is what the organiser's program sent: anybody can be invited as a resource.",
        source="learn.microsoft.com/graph/api/resources/attendeebase",
        trust=Trust.DOCUMENTED,
        dependents=("services/sync_worker/deciding/listed_rooms.py",),
        otherwise="Nothing: what is no room by the directory or the operator is none.",
        not_tried="it would invite somebody",
    ),
)
