"""The reader's terminal: one shell that keeps its variables, and programs that keep running in terminals of their own."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from tests.support.guides.failure import fail
from tests.support.patience import PATIENCE_S
from tests.support.process_guard import ProcessGuard

BLOCK_S = 300.0
"""By then a block has run."""
STOP_S = 15.0
_END = "__end_of_block"
_END_LINE = re.compile(rf"^{_END} (\d+)\n".encode(), re.MULTILINE)
_CHUNK = 65_536


class Terminal:
    """A shell in a directory of its own."""

    def __init__(
        self, directory: Path, environ: Mapping[str, str], guard: ProcessGuard, *, block_s: float = BLOCK_S
    ) -> None:
        """
        Open it.

        Args:
            directory: Where it begins.
            environ: The whole environment of its programs.
            guard: Ends them where the test cannot.
            block_s: How long a block may run.
        """
        self._environ, self._directory, self._guard, self._block_s = dict(environ), directory, guard, block_s
        self.output = ""
        self._programs: list[subprocess.Popen[bytes]] = []
        """All that has not ended, each with a process group of its own."""
        self._running: list[tuple[subprocess.Popen[bytes], Path]] = []
        self._shell = self._start(["bash", "--norc", "-E"], directory, subprocess.PIPE, subprocess.PIPE)

    def run(self, block: str) -> None:
        """Run a block; `output` is what it printed. Raises WalkError at the first command that fails, or at `block_s`."""
        assert self._shell.stdin is not None
        script = self._directory / "block.sh"
        script.write_text(f"__failed=0; trap '__failed=$?' ERR\n{block}\ntrap - ERR\n")
        self._shell.stdin.write(f"source '{script}' </dev/null; echo; echo {_END} $__failed\n".encode())
        self._shell.stdin.flush()
        if self._read_to_end(block) != 0:
            fail(f"a command failed: {block}", self.output)

    def _read_to_end(self, block: str) -> int:
        """Read what the block prints; the status of the command of it that failed last, or 0."""
        assert self._shell.stdout is not None
        printed, deadline = b"", time.monotonic() + self._block_s
        while not (end := _END_LINE.search(printed)):
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([self._shell.stdout], [], [], left_s)[0]:
                self._kill(self._shell)
                fail(f"a block still ran after {self._block_s:g} s: {block}", printed.decode(errors="replace"))
            chunk = os.read(self._shell.stdout.fileno(), _CHUNK)
            if not chunk:
                fail("the shell ended", printed.decode(errors="replace"))
            printed += chunk
        self.output = printed[: end.start()].decode(errors="replace")
        return int(end[1])

    def run_on(self, block: str) -> None:
        """Start a block in a terminal of its own, in the clone, and leave it running."""
        log = self._directory / f"terminal-{len(self._running) + 2}.log"
        where = self.clone if self.clone.exists() else self._directory
        with log.open("wb") as output:
            started = self._start(["bash", "-c", f"exec {block}"], where, subprocess.DEVNULL, output)
        self._running.append((started, log))

    @property
    def clone(self) -> Path:
        """Where `git clone` put the project."""
        return self._directory / "roomsync"

    def interrupt(self) -> None:
        """Press Ctrl-C in the terminal that was opened last, and wait for its program to end."""
        started, _ = self._running[-1]
        started.send_signal(signal.SIGINT)
        started.wait(PATIENCE_S)
        self._kill(started)

    def wait_for(self, text: str) -> bool:
        """Whether the text appears in what the last block printed, or in what keeps running prints within a minute."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.output:
            running = self._running[-1] if self._running else None
            if running and text in running[1].read_text(errors="replace"):
                return True
            if running is None or running[0].poll() is not None or time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def everything(self) -> str:
        """All that stands in the terminals, for a failure's message."""
        return self.output + "".join(log.read_text(errors="replace")[-2000:] for _, log in self._running)

    def close(self) -> None:
        """End everything that still runs."""
        with contextlib.ExitStack() as stack:
            for program in tuple(self._programs):
                stack.callback(self._stop, program)
        for pipe in (self._shell.stdin, self._shell.stdout):
            assert pipe is not None
            pipe.close()

    def _start(
        self, command: Sequence[str], directory: Path, given: int, output: int | IO[Any]
    ) -> subprocess.Popen[bytes]:
        started = subprocess.Popen(
            command,
            cwd=directory,
            env=self._environ,
            stdin=given,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
        )
        self._programs.append(started)
        self._guard.watch(started.pid, group=True)
        return started

    def _stop(self, program: subprocess.Popen[bytes]) -> None:
        """Ask a program to end, and kill what does not."""
        try:
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.wait(STOP_S)
        finally:
            self._kill(program)

    def _kill(self, program: subprocess.Popen[bytes]) -> None:
        """Kill a program with whatever it has started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()
        self._programs.remove(program)
        self._guard.forget(program.pid, group=True)
