"""How the beliefs about Google are tried on Google Calendar."""

from __future__ import annotations

from shared.providers.google.trials import rooms, series, service, single
from shared.providers.trials.trial import BeliefTrial

TRIALS: tuple[BeliefTrial, ...] = (*service.TRIALS, *single.TRIALS, *series.TRIALS, *rooms.TRIALS)
