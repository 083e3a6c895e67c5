"""
What the simulator does when it contradicts one belief about a provider.

The keys are those of the product's table of beliefs (`docs/beliefs.md`); the simulator imports nothing of the product, and a test
holds that both know the same. Without a contradiction the simulator behaves as is believed.
"""

from __future__ import annotations

from collections.abc import Mapping

CONTRADICTS = "contradicts"
"""The name of the switch: a list of keys."""

CONTRADICTIONS: Mapping[str, str] = {
    "microsoft.delta-link-last": "every page of a delta round has a delta link, beside the next link too",
    "microsoft.removed-event": "delta says nothing of an event that was deleted",
    "microsoft.outside-window": "delta says nothing of events outside its window",
    "microsoft.occurrences-sparse": "delta gives the dates of a series with everything",
    "microsoft.cancelled-date-unnamed": "delta names a cancelled date as removed",
    "microsoft.series-master-id": "dates name their series in another format of id",
    "microsoft.uid-of-a-date": "dates have the iCalUId of their series",
    "microsoft.original-start": "originalStart is the local time of the meeting's zone",
    "microsoft.all-day-midnight": "all-day events are shifted to the preferred time zone",
    "microsoft.change-key": "changeKey stays the same",
    "microsoft.gone-is-404": "a deleted event is answered with 410",
    "microsoft.transaction-id": "transactionId is ignored",
    "microsoft.transaction-id-shown": "lists and rounds show no transactionId",
    "microsoft.room-declines": "the organiser's copy shows a declining room without an answer",
    "microsoft.answers-survive-patch": "attendees written without status lose their answers, and rooms are asked again",
    "microsoft.written-decline-opens": "a declined that is written back among the attendees stays",
    "microsoft.answer-moment": "each answer of an attendee has an earlier moment than the one before",
    "microsoft.move-asks-again": "a moved meeting keeps its answers, and its rooms are not asked",
    "microsoft.series-at-once": "another guest list of a series reaches the dates that were changed for themselves, too",
    "microsoft.push-latency": "no notification leaves",
    "microsoft.person-id": "/me names the person by another id",
    "microsoft.own-addresses": "/me says nothing of the addresses that reach the person",
    "microsoft.schedule-twenty": "getSchedule takes at most ten addresses",
    "microsoft.schedule-unknown-address": "getSchedule refuses the whole call for an unknown address",
    "google.sync-token-last-page": "every page has a sync token, beside the next page's token too",
    "google.windowed-sync-token": "a list that is bound by times gives no sync token",
    "google.bad-sync-token": "a sync token that cannot be read is refused with 403",
    "google.cancelled-date-named": "increments say nothing of a cancelled date",
    "google.instance-id": "the id of a date does not contain its start",
    "google.deleted-event-named": "increments say nothing of a deleted event",
    "google.deleted-event-readable": "a deleted event is answered with 404",
    "google.uid-of-a-series": "each date has an iCalUID of its own",
    "google.own-event-id": "an insert with a known id makes another event under another id",
    "google.private-properties": "lists and increments give no private extended properties",
    "google.if-match": "If-Match is ignored",
    "google.room-declines": "the organiser's copy shows a declining room without an answer",
    "google.answers-survive-patch": "attendees that are written back lose their answers, and rooms are asked again",
    "google.move-asks-again": "a moved meeting keeps its answers, and its rooms are not asked",
    "google.series-at-once": "another guest list of a series reaches the dates that were changed for themselves, too",
    "google.push-latency": "no notification leaves",
    "google.person-id": "userinfo names the person by another sub",
    "google.hosted-domain": "hd is the first domain of the organisation",
    "google.free-busy-scope": "calendar.freebusy is not enough for freeBusy.query",
    "google.free-busy-unknown": "a calendar one may not see has no busy times and no error",
    "google.free-busy-fifty": "freeBusy.query answers for twenty calendars",
}
