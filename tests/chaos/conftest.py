"""Servers that a campaign may break."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.local.processes import ServerError
from tests.chaos.servers import Servers, own_servers
from tests.support.servers import require


@pytest.fixture
def servers() -> Iterator[Servers]:
    """A broker and Redis servers that may be broken: nobody else's."""
    try:
        with own_servers() as started:
            yield started
    except ServerError as error:
        require(str(error))
