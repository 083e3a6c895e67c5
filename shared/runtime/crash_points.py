"""Named places in the code where a test can have the process killed or frozen: `ROOMSYNC_CRASH_AT=point:n[:stop]`."""

from __future__ import annotations

import signal
import threading

from shared.errors import ConfigurationError

_armed: str | None = None
_left = 0
_signal = signal.SIGKILL
_lock = threading.Lock()


def arm(spec: str) -> None:
    """
    Choose the point and its n-th passing (`"committed:2"`; `:1` may be left out); an empty `spec` disarms.

    `"committed:2:stop"` freezes the process there instead of killing it: a zombie, once somebody sends it SIGCONT.

    Mains pass `settings.crash_at`: settings refuse ROOMSYNC_CRASH_AT unless every address is loopback.

    Raises:
        ConfigurationError: n is not a positive number, or what follows it is not `stop`.
    """
    global _armed, _left, _signal  # noqa: PLW0603  # one per process, by nature
    point, _, rest = spec.partition(":")
    count, _, manner = rest.partition(":")
    try:
        left = int(count or "1")
    except ValueError:
        left = 0
    if left < 1 or manner not in {"", "stop"}:
        message = f"ROOMSYNC_CRASH_AT={spec!r}: must be `point:n` with n at least 1, or `point:n:stop`"
        raise ConfigurationError(message)
    _left = left
    _signal = signal.SIGSTOP if manner else signal.SIGKILL
    _armed = point or None


def crash_point(name: str, of: str = "") -> None:
    """
    Pass the place called `name`: one comparison unless armed; the signal to this process when it is its turn.

    Where several kinds of things pass, `of` says which kind does: `"sent/mail:2"` is the second mail's, `"sent:2"` anything's.
    """
    if _armed is not None and _armed in {name, f"{name}/{of}"}:
        _pass()


def _pass() -> None:
    global _left  # noqa: PLW0603  # counted across threads, hence the lock
    with _lock:
        _left -= 1
        if _left == 0:
            # To this very thread: sent to the process, another may take it while this one goes on past the point.
            signal.pthread_kill(threading.get_ident(), _signal)
