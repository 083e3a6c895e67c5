"""
Measures whether the campaign finds known faults, which it plants in a copy of the sources.

`python -m tests.chaos.planted_faults`. Not part of CI: it takes a minute or two a fault. What was found is
recorded in docs/adr/0008-crash-campaign.md. The campaign is the ordinary one and does not know which fault was planted.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.chaos.campaign import Campaign
from tests.chaos.deployment import ROOT
from tests.chaos.servers import own_servers

SETTLE_S = 25.0
PACKAGES = ("services", "shared", "cli", "simulator", "deploy")
PAUSE = "import time as planted; planted.sleep(0.3)"
"""Widens a window that a kill would otherwise hit once in many hours."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Edits that plant one fault: file, what stands there, what is put instead."""

    name: str
    edits: tuple[tuple[str, str, str], ...]
    engine: str = "embedded"
    harmless: bool = False
    """A second guard holds: the campaign must not find it."""


STATUS = "services/room_status/worker.py"
SYNC = "services/sync_worker/worker.py"
COMMIT = "            offset = self._claim.commit([*events, *batch.statuses], batch.changes, position)\n"
BESIDE = (
    f"            self._log.append(events)\n            {PAUSE}\n"
    "            offset = self._claim.commit(batch.statuses, batch.changes, position)\n"
)
TOLD = "        self._told = frozenset(_event_ids(claim.tail() if tail_check else ()))\n"
SYNC_COMMIT = "            self._claim.commit(piece.observations, piece.changes, self._hints.position(answered))\n"
SEND = "        self._in_flight.begin(held.job)\n"
TAKE = "        self._intake.begin(profile.hooks.topic.name, push.hints, step, settled)\n"
MADE = "DistributedClaim(clients, station, partition, producer, transactions=transactions, at_point=at_point)\n"
INIT = f"        if transactions:\n            producer.init_transactions()\n        return {MADE}"
INIT_LAST = (
    f"        made = {MADE}        import time as planted; planted.sleep(3.0)\n"
    "        if transactions:\n            producer.init_transactions()\n        return made\n"
)
UNTOLD = "        self._told = frozenset()\n"
CLAIM = "shared/engines/distributed/claim.py"

FAULTS = (
    Fault(
        "state-before-decisions",
        ((
            STATUS,
            COMMIT,
            ("            offset = self._claim.commit(batch.statuses, batch.changes, position)\n"
            f"            {PAUSE}\n            self._claim.commit(events, [], {{}})\n"),
        ),),
    ),
    Fault("decisions-outside-the-commit", ((STATUS, COMMIT, BESIDE),), harmless=True),
    Fault(
        "decisions-outside-the-commit-and-no-tail-check",
        ((STATUS, COMMIT, BESIDE), (STATUS, TOLD, UNTOLD)),
    ),
    Fault(
        "no-fencing",
        (("shared/engines/embedded/claim.py", "        if epoch != self._epoch:\n", "        if epoch < 0:\n"),),
    ),
    Fault(
        "no-fencing-kafka",
        ((
            "shared/engines/distributed/clients.py",
            "            transactional_id=self.prefix + name,\n",
            '            transactional_id=f"{self.prefix}{name}-{__import__(\'os\').getpid()}",\n',
        ),),
        engine="kafka",
    ),
    Fault(
        "state-before-decisions-kafka",
        ((
            STATUS,
            COMMIT,
            ("            offset = self._claim.commit(batch.statuses, batch.changes, position)\n"
            f"            {PAUSE}\n            self._claim.commit(events, [], {{}})\n"),
        ),),
        engine="kafka",
    ),
    Fault("restore-before-init-transactions", ((CLAIM, INIT, INIT_LAST),), engine="kafka"),
    Fault(
        "restore-before-init-transactions-and-no-tail-check",
        ((CLAIM, INIT, INIT_LAST), (STATUS, TOLD, UNTOLD)),
        engine="kafka",
    ),
    Fault(
        "position-before-decisions",
        ((
            STATUS,
            COMMIT,
            f"            self._claim.commit([], [], position)\n            {PAUSE}\n{COMMIT}",
        ),),
    ),
    Fault(
        "last-page-dropped",
        (
            (
                "shared/providers/google/client.py",
                "            seen += page.seen\n",
                "            seen += page.seen if page.next_page or not token else []\n",
            ),
            (
                "shared/providers/microsoft/delta_rounds.py",
                "            events += page.events\n",
                "            events += page.events if page.next_link or not visited else []\n",
            ),
        ),
    ),
    Fault(
        "cursor-ahead-of-its-observations",
        ((
            SYNC,
            SYNC_COMMIT,
            ("            self._claim.commit([], piece.changes, self._hints.position(answered))\n"
            f"            {PAUSE}\n            self._claim.commit(piece.observations, [], {{}})\n"),
        ),),
    ),
    Fault(
        "view-ahead-of-the-log",
        ((
            STATUS,
            COMMIT,
            ("            self._projection.add(batch.rows.values(), self._log.span(MEETING_STATE.name,"
            " self._claim.partition).end + len(batch.states))\n"
            f"            {PAUSE}\n{COMMIT}"),
        ),),
    ),
    Fault(
        "hints-discharged-when-the-look-begins",
        ((SYNC, SEND, SEND + "        self._hints.discharge(mailbox, held.job.answers)\n"),),
    ),
    Fault(
        "position-past-hints-still-owed",
        ((
            "services/sync_worker/deciding/hints.py",
            "                position[topic] = min(position.get(topic, offset), offset)\n",
            "                position[topic] = max(position.get(topic, offset), offset)\n",
        ),),
    ),
    Fault(
        "answered-before-appended",
        ((
            "services/webhook_receiver/app.py",
            TAKE,
            ("        import threading as planted\n"
            "        begun = (profile.hooks.topic.name, push.hints, step, lambda _: None)\n"
            "        planted.Timer(0.3, self._intake.begin, begun).start()\n"
            "        settled(None)\n"),
        ),),
    ),
    Fault(
        "input-resumed-from-the-beginning",
        ((
            "shared/engines/embedded/claim.py",
            '        recorded = json_decoder(Position).decode(state.pop(POSITION_KEY, b"{}"))\n',
            '        recorded = Position({}, json_decoder(Position).decode(state.pop(POSITION_KEY, b"{}")).ends)\n',
        ),),
    ),
    Fault(
        "every-sight-of-a-decline-announced",
        ((
            "services/room_status/deciding/room_transitions.py",
            "    if room.answer is said:\n",
            "    if room.answer is said and said is not RoomState.DECLINED:\n",
        ),),
    ),
    Fault(
        "progress-of-a-taken-series-lost",
        (
            (
                "services/sync_worker/looking/series_swap.py",
                "    if not _is_swapped(series, is_declined, room):\n",
                '    if _is_swapped(series, is_declined, room):\n        return ""\n    else:\n',
            ),
            (
                "services/sync_worker/looking/series_swap.py",
                '        crash_point("sync-worker.series-swapped")\n',
                f'        crash_point("sync-worker.series-swapped")\n        {PAUSE}\n',
            ),
        ),
    ),
    Fault(
        "dates-apart-read-before-the-series-is-changed",
        ((
            "services/sync_worker/looking/series_swap.py",
            "        series = swaps.provider.read_series(swaps.access, event_id, window) or series\n",
            "",
        ),),
    ),
    Fault(
        "dates-that-went-are-kept",
        ((
            "services/room_status/deciding/fold.py",
            "        return self._role() is CopyRole.ORGANIZER and self.seen.covers(date.begins, date.ends)\n",
            "        return False\n",
        ),),
    ),
)  # fmt: skip


