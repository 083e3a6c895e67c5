"""Says which row of the registry is not as it was written: whoever needs it waits, the others go on."""

from __future__ import annotations

from shared.errors import RowRefusedError
from shared.runtime.logging import get_logger

logger = get_logger()


def log_refused_row(error: RowRefusedError) -> None:
    """Write a line with the row's table, tenant and id."""
    logger.error("registry_row_refused", row="/".join(error.place), error=str(error))
