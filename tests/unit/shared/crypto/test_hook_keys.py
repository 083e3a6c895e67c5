"""The receiver's own keys: derived, printed, read back, and of no use for anything but proofs."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.crypto import hook_keys
from shared.crypto.master import MasterKeys, new_key, parse
from shared.domain.identity import Mailbox, Provider
from shared.domain.proof import mint, verify
from shared.errors import ConfigurationError
from shared.runtime import wiring
from shared.runtime.settings import Settings

RING = parse(f"{new_key()},{new_key()}")
MAILBOX = Mailbox("t-1", "m-1")


def test_what_is_printed_is_read_back_with_the_signing_key_first() -> None:
    keys = RING.hook_keys()
    assert hook_keys.parse(hook_keys.print_hook_keys(keys)) == keys
    assert hook_keys.print_hook_keys(keys).startswith(f"{RING.current}:")


def test_proofs_made_under_the_master_keys_hold_under_the_printed_ones() -> None:
    token = mint(RING.hook_keys(), MAILBOX, Provider.MICROSOFT)
    origin = verify(hook_keys.parse(hook_keys.print_hook_keys(RING.hook_keys())), token, Provider.MICROSOFT)
    assert origin is not None
    assert origin.mailbox == MAILBOX


def test_no_master_key_stands_in_what_is_printed_and_none_of_its_keys_opens_an_archive() -> None:
    derived = set(RING.hook_keys().ring.values())
    assert derived.isdisjoint(RING.ring.values())
    assert derived.isdisjoint({RING.archive_key(key_id) for key_id in RING.ring})


@pytest.mark.parametrize("text", ["", ",", "k1", "k1:", ":AAAA", "k1:AAAA", "k1:!!!!", f"k1:{'A' * 43},k2:x"])
def test_what_is_no_ring_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        hook_keys.parse(text)
    assert "AAAA" not in str(caught.value)


def test_the_receiver_needs_no_master_key_and_opens_no_tenants_key(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path, public_url="https://roomsync.example", hook_keys=hook_keys.print_hook_keys(RING.hook_keys())
    )
    assert wiring.hook_keys(settings) == RING.hook_keys()
    engine = wiring.open_engine(settings, with_keyring=False)
    engine.log.probe()
    with pytest.raises(ConfigurationError, match="without the master key"):
        engine.keyring.keys("t-1")
    engine.close()
    assert not (tmp_path / wiring.MASTER_KEY_FILE).exists()


def test_without_either_it_is_said_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        wiring.hook_keys(Settings(home=tmp_path, public_url="https://roomsync.example"))


def test_a_ring_of_master_keys_serves_where_no_hook_keys_are_given(tmp_path: Path) -> None:
    key = new_key()
    assert wiring.hook_keys(Settings(home=tmp_path, master_key=key)) == parse(key).hook_keys()
    assert isinstance(parse(key), MasterKeys)
