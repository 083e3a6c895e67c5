"""A picture of a law has each point where its logarithms say, and says what it shows."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from benchmarks.law_picture import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, draw_law

SVG = "{http://www.w3.org/2000/svg}"


def points_of(picture: str) -> list[list[tuple[float, float]]]:
    root = ET.fromstring(picture)
    lines = [found.attrib["points"] for found in root.iter(f"{SVG}polyline")]
    return [[(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", line)] for line in lines]


def test_what_grows_with_the_size_rises_and_what_does_not_is_level() -> None:
    picture = draw_law("Costs <b>", "organisations", {"level": [(1, 10), (100, 10)], "grows": [(1, 1), (100, 100)]})
    level, grows = points_of(picture)

    middle = (TOP + HEIGHT - BOTTOM) / 2
    assert level == [(LEFT, middle), (WIDTH - RIGHT, middle)]
    assert grows == [(LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, TOP)]
    texts = {found.text for found in ET.fromstring(picture).iter(f"{SVG}text")}
    assert {"Costs <b>", "organisations", "level", "grows", "1", "10", "100"} <= texts


@pytest.mark.parametrize("cost", [0.003, 1.0, 250_000.0])
def test_one_point_alone_lies_within_the_axes(cost: float) -> None:
    [[(x, y)]] = points_of(draw_law("t", "a", {"n": [(1, cost)]}))
    assert LEFT <= x <= WIDTH - RIGHT
    assert TOP <= y <= HEIGHT - BOTTOM
