"""Shared by every test: real servers, and a count of what could not run."""

from __future__ import annotations

pytest_plugins = ["tests.support.servers"]
