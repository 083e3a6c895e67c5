"""What a finished look writes: observations for the log, references and the mailbox for the state. Pure but for sealing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from services.sync_worker.deciding import mailbox as mailboxes
from services.sync_worker.deciding.drift import DriftCount, find_drift
from services.sync_worker.deciding.job import ASLEEP, TAKE_AGAIN_MS, Outcome
from services.sync_worker.deciding.left_meetings import Ends, KeptMeetings, leave_out_ended, meetings_to_keep
from services.sync_worker.deciding.listed_rooms import ListedRooms
from services.sync_worker.deciding.mailbox import Pace, after_failure, after_look
from services.sync_worker.deciding.parking import ParkedMeeting, park, unread_meetings, with_parked_as_before
from services.sync_worker.deciding.people import Snapshots, follow_people
from services.sync_worker.deciding.pieces import CommitPart, divide_large, fit_together, is_large, meeting_parts
from services.sync_worker.deciding.records import event_changes, observation_records
from services.sync_worker.deciding.references import (
    Merge,
    References,
    blind,
    changed_meetings,
    meeting_of,
    meetings_with_rooms,
    merge_in_turn,
    observe,
    organized_meetings,
    withdraw,
)
from services.sync_worker.memory import TrackedMailbox, left_change, reference_change, snapshot_changes, state_change
from shared.contracts.calendar_state import DueReason, EventReference, MailboxState
from shared.contracts.copy_observation import CopyObservation
from shared.contracts.meeting_state import meeting_of_key
from shared.domain.identity import Mailbox, partition_of
from shared.domain.instants import MINUTE_MS
from shared.domain.keys import TenantKeys

BLIND_AFTER_MS = MINUTE_MS
"""An appointment further off than this leaves the copies of a mailbox without a word until it is kept."""

QUIET_MS = MINUTE_MS
"""A difference that an audit finds sooner after a push may be a change that is still on its way: it is corrected, not counted."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What a look leads to; `state` None means that the mailbox is no longer held."""

    parts: list[CommitPart]
    """To be committed in this order, each whole."""
    state: MailboxState | None
    references: dict[str, EventReference]
    left: KeptMeetings | None = None
    """What is kept of a mailbox that leaves, or (nothing any more) of one that has returned; None: as before."""
    snapshots: Snapshots | None = None
    """What is remembered of people; None: as before."""
    parked: Sequence[ParkedMeeting] | None = None
    """Meetings of which nothing is written, because a record would exceed its bound; None: nothing was looked at."""
    drift: DriftCount | None = None
    """What an audit found; None: it was none, or the calendar could not be compared."""


def settle(
    held: TrackedMailbox,
    outcome: Outcome,
    *,
    keys: TenantKeys,
    rooms: ListedRooms,
    pace: Pace,
    partitions: int,
    now_ms: int,
    kept: Ends,
) -> Settled:
    """
    Turn what a look gathered into what is written.

    Args:
        held: The mailbox as it is now: it may have heard more since the look began.
        rooms: The organisation's list of rooms.
        partitions: How many partitions `observations` has.
        kept: What was kept of the mailbox when it left before.
    """
    if outcome.gone:
        return _left(held, outcome, keys, partitions, now_ms, kept)
    if outcome.again:
        state = held.remembering(_carried(held, outcome))
        return Settled([mailbox_part(outcome.job.mailbox, state, keys)], state, held.references)
    if outcome.look is None:
        state = after_failure(
            _carried(held, outcome),
            retry_after_s=outcome.retry_after_s,
            now_ms=now_ms,
        )
        return _failed(held, outcome, held.remembering(state), keys, partitions, now_ms)
    return _looked(held, outcome, keys, rooms, pace, partitions, now_ms, kept)


def _failed(
    held: TrackedMailbox, outcome: Outcome, state: MailboxState, keys: TenantKeys, partitions: int, now_ms: int
) -> Settled:
    """A look that failed, with the appointment for the next. One that is far off leaves the mailbox's copies blind."""
    seen: list[CopyObservation] = []
    if not state.blind and state.baseline_done and state.due.get(DueReason.RETRY, 0) - now_ms > BLIND_AFTER_MS:
        at_ms = max(now_ms, state.observed_at_ms + 1)
        seen = blind(
            held.references, provider=state.provider, mailbox=outcome.job.mailbox.id, now_ms=at_ms,
            unchanged_until_ms=_last_look_ms(held.state),
        )  # fmt: skip
        state = msgspec.structs.replace(state, blind=True, observed_at_ms=at_ms)
    said = [CommitPart().add([record]) for record in observation_records(seen, outcome.job, keys, partitions)]
    # The mailbox first: should its owner die after some of them, the next look observes all.
    return Settled([mailbox_part(outcome.job.mailbox, state, keys), *said], state, held.references)


