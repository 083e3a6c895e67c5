"""References at rest are small, and come back as they were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.sync_worker.deciding.packed_references import NO_REFERENCES, pack_references, unpack_references
from services.sync_worker.memory import TrackedMailbox
from shared.contracts.calendar_state import EventReference, MailboxState
from shared.domain.attendees import Answer

HASHES = st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26)
ANSWERS = st.none() | st.dictionaries(HASHES, st.sampled_from(Answer), max_size=3)
REFERENCES = st.builds(
    EventReference, event_id=st.text(max_size=152), uid=HASHES, kind=st.sampled_from(["single", "master"]),
    start_ms=st.integers(0, 2**42), seats=st.none() | st.integers(0, 500), rooms=ANSWERS, people=ANSWERS,
    version=st.text(max_size=20), is_organizer=st.booleans(),
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=5), REFERENCES, max_size=5))
def test_packed_references_come_back_in_their_order(found: dict[str, EventReference]) -> None:
    references = {reference.event_id: reference for reference in found.values()}
    unpacked = unpack_references(pack_references(references.values()))
    assert list(unpacked.items()) == list(references.items())


def test_mailbox_holds_them_packed_and_gives_a_copy() -> None:
    held = TrackedMailbox(MailboxState(provider="google"))
    assert (held.references, held.packed, held.count_kept()) == ({}, NO_REFERENCES, 0)
    kept = EventReference(event_id="e", uid="m", kind="single", rooms={"r": Answer.DECLINED})
    held.references = {"e": kept}
    held.references.clear()
    assert (held.references, held.count_kept()) == ({"e": kept}, 1)


def test_reference_of_two_rooms_takes_less_than_half_a_kilobyte() -> None:
    references = [
        EventReference(
            event_id=f"AAMk{number:0148d}", uid=f"m-{number:026d}", kind="single", start_ms=1_790_000_000_000,
            end_ms=1_790_003_600_000, organizer=f"p-{number:026d}", is_organizer=True, seats=6,
            rooms=dict.fromkeys([f"r-{number:026d}", f"r-{number + 1:026d}"], Answer.ACCEPTED), version=f"CQAAABYAAA{number}",
        )
        for number in range(100)
    ]  # fmt: skip
    assert len(pack_references(references)) / len(references) < 500
