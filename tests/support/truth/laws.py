"""What must hold of every history, each law on its own. A law yields a sentence for each way in which it is broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shared.contracts.room_outcome import REGAINED_TYPE, OutcomeReason
from tests.support.truth.history import Play, is_ahead
from tests.support.truth.model import DECLINED, NONE, ORGANISER, Ask, Witness

WORDS = {NONE: "pending", "accepted": "accepted", DECLINED: "declined"}


def nothing_invented(play: Play) -> Iterator[str]:
    """No ask is told more often than its room really declined."""
    for ask, count in play.product.declines().items():
        if count > play.calendar.declines.get(ask, 0):
            yield f"{ask} told {count} times, declined {play.calendar.declines.get(ask, 0)} times"


def declines_as_witnessed(play: Play) -> Iterator[str]:
    """Where the organiser's words alone are heard, exactly the witnessed declines are told."""
    witness = Witness()
    for word in play.heard:
        if word.person == ORGANISER:
            witness.hear(word)
    told = play.product.declines()
    for ask in sorted({*told, *witness.told}):
        least = witness.told.get(ask, 0)
        most = least + witness.doubtful.get(ask, 0)
        if not least <= told[ask] <= most:
            yield f"{ask} told {told[ask]} times, witnessed {least} to {most} times"


def nothing_lost(play: Play) -> Iterator[str]:
    """A room that was seen not to decline, and has declined that same ask for good, was told."""
    alive: set[Ask] = set()
    for word in play.heard:
        if word.person in play.product.believed:
            alive |= {
                (number, room, date.start_ms)
                for number, date in word.dates
                for room, said in date.rooms
                if said != DECLINED
            }
    told = play.product.declines()
    for ask in _declined_asks(play):
        if ask in alive and _speaks(play) and not told[ask]:
            yield f"{ask} was seen alive, has declined, and was never told"


def states_are_true(play: Play) -> Iterator[str]:
    """After everybody was looked at, states are the truth where somebody can be believed, and unknown where nobody can."""
    states = play.product.states(play.calendar.now_ms)
    for number, date in play.calendar.dates.items():
        if not is_ahead(play, number):
            continue
        for room, said in date.rooms:
            found = states.get((number, room), "absent")
            if _speaks(play) and found != WORDS[said]:
                yield f"{room} on {number} is {found}, is really {WORDS[said]}"
            if not _speaks(play) and found in WORDS.values():
                yield f"{room} on {number} is {found}, and nobody can be believed"
    for (number, room), found in states.items():
        truth = play.calendar.dates.get(number)
        asked = truth is not None and truth.answer(room) is not None
        over = {"gone", "released", "absent"}
        # A guest's calendar that loses a date says nothing of the meeting: it may have lost the invitation alone. An organiser's
        # calendar says nothing of what it never showed.
        if ORGANISER not in play.connected or not _was_shown_to_organiser(play, number, room):
            over.add("unknown")
        if _speaks(play) and not asked and found not in over:
            yield f"{room} on {number} is {found}, is not asked any more"


def prompts_are_right(play: Play) -> Iterator[str]:
    """Whoever can act is prompted for each decline that stands and was told; nobody else is."""
    actor = ORGANISER if ORGANISER in play.connected else ""
    told = play.product.declines()
    for person in sorted(play.connected):
        shown = set(play.product.prompts(person, play.calendar.now_ms, play.dismissed[person]).values())
        if person != actor:
            if shown and (actor or not play.product.guests_can_change):
                yield f"{person} is prompted for {sorted(shown)} and cannot act"
            continue
        standing = {(number, room) for number, room, start_ms in _declined_asks(play)}
        if extra := shown - standing:
            yield f"{person} is prompted for {sorted(extra)}, where nothing stands declined"
        for number, room, start_ms in _declined_asks(play):
            alone = len(play.calendar.dates[number].rooms) == 1
            away = any(True for _ in play.dismissed[person])
            expected = told[number, room, start_ms] and alone and not away and not play.product.is_quiet(number, room)
            if expected and (number, room) not in shown:
                yield f"{person} is not prompted for {room} on {number}"


