"""Quotas: a sliding minute per project and per user, refused by 403 and 429 in turn, never with a Retry-After."""

from __future__ import annotations

from collections import defaultdict, deque

from simulator.google.errors import ApiError
from simulator.world import User, World

MINUTE_MS = 60_000
PER_MINUTE = "quotaPerMinute"
EXCEEDED = "quotaExceeded"


class Quota:
    """Called inside the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._calls: dict[str, deque[int]] = defaultdict(deque)
        world.faults.declare(
            PER_MINUTE, {"user": 0, "project": 0}, "calls in a sliding minute; 0 is off; Google's are 600 and 10000"
        )
        world.faults.declare(EXCEEDED, [], "addresses of users over their Calendar usage limits (403 quotaExceeded)")

    def charge(self, user: User, quota_user: str) -> None:
        """
        Count one call.

        Args:
            user: who calls.
            quota_user: whom to charge instead, as the caller named them; empty for the user.

        Raises:
            ApiError: 403 or 429 `rateLimitExceeded`, 403 `quotaExceeded`.
        """
        if user.address in self._world.faults.get(EXCEEDED, "google"):
            raise ApiError(403, "quotaExceeded", "Calendar usage limits exceeded.", domain="usageLimits")
        limits = self._world.faults.get(PER_MINUTE, "google")
        self._count(f"user {quota_user or user.id}", int(limits.get("user") or 0), "defaultPerMinutePerUser")
        self._count("project", int(limits.get("project") or 0), "defaultPerMinutePerProject")

    def _count(self, name: str, limit: int, quota_limit: str) -> None:
        now_ms = self._world.now_ms()
        calls = self._calls[name]
        while calls and calls[0] <= now_ms - MINUTE_MS:
            calls.popleft()
        if limit and len(calls) >= limit:
            turn = self._world.ids.count("quota refusals")
            raise rate_limited(429 if turn % 2 == 0 else 403, quota_limit, limit)
        calls.append(now_ms)


def rate_limited(status: int, quota_limit: str = "defaultPerMinutePerUser", value: int = 600) -> ApiError:
    """The body of a real breach: both codes mean the same."""
    whose = "per minute per user" if quota_limit.endswith("User") else "per minute"
    return ApiError(
        status,
        "rateLimitExceeded",
        f"Quota exceeded for quota metric 'Queries' and limit 'Queries {whose}' of service "
        "'calendar-json.googleapis.com' for consumer 'project_number:424242424242'.",
        domain="usageLimits",
        more={
            "status": "PERMISSION_DENIED" if status == 403 else "RESOURCE_EXHAUSTED",  # noqa: PLR2004
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "RATE_LIMIT_EXCEEDED",
                    "domain": "googleapis.com",
                    "metadata": {
                        "service": "calendar-json.googleapis.com",
                        "quota_metric": "calendar-json.googleapis.com/default",
                        "quota_limit": quota_limit,
                        "quota_limit_value": str(value),
                        "quota_location": "global",
                        "consumer": "projects/424242424242",
                    },
                }
            ],
        },
    )
