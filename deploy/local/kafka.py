"""One or three real Kafka brokers (KRaft, combined) on loopback: `python -m deploy.local.kafka --brokers 3 --dir D`."""

from __future__ import annotations

import argparse
import base64
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.local.class_archive import archive_file, read_options, write_options
from deploy.local.jars import INSTALL, resolve_jars
from deploy.local.processes import HOST, STOP_S, Child, ServerError, find_tool, free_ports
from deploy.local.secured import Secured

READY_S = 90.0
ARCHIVE_S = 120.0
"""How long writing the archive of the classes may take."""
_READY_LINE = "Kafka Server started"
_JVM = ("-Xms128m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")
_LOG4J = f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}"


@dataclass(frozen=True)
class Node:
    """One broker: where it listens and keeps its data."""

    number: int
    port: int
    controller_port: int
    directory: Path

    @property
    def properties(self) -> Path:
        """Its configuration file."""
        return self.directory / "server.properties"


class Brokers:
    """A running cluster. Only its own processes are ever signalled."""

    def __init__(
        self, nodes: list[Node], libs: Path, secured: Secured | None = None, *, options: Sequence[str] = ()
    ) -> None:
        """`nodes` are formatted already; see `brokers`. `options` are further ones of the JVM."""
        self.secured = secured
        self._options = options
        self._nodes = nodes
        self._libs = libs
        self._children: dict[int, Child] = {}

    @property
    def bootstrap(self) -> str:
        """`host:port[,host:port]`, as ROOMSYNC_KAFKA_BOOTSTRAP takes it."""
        return ",".join(f"{HOST}:{node.port}" for node in self._nodes)

    @property
    def numbers(self) -> list[int]:
        """Node ids, from 1."""
        return [node.number for node in self._nodes]

    def start(self, *numbers: int) -> None:
        """Start these nodes (all, if none is named) and wait until they serve."""
        chosen = [node for node in self._nodes if not numbers or node.number in numbers]
        for node in chosen:
            log = node.directory / f"server-{time.time_ns()}.log"
            command = [*_java(self._libs, *self._options), "kafka.Kafka", str(node.properties)]
            self._children[node.number] = Child(command, log, cwd=node.directory)
        for node in chosen:
            child = self._children[node.number]
            child.wait_until(partial(_says_ready, child), READY_S)

    def freeze(self, *numbers: int) -> None:
        """SIGSTOP these nodes (all, if none is named)."""
        for number in numbers or self.numbers:
            self._children[number].freeze()

    def thaw(self, *numbers: int) -> None:
        """SIGCONT these nodes (all, if none is named)."""
        for number in numbers or self.numbers:
            self._children[number].thaw()

    def kill(self, *numbers: int) -> None:
        """SIGKILL these nodes (all, if none is named)."""
        for number in numbers or self.numbers:
            self._children[number].kill()

    def stop(self, patience_s: float = STOP_S) -> None:
        """End all nodes in order, so that a later start finds clean logs; each may take `patience_s`."""
        for child in self._children.values():
            child.stop(patience_s)


def _says_ready(child: Child) -> bool:
    return _READY_LINE in child.log.read_text(errors="replace")


@contextmanager
def brokers(
    count: int = 1, directory: Path | None = None, *, keep: bool = False, secured: bool = False
) -> Iterator[Brokers]:
    """
    A cluster of `count` brokers on free ports.

    Args:
        count: 1, or 3 (then `min.insync.replicas` is 2).
        directory: Where data goes; a fresh temporary directory if none is given. An existing cluster there is started again.
        secured: Speak TLS only, ask for a login, and refuse what no rule allows; see `Brokers.secured`.
        keep: End brokers in order on leaving, so that the data can be used again; else they are killed, which is faster.

    Raises:
        ServerError: Java, Maven or a jar is missing, or a broker does not come up.
    """
    find_tool("java", INSTALL)
    libs = resolve_jars()
    with tempfile.TemporaryDirectory(prefix="roomsync-kafka-") as temporary:
        place = directory or Path(temporary)
        guard = Secured(place / "secured") if secured else None
        cluster = Brokers(_laid_out(count, place, libs, guard), libs, guard)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop() if keep else cluster.kill(*cluster._children)  # noqa: SLF001


