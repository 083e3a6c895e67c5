"""Where the repository and the recorded samples are, wherever the test that asks stands."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "samples"
