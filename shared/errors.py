"""The closed set of failures. Each is named after what the runtime must do, not after what went wrong inside a library."""

from __future__ import annotations


class RoomsyncError(Exception):
    """
    Every failure that roomsync names itself. `str(error)` says what to do next where somebody can do something.

    It is for people: programs decide by the type, `provider_status` and `provider_code`, never by the wording.
    """

    def __init__(self, message: str = "", *, provider_status: int = 0, provider_code: str = "") -> None:
        """
        Keep the message, and what the provider itself answered.

        Args:
            message: For people and logs.
            provider_status: The HTTP status of the answer that refused; 0 if the request never got one.
            provider_code: The provider's own error code in that answer; "" if it named none.
        """
        super().__init__(message)
        self.provider_status = provider_status
        self.provider_code = provider_code


class MalformedRecordError(RoomsyncError):
    """No reading of these bytes can succeed: dead-letter them with reason and origin, then move on."""


class RowRefusedError(MalformedRecordError):
    """A row of the registry is not what was written in its place. Others are read; the operator runs `roomsync doctor`."""

    def __init__(self, table: str, tenant: str, row: str, why: str) -> None:
        """
        Keep which row it is.

        Args:
            table: Its table.
            tenant: Whose it is.
            row: Its id.
            why: What is wrong with it: "it is bound to no place".
        """
        super().__init__(
            f"the row {table}/{tenant}/{row} of the registry is refused: {why}; `roomsync doctor` lists such rows and"
            " says what to do"
        )
        self.place = (table, tenant, row)
        self.row = row


class NewerRecordError(RoomsyncError):
    """A newer version of roomsync wrote this record: this process must end, and be replaced by that version."""


class RetryableError(RoomsyncError):
    """The provider is busy, limited or away. The mailbox becomes due again; the others go on."""

    def __init__(
        self, message: str, *, retry_after_s: float | None = None, provider_status: int = 0, provider_code: str = ""
    ) -> None:
        """Keep the provider's own appointment, in seconds, if it named one."""
        super().__init__(message, provider_status=provider_status, provider_code=provider_code)
        self.retry_after_s = retry_after_s


class WebhookUnreachableError(RetryableError):
    """The provider could not reach our receiver, and so makes no subscription: the operator opens the way."""


class TokenRefusedError(RetryableError):
    """
    The calendar refuses the access token: ask once more with a fresh one, and later if that is refused as well.

    Whether the grant is gone the token endpoint alone says: a calendar answers 401 for hours when its own checks fail.
    """

    def __init__(self, message: str, *, code: str = "401", provider_status: int = 0, provider_code: str = "") -> None:
        """Keep what to call it: the provider's own error code, else its status."""
        super().__init__(message, provider_status=provider_status, provider_code=provider_code)
        self.code = code


class GrantSuspendedError(RetryableError):
    """The token endpoint refuses the grant for a reason that can pass. It is kept; nobody has to do anything yet."""

    def __init__(
        self, message: str, *, code: str, retry_after_s: float, provider_status: int = 0, provider_code: str = ""
    ) -> None:
        """Keep the code that the grant is suspended for, and when to try again, in seconds."""
        super().__init__(
            message, retry_after_s=retry_after_s, provider_status=provider_status, provider_code=provider_code
        )
        self.code = code


class CursorExpiredError(RoomsyncError):
    """The delta or sync token is refused: the look becomes a full one."""


class ConsentRevokedError(RoomsyncError):
    """The token endpoint says that the grant is gone, or there is none. No further calls; tell the person."""

    def __init__(
        self, message: str, *, code: str = "invalid_grant", provider_status: int = 0, provider_code: str = ""
    ) -> None:
        """Keep why it is gone, the provider's error code or a word of ours: it decides who is asked to mend it."""
        super().__init__(message, provider_status=provider_status, provider_code=provider_code)
        self.code = code


class SubscriptionGoneError(RoomsyncError):
    """The provider no longer knows this subscription: make a new one, then look."""


class EventGoneError(RoomsyncError):
    """The event is not there any more, or not visible to this person."""


class PreconditionFailedError(RoomsyncError):
    """The event changed between reading and writing: read again, decide again."""


class RefusedError(RoomsyncError):
    """The provider refuses this for good (missing right, bad request). Retrying does not help."""


class WritesOffError(RefusedError):
    """The deployment only observes (`ROOMSYNC_WRITES=off`): the request would change a calendar, and was not sent."""


class ClientRefusedError(RefusedError):
    """The token endpoint refuses our own client, for every grant: the operator mends the registration."""


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
    """Settings are missing or contradict each other. `faults` lists all of them, the message a line each."""

    def __init__(self, *faults: str) -> None:
        """Keep the faults: what is wrong and what to do, one sentence each."""
        super().__init__("\n".join(faults))
        self.faults = faults


class RowKeyMissingError(RowRefusedError, ConfigurationError):
    """
    A row names a master key that is not at hand.

    The operator put the ring together wrongly, or somebody wrote the name: it is one row's trouble until `roomsync doctor` tells.
    """

    def __init__(self, table: str, tenant: str, row: str, key: str) -> None:
        """Keep which row it is; `key` is the name of the master key."""
        super().__init__(
            table,
            tenant,
            row,
            f"it is bound by master key {key!r}, which ROOMSYNC_MASTER_KEY does not hold (if it is one of ours, put it back"
            " behind the current one until `roomsync keys rewrap` has run)",
        )
