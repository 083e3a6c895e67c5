"""Walks a page by its Tab key alone: whether everything is reached, in the page's order, and seen when it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = (Path(__file__).parent / "keyboard.js").read_text()
MOST_STEPS_A_STOP = 8
"""A field for a date has several inner stops, and the browser's own button."""


def find_keyboard_faults(page: Page) -> list[str]:
    """
    Press Tab until the page's end. Returns what somebody without a mouse would lack, one sentence each.

    Whether what has the focus shows it, is covered by something else, comes before what stands above it, or is never reached;
    and whether something looks as if it could be clicked that the keyboard does not know.
    """
    page.evaluate(SCRIPT)
    begun = page.evaluate("walkedKeyboard.begin()")
    names, faults = begun["stops"], [f"only for a mouse: {name}" for name in begun["mouseOnly"]]
    reached: set[int] = set()
    before: dict[str, Any] | None = None
    for _ in range(MOST_STEPS_A_STOP * len(names) + 20):
        page.keyboard.press("Tab")
        now = page.evaluate("walkedKeyboard.step()")
        if now is None or (now["stop"] == 0 and len(reached) > 1):
            break
        if before and now["stop"] == before["stop"]:
            continue
        reached.add(now["stop"])
        faults += _faults_of(now, before)
        before = now
    else:
        faults.append(f"the focus does not get out of {before and before['name']}")
    return [*faults, *(f"not reached: {name}" for number, name in enumerate(names) if number not in reached)]


def _faults_of(now: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    name, found = now["name"], []
    if not now["outlined"]:
        found.append(f"focus not shown: {name}")
    if now["covered"]:
        found.append(f"covered while it has the focus: {name}")
    if before and now["bottom"] <= before["top"] and now["left"] < before["right"]:
        found.append(f"comes after what stands below it: {name} after {before['name']}")
    return found
