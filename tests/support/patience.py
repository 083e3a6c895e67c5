"""How long a test waits for what must come: much else may run beside it, and whoever waits in vain has failed anyway."""

from __future__ import annotations

PATIENCE_S = 60.0
