"""The probe against the simulator over sockets: all holds; of a belief that is contradicted it names exactly that one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.identity import Provider
from shared.providers.beliefs.table import TABLE, beliefs_of

TRIED = [pytest.param(belief, id=belief.key) for belief in TABLE.values() if belief.is_tried]
EACH_PROVIDER = pytest.mark.parametrize("provider", list(Provider), ids=lambda provider: provider.value)


def outcomes(ran: Any) -> dict[str, str]:
    return {line["key"]: line["outcome"] for line in ran.lines}


@pytest.mark.proves("M10")
@EACH_PROVIDER
def test_all_that_is_tried_holds_and_nothing_is_left(
    tenant_of: Callable[..., Any], probe: Callable[..., Any], provider: Provider
) -> None:
    tenant = tenant_of(provider)
    tenant.contradict()
    ran = probe(tenant, "--json")
    expected = {belief.key: "held" if belief.is_tried else "not tried" for belief in beliefs_of(provider)}
    assert outcomes(ran) == expected, [line for line in ran.lines if line["outcome"] != expected[line["key"]]]
    assert ran.code == 0
    assert tenant.titles() == ["Her own"]


@pytest.mark.proves("M10")
@pytest.mark.parametrize("belief", TRIED)
def test_of_a_contradicted_belief_the_probe_names_exactly_that_one(
    tenant_of: Callable[..., Any], probe: Callable[..., Any], belief: Any
) -> None:
    tenant = tenant_of(belief.provider)
    tenant.contradict(belief.key)
    ran = probe(tenant, "--json")
    lines = {line["key"]: line for line in ran.lines}
    assert [key for key, outcome in outcomes(ran).items() if outcome == "not held"] == [belief.key]
    assert lines[belief.key]["detail"]
    assert lines[belief.key]["product"] == belief.otherwise
    assert ran.code == 1
    assert tenant.titles() == ["Her own"]