def _laid_out(count: int, directory: Path, libs: Path, secured: Secured | None) -> list[Node]:
    ports = free_ports(2 * count)
    nodes = [Node(n + 1, ports[2 * n], ports[2 * n + 1], directory / f"node-{n + 1}") for n in range(count)]
    cluster_id = _cluster_id(directory)
    formats = []
    for node in nodes:
        node.directory.mkdir(parents=True, exist_ok=True)
        node.properties.write_text(_configuration(node, nodes, secured))
        command = [*_java(libs), "kafka.tools.StorageTool", "format", "--ignore-formatted"]
        command += ["-t", cluster_id, "-c", str(node.properties), *(secured.format_options() if secured else [])]
        formats.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    for one in formats:
        output, _ = one.communicate()
        if one.returncode != 0:
            message = f"formatting the data directory failed (Java 17 is needed; {INSTALL}):\n{output[-2000:]}"
            raise ServerError(message)
    return nodes


def _cluster_id(directory: Path) -> str:
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "cluster-id"
    if not file.exists():
        file.write_text(
            "A" + base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")[1:]
        )  # never begins with "-"
    return file.read_text()


def _java(libs: Path, *options: str) -> list[str]:
    java = find_tool("java", INSTALL)
    return [java, *_JVM, *(options or read_options(archive_file(java, libs))), _LOG4J, "-cp", f"{libs.resolve()}/*"]


def _is_usable(archive: Path, libs: Path) -> bool:
    """Whether a JVM that must start with the archive, and checks all of it, does so: one that is cut off would end each broker."""
    strict = (*read_options(archive), "-Xshare:on", "-XX:+VerifySharedSpaces")
    tried = subprocess.run([*_java(libs, *strict), "-version"], cwd=archive.parent, capture_output=True, check=False)
    return archive.exists() and tried.returncode == 0


def archive_classes() -> Path | None:
    """
    Start a broker once, and have its JVM write the archive of its classes for all later ones; nothing if it is there.

    Returns:
        The archive; None where this Java writes none.

    Raises:
        ServerError: Java, Maven or a jar is missing, or the broker does not come up.
    """
    libs = resolve_jars()
    archive = archive_file(find_tool("java", INSTALL), libs)
    if archive is None or archive.exists():
        return archive
    with tempfile.TemporaryDirectory(prefix="classes-", dir=archive.parent) as temporary:
        written = Path(temporary) / archive.name
        cluster = Brokers(_laid_out(1, Path(temporary), libs, None), libs, options=write_options(written))
        try:
            cluster.start()
        finally:
            cluster.stop(ARCHIVE_S)
        if not _is_usable(written, libs):
            return None
        written.replace(archive)  # whoever made it at the same time made the same
    return archive


def _configuration(node: Node, nodes: list[Node], secured: Secured | None) -> str:
    replicas = min(3, len(nodes))
    in_sync = 2 if len(nodes) >= 3 else 1  # noqa: PLR2004
    voters = ",".join(f"{one.number}@{HOST}:{one.controller_port}" for one in nodes)
    name = secured.listener if secured else "PLAINTEXT"
    listeners = f"{name}://{HOST}:{node.port},CONTROLLER://{HOST}:{node.controller_port}"
    values = {
        "process.roles": "broker,controller",
        "node.id": node.number,
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "listeners": listeners,
        "advertised.listeners": listeners,
        "inter.broker.listener.name": name,
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": node.directory / "data",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": 3,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": 3,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
        "broker.session.timeout.ms": 3000,  # a dead leader is replaced after 3 s, not 9
        "broker.heartbeat.interval.ms": 500,
        "replica.lag.time.max.ms": 1000,  # acks=all waits for a dead follower until it leaves the in-sync set: 30 s by default
        "log.cleaner.dedupe.buffer.size": 2097152,  # 128 MB of heap by default
        "num.network.threads": 1,
        "num.io.threads": 2,
        "background.threads": 2,
        "auto.create.topics.enable": "false",
        **(secured.properties() if secured else {}),
    }
    return "".join(f"{key}={value}\n" for key, value in values.items())


def main() -> None:
    """Run brokers until interrupted; the first line printed is the bootstrap address."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    parser.add_argument(
        "--secured", action="store_true", help="TLS, logins and least rights; prints the settings to use"
    )
    parser.add_argument("--dir", type=Path, default=None, help="data directory, kept; default: a temporary one")
    parser.add_argument(
        "--prepare", action="store_true", help="only fetch what brokers need, and make their starts quick"
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if arguments.prepare:
            print(archive_classes() or resolve_jars())
            return
        keep = arguments.dir is not None
        with brokers(arguments.brokers, arguments.dir, keep=keep, secured=arguments.secured) as cluster:
            print(cluster.bootstrap, flush=True)
            if cluster.secured:
                print(cluster.secured.settings(), flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return
    except ServerError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
