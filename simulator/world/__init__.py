"""The model that both provider sides share. One lock, one clock, one seed.

What a side (graph, google, identity) may call; everything under `with world.lock:` (re-entrant, never block inside):

* `world.now_ms()`; `world.ids.random(*parts)`, `.guid(*parts)`, `.token(length, alphabet, *parts)`, `.count(kind)`:
  everything that looks random comes from there, named by its parts, so that one seed gives one history.
* `world.directory`: `tenant(id|domain)`, `user(id|address)`, `room(id|address)`, `mailbox(...)`, `find(...) -> | None`,
  `rooms_of(tenant_id)`, dicts `tenants`, `users`, `rooms`.
* `world.calendar`: `copies(mailbox_id) -> [(Copy, Meeting)]`, `copy(mailbox_id, event_id)` (raises NotThereError),
  `removed(mailbox_id, event_id) -> Copy | None` (tombstones), `copy_of(mailbox_id, meeting_id)`,
  `dates(copy) -> [Instance]` (the dates that concern that owner; `cancelled`, `is_exception`, `key` = original start),
  `own_answer(copy, key)`, `busy(address, from_ms, to_ms) -> [Busy]`.
  A `Meeting` is the organiser's copy, its `attendees` never hold the organiser. `Copy.version` changes with every
  change of that copy (etag); `Copy.invited` is what a guest was last sent (Microsoft shows guests no more than that;
  at Google it follows every answer); `Copy.private` is the side's own (per-copy data).
  `Meeting.details` is free for content either side needs: body, location, sensitivity, showAs, allDay (bool) ...
* `world.bookings`: `create(organizer, Draft)`, `update(meeting, Edit, occurrence=None)`,
  `cancel(meeting, occurrence=None)`, `remove_copy(mailbox_id, meeting)`. `Invitee.answer=None` keeps what is known;
  `AttendeeAnswer.NONE` resets (and asks a room again): Google's array semantics. The client-chosen Google id is
  `MeetingDraft.event_id`; all Google copies of a meeting have `Meeting.event_id`.
* `world.desk`: `answer(meeting, address, Answer, occurrence=None, comment="", send_response=True)`,
  `release(meeting, address, occurrence=None)`. Rooms are asked, decide and are replaced by themselves.
* `world.feed`: `after(mailbox_id, seq, seen_by_ms=None) -> [Change]`, `position(mailbox_id, seen_by_ms=None)`,
  `is_expired(mailbox_id, seq)`: build delta and sync tokens on these. `seen_by_ms = now - faults.get("deltaLagMs")`.
* `world.on_change(listener)`: called for every `CalendarChange` inside the lock; plan notifications there.
* `world.scheduler.at(due_ms, action)`, `.after(delay_ms, action)`: on the world's clock, inside the lock.
* `world.delivery.send(Post(policy, url, headers, body, subject, still_wanted=...))`: applies the faults of the
  road and the side's `Policy` of retries; never blocks. `.run(job)` for something that may block. `http_post(...)` for
  handshakes.
* `world.faults.get(name, provider)`, `.declare(name, default, doc)` for switches of a side's own.
* `world.identity`: set by the identity side when it is wired; `.bearer(headers) -> Principal | None`.
* `world.subscription_listings[provider] = callable -> [dict]`: what the control API lists under subscriptions (give each
  at least provider, id, user, mailbox, expiresMs).
* `world.traffic.enter(provider, mailbox, {id, address}, path) -> (Refusal | None, seconds to dawdle, in flight)`, then
  `.leave(mailbox)`; keep the third in `flask.g.in_flight`.
* Errors are `simulator.world.errors`: NotThereError, TakenError, InvalidError, NotOrganizerError.

A side is wired by `create_app` with one function, `register(app: Flask, world: World) -> None`. It puts the principal
of each call it serves into `flask.g.principal`, so that the request log (`app.py`, after each request under
`/microsoft` and `/google`) can name whom the token spoke for. Request faults (`throttle`, `errorShare`, `latencyMs`,
`concurrencyLimit`) are asked of `world.traffic`.
"""

from simulator.world.clock import AdjustableClock, FileClock, ManualClock, OffsetClock, clock_from
from simulator.world.delivery import Policy, Post, http_post
from simulator.world.drafts import Edit, Invitee, MeetingDraft
from simulator.world.errors import InvalidError, NotOrganizerError, NotThereError, TakenError, WorldError
from simulator.world.model import (
    Attendee,
    AttendeeAnswer,
    BusyTime,
    CalendarChange,
    Copy,
    Instance,
    Mailbox,
    Meeting,
    Recurrence,
    Room,
    RoomRules,
    Tenant,
    User,
)
from simulator.world.world import IdentityService, Principal, World

__all__ = [
    "AdjustableClock",
    "Attendee",
    "AttendeeAnswer",
    "BusyTime",
    "CalendarChange",
    "Copy",
    "Edit",
    "FileClock",
    "IdentityService",
    "Instance",
    "InvalidError",
    "Invitee",
    "Mailbox",
    "ManualClock",
    "Meeting",
    "MeetingDraft",
    "NotOrganizerError",
    "NotThereError",
    "OffsetClock",
    "Policy",
    "Post",
    "Principal",
    "Recurrence",
    "Room",
    "RoomRules",
    "TakenError",
    "Tenant",
    "User",
    "World",
    "WorldError",
    "clock_from",
    "http_post",
]