@contextlib.contextmanager
def plant(fault: Fault) -> Iterator[Path]:
    """A copy of the sources with the fault in it. Raises ValueError when the sources have moved on."""
    with tempfile.TemporaryDirectory(prefix="roomsync-planted-") as directory:
        tree = Path(directory)
        for package in PACKAGES:
            shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
        for name, old, new in fault.edits:
            file = tree / name
            text = file.read_text()
            if text.count(old) != 1:
                message = f"{fault.name}: {name} no longer has exactly one {old!r}: plant it anew"
                raise ValueError(message)
            file.write_text(text.replace(old, new))
        yield tree


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the campaign says of a fault."""

    seed: int
    rounds: int
    """Played, the last one included."""
    findings: str
    """In words; "" when it has nothing to say."""
    stopped: str = ""
    """Why it could not be played to the end: says nothing about the fault."""

    def line(self, fault: Fault) -> str:
        """A row of the table in ADR 8."""
        what = "rightly not found" if fault.harmless else "**not found**"
        if self.stopped:
            what = f"could not be played: {self.stopped[:90]}"
        elif self.findings:
            what = f"found: {self.findings.splitlines()[1][:90]}"
        return f"| {fault.name} | {fault.engine} | seed {self.seed}, round {self.rounds} | {what} |"


def found(fault: Fault, seed: int, rounds: int) -> Outcome:
    """Plant it and play until something is found, `rounds` rounds at most."""
    with contextlib.ExitStack() as stack:
        tree = stack.enter_context(plant(fault))
        servers = stack.enter_context(own_servers()) if fault.engine == "kafka" else None
        campaign = Campaign(seed, lossy=False, tree=tree, servers=servers, settle_s=SETTLE_S)
        try:
            stack.enter_context(campaign.running())
            for nth in range(1, rounds + 1):
                verdict = campaign.round()
                if not verdict.ok:
                    return Outcome(seed, nth, f"{verdict}\n{verdict.findings()}")
        except (RuntimeError, httpx.HTTPError) as error:
            return Outcome(seed, 0, "", stopped=str(error))
    return Outcome(seed, rounds, "")


def main() -> int:
    """Try each fault; 1 when one that should be found was not, or one that is harmless was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="faults to plant; default: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=4, help="at most so many a fault")
    arguments = parser.parse_args()
    missed, table = 0, []
    for fault in (each for each in FAULTS if not arguments.names or each.name in arguments.names):
        outcome = found(fault, arguments.seed, arguments.rounds)
        missed += bool(outcome.findings) == fault.harmless
        table.append(outcome.line(fault))
        print(
            f"PLANTED {fault.name}: {'found' if outcome.findings else 'not found'}\n{outcome.findings}{outcome.stopped}",
            flush=True,
        )
    print("\n".join(("", "| planted | engine | when | outcome |", "| --- | --- | --- | --- |", *table)))
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
