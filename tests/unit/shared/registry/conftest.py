"""The registry in memory that the tests of grants use as well."""

from __future__ import annotations

from tests.unit.shared.grants.conftest import house

__all__ = ["house"]
