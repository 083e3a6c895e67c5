"""How the beliefs about Microsoft are tried on Graph."""

from __future__ import annotations

from shared.providers.microsoft.trials import rooms, series, service, single
from shared.providers.trials.trial import BeliefTrial

TRIALS: tuple[BeliefTrial, ...] = (*service.TRIALS, *single.TRIALS, *series.TRIALS, *rooms.TRIALS)