def postpone_look(held: TrackedMailbox, outcome_of: Mailbox, *, keys: TenantKeys, now_ms: int) -> Settled:
    """A look that takes too long: a durable appointment stands for its hints, so that input moves on."""
    state = mailboxes.made_due(held.remembering(held.state), DueReason.RECONCILE, now_ms + mailboxes.SLOW_LOOK_MS)
    return Settled([mailbox_part(outcome_of, state, keys)], state, held.references)


def mailbox_part(mailbox: Mailbox, state: MailboxState | None, keys: TenantKeys) -> CommitPart:
    """The mailbox's own record as a part; None deletes it."""
    return CommitPart().add(changes=[state_change(mailbox, state, keys)])


def _looked(
    held: TrackedMailbox,
    outcome: Outcome,
    keys: TenantKeys,
    rooms: ListedRooms,
    pace: Pace,
    partitions: int,
    now_ms: int,
    kept: Ends,
) -> Settled:
    job, state = outcome.job, outcome.state
    if outcome.look is None:
        message = "a look without result cannot be settled as one"
        raise ValueError(message)
    window = mailboxes.window_of(state)
    began_ms = max(job.started_at_ms, held.state.observed_at_ms + 1)
    known = held.references
    looks = [outcome.increment, outcome.look] if outcome.increment else [outcome.look]
    merges = merge_in_turn(
        known, looks, window=window, provider=state.provider, keys=keys, rooms=rooms, opened=outcome.opened
    )
    announced, merged = merges[0], merges[-1]
    owed, unread = job.state.owed, frozenset(held.state.unread)
    seen = observe(
        merged.references, _meetings_to_observe(held, outcome, known, merged, keys, full=outcome.look.full),
        provider=state.provider, mailbox=job.mailbox.id, keys=keys, now_ms=began_ms, baseline=not state.baseline_done,
        window=window, left=leave_out_ended(kept, now_ms).keys(), unchanged_until_ms=_last_look_ms(held.state),
    )  # fmt: skip
    people = follow_people(held.snapshots, known, merged, keys)
    by_series = {name: snapshot_changes(job.mailbox, name, each, keys) for name, each in people.changed.items()}
    changes = event_changes(job.mailbox, merged, people.events, by_series, keys)
    seen = [msgspec.structs.replace(one, baseline=True) if one.meeting in unread else one for one in seen]
    records = observation_records([*_observe_lost_baseline(held, outcome, known, keys), *seen], job, keys, partitions)
    parts, parked = park(
        meeting_parts(records, changes, known, merged.references),
        job.mailbox,
        partition_of(job.mailbox.key, partitions),
    )
    references, snapshots = merged.references, people.snapshots
    if parked:
        references = with_parked_as_before(known, references, changes, parts)
        snapshots = with_parked_as_before(held.snapshots, snapshots, by_series, parts)
    after = after_look(
        _carried(held, outcome),
        known,
        references,
        job=job,
        full=outcome.look.full and (outcome.increment is None or announced.references == known),
        pace=pace,
        now_ms=now_ms,
    )
    done = {take.take_id for take in job.takes} - outcome.waiting_takes
    if outcome.waiting_takes:
        after = mailboxes.made_due(after, DueReason.RECONCILE, now_ms + TAKE_AGAIN_MS)
    after = msgspec.structs.replace(
        after,
        owed={key: after.owed[key] for key in after.owed if key not in owed},
        takes={take_id: take for take_id, take in held.takes.items() if take_id not in done},
        full=held.full and not job.full,
        observed_at_ms=began_ms,
        blind=False,
        unread=unread_meetings(unread, parked, baseline=not state.baseline_done),
    )
    if parked:
        after = msgspec.structs.replace(after, cursor="")  # an increment would not bring what was not written
    last = mailbox_part(job.mailbox, after, keys).add(changes=[left_change(job.mailbox, {}, keys)] if kept else [])
    return Settled(
        [*_divided(held, parts, job.mailbox, keys), last],
        after,
        references,
        left=KeptMeetings({}, keys.era) if kept else None,
        snapshots=snapshots,
        parked=parked,
        drift=_drift(held, outcome, announced.references, merged.references, now_ms),
    )


def _drift(
    held: TrackedMailbox, outcome: Outcome, announced: References, shown: References, now_ms: int
) -> DriftCount | None:
    """What an audit found, unless the calendar is just changing: its two readings were not made at one moment."""
    changing = held.state.heard_at_ms + QUIET_MS > outcome.job.started_at_ms
    return None if outcome.increment is None or changing else find_drift(announced, shown, now_ms)


