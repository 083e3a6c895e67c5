"""Reads a guide into its steps and their acts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.support.guides.failure import fail

_STEP = re.compile(r"^## (\d+)\. (.+)$")
_FENCE = re.compile(r"^\s*```(.*)$")
_ITEM = re.compile(r"^\d+\. (.+)$")
_ROW = re.compile(r"^\s*\|(.+)\|\s*$")
_NOTE = re.compile(r"^> \*\*(You see|Undo)\*\*:? ?(.*)$")
_MARKED = re.compile(r"\*\*(.+?)\*\*|`([^`]+)`")
Kind = Literal["sh", "stays", "env", "item", "see"]
_BLOCKS: Mapping[str, Kind | None] = {"sh": "sh", "sh stays": "stays", "env": "env", "": None}
"""What stands behind the fence of a block → what it is; None for one that is only looked at."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do, or to see: its text, and the table below it as field → value."""

    kind: Kind
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def marked(self) -> list[str]:
        """What is bold or code in it."""
        return [bold or code for bold, code in _MARKED.findall(self.text)]


@dataclass(slots=True)
class Step:
    """A numbered section of a guide."""

    number: int
    title: str
    acts: list[Act] = field(default_factory=list)
    undo: str = ""


def read_steps(text: str) -> list[Step]:
    """Every step of the guide, in order. Raises WalkError at a block of which nobody knows what it is."""
    steps: list[Step] = []
    lines = iter(text.splitlines())
    for line in lines:
        if found := _STEP.match(line):
            steps.append(Step(int(found[1]), found[2]))
        elif line.startswith("## "):
            steps.append(Step(0, line[3:]))
        elif steps:
            _read_line(steps[-1], line, lines)
    return [step for step in steps if step.number]


def _read_line(step: Step, line: str, lines: Iterator[str]) -> None:
    if found := _FENCE.match(line):
        _add_block(step, found[1].strip(), "\n".join(_until_fence(lines)))
    elif found := _ITEM.match(line):
        step.acts.append(Act("item", found[1]))
    elif found := _NOTE.match(line):
        _add_note(step, found[1], found[2])
    elif line.startswith("> ") and step.acts and step.acts[-1].kind == "see" and not step.undo:
        step.acts[-1] = Act("see", f"{step.acts[-1].text} {line[2:]}")
    elif (found := _ROW.match(line)) and line.startswith(" ") and step.acts:
        _add_row(step, [cell.strip() for cell in found[1].split("|")])


def _until_fence(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line.strip() == "```":
            return
        yield line


def _add_block(step: Step, info: str, body: str) -> None:
    if info not in _BLOCKS:
        known = ", ".join(f"“{each}”" for each in _BLOCKS if each)
        fail(f"step {step.number}, {step.title}: a block is “{info}”; write {known} or nothing behind its fence", body)
    if kind := _BLOCKS[info]:
        step.acts.append(Act(kind, body))


def _add_note(step: Step, kind: str, text: str) -> None:
    if kind == "Undo":
        step.undo = text
    else:
        step.acts.append(Act("see", text))


def _add_row(step: Step, cells: list[str]) -> None:
    if set(cells[0]) <= {"-", " "} or cells[0] == "Field":
        return
    last = step.acts[-1]
    value = cells[1].strip("`*")
    step.acts[-1] = Act(last.kind, last.text, {**last.fields, cells[0].strip("*`"): value})
