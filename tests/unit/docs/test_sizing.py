"""What docs/sizing.md counts with stands in docs/figures.md, and its formulas grow as they should."""

from __future__ import annotations

import dataclasses

import pytest

from docs.sizing import LINES, MEASURED, ORGANISATIONS, REDIS_GB, MeasuredFigure, Sizing, sizing_md
from tests.support.paths import ROOT

FIGURES = (ROOT / "docs" / "figures.md").read_text()
SMALL, LARGE = Sizing(1, 1_000), Sizing(10_000, 1_000_000)


@pytest.mark.parametrize("measured", MEASURED, ids=lambda one: one.quote[:30])
def test_each_measured_figure_is_the_one_of_the_figures(measured: MeasuredFigure) -> None:
    assert measured.quote in FIGURES


def test_a_quote_says_the_figure_that_is_counted_with() -> None:
    said = {
        30: "thirty times",
        1.8: "0.8 s; then 1.0 s",
    }
    for value, quote in MEASURED:
        assert said.get(value, f"{value:,g}") in quote


def test_no_line_shrinks_while_organisations_grow() -> None:
    sizes = [Sizing(*size) for size in ORGANISATIONS]
    for name, _, figure in LINES:
        if name == "memory of a sync worker, GB":  # of one process: they become more
            continue
        figures = [figure(one) for one in sizes]
        assert name == "take-over of a partition, s" or figures == sorted(figures), name


def test_what_is_of_mailboxes_does_not_depend_on_organisations() -> None:
    together = dataclasses.replace(LARGE, organisations=1)
    differing = [name for name, _, figure in LINES if figure(LARGE) != figure(together)]
    assert differing == ["what a dead process left is found within, s"]


def test_the_smallest_deployment_has_what_survives_a_process_and_a_broker() -> None:
    assert (SMALL.receivers, SMALL.sync_workers, SMALL.brokers) == (2, 2, 3)
    assert LARGE.partitions >= LARGE.sync_workers


def test_the_document_names_where_one_redis_ends() -> None:
    mailboxes = int(REDIS_GB / Sizing(1, 1).view_gb)
    assert Sizing(1, mailboxes).view_gb == pytest.approx(REDIS_GB, rel=1e-3)
    assert f"about {mailboxes:,} mailboxes" in sizing_md()
