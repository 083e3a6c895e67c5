"""What is said of a connection, and whether its person is asked to connect."""

from __future__ import annotations

import pytest

from services.portal.my_calendar.deciding.connection_words import CONNECTION_WORDS, helps_to_connect
from shared.providers.token_refusal import Mender

pytestmark = pytest.mark.proves("P1")


def test_whoever_is_told_that_nothing_is_needed_of_them_is_offered_no_button() -> None:
    assert {state for state in CONNECTION_WORDS if helps_to_connect(state)} == {
        "none",
        "failing",
        "suspended",
        "revoked",
    }
    assert [helps_to_connect("suspended", mender) for mender in Mender] == [True, False, False]
    assert not helps_to_connect("suspended", held_back=True)
    assert helps_to_connect("revoked", Mender.ADMINISTRATOR), "once it is allowed, the permission has to be given anew"