def records_are_small(play: Play) -> Iterator[str]:
    """Every record is within its bound."""
    for name, size in play.product.sizes().items():
        if size > play.product.bound:
            yield f"{name} has {size} bytes, {play.product.bound} are allowed"


def replay_is_identical(play: Play) -> Iterator[str]:
    """Deciding the recorded observations again gives the same declines, byte for byte, and the same memory."""
    declines, outcomes = play.product.replayed()
    if declines != play.product.decided():
        yield "deciding again gave other declines"
    if outcomes != play.product.ended():
        yield "deciding again gave other outcomes"


def declines_end_once(play: Play) -> Iterator[str]:
    """What ends was told, and ends once."""
    ended, told = Counter(each.data.decline_id for each in play.product.outcomes()), play.product.published_declines()
    for decline, count in ended.items():
        if count > 1:
            yield f"{decline} ended {count} times"
        if decline not in told:
            yield f"{decline} ended and was never told"


def outcomes_are_right(play: Play) -> Iterator[str]:
    """
    What the person who can act is shown as closed has ended, unless a room has yet to answer; what is open has not.

    A prompt that another room had closed opens again when that room goes; its decline ended all the same.
    """
    if ORGANISER not in play.connected:
        return
    ended = {each.data.decline_id: each.data.reason for each in play.product.outcomes()}
    shown = play.product.all_prompts(ORGANISER, play.calendar.now_ms, play.dismissed[ORGANISER])
    for prompt in shown:
        reason = ended.get(prompt.id)
        if prompt.closing is not None and reason is None and not play.product.is_asking(prompt.occurrence):
            yield f"{prompt.id} is closed, {prompt.closing}, and has not ended"
        if prompt.open and reason not in REOPENED:
            yield f"{prompt.id} is open and has ended: {reason}"


def reasons_are_true(play: Play) -> Iterator[str]:
    """A date that has a room again has had one that accepted; one that moved has been moved."""
    dates = play.product.published_declines()
    for each in play.product.outcomes():
        number, reason = dates[each.data.decline_id], each.data.reason
        accepted = each.type == REGAINED_TYPE or reason in {OutcomeReason.ACCEPTED, OutcomeReason.PROVIDER}
        if accepted and number not in play.calendar.accepted:
            yield f"{each.data.decline_id} is {reason}, and no room of that date ever accepted"
        if reason is OutcomeReason.MOVED and number not in play.calendar.moved:
            yield f"{each.data.decline_id} is moved, and its date never was"


REOPENED = (None, OutcomeReason.REBOOKED, OutcomeReason.PROVIDER, OutcomeReason.DISMISSED)
"""How a decline may have ended whose prompt is open: the other room went, or it was put away by those asked before."""
ALWAYS = (nothing_invented, declines_end_once, records_are_small)
SETTLED = (
    nothing_invented, nothing_lost, states_are_true, prompts_are_right, outcomes_are_right, reasons_are_true,
    replay_is_identical,
)  # fmt: skip


def _speaks(play: Play) -> bool:
    return any(person in play.product.believed for person in play.connected)


def _was_shown_to_organiser(play: Play, number: int, room: str) -> bool:
    """Whether a look of the organiser has shown the room since it was invited last."""
    since_ms = play.calendar.invited_ms[number, room]
    shown = (word.dates for word in play.heard if word.person == ORGANISER and word.at_ms >= since_ms)
    return any(date.answer(room) is not None for dates in shown for of, date in dates if of == number)


def _declined_asks(play: Play) -> Iterator[Ask]:
    for number, date in play.calendar.dates.items():
        if is_ahead(play, number):
            yield from ((number, room, date.start_ms) for room, said in date.rooms if said == DECLINED)
