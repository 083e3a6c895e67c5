"""Draws how a cost grows with a size: lines on two logarithmic axes, as SVG. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

Line = Sequence[tuple[float, float]]
"""Size and cost, both above zero."""

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 250, 40, 40
COLOURS = ("#0b6e99", "#b3541e", "#4c7a34", "#7b3f8c", "#8a6d00", "#444444")
_INK, _GRID = "#333333", "#dddddd"


def draw_law(title: str, across: str, lines: Mapping[str, Line]) -> str:
    """
    Draw lines over powers of ten.

    Args:
        title: What is shown.
        across: What the sizes are of.
        lines: Name, with its unit → its points, by size.
    """
    xs = _decades(x for line in lines.values() for x, _ in line)
    ys = _decades(y for line in lines.values() for _, y in line)
    parts = [_text(LEFT, 20, title, "start", 14), _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, across)]
    parts += [_tick(_at(power, xs, LEFT, WIDTH - RIGHT), TOP, HEIGHT - BOTTOM, power, upright=True) for power in xs]
    parts += [_tick(_at(power, ys, HEIGHT - BOTTOM, TOP), LEFT, WIDTH - RIGHT, power, upright=False) for power in ys]
    for number, (name, line) in enumerate(lines.items()):
        points = [
            (_at(math.log10(x), xs, LEFT, WIDTH - RIGHT), _at(math.log10(y), ys, HEIGHT - BOTTOM, TOP)) for x, y in line
        ]
        parts.append(_drawn(points, COLOURS[number % len(COLOURS)]))
        parts.append(_text(points[-1][0] + 8, points[-1][1] + 4, name, "start", colour=COLOURS[number % len(COLOURS)]))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif">\n<title>{escape(title)}</title>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _decades(values: Iterable[float]) -> range:
    """The powers of ten between which all of them lie; two at least."""
    logs = [math.log10(value) for value in values]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    return range(low, max(high, low + 1) + 1)


def _at(power: float, decades: range, begin: float, end: float) -> float:
    return begin + (power - decades[0]) / (decades[-1] - decades[0]) * (end - begin)


def _drawn(points: Sequence[tuple[float, float]], colour: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'


def _tick(at: float, begin: float, end: float, power: int, *, upright: bool) -> str:
    x1, y1, x2, y2 = (at, begin, at, end) if upright else (begin, at, end, at)
    label = _text(at, end + 16, _shown(power)) if upright else _text(begin - 6, at + 4, _shown(power), "end")
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{_GRID}"/>{label}'


def _shown(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:.{-power}f}"


def _text(x: float, y: float, text: str, anchor: str = "middle", size: int = 11, colour: str = _INK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>'
    )
