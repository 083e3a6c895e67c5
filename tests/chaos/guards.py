"""
The long campaign with one of the two guards left out; not collected by name, since `make chaos` alone asks for it.

The short form, which runs everywhere, is tests/contract/shared/ports/test_lock_matrix.py.
"""

from __future__ import annotations

import pytest

from tests.chaos.campaign import Campaign
from tests.chaos.servers import Servers
from tests.chaos.test_campaign import loud, run_campaign


@pytest.mark.kafka
@pytest.mark.parametrize("without", ["transactions", "tail-check"])
def test_either_guard_does_without_the_other(
    without: str, servers: Servers, capsys: pytest.CaptureFixture[str]
) -> None:
    say = loud(capsys, f"kafka without {without}")
    run_campaign(without, lambda seed: Campaign(seed, lossy=False, servers=servers, without=without, say=say), say)
