"""The fold's memory is a mapping of records like any other, however it holds them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.room_status.deciding.memory import TOGETHER, Memory
from shared.contracts import envelope as envelopes
from shared.contracts.envelope import Envelope
from shared.contracts.meeting_state import COPY_TYPE, ENDED_COPY_TYPE, MEETING_TYPE, copy_key
from shared.ports.log import StateChange

KEYS = [
    b"t-1/m-one",
    *(copy_key(b"t-1/m-one", f"m-{number}") for number in range(TOGETHER + 3)),
    b"t-1/m-two",
    b"t-1/m-two/",
    b"t-1",
    b"t-1/",
    b"t-2/m-one/m-1/more",
]
words = st.sampled_from(["", "o-1", "o-2", "t-1", "\x00ä"])


def an_envelope(**fields: Any) -> bytes:
    return envelopes.encode(Envelope(**fields))


values = st.one_of(
    st.none(),
    st.sampled_from([b"", b"no record", b"{}", b'{"id":"i", "type":"copy-record","tenant":"t-1","sealed":"eA=="}']),
    st.builds(
        an_envelope,
        id=words,
        type=st.sampled_from([MEETING_TYPE, COPY_TYPE, ENDED_COPY_TYPE, "another"]),
        v=st.integers(1, 3),
        tenant=words,
        correlation=words,
        causation=words,
        sealed=st.one_of(st.none(), st.binary(max_size=9)),
        era=words,
        rules=st.integers(0, 3),
    ),
)


@given(st.lists(st.builds(StateChange, st.sampled_from(KEYS), values), max_size=60))
def test_every_record_comes_back_as_it_was(changes: list[StateChange]) -> None:
    memory, plain = Memory({}), dict[bytes, bytes]()
    for change in changes:
        memory.apply([change])
        if change.value is None:
            plain.pop(change.key, None)
        else:
            plain[change.key] = change.value
    assert dict(memory) == plain == dict(Memory(plain))
    assert len(memory) == len(plain)
    assert sorted(memory.meetings()) == [key for key in (b"t-1", b"t-1/", b"t-1/m-one", b"t-1/m-two") if key in plain]


@pytest.mark.parametrize("many", [1, TOGETHER, TOGETHER + 20])
def test_copies_are_found_with_whether_they_are_held(many: int) -> None:
    mailboxes = [f"m-{number}" for number in range(many)]
    kinds = {name: ENDED_COPY_TYPE if number % 3 == 2 else COPY_TYPE for number, name in enumerate(mailboxes)}
    memory = Memory({})
    for name, kind in kinds.items():
        value = an_envelope(id="o-1", type=kind, tenant="t-1", sealed=b"x")
        memory.apply([StateChange(copy_key(b"t-1/m-one", name), value)])
    assert memory.copies(b"t-1/m-one") == {name: kind == COPY_TYPE for name, kind in kinds.items()}
    for name in mailboxes:
        memory.apply([StateChange(copy_key(b"t-1/m-one", name), None)])
    assert (memory.copies(b"t-1/m-one"), len(memory), memory.tenants()) == ({}, 0, [])
