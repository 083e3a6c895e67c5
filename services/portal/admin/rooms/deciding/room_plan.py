"""What an import would do to the list of rooms, whether they come from a sheet or from the provider's directory. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from services.portal.admin.rooms.deciding.directory_match import index_rooms, match_room, merge_listing
from shared.contracts.rows import RoomProof, RoomRow
from shared.domain.sighting import DirectoryRoom
from shared.language.deciding.sentences import say

NAME_CHARS = 32
NOT_SAID = say("not said")
WHEELCHAIR = {None: "", True: "yes", False: "no"}
"""As a sheet has it."""
_WHEELCHAIR_WORDS = {None: "", True: say("yes"), False: say("no")}


@dataclass(frozen=True, slots=True)
class SheetError:
    """A line that cannot be used."""

    line: int
    """Counted from 1, the names of the columns being the first; 0: the sheet as a whole."""
    words: str


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """What an import would do to the list."""

    new: Mapping[str, RoomRow] = field(default_factory=dict)
    """Room id → what would be entered."""
    changed: Mapping[str, RoomRow] = field(default_factory=dict)
    """Room id → how it would stand."""
    changes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Room id → what would change of it, in words."""
    gone: Mapping[str, RoomRow] = field(default_factory=dict)
    """Rooms that the directory listed and lists no more; an import leaves them as they are."""
    same: int = 0
    errors: Sequence[SheetError] = ()

    @property
    def applies(self) -> bool:
        """Whether it can be done, and does something."""
        return not self.errors and bool(self.new or self.changed)

    @property
    def name(self) -> str:
        """Stands for what it says would be done: two plans that say the same have the same one."""
        rows = {room: msgspec.structs.replace(row, paired=False) for room, row in {**self.new, **self.changed}.items()}
        said = sorted((room, row, [str(line) for line in self.changes.get(room, ())]) for room, row in rows.items())
        return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:NAME_CHARS]


def plan_listing(
    listed: Iterable[DirectoryRoom], known: Mapping[str, RoomRow], room_id: Callable[[str], str]
) -> RoomPlan:
    """
    Compare what the provider's directory lists with the list.

    Args:
        listed: As the directory lists them; of those that are the same room, the last counts.
        known: Room id → room, as the list stands.
        room_id: Names the room that has an address.
    """
    index, after = index_rooms(known), dict[str, RoomRow]()
    for each in listed:
        room = match_room(index, each) or room_id(each.address)
        after[room] = merge_listing(each, after.get(room) or known.get(room))
    changed = {room: row for room, row in after.items() if room in known and row != known[room]}
    return RoomPlan(
        new={room: row for room, row in after.items() if room not in known},
        changed=changed,
        changes={room: tuple(describe_changes(known[room], row)) for room, row in changed.items()},
        gone={room: row for room, row in known.items() if room not in after and row.proof is RoomProof.DIRECTORY},
        same=len(after.keys() & known.keys()) - len(changed),
    )


def describe_changes(before: RoomRow, after: RoomRow) -> Iterator[str]:
    """Say what an administrator would see changed."""
    for words, was, becomes in (
        (say("Name"), before.name, after.name),
        (say("Address"), before.address, after.address),
        (say("Seats"), before.capacity, after.capacity),
        (say("Building"), before.building, after.building),
        (say("Floor"), before.floor, after.floor),
        (say("Section"), before.section, after.section),
        (say("Equipment"), ", ".join(before.equipment), ", ".join(after.equipment)),
        (say("Wheelchair"), _WHEELCHAIR_WORDS[before.accessible], _WHEELCHAIR_WORDS[after.accessible]),
        (say("Description"), before.description, after.description),
    ):
        if was != becomes:
            yield say("{field}: {before} → {after}").format(
                field=words, before=was or NOT_SAID, after=becomes or NOT_SAID
            )
    if before.resource != after.resource:
        yield say("Confirmed by the directory")
    if before.directory_id != after.directory_id:
        yield say("Known by its id in the directory")
