"""The table of beliefs names modules that there are, is tried where it says so, and stands in its document."""

from __future__ import annotations

import re

import pytest

from docs.generate import DOCS, generated
from shared.domain.identity import Provider
from shared.providers.beliefs import google_calendar, google_service, microsoft_calendar, microsoft_service
from shared.providers.beliefs.belief import Belief, Trust
from shared.providers.beliefs.table import TABLE, beliefs_of
from shared.providers.trials.catalogue import trials_of
from simulator.world.contradictions import CONTRADICTIONS
from tests.support.paths import ROOT

PARTS = (microsoft_calendar, microsoft_service, google_calendar, google_service)
BELIEFS = [pytest.param(belief, id=belief.key) for belief in TABLE.values()]
NAMES_A_SOURCE = re.compile(r"[a-z]+\.[a-z]+|[\w-]+/[\w-]+#\d+|repository [\w-]+|question \d+")


@pytest.mark.proves("M10")
def test_every_key_stands_once_under_its_provider() -> None:
    assert sum(len(part.BELIEFS) for part in PARTS) == len(TABLE) >= 30
    assert all(re.fullmatch(r"(microsoft|google)\.[a-z]+(-[a-z0-9]+)*", key) for key in TABLE)


@pytest.mark.proves("M10")
@pytest.mark.parametrize("belief", BELIEFS)
def test_whoever_depends_on_a_belief_is_there(belief: Belief) -> None:
    assert belief.dependents
    assert [path for path in belief.dependents if not (ROOT / path).is_file()] == []


@pytest.mark.proves("M10")
@pytest.mark.parametrize("belief", BELIEFS)
def test_a_belief_is_one_sentence_with_a_source(belief: Belief) -> None:
    assert belief.text.endswith(".")
    assert belief.otherwise.endswith(".")
    assert belief.trust is Trust.ASSUMED or NAMES_A_SOURCE.search(belief.source), belief.source


@pytest.mark.proves("M10")
def test_the_document_is_that_of_the_table() -> None:
    text = (DOCS / "beliefs.md").read_text()
    assert text == generated()["beliefs.md"]
    assert [key for key in TABLE if f"`{key}`" not in text] == []


@pytest.mark.proves("M10")
@pytest.mark.parametrize("provider", list(Provider))
def test_probe_tries_what_the_table_says_that_it_tries(provider: Provider) -> None:
    tried = [belief.key for belief in beliefs_of(provider) if belief.is_tried]
    assert sorted(trial.key for trial in trials_of(provider)) == sorted(tried)


@pytest.mark.proves("M10")
def test_simulator_can_contradict_what_is_tried_and_nothing_else() -> None:
    assert sorted(CONTRADICTIONS) == sorted(key for key, belief in TABLE.items() if belief.is_tried)
