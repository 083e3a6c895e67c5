"""One subscriber under a check: started, fed, listened to, stopped and started again."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Self

from cli.check_subscriber.feeds import SubscriberFeed
from shared.errors import ConfigurationError

STOP_S = 10.0
"""How long a subscriber may take to end when it is asked to."""
_POLL_S = 0.1
_COMPLAINT_CHARS = 300


class SubscriberTrial:
    """A context manager; the subscriber is ended with it."""

    def __init__(self, command: Sequence[str], feed: SubscriberFeed, *, wait_s: float, settle_s: float) -> None:
        """
        Nothing is started yet.

        Args:
            command: Program and arguments, in which `{topic}` and the like are filled in.
            feed: Where it gets events from.
            wait_s: How long it may take to handle an event.
            settle_s: How long it runs on before it is stopped.
        """
        self._command = [_filled(word, feed.places) for word in command]
        self._environ = {f"ROOMSYNC_CHECK_{name.upper()}": value for name, value in feed.places.items()}
        self._feed = feed
        self._wait_s = wait_s
        self._settle_s = settle_s
        self._process: subprocess.Popen[bytes] | None = None
        self._words: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._readers: list[threading.Thread] = []
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the trial
        self.handled: Counter[str] = Counter()
        """First word of a line that the subscriber printed → how often."""

    def start(self) -> None:
        """Start the subscriber (again). Raises ConfigurationError: the command cannot be started."""
        try:
            self._process = subprocess.Popen(  # noqa: S603  # the operator's own command
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                env={**os.environ, **self._environ},
            )
        except OSError as error:
            message = f"--cmd cannot be started: {error}"
            raise ConfigurationError(message) from error
        reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        reader.start()
        self._readers.append(reader)
        self._feed.attach(self._process)

    def stop(self) -> None:
        """Let it run on for a moment, then end it as orchestrators do: asked first, killed if it does not end."""
        time.sleep(self._settle_s)
        self._end()

    def send(self, *values: bytes) -> None:
        """Give it records."""
        for value in values:
            self._feed.send(value)

    def await_handled(self, *ids: str) -> list[str]:
        """Wait until it has printed all of `ids`, has ended or the time is over; return those that are missing."""
        deadline = time.monotonic() + self._wait_s
        while self._missing(ids) and time.monotonic() < deadline:
            ended = self._process is None or self._process.poll() is not None
            if ended:
                for reader in self._readers:
                    reader.join(STOP_S)
            self._take(0.0 if ended else _POLL_S)
            if ended:
                break
        self._take(0.0)
        return self._missing(ids)

    def describe_end(self) -> str:
        """How the subscriber ended, with the last line that it wrote to stderr; "" while it runs."""
        if self._process is None or self._process.poll() is None:
            return ""
        self._complaints.seek(0)
        last = self._complaints.read().decode(errors="replace").strip().rpartition("\n")[2][:_COMPLAINT_CHARS]
        return f"it ended with exit code {self._process.returncode}" + (f" and said {last}" if last else "")

    def __enter__(self) -> Self:
        """As it is."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the subscriber."""
        self._end()
        self._complaints.close()

    def _end(self) -> None:
        self._feed.attach(None)
        process = self._process
        if process is None:
            return
        with contextlib.suppress(BrokenPipeError):
            if process.stdin is not None:
                process.stdin.close()
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for reader in self._readers:
            reader.join(STOP_S)
        self._readers.clear()

    def _read(self, output: IO[bytes] | None) -> None:
        for line in output or ():
            if words := line.decode(errors="replace").split():
                self._words.put(words[0])
        if output is not None:
            output.close()

    def _take(self, wait_s: float) -> None:
        with contextlib.suppress(queue.Empty):
            self.handled[self._words.get(timeout=wait_s) if wait_s else self._words.get_nowait()] += 1
            while True:
                self.handled[self._words.get_nowait()] += 1

    def _missing(self, ids: Sequence[str]) -> list[str]:
        return [each for each in ids if not self.handled[each]]


def _filled(word: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        word = word.replace(f"{{{name}}}", value)
    return word
