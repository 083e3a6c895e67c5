"""Why a room could not be taken, as a worker wrote it down, in sentences that can be translated. Pure."""

from __future__ import annotations

from shared.language.deciding.sentences import Sentence, say

_REFUSED = "the calendar refused: "
_SENTENCES = (
    say("The calendar could not be reached in time; look at the meeting there before you try once more."),
    say("The wish cannot be read any more; your meeting is as it was."),
    say("The room is no longer in the list of rooms; your meeting is as it was."),
    say("The meeting is no longer there."),
    say("The meeting kept changing while we tried; look at it in your calendar before you try once more."),
    say("The meeting is no longer there: it was cancelled."),
    say("The meeting is over; your meeting is as it was."),
    say("The meeting was moved since you asked, and its rooms are asked for the new time; your meeting is as it was."),
    say("The room that had declined has accepted after all; your meeting is as it was."),
    say("Another room has been asked since; your meeting is as it was."),
    say("The meeting is no series any more; your meeting is as it was."),
    say("Only the organiser can change the rooms of a series; your meeting is as it was."),
    say("The series has begun, so its dates are changed one by one: choose again; your meeting is as it was."),
    say("The room does not refuse the whole series any more: choose again; your meeting is as it was."),
    say("The room has not refused all dates of the series: choose again; your meeting is as it was."),
)
_BY_REASON = {str(each): each for each in _SENTENCES}
"""By the sentence that a reason becomes."""


def explain_reason(reason: str) -> Sentence | str:
    """
    The sentence for the reason of a take that failed.

    Args:
        reason: As its row has it: a clause without a capital letter and a full stop; "" for none.

    Returns:
        The sentence; a reason that is none of ours, such as one that a calendar system gave, as it is.
    """
    if not reason:
        return ""
    sentence = f"{reason[0].upper()}{reason[1:]}."
    if sentence in _BY_REASON:
        return _BY_REASON[sentence]
    before, refused, why = reason.partition(_REFUSED)
    if not refused:
        return sentence
    if before:
        return say("Your meeting is as it was, since the calendar refused: {why}.").format(why=why)
    return say("The calendar refused: {why}.").format(why=why)
