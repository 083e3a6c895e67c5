"""Says what retention took of a partition's input before its owner had read it."""

from __future__ import annotations

from collections.abc import Container

from shared.ports.log import Claim
from shared.runtime import metrics
from shared.runtime.logging import get_logger

logger = get_logger()


def note_lost_input(claim: Claim, service: str, topics: Container[str] | None = None) -> None:
    """
    Write a line and count the offsets for each topic that lost some.

    Args:
        claim: Of the partition.
        service: Whose input it is, as metrics name it.
        topics: Those of which a loss counts; None: every one.
    """
    for topic, count in claim.lost.items():
        if topics is None or topic in topics:
            logger.error("input_lost_to_retention", topic=topic, partition=claim.partition, offsets=count)
            metrics.INPUT_LOST.labels(service, topic).inc(count)
