"""References of events: what version 1 kept of people in guests' copies is read as their number."""

from __future__ import annotations

import msgspec
import pytest

from shared.contracts import attendee_snapshot
from shared.contracts import envelope as envelopes
from shared.contracts.attendee_snapshot import AttendeeAnswers, SnapshotPiece
from shared.contracts.calendar_state import REFERENCE_TYPE, EventReference
from shared.crypto.records import open_record, sealed_envelope
from shared.crypto.references import open_reference, sealed_reference
from shared.domain.attendees import Answer
from shared.errors import NewerRecordError
from tests.support.builders import KEYS

ADA, BEN = KEYS.person("ada@contoso.test"), KEYS.person("ben@contoso.test")
EARLIER = EventReference(
    event_id="e1", uid="m-1", kind="single", organizer=ADA, people={BEN: Answer.ACCEPTED}, rooms={"r-1": Answer.NONE}
)
KEY = f"{KEYS.tenant}/m-ada/e".encode()


@pytest.mark.proves("D5", "D6", "M7")
@pytest.mark.parametrize(
    ("people", "seats"),
    [({BEN: Answer.ACCEPTED}, 2), ({ADA: Answer.ACCEPTED, BEN: Answer.NONE}, 2), ({}, 1), (None, None)],
)
@pytest.mark.parametrize("organizes", [True, False])
def test_people_whom_version_1_kept_are_read_as_their_number_and_stay_in_the_organisers_copy(
    people: dict[str, Answer] | None, seats: int | None, organizes: bool
) -> None:
    earlier = msgspec.structs.replace(EARLIER, people=people, is_organizer=organizes)
    value = sealed_envelope(KEYS, earlier, key=KEY, type=REFERENCE_TYPE, id="e")
    found = open_reference(KEY, envelopes.decode(value), KEYS)
    assert found == msgspec.structs.replace(earlier, people=people if organizes else None, seats=seats)


def test_what_is_written_a_process_of_version_1_refuses() -> None:
    """It would take the meeting for one that needs no seats."""
    value = sealed_reference(KEY, KEYS, msgspec.structs.replace(EARLIER, people=None, seats=2), "e")
    assert open_reference(KEY, envelopes.decode(value), KEYS).seats == 2
    with pytest.raises(NewerRecordError, match="version 2"):
        open_record(KEY, value, KEYS, EventReference)


def test_people_apart_are_refused_by_a_process_that_knows_references_alone() -> None:
    """It would take them for an event, look in full at every start, and leave them behind when the person disconnects."""
    piece = SnapshotPiece(series="s", people={BEN: AttendeeAnswers(Answer.ACCEPTED)})
    value = sealed_envelope(
        KEYS, piece, key=KEY, type=attendee_snapshot.TYPE, version=attendee_snapshot.VERSION, id="s"
    )
    for newest in (1, 2):
        with pytest.raises(NewerRecordError, match="version 3"):
            open_record(KEY, value, KEYS, EventReference, newest=newest)
