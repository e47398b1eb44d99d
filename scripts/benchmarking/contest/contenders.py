"""Who takes part, and how each is started."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.benchmarking import environments

HERE = Path(__file__).parent
Command = list[str]


@dataclass(frozen=True)
class Contender:
    """`command` is called when its turn comes, and may raise CannotBuildError."""

    name: str
    what: str
    command: Callable[[], Command]
    processes: int = 1
    points: tuple[int, ...] = (1,)
    is_vigia: bool = False
    limit: float = 120.0
    """Seconds for one run."""
    most: int = 0
    """Samples at which a slow contender stops being timed; 0: all of them."""
    environment: Mapping[str, str] = field(default_factory=dict)


def _ours(module: str, *arguments: str) -> Callable[[], Command]:
    return lambda: [sys.executable, "-m", f"scripts.benchmarking.contest.{module}", *arguments]


def _peer(script: str, requirements: tuple[str, ...]) -> Callable[[], Command]:
    return lambda: [str(environments.python_with(requirements)), str(HERE / "peers" / script)]


def _bytewax() -> Command:
    python = str(environments.python_with(environments.BYTEWAX))
    return [python, "-m", "bytewax.run", "bytewax_job:flow"]


def _kafka_streams(store: str) -> Callable[[], Command]:
    def command() -> Command:
        folder = environments.kafka_streams()
        return ["java", "-Xmx1g", "-cp", f"{folder / 'classes'}:{folder / 'lib'}/*", "Job", store]

    return command


_PEER_PATH = {"PYTHONPATH": f"{HERE}:{HERE / 'peers'}"}
PACKED = 100
BOTH = (1, PACKED)

CONTENDERS = (
    Contender("floor", "(a) aiokafka getmany, msgspec, a dict; keeps nothing", _ours("floor"), points=BOTH),
    Contender(
        "vigia-forgetting",
        "(b) Vigia's metrics agent, stores that accept and forget",
        _ours("vigia_worker", "none"),
        points=BOTH,
        is_vigia=True,
    ),
    Contender(
        "vigia-mariadb",
        "(c) Vigia with MariaDB, no raw log",
        _ours("vigia_worker", "summaries"),
        points=BOTH,
        is_vigia=True,
    ),
    Contender(
        "vigia", "(d) Vigia with MariaDB and Cassandra", _ours("vigia_worker", "both"), points=BOTH, is_vigia=True
    ),
    Contender(
        "vigia-2-workers",
        "(d) with two workers",
        _ours("vigia_worker", "both"),
        processes=2,
        points=BOTH,
        is_vigia=True,
    ),
    Contender("kafka-streams-memory", "Kafka Streams, 1 thread, in-memory store", _kafka_streams("memory")),
    Contender("kafka-streams-rocksdb", "Kafka Streams, 1 thread, RocksDB", _kafka_streams("rocksdb")),
    Contender("bytewax", "Bytewax, no recovery", _bytewax, environment=_PEER_PATH),
    Contender("quix", "Quix Streams", _peer("quix_job.py", environments.QUIX), environment=_PEER_PATH),
    Contender(
        "faust",
        "a stock Faust agent, noack_take (its first 200,000)",
        _peer("faust_job.py", environments.FAUST),
        environment=_PEER_PATH,
        most=200_000,
    ),
)
