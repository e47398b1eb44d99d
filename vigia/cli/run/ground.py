"""What a run stands on: an embedded broker with SQLite files, or the local stack; ready for workers to start on."""

import fcntl
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from vigia.app import make_private
from vigia.cli.exits import NEEDS_PERSON, TRANSIENT, UNACCOUNTED, RunFailed
from vigia.cli.run import environment
from vigia.cli.run.broker import BrokerDown, EmbeddedBroker, ask_cluster_id, touch_topics
from vigia.cli.run.patience import Patience
from vigia.settings import Settings, load
from vigia.stores.errors import Unusable
from vigia.topics import TOPICS

TOPICS_SECONDS = 120.0
HINT = "Is the stack up? `make stack` starts it, `make stack-status` shows it."

Say = Callable[[str], None]


@dataclass(frozen=True)
class Ground:
    """Settings and environment of the workers, and the cluster they work on; `check` raises when it has broken away."""

    settings: Settings
    environment: Mapping[str, str]
    cluster_id: str
    check: Callable[[], None]
    hint: str = ""

    @property
    def logs(self) -> Path:
        """Where everybody's log is."""
        return self.settings.data_dir / "log"


def embedded(environ: Mapping[str, str], ending: ExitStack, say: Say) -> Ground:
    """Start a broker of our own; `ending` gets what must be done at the end."""
    bare = environment.bare(environ)
    data_dir = load({**bare, "VIGIA_PROFILE": "development"}).data_dir
    ending.callback(lock(data_dir).close)
    say("starting the embedded broker")
    broker = EmbeddedBroker(data_dir / "log" / "broker.log", bare)
    ending.callback(broker.stop)
    ours = environment.embedded(environ, data_dir, broker.bootstrap, broker.cluster_id)
    settings = load(ours)
    names = [settings.kafka.physical(topic.name) for topic in TOPICS]
    touch_topics(settings.kafka.confluent_config(), names)
    return Ground(settings, ours, broker.cluster_id, broker.check)


def local(environ: Mapping[str, str], ending: ExitStack, patience: Callable[[float], Patience]) -> Ground:
    """Find the local stack, and bring its topics in order."""
    try:
        theirs = environment.local(environ)
    except environment.NoStack as error:
        raise RunFailed(str(error), TRANSIENT) from error
    settings = load(theirs)
    ending.callback(lock(settings.data_dir).close)
    waiting = patience(settings.stream.start_budget)
    cluster_id = settings.kafka.cluster_id or waiting.with_(
        lambda: ask_cluster_id(settings.kafka.confluent_config()), HINT
    )
    waiting.with_(lambda: _apply_topics(theirs), HINT)
    return Ground(settings, theirs, cluster_id, lambda: None, HINT)


def lock(data_dir: Path) -> "_Lock":
    """Take the data for this run alone; raises RunFailed when another run has it."""
    return _Lock(data_dir)


class _Lock:
    """A lock on `run.lock`, given back by `close` and whenever this process ends."""

    def __init__(self, data_dir: Path) -> None:
        try:
            make_private(data_dir)
        except Unusable as error:
            raise RunFailed(str(error), NEEDS_PERSON) from error
        path = data_dir / "run.lock"
        self._file = path.open("a", encoding="ascii")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise RunFailed(
                f"another run uses {data_dir}; end it first, or give this one its own data with VIGIA_DATA_DIR=folder",
                NEEDS_PERSON,
            ) from error

    def close(self) -> None:
        """Give it back."""
        self._file.close()


def _apply_topics(environ: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.topics", "apply"],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TOPICS_SECONDS,
        check=False,
        start_new_session=True,
    )
    said = (done.stdout + done.stderr).strip()
    if done.returncode == TRANSIENT:
        raise BrokerDown(said.splitlines()[0] if said else "the topics could not be applied")
    if done.returncode == UNACCOUNTED:
        raise RunFailed(f"the topics on the broker are not as vigia/topics.py says:\n{said}", NEEDS_PERSON)
    if done.returncode:
        raise RunFailed(f"`python -m scripts.topics apply` ended with {done.returncode}:\n{said}", NEEDS_PERSON)
