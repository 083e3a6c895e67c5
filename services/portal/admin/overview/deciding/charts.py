"""Small charts as SVG shapes, without script or style of their own. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 150
"""Of the drawing, in its own units: a page scales it."""
_TOP, _FOOT, _GAP = 16, 18, 6


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One bar, and the number above it."""

    x: float
    y: float
    width: float
    height: float
    series: int
    """Which of the values of its slot it shows, from 0."""
    text: str
    centre: float


@dataclass(frozen=True, slots=True)
class ChartLabel:
    """What stands below a slot."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """A chart of upright bars."""

    bars: Sequence[ChartBar]
    labels: Sequence[ChartLabel]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def ground(self) -> int:
        """Where the bars stand."""
        return self.height - _FOOT


def lay_out_bars(slots: Sequence[tuple[str, Sequence[float | None]]]) -> BarChart:
    """
    Lay out a slot a label, with a bar for each of its values beside each other; None has no bar.

    The highest value of all reaches the top; a value above 0 is seen, however small it is beside that.
    """
    top = max((value or 0 for _, values in slots for value in values), default=0) or 1
    slot = WIDTH / max(len(slots), 1)
    bars, labels = list[ChartBar](), list[ChartLabel]()
    for number, (label, values) in enumerate(slots):
        left = number * slot + _GAP / 2
        width = (slot - _GAP) / max(len(values), 1)
        labels.append(ChartLabel(round(number * slot + slot / 2, 1), label))
        bars += [
            _bar(left + series * width, width, value, top, series)
            for series, value in enumerate(values)
            if value is not None
        ]
    return BarChart(bars, labels)


def _bar(x: float, width: float, value: float, top: float, series: int) -> ChartBar:
    full = HEIGHT - _TOP - _FOOT
    height = max(round(value / top * full, 1), 1.0 if value else 0.0)
    return ChartBar(
        x=round(x, 1),
        y=round(_TOP + full - height, 1),
        width=round(width - 1, 1),
        height=height,
        series=series,
        text=f"{value:g}",
        centre=round(x + width / 2, 1),
    )
