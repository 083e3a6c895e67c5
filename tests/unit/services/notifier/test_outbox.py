"""What is on its way when a notifier stops is waited for once, whatever it was sent by."""

from __future__ import annotations

import time

from services.notifier.outbox import Dispatch, Outbox, drain
from shared.domain.identity import Mailbox
from tests.contract.services.notifier.test_channels import NOTICE
from tests.support.office import PausedPool

TIMEOUT_S = 0.4


def test_outboxes_are_waited_for_together() -> None:
    outboxes = [Outbox({}, lambda _: PausedPool()), Outbox({}, lambda _: PausedPool())]
    for outbox in outboxes:
        outbox.send(Dispatch("n-1", Mailbox("t-1", "m-1"), "u-1", ()), NOTICE)
    began_s = time.monotonic()
    drain(outboxes, TIMEOUT_S)
    assert TIMEOUT_S <= time.monotonic() - began_s < 2 * TIMEOUT_S
