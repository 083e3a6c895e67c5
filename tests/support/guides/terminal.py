"""The reader's terminal: one shell that keeps its variables, and programs that keep running in terminals of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.support.guides.failure import fail

PATIENCE_S = 60.0
_END = "__end_of_block"


class Terminal:
    """A shell in a directory of its own."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self._environ, self._directory = dict(environ), directory
        self.output = ""
        self._shell = subprocess.Popen(
            ["bash", "--norc", "-E"],
            cwd=directory,
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._running: list[tuple[subprocess.Popen[bytes], Path]] = []

    def run(self, block: str) -> None:
        """Run a block; `output` is what it printed. Raises WalkError at the first command that fails."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        script = self._directory / "block.sh"
        script.write_text(f"__failed=0; trap '__failed=$?' ERR\n{block}\ntrap - ERR\n")
        self._shell.stdin.write(f"source '{script}' </dev/null; echo; echo {_END} $__failed\n")
        self._shell.stdin.flush()
        lines = []
        while not (line := self._shell.stdout.readline()).startswith(_END):
            if not line:
                fail("the shell ended", "".join(lines))
            lines.append(line)
        self.output = "".join(lines)
        if line.split()[1] != "0":
            fail(f"a command failed: {block}", self.output)

    def run_on(self, block: str) -> None:
        """Start a block in a terminal of its own, in the clone, and leave it running."""
        log = self._directory / f"terminal-{len(self._running) + 2}.log"
        with log.open("wb") as output:
            started = subprocess.Popen(
                ["bash", "-c", f"exec {block}"],
                cwd=self.clone if self.clone.exists() else self._directory,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
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
        for started, _ in self._running:
            if started.poll() is None:
                os.killpg(started.pid, signal.SIGTERM)
                try:
                    started.wait(15)
                except subprocess.TimeoutExpired:
                    os.killpg(started.pid, signal.SIGKILL)
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        self._shell.wait(10)
        assert self._shell.stdout is not None
        self._shell.stdout.close()