def _divided(held: TrackedMailbox, parts: Sequence[CommitPart], mailbox: Mailbox, keys: TenantKeys) -> list[CommitPart]:
    """
    The parts, such as exceed a commit divided.

    Before these it goes on record that their meetings are to be observed anew: an owner that dies between two of their commits
    would leave references of which no observation was sent.
    """
    large = [part for part in parts if is_large(part)]
    if not large:
        return [*parts]
    meetings = {meeting_of_key(record.key) for part in large for record in part.observations}
    owed = {**held.state.owed, **{meeting: held.state.owed.get(meeting, False) for meeting in sorted(meetings)}}
    opening = mailbox_part(mailbox, held.remembering(msgspec.structs.replace(held.state, owed=owed)), keys)
    return [opening, *(each for part in parts for each in divide_large(part))]


def _meetings_to_observe(
    held: TrackedMailbox, outcome: Outcome, known: References, merged: Merge, keys: TenantKeys, *, full: bool
) -> set[str]:
    """
    Choose the meetings of which this mailbox says something else than it did.

    A full look moves the window, and a baseline says everything once: their meetings are observed whatever they show. So are
    those that somebody asked for (`owed`), since the second look that confirms a decline has to say the same once more, and
    those whose copies were blind. An audit leaves the window where it is: it observes those that ask for a room besides, so that
    what was made of an earlier observation is corrected too.
    """
    whole = (full and outcome.increment is None) or not outcome.state.baseline_done
    changed = merged.meetings if whole else changed_meetings(known, merged.references, merged.meetings, keys=keys)
    unseen = organized_meetings(merged.references) if held.state.blind else set[str]()
    audited = meetings_with_rooms(merged.references) if outcome.increment else set[str]()
    return {*changed, *outcome.job.state.owed, *unseen, *audited}


def _observe_lost_baseline(
    held: TrackedMailbox, outcome: Outcome, references: References, keys: TenantKeys
) -> list[CopyObservation]:
    """
    What a baseline had said and was lost, once more and as silently, before what this look shows.

    Without it a room that had declined before its owner connected would be announced now.
    """
    lost = {meeting for meeting, was_baseline in outcome.job.state.owed.items() if was_baseline}
    known = {meeting_of(references, event_id) for event_id in references}
    return observe(
        references, lost & known, provider=outcome.state.provider, mailbox=outcome.job.mailbox.id, keys=keys,
        now_ms=held.state.observed_at_ms or held.state.looked_at_ms, baseline=True,
        window=mailboxes.window_of(held.state),
    )  # fmt: skip


def _left(
    held: TrackedMailbox, outcome: Outcome, keys: TenantKeys, partitions: int, now_ms: int, kept: Ends
) -> Settled:
    """The mailbox is not connected any more. Switching an organisation off ends its memory, so that nothing is kept then."""
    job, known = outcome.job, held.references
    keeps = {} if outcome.gone == ASLEEP else meetings_to_keep(known, kept, owed=held.state.owed, now_ms=now_ms)
    seen = withdraw(
        known, held.state.owed, provider=outcome.state.provider, mailbox=job.mailbox.id,
        now_ms=max(now_ms, held.state.observed_at_ms + 1), unchanged_until_ms=_last_look_ms(held.state),
    )  # fmt: skip
    changes = {event_id: [reference_change(job.mailbox, event_id, None, keys)] for event_id in sorted(known)}
    for series, pieces in held.snapshots.items():
        changes[series] = snapshot_changes(job.mailbox, series, dict.fromkeys(pieces), keys)
    # One that rejoins is connected anew: no cursor, no subscription, and a baseline that announces nothing.
    fresh = MailboxState(provider="", due={DueReason.RECONCILE: now_ms}) if outcome.rejoin else None
    opening = CommitPart().add(changes=[left_change(job.mailbox, keeps, keys)] if keeps != kept else [])
    parts = [
        *meeting_parts(observation_records(seen, job, keys, partitions), changes, known, {}),
        mailbox_part(job.mailbox, fresh, keys),
    ]
    parts = [each for part in parts for each in divide_large(part, observations_first=True)]
    if not fit_together(opening, *parts):
        # Should its owner die meanwhile, and its person come back, it is looked at in full.
        to_look_at = msgspec.structs.replace(held.state, cursor="", baseline_done=False)
        opening.add(changes=[state_change(job.mailbox, to_look_at, keys)])
    return Settled([opening, *parts], fresh, {}, left=KeptMeetings(keeps, keys.era), snapshots={})


def _last_look_ms(state: MailboxState) -> int:
    """When the mailbox's last look began; 0 where its copies are blind since, as they said so at that moment."""
    return 0 if state.blind else state.observed_at_ms


def _carried(held: TrackedMailbox, outcome: Outcome) -> MailboxState:
    """The look's own results, and what was heard while it ran."""
    made = outcome.state.subscription != outcome.job.state.subscription
    return msgspec.structs.replace(
        outcome.state,
        subscription=outcome.state.subscription if made else held.state.subscription,
        heard_at_ms=held.state.heard_at_ms,
        announced=held.state.announced,
        connected=held.state.connected,
        asleep=held.state.asleep,
        doubted_at_ms=held.state.doubted_at_ms,
        due=held.state.due,
        owed=held.state.owed,
    )
