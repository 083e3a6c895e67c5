"""`python -m tests.contract.golden.write 1`: golden files of a schema version. What is there is never written again."""

from __future__ import annotations

import json
import sys

import msgspec

from shared.contracts.meeting_dictionary import MEETING_DICTIONARY
from shared.contracts.meeting_state import MEETING_TYPE, VERSION, DateRecord, MeetingRecord
from shared.crypto.master import MasterKeys
from shared.crypto.records import sealed_envelope
from shared.domain.instants import HOUR_MS
from shared.ports.holdings import StoredRow, WrappedKey
from shared.runtime.archive import Contents, Eras, seal_archive
from tests.contract.golden.kinds import example, kinds, required
from tests.support.builders import KEYS, NOW_MS, an_observation
from tests.support.paths import SAMPLES

GOLDEN = SAMPLES / "golden"
RING = MasterKeys("kgold", {"kgold": b"g" * 32})
OBSERVATION = an_observation(aare="declined")
KEY = f"{KEYS.tenant}/{OBSERVATION.meeting}".encode()
MEETING = MeetingRecord(
    provider="microsoft",
    meeting=OBSERVATION.meeting,
    organizer="p-one",
    organizer_mailbox="m-one",
    dates=(DateRecord(ref="o-one", start_ms=NOW_MS, end_ms=NOW_MS + HOUR_MS, seats=6, speaker="m-one", in_sight=True),),
    spoken={"m-one": NOW_MS},
    seen_until_ms=NOW_MS + HOUR_MS,
    version=1,
)
HELD = Contents(
    rows=[StoredRow("rooms", "t-1", "r-1", b"{}", NOW_MS)],
    eras={"t-1": Eras("d", "c")},
    keys=[WrappedKey("t-1", "data", "kgold", b"wrapped")],
)


def main() -> int:
    """Write what is missing of version `argv[1]`."""
    place = GOLDEN / f"v{int(sys.argv[1])}"
    place.mkdir(parents=True, exist_ok=True)
    texts = {f"{name}.json": msgspec.json.encode(example(kind)) for name, kind in kinds().items()}
    texts["bound-observation.bin"] = sealed_envelope(KEYS, OBSERVATION, key=KEY, type="observation", id="o-1")
    texts["compressed-meeting.bin"] = sealed_envelope(
        KEYS,
        MEETING,
        key=KEY,
        type=MEETING_TYPE,
        id="o-1",
        version=VERSION,
        compress=True,
        dictionary=MEETING_DICTIONARY,
    )
    texts["export.bin"] = seal_archive(HELD, RING, kind="export", made_at_ms=NOW_MS)
    for name, text in texts.items():
        if not (place / name).exists():
            (place / name).write_bytes(text)
    promised = place / "required.json"
    earlier = json.loads(promised.read_text()) if promised.exists() else {}
    wanted = {name: required(kind) for name, kind in kinds().items()} | earlier
    promised.write_text(json.dumps(dict(sorted(wanted.items())), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
