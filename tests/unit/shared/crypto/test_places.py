"""A sealed payload is bound to its record's key, inside the seal; those of earlier versions have no mark."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from shared.contracts import envelope as envelopes
from shared.contracts.meeting_dictionary import MEETING_DICTIONARY
from shared.crypto.places import bind, unbind
from shared.crypto.records import open_record, sealed_envelope
from shared.crypto.sealing import seal, unseal
from shared.errors import MalformedRecordError
from tests.support.builders import KEYS

KEY, OTHER = b"t-1/m-one", b"t-1/m-two"
STRICT = dataclasses.replace(KEYS, refuse_unbound=True)


class Note(msgspec.Struct, omit_defaults=True):
    """A payload of a test."""

    text: str = ""
    of: dict[str, str] = {}


@pytest.mark.parametrize(
    "payload",
    [
        Note(),
        Note("ä"),
        Note('","~":"AAAAAAAAAAAAAAAA"}'),
        Note(of={"~": "AAAAAAAAAAAAAAAA"}),
        Note(of={"a": '"~":"AAAAAAAAAAAAAAAA"'}),
    ],
)
def test_any_payload_comes_back_under_its_key_alone_and_without_a_mark_unless_that_is_refused(payload: Note) -> None:
    plain = msgspec.json.encode(payload)
    bound = bind(plain, KEY)
    assert msgspec.json.decode(bound, type=Note) == payload  # as earlier versions read it
    assert len(bound) - len(plain) <= 24
    for refuse in (True, False):
        assert unbind(bound, KEY, refuse_unbound=refuse) == plain
        with pytest.raises(MalformedRecordError, match="another key"):
            unbind(bound, OTHER, refuse_unbound=refuse)
    assert unbind(plain, KEY, refuse_unbound=False) == plain
    with pytest.raises(MalformedRecordError, match="UNBOUND_ROWS"):
        unbind(plain, KEY, refuse_unbound=True)


@pytest.mark.parametrize(("compress", "dictionary"), [(True, MEETING_DICTIONARY), (True, b""), (False, b"")])
def test_record_opens_under_its_own_key_type_and_tenant_alone(compress: bool, dictionary: bytes) -> None:
    payload = Note("private")
    value = sealed_envelope(KEYS, payload, key=KEY, type="note", id="1", compress=compress, dictionary=dictionary)
    assert open_record(KEY, value, STRICT, Note) == payload
    with pytest.raises(MalformedRecordError, match="another key"):
        open_record(OTHER, value, KEYS, Note)
    for altered in ({"type": "other"}, {"tenant": "t-2"}):
        moved = envelopes.encode(msgspec.structs.replace(envelopes.decode(value), **altered))
        with pytest.raises(MalformedRecordError):
            open_record(KEY, moved, KEYS, Note)


@pytest.mark.proves("M7")
def test_earlier_versions_read_what_is_bound_and_theirs_is_read_until_it_is_refused() -> None:
    payload = Note("private")
    new = envelopes.decode(sealed_envelope(KEYS, payload, key=KEY, type="note", id="1"))
    assert new.sealed is not None
    purpose = f"note/{KEYS.tenant}"  # as 0.1.0 seals and opens
    assert msgspec.json.decode(unseal(KEYS.data_key, new.sealed, purpose=purpose), type=Note) == payload
    sealed = seal(KEYS.data_key, msgspec.json.encode(payload), purpose=purpose)
    old = envelopes.encode(msgspec.structs.replace(new, sealed=sealed))
    assert open_record(OTHER, old, KEYS, Note) == payload
    with pytest.raises(MalformedRecordError, match="UNBOUND_ROWS"):
        open_record(KEY, old, STRICT, Note)
