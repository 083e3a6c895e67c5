"""The closed set of failures. Each is named after what the runtime must do, not after what went wrong inside a library."""

from __future__ import annotations


class RoomsyncError(Exception):
    """Every failure that roomsync names itself. `str(error)` says what to do next where somebody can do something."""


class MalformedRecordError(RoomsyncError):
    """No reading of these bytes can succeed: dead-letter them with reason and origin, then move on."""


class NewerRecordError(RoomsyncError):
    """A newer version of roomsync wrote this record: this process must end, and be replaced by that version."""


class RetryableError(RoomsyncError):
    """The provider is busy, limited or away. The mailbox becomes due again; the others go on."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        """Keep the provider's own appointment, in seconds, if it named one."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TokenRefusedError(RetryableError):
    """
    The calendar refuses the access token: ask once more with a fresh one, and later if that is refused as well.

    Whether the grant is gone the token endpoint alone says: a calendar answers 401 for hours when its own checks fail.
    """

    def __init__(self, message: str, *, code: str = "401") -> None:
        """Keep the provider's own error code."""
        super().__init__(message)
        self.code = code


class GrantSuspendedError(RetryableError):
    """The token endpoint refuses the grant for a reason that can pass. It is kept; nobody has to do anything yet."""

    def __init__(self, message: str, *, code: str, retry_after_s: float) -> None:
        """Keep the provider's own error code, and when to try again, in seconds."""
        super().__init__(message, retry_after_s=retry_after_s)
        self.code = code


class CursorExpiredError(RoomsyncError):
    """The delta or sync token is refused: the look becomes a full one."""


class ConsentRevokedError(RoomsyncError):
    """The token endpoint says that the grant is gone, or there is none. No further calls; tell the person."""

    def __init__(self, message: str, *, code: str = "invalid_grant") -> None:
        """Keep the provider's own error code: it decides who is asked to mend it."""
        super().__init__(message)
        self.code = code


class SubscriptionGoneError(RoomsyncError):
    """The provider no longer knows this subscription: make a new one, then look."""


class EventGoneError(RoomsyncError):
    """The event is not there any more, or not visible to this person."""


class PreconditionFailedError(RoomsyncError):
    """The event changed between reading and writing: read again, decide again."""


class RefusedError(RoomsyncError):
    """The provider refuses this for good (missing right, bad request). Retrying does not help."""


class CancelledSinceError(RefusedError):
    """This very meeting was made before and has been cancelled since: the same request never makes it again."""


class LogUnavailableError(RoomsyncError):
    """Nothing durable can be written at the moment: answer 503, keep the input."""


class StoreUnavailableError(RoomsyncError):
    """The view, registry or keyring cannot be reached."""


class FencedError(RoomsyncError):
    """Another owner has this partition, or nobody knows: the process ends, the next one restores."""


class ConflictError(RoomsyncError):
    """A compare-and-set lost: somebody wrote first. Read again."""


class KeyDestroyedError(RoomsyncError):
    """The tenant's key no longer exists; what it sealed is unreadable, on purpose."""


class ConfigurationError(RoomsyncError):
    """Settings are missing or contradict each other. The message lists all of them."""
