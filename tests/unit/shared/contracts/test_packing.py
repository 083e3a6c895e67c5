"""Packed records are smaller, and what was packed comes back byte for byte, whatever it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import envelope as envelopes
from shared.contracts.envelope import Envelope
from shared.contracts.packing import pack, unpack

NAMES = st.text(max_size=20)
ENVELOPES = st.builds(
    Envelope, id=NAMES, type=NAMES, tenant=NAMES, v=st.integers(1, 9), correlation=NAMES, causation=NAMES, era=NAMES,
    rules=st.integers(0, 9), sealed=st.none() | st.binary(max_size=200),
)  # fmt: skip


@given(ENVELOPES)
def test_envelopes_come_back(envelope: Envelope) -> None:
    value = envelopes.encode(envelope)
    assert unpack(pack(value)) == value


@given(st.binary() | ENVELOPES.map(envelopes.encode).map(pack))
def test_whatever_is_none_comes_back(value: bytes) -> None:
    assert unpack(pack(value)) == value


@pytest.mark.parametrize("written", [b'{"type":"t","id":"i","tenant":"t","sealed":"AAAA"}', b'{"id":"i","type":"t" }'])
def test_envelope_that_others_wrote_keeps_their_form(written: bytes) -> None:
    assert unpack(pack(written)) == written


def test_sealed_bytes_are_packed_as_they_are() -> None:
    value = envelopes.encode(Envelope(id="i", type="t", tenant="t", sealed=bytes(range(256))))
    assert bytes(range(256)) in pack(value)
    assert len(pack(value)) < 256 + 20


def test_what_was_never_packed_is_left_to_whoever_opens_it() -> None:
    assert unpack(b"\x9abeside us") == b"\x9abeside us"
