"""Images that others make are named by digest, so that what was looked at is what runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

DEPLOY = ROOT / "deploy"
BY_DIGEST = re.compile(r"[a-z0-9./-]{1,60}:[A-Za-z0-9.-]{1,40}@sha256:[0-9a-f]{64}")
OURS = re.compile(r"roomsync/[a-z-]+")
DEFINITIONS = sorted(path for kind in ("*.yaml", "*.yml", "Dockerfile") for path in DEPLOY.rglob(kind))


def images(path: Path) -> list[str]:
    """What a file of Docker, Compose or Kubernetes lets run or builds upon; not the stages of the file itself."""
    text = path.read_text()
    if path.name == "Dockerfile":
        stages = {*re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE), "${PYTHON}"}
        frontends = re.findall(r"^# syntax=(\S+)", text, re.MULTILINE)
        bases = re.findall(r"^(?:FROM|ARG PYTHON=)\s?(\S+)", text, re.MULTILINE)
        return [*frontends, *(base for base in bases if base not in stages)]
    return re.findall(r"^\s*(?:- )?image:\s*(\S+)", text, re.MULTILINE)


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_image_is_ours_or_named_by_tag_and_digest(path: Path) -> None:
    for image in images(path):
        assert OURS.fullmatch(image) or BY_DIGEST.fullmatch(image), image


def test_a_tag_has_one_digest_wherever_it_is_named() -> None:
    texts = [path.read_text() for path in (*DEFINITIONS, ROOT / "docs" / "deploy.md")]
    named = {image for text in texts for image in BY_DIGEST.findall(text)}
    assert len(named) == 4
    assert len({image.split("@")[0] for image in named}) == len(named)
