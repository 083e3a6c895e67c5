"""The comparison names a source for what it says of others, and README shows a picture that can be made again."""

from __future__ import annotations

import re

from tests.support.paths import ROOT

COMPARISON = ROOT / "docs" / "comparison.md"
README = ROOT / "README.md"
MOST_BYTES = 100_000


def test_each_mark_of_the_comparison_has_a_public_source_and_each_source_a_mark() -> None:
    text, _, sources = COMPARISON.read_text().partition("## Sources")
    marks = set(re.findall(r"\[([GMR]\d+)\]", text))
    named = dict(re.findall(r"^\| ([GMR]\d+) \| (.*) \|$", sources, re.MULTILINE))
    assert marks == named.keys()
    assert all("](https://" in where for where in named.values())
    assert re.search(r"read on \d+ \w+ 20\d\d", text), "what was read is dated"


def test_each_cell_about_others_has_a_source_or_says_that_none_was_found() -> None:
    text = COMPARISON.read_text().partition("## Sources")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    for point, *others, _ in (row for row in rows if row[0] not in {"point", "---", "who runs it", "calendars"}):
        for cell in others:
            assert re.search(r"\[[GMR]\d+\]|no source found", cell), f"{point}: {cell}"


def test_readme_shows_a_small_picture_of_a_prompt_and_says_what_it_shows() -> None:
    [(path, alt)] = re.findall(r'<img src="([^"]+)"[^>]* alt="([^"]+)"', README.read_text())
    picture = (ROOT / path).read_bytes()
    assert picture.startswith(b"\x89PNG\r\n")
    assert len(picture) < MOST_BYTES
    assert len(alt) > 80
    assert (ROOT / "docs" / "picture.py").exists()
